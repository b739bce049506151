"""Corrections of results: a wrong key, a dropped item, changed cut scores; who signed what effect.

`corrections` moves from proposed to applied; `correction_changes` is its dry run, replaced by each
new one until the first signature; `correction_signatures` is append-only.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Json, Key, Organisation, Time, Word


class Correction(Base):
    """What is to be put right, why, and what it would change."""

    __tablename__ = "corrections"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    number: Mapped[int]  # counts an organisation's corrections
    kind: Mapped[Word]  # key, drop, cuts
    bank_id: Mapped[Key | None] = mapped_column(ForeignKey("banks.id"))
    revision_id: Mapped[Key | None] = mapped_column(ForeignKey("item_revisions.id"), index=True)
    exam_id: Mapped[Key | None] = mapped_column(ForeignKey("exams.id"), index=True)
    change: Mapped[Json]  # the new key, or the new minimum of each level
    reason: Mapped[str] = mapped_column(Text)
    notice: Mapped[Json]  # what candidates are told, by language
    salt: Mapped[Key]
    status: Mapped[Word]  # proposed, checked, signed, applying, applied, withdrawn
    proposed_by: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    proposed_at: Mapped[Time]
    effect: Mapped[Json]  # sums of the dry run; {} before it
    effect_hash: Mapped[Hash | None]  # of every changed result: what is signed
    place: Mapped[int | None]  # in the order in which corrections came into force; None before
    applied_at: Mapped[Time | None]


class CorrectionSignature(Base):
    """A person's signature under a correction and the effect that was shown."""

    __tablename__ = "correction_signatures"

    correction_id: Mapped[Key] = mapped_column(ForeignKey("corrections.id"), primary_key=True)
    account_id: Mapped[Key] = mapped_column(ForeignKey("staff_accounts.id"), primary_key=True)
    organisation_id: Mapped[Organisation]
    effect_hash: Mapped[Hash] = mapped_column(primary_key=True)
    at: Mapped[Time]


class CorrectionChange(Base):
    """One sitting of a correction's dry run: as it was reported, and as it would be."""

    __tablename__ = "correction_changes"

    correction_id: Mapped[Key] = mapped_column(ForeignKey("corrections.id"), primary_key=True)
    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True, index=True)
    organisation_id: Mapped[Organisation]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"))
    result_number: Mapped[int]  # the result that would be superseded
    score: Mapped[float | None]
    new_score: Mapped[float | None]
    score_change: Mapped[float | None]
    level: Mapped[Word | None]
    new_level: Mapped[Word | None]
    passed: Mapped[bool | None]
    new_passed: Mapped[bool | None]
    changed: Mapped[bool]  # another score or level
    new_hash: Mapped[Hash | None]  # of the result there would be; None: it stays as it is
    problem: Mapped[Word | None]  # why it cannot be computed, such as "answer_erased"
    applied: Mapped[bool] = mapped_column(default=False, server_default=false())
