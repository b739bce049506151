"""Corrections as people see them: the list, and one with everything known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotFound
from item_bank.items.content import written_key
from item_bank.results.corrections import records
from item_bank.results.corrections.in_force import rule_of, rules_in_force
from item_bank.results.corrections.signing import Signature, is_stale, refusal, signatures
from item_bank.results.corrections.terms import (
    APPLYING,
    CUTS,
    KEY,
    OPEN,
)
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.items import Bank, Item, ItemRevision
from item_bank.store.tables.people import StaffAccount
from item_bank.store.tables.records import Job


@dataclass(frozen=True)
class CorrectionRow:
    """A correction in a list; ``subject`` names the item or the exam."""

    number: int
    kind: str
    subject: str
    status: str
    reason: str
    proposed_by: str | None
    proposed_at: int
    applied_at: int | None
    sittings: int | None
    changed: int | None


@dataclass(frozen=True)
class Underway:
    """Long work on a correction: how far it is, and what kept it from its end, if anything."""

    kind: str
    done: int | None
    total: int | None
    error: str | None


@dataclass(frozen=True)
class CorrectionView:
    """Everything about a correction.

    Parameters
    ----------
    before, after
        What is corrected: the key, or the minimum of each level; None: the item counts, or does
        not.
    signed
        Signatures under the effect as it is now.
    stale
        Whether anything has changed since the dry run.
    may_not_sign
        Why whoever looks may not sign it; None where they may.
    work
        The long work on it that goes on or waits.
    """

    row: CorrectionRow
    id: str
    place: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    notice: Mapping[str, str]
    effect: Mapping[str, Any]
    effect_hash: str | None
    signed: Sequence[Signature]
    stale: bool
    may_not_sign: str | None
    is_open: bool
    is_applying: bool
    work: Underway | None


# --- corrections -------------------------------------------------------------------------------


def list_corrections(
    db: Database, actor: Actor, *, status: str = "", item_id: str = ""
) -> list[CorrectionRow]:
    """Return the corrections of an organisation, the newest first."""
    query = _listed().where(Correction.organisation_id == actor.organisation_id)
    if status:
        query = query.where(Correction.status == status)
    if item_id:
        query = query.where(Item.id == item_id)
    with db.read() as session:
        found = session.execute(query.order_by(Correction.number.desc())).all()
    return [_row(*one) for one in found]


def _listed() -> Any:
    return (
        select(Correction, Bank.code, Item.code, ItemRevision.number, Exam.code, StaffAccount.name)
        .outerjoin(Bank, Bank.id == Correction.bank_id)
        .outerjoin(ItemRevision, ItemRevision.id == Correction.revision_id)
        .outerjoin(Item, Item.id == ItemRevision.item_id)
        .outerjoin(Exam, Exam.id == Correction.exam_id)
        .outerjoin(StaffAccount, StaffAccount.id == Correction.proposed_by)
    )


def _row(
    row: Correction,
    bank: str | None,
    item: str | None,
    revision: int | None,
    exam: str | None,
    by: str | None,
) -> CorrectionRow:
    subject = str(exam) if row.kind == CUTS else f"{bank}/{item}, revision {revision}"
    return CorrectionRow(
        row.number,
        row.kind,
        subject,
        row.status,
        row.reason,
        by,
        row.proposed_at,
        row.applied_at,
        row.effect.get("sittings"),
        row.effect.get("changed"),
    )


def correction_view(db: Database, actor: Actor, number: int) -> CorrectionView:
    """Return everything about a correction.

    Raises
    ------
    NotFound
        When the actor's organisation has none of this number.
    """
    with db.read() as session:
        row = find_for(session, actor, number)
        listed = session.execute(_listed().where(Correction.id == row.id)).one()
        signed = signatures(session, row) if row.effect_hash else []
        before, after = before_and_after(session, row)
        return CorrectionView(
            row=_row(*listed),
            id=row.id,
            place=place_of(session, row),
            before=before,
            after=after,
            notice=row.notice,
            effect=row.effect,
            effect_hash=row.effect_hash,
            signed=signed,
            stale=row.status in OPEN and is_stale(session, row),
            may_not_sign=refusal(row, signed, actor),
            is_open=row.status in OPEN,
            is_applying=row.status == APPLYING,
            work=_work(session, row),
        )


def find_for(session: Session, actor: Actor, number: int) -> Correction:
    """Return a correction of the actor's organisation, or raise `NotFound`."""
    try:
        return records.find(session, number, actor.organisation_id)
    except InputError:
        raise NotFound from None


def place_of(session: Session, row: Correction) -> dict[str, Any]:
    """Name the bank, item and revision, or the exam and its versions."""
    if row.kind == CUTS:
        exam = session.get_one(Exam, row.exam_id)
        return {"exam": exam.code, "versions": row.change["versions"]}
    revision = session.get_one(ItemRevision, row.revision_id)
    item = session.get_one(Item, revision.item_id)
    bank = session.get_one(Bank, item.bank_id)
    about = {"bank": bank.code, "item": item.code, "item_id": item.id}
    return {**about, "revision": revision.number, "type": revision.type}


def before_and_after(
    session: Session, row: Correction
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """What held before a correction, or holds now while it is not in force; and what it makes."""
    own = rule_of(row)
    rules = [r for r in rules_in_force(session, row.organisation_id) if r.place < own.place]
    if row.kind == CUTS:
        return _minimums_before(session, row, rules), row.change["minimums"]
    revision = session.get_one(ItemRevision, row.revision_id)
    last = next((r for r in reversed(rules) if r.revision_id == row.revision_id), None)
    key = revision.key if last is None else last.change.get("key")
    before = None if key is None else written_key(revision.type, key)
    after = written_key(revision.type, row.change["key"]) if row.kind == KEY else None
    return before, after


def _minimums_before(
    session: Session, row: Correction, rules: Sequence[Any]
) -> Mapping[str, float]:
    first = row.change["versions"][0]
    for rule in reversed(rules):
        if rule.kind == CUTS and rule.holds_for(str(row.exam_id), first):
            found: Mapping[str, float] = rule.change["minimums"]
            return found
    version = session.scalars(
        select(ExamVersion).where(ExamVersion.exam_id == row.exam_id, ExamVersion.number == first)
    ).one()
    return {level["code"]: level["minimum"] for level in version.design["levels"]}


def _work(session: Session, row: Correction) -> Underway | None:
    """Return the long work on a correction that is not done."""
    query = select(Job).where(
        Job.organisation_id == row.organisation_id,
        Job.kind.in_(("correction_dry_run", "correction_apply")),
        Job.status == "waiting",
        ~Job.cancelled,
    )
    for job in session.scalars(query):
        if job.payload.get("correction") == row.number:
            return Underway(job.kind, job.done, job.total, job.last_error)
    return None
