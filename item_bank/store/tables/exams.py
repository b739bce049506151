"""Exams, their immutable versions, and who is registered for them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text, UniqueConstraint
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


class Exam(Base):
    """An exam through all its versions."""

    __tablename__ = "exams"
    __table_args__ = (UniqueConstraint("organisation_id", "code"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    code: Mapped[Word]
    status: Mapped[Word]  # open or closed
    created_at: Mapped[Time]


class ExamVersion(Base):
    """An applied exam file with its release resolved to a number; never changes."""

    __tablename__ = "exam_versions"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"))
    number: Mapped[int]
    release_id: Mapped[Key] = mapped_column(ForeignKey("releases.id"))
    rules_version: Mapped[int]
    source: Mapped[str] = mapped_column(Text)  # the TOML file as it was applied
    design: Mapped[Json]  # what the file says, checked and resolved
    content_hash: Mapped[Hash]
    applied_at: Mapped[Time]


class Registration(Base):
    """A candidate's right to sit an exam, with accommodations."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("exam_id", "candidate_id"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"))
    candidate_id: Mapped[Key] = mapped_column(ForeignKey("candidates.id"), index=True)
    attempts_allowed: Mapped[int]
    accommodations: Mapped[Json]  # {"extra_time": 1.25, ...}
    prior_theta: Mapped[float | None]  # expected of this person; read when a sitting starts
    centre: Mapped[Word | None]  # where the candidate sits
    created_at: Mapped[Time]
