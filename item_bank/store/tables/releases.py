"""Calibration runs, parameter drafts, and the immutable releases that come of them.

Parameters are keyed by (item revision, language). A release freezes them under a content hash.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import (
    Base,
    Hash,
    Id,
    Json,
    Key,
    Organisation,
    Time,
    Word,
)


class CalibrationRun(Base):
    """What was fitted, from which data, with which settings and versions."""

    __tablename__ = "calibration_runs"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"), index=True)
    base_release_id: Mapped[Key | None] = mapped_column(ForeignKey("releases.id"))
    at: Mapped[Time]
    data_hash: Mapped[Hash]
    settings: Mapped[Json]
    summary: Mapped[Json]
    converged: Mapped[bool]
    report_id: Mapped[Key | None] = mapped_column(ForeignKey("documents.id"))  # its report.html


class ParameterDraft(Base):
    """Parameters that wait for a person to publish or discard them."""

    __tablename__ = "parameter_drafts"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"), index=True)
    number: Mapped[int]  # counts within the bank
    source: Mapped[Word]  # "import" or "calibration"
    run_id: Mapped[Key | None] = mapped_column(ForeignKey("calibration_runs.id"))
    base_release_id: Mapped[Key | None] = mapped_column(ForeignKey("releases.id"))
    status: Mapped[Word]  # open, published, superseded
    created_at: Mapped[Time]


class DraftParameters(Base):
    """One row of a draft."""

    __tablename__ = "draft_parameters"

    draft_id: Mapped[Key] = mapped_column(ForeignKey("parameter_drafts.id"), primary_key=True)
    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), primary_key=True)
    language: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    model: Mapped[Word]
    parameters: Mapped[Json]  # {"a": .., "b": .., "c": .., "d": .., "thresholds": [..]}
    se: Mapped[Json]
    about: Mapped[Json]  # n, fit, notes


class Release(Base):
    """A frozen bank: item revisions and their parameters under one hash."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("bank_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"))
    number: Mapped[int]
    content_hash: Mapped[Hash]
    base_release_id: Mapped[Key | None] = mapped_column(ForeignKey("releases.id"))
    draft_id: Mapped[Key | None]  # no foreign key: drafts and runs point at releases already
    note: Mapped[Json]  # by language; "illustrative parameters" stands here
    published_at: Mapped[Time]


class ReleaseItem(Base):
    """One item of a release in one language; `position` is its row, the same in every language."""

    __tablename__ = "release_items"
    __table_args__ = (UniqueConstraint("release_id", "language", "position"),)

    release_id: Mapped[Key] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), primary_key=True)
    language: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    position: Mapped[int]
    code: Mapped[Word]
    content_area: Mapped[Word]
    status: Mapped[Word]  # operational or pretest
    model: Mapped[Word]
    parameters: Mapped[Json]
    se: Mapped[Json]
