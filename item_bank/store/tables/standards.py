"""Standard setting: studies, panellists and their ratings; and versions of cut scores."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Json, Key, Name, Organisation, Time, Word


class StandardStudy(Base):
    """A panel's work on the cut scores of an exam, through its rounds."""

    __tablename__ = "standard_studies"
    __table_args__ = (UniqueConstraint("organisation_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    number: Mapped[int]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"), index=True)
    exam_version_id: Mapped[Key] = mapped_column(ForeignKey("exam_versions.id"))
    method: Mapped[Word]  # angoff, bookmark
    level: Mapped[Word]  # the level whose minimum is set
    title: Mapped[Name]
    settings: Mapped[Json]  # items in order, response probability, notes
    round: Mapped[int]  # the round that is open, from 1
    status: Mapped[Word]  # open, closed, approved, discarded
    created_by: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    created_at: Mapped[Time]
    result: Mapped[Json]  # the cut with its SE, once closed; {} before
    approved_by: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    approved_at: Mapped[Time | None]


class Panellist(Base):
    """A member of a panel."""

    __tablename__ = "panellists"

    study_id: Mapped[Key] = mapped_column(ForeignKey("standard_studies.id"), primary_key=True)
    code: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    name: Mapped[Name]
    account_id: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))


class PanelRating(Base):
    """What a panellist said in a round: of an item, or with ``item`` "" where the bookmark is."""

    __tablename__ = "panel_ratings"

    study_id: Mapped[Key] = mapped_column(ForeignKey("standard_studies.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    panellist: Mapped[Word] = mapped_column(primary_key=True)
    item: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    value: Mapped[float]
    at: Mapped[Time]


class CutScores(Base):
    """A version of an exam's levels and scale, and where its cut scores come from."""

    __tablename__ = "cut_scores"

    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    hash: Mapped[Hash] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    levels: Mapped[Json]
    scale: Mapped[Json]
    source: Mapped[Json]  # an exam file's word, a standard-setting study, or a correction
    recorded_at: Mapped[Time]
