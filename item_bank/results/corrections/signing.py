"""Signing a correction: two people sign the effect that they were shown; then it is in force.

At least one of them is an examiner, and no account signs twice. A signature stands under the hash
of the dry run: where sittings have ended since, or another correction came into force, it is
refused, and the dry run has to be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.results.corrections import records
from item_bank.results.corrections.dry_run import check_open, data_mark
from item_bank.results.corrections.terms import (
    APPLYING,
    CHECKED,
    EXAMINER,
    SIGNATURES,
    SIGNED,
    SIGNERS,
)
from item_bank.store.database import Database
from item_bank.store.long_work import plan
from item_bank.store.tables.corrections import Correction, CorrectionSignature
from item_bank.store.tables.people import StaffAccount

APPLY = "correction_apply"


@dataclass(frozen=True)
class Signature:
    """Who signed, as what, and when."""

    account_id: str
    name: str
    role: str
    at: int


def signatures(session: Session, row: Correction) -> list[Signature]:
    """Return the signatures under the effect that a correction has now, the first one first."""
    found = session.execute(
        select(CorrectionSignature, StaffAccount)
        .join(StaffAccount, StaffAccount.id == CorrectionSignature.account_id)
        .where(
            CorrectionSignature.correction_id == row.id,
            CorrectionSignature.effect_hash == row.effect_hash,
        )
        .order_by(CorrectionSignature.at, CorrectionSignature.account_id)
    )
    return [Signature(one.account_id, who.name, who.role, one.at) for one, who in found]


def refusal(row: Correction, signed: Sequence[Signature], actor: Actor) -> str | None:
    """Say why somebody may not sign a correction; None where they may."""
    if actor.role not in SIGNERS or actor.id is None:
        return "a correction is signed by examiners, or by an examiner and an administrator"
    if row.status not in {CHECKED, SIGNED}:
        return f"correction {row.number} is {row.status}: " + (
            "a dry run comes before the signatures" if row.status == "proposed" else "it is decided"
        )
    if any(one.account_id == actor.id for one in signed):
        return "you have signed this correction; another person must sign it, too"
    if signed and EXAMINER not in {actor.role, *(one.role for one in signed)}:
        return "one of the two who sign must be an examiner"
    return None


def is_stale(session: Session, row: Correction) -> bool:
    """Whether anything has changed since the dry run."""
    return bool(row.effect) and data_mark(session, row) != row.effect["mark"]


def sign(db: Database, actor: Actor, number: int, effect_hash: str) -> int:
    """Sign a correction under the effect that was seen; return how many signatures are missing.

    With the last one it comes into force, and applying it is planned as long work.

    Raises
    ------
    NotAllowed
        When the actor may not sign, has signed before, or the effect is not that which was seen
        or has changed since.
    """
    with db.write() as session:
        records.lock_organisation(session, actor.organisation_id)
        row = records.find(session, number, actor.organisation_id, lock=True)
        signed = signatures(session, row)
        reason = refusal(row, signed, actor)
        if reason is not None:
            raise NotAllowed(reason)
        check_open(session, row)
        if row.effect_hash != effect_hash:
            raise NotAllowed("the dry run was repeated meanwhile: look at what it found now")
        if is_stale(session, row):
            raise NotAllowed("sittings have ended since the dry run: repeat it, then sign")
        _keep(db, session, row, actor)
        missing = SIGNATURES - len(signed) - 1
        if missing <= 0:
            _put_in_force(db, session, row, actor)
        return missing


def _keep(db: Database, session: Session, row: Correction, actor: Actor) -> None:
    now = db.now(session)
    session.add(
        CorrectionSignature(
            correction_id=row.id,
            account_id=actor.id,
            organisation_id=row.organisation_id,
            effect_hash=row.effect_hash,
            at=now,
        )
    )
    row.status = SIGNED
    more = {"effect": row.effect_hash, "role": actor.role}
    records.note(session, row, records.CORRECTION_SIGNED, actor.by, now, **more)


def _put_in_force(db: Database, session: Session, row: Correction, actor: Actor) -> None:
    """From now on every result that is built follows it; those that stand are amended by a job."""
    newest = select(func.max(Correction.place)).where(
        Correction.organisation_id == row.organisation_id
    )
    row.place, row.status = (session.scalar(newest) or 0) + 1, APPLYING
    now = db.now(session)
    more = {"place": row.place, "effect": row.effect_hash}
    records.note(session, row, records.CORRECTION_IN_FORCE, actor.by, now, **more)
    plan(
        session,
        APPLY,
        f"{APPLY} {row.id}",
        f"Correction {row.number}: amend the results",
        {"correction": row.number},
        organisation_id=row.organisation_id,
        due_at=now,
    )
