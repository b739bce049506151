"""Which window has a sitting: another window of the browser that holds its lease claims it.

Another browser or device takes it over (`sittings.take_over`), where its exam allows. The lease is
a number that either raises; whoever answers with an older one is turned away.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.delivery_rules import DENY, DeliveryRules
from item_bank.exams.designs import load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.sittings import device_hash
from item_bank.store.audit import append_sitting_event
from item_bank.store.caches import lately
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting, SittingEvent


def claim(db: Database, candidate: CandidateSession, sitting_id: str, epoch: int) -> int | None:
    """Give a sitting to a new window of the browser that holds it; return the new epoch.

    None when the lease is no longer at ``epoch``, or the sitting has ended.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        if sitting.status != "running" or sitting.lease_epoch != epoch:
            return None
        sitting.lease_epoch += 1
        payload = {"epoch": sitting.lease_epoch, "window": True}
        append_sitting_event(session, sitting, records.TAKEN_OVER, payload, db.now(session))
        return sitting.lease_epoch


def delivery_of(db: Database, candidate: CandidateSession, sitting_id: str) -> DeliveryRules:
    """Return the rules by which a candidate's own sitting is held.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """

    def pinned() -> tuple[str, str]:
        with db.read() as session:
            found = session.get(Sitting, sitting_id)
            if found is None:
                raise NotFound
            return found.candidate_id, found.exam_version_id

    owner, version_id = lately(db, f"version of sitting {sitting_id}", pinned)
    if owner != candidate.candidate_id:
        raise NotFound
    return load_version(db, version_id).plan.delivery


def may_take_over(
    db: Database, candidate: CandidateSession, sitting_id: str, *, device: str
) -> bool:
    """Say whether `take_over` would give a sitting to this device."""
    rules = delivery_of(db, candidate, sitting_id)
    held_by = _device(db, sitting_id)
    return rules.second_device != DENY or held_by in {None, device_hash(db, device)}


def is_held_by(db: Database, sitting_id: str, device: str) -> bool:
    """Say whether it is this device that holds a sitting."""
    return _device(db, sitting_id) == device_hash(db, device)


def _device(db: Database, sitting_id: str) -> str | None:
    with db.read() as session:
        return session.get_one(Sitting, sitting_id).device


def note_foreign_browser(db: Database, candidate: CandidateSession, sitting_id: str) -> None:
    """Put into a sitting's chain, once, that another browser than its exam's asked for it."""
    with db.read() as session:
        if _is_noted(session, sitting_id):
            return
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        if not _is_noted(session, sitting_id) and sitting.status == "running":
            payload = {"why": "browser"}
            now = db.now(session)
            append_sitting_event(session, sitting, records.FOREIGN_REQUEST, payload, now)


def _is_noted(session: Session, sitting_id: str) -> bool:
    links = select(SittingEvent.payload).where(
        SittingEvent.sitting_id == sitting_id, SittingEvent.kind == records.FOREIGN_REQUEST
    )
    return any(said.get("why") == "browser" for said in session.scalars(links))
