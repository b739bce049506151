"""What sittings came to: which result stands, what was decided on it, remarks and appeals.

`outcomes` is the one changeable row of a sitting's result: it copies what lists and cohorts count.
`decisions` is append-only. Typed text stands beside under a salt; the sitting's chain has
commitments to it.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Id, Json, Key, Organisation, Time, Word


class Outcome(Base):
    """The result of a sitting that stands, how far it has been released, and copies for lists."""

    __tablename__ = "outcomes"
    __table_args__ = (
        Index("ix_outcomes_exam_finished", "exam_id", "finished_at"),
        Index("ix_outcomes_organisation_state", "organisation_id", "state"),
    )

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    organisation_id: Mapped[Organisation]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"))
    exam_version_id: Mapped[Key] = mapped_column(ForeignKey("exam_versions.id"))
    candidate_id: Mapped[Key] = mapped_column(ForeignKey("candidates.id"), index=True)
    state: Mapped[Word]  # awaiting, held, released, invalidated
    result_number: Mapped[int]  # the result that stands
    seen_number: Mapped[int | None]  # the newest result that the candidate was shown
    verification: Mapped[Word] = mapped_column(unique=True)  # printed on the report
    released_at: Mapped[Time | None]
    simulated: Mapped[bool]
    attempt: Mapped[int]
    language: Mapped[Word]
    country: Mapped[Word | None]  # of the candidate then; None once erased
    centre: Mapped[Word | None]  # where it was sat; None once erased
    finished_at: Mapped[Time]
    stop_reason: Mapped[Word]
    n_items: Mapped[int]
    seconds: Mapped[float]
    theta: Mapped[float | None]
    se: Mapped[float | None]
    score: Mapped[float | None]
    score_se: Mapped[float | None]
    level: Mapped[Word | None]
    passed: Mapped[bool | None]


class Decision(Base):
    """An act on a result: signed, released, held, invalidated, reinstated, amended."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("sitting_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), index=True)
    number: Mapped[int]  # counts the acts on this sitting's result
    result_number: Mapped[int]
    act: Mapped[Word]
    category: Mapped[Word | None]  # of the reason for an invalidation, which the candidate is told
    account_id: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    by: Mapped[Word]  # an account's role, command line, exam rule, or a correction
    commitment: Mapped[Word]  # to the reason, which stands in `sitting_messages`; "" without one
    at: Mapped[Time]


class Appeal(Base):
    """A candidate's objection to a result, and what was answered."""

    __tablename__ = "appeals"
    __table_args__ = (Index("ix_appeals_organisation_status", "organisation_id", "status"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), index=True)
    result_number: Mapped[int]
    opened_by: Mapped[Key | None] = mapped_column(
        ForeignKey("staff_accounts.id")
    )  # None: candidate
    opened_at: Mapped[Time]
    status: Mapped[Word]  # open, upheld, dismissed, withdrawn
    text: Mapped[str] = mapped_column(Text)
    salt: Mapped[Key]
    answer: Mapped[str | None] = mapped_column(Text)
    answer_salt: Mapped[Key | None]
    decided_by: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    decided_at: Mapped[Time | None]
    correction_id: Mapped[Key | None] = mapped_column(ForeignKey("corrections.id"))


class Flag(Base):
    """What stands out in a sitting, as a study found it: person fit, rapid answers, likeness."""

    __tablename__ = "flags"
    __table_args__ = (Index("ix_flags_flagged", "organisation_id", "flagged", "kind"),)

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    kind: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    flagged: Mapped[bool]
    values: Mapped[Json]
    study_id: Mapped[Key | None] = mapped_column(ForeignKey("studies.id"))
    at: Mapped[Time]
