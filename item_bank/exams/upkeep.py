"""Work without a request: ending sittings whose time is over, and sealing those that have ended.

Run by the worker. Everything here may run twice and does its work once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from item_bank.exams import records
from item_bank.exams.pauses import INVIGILATOR
from item_bank.exams.personal import retention
from item_bank.exams.pulses import is_served
from item_bank.exams.snapshots import read_snapshot
from item_bank.exams.steps import TIME, keep_end
from item_bank.store.audit import append_site_event
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting

GRACE = 5 * SECOND  # an answer sent in time may still be on its way


def seal_sitting(db: Database, payload: Mapping[str, Any]) -> None:
    """Put the closing hash of a sitting's chain into the site chain, once."""
    with db.write() as session:
        sitting = session.get_one(Sitting, payload["sitting"], with_for_update=True)
        if sitting.sealed_at is not None:
            return
        sitting.sealed_at = db.now(session)
        closing = {
            "sitting": sitting.id,
            "length": sitting.chain_length,
            "head": sitting.chain_head,
        }
        append_site_event(
            session, records.SEALED, closing, sitting.sealed_at, sitting.organisation_id
        )


def close_abandoned(db: Database) -> int:
    """End the sittings whose deadline has passed, and return how many there were.

    The item on screen counts as not reached. While no candidate is served nothing is closed: the
    outage will be credited first.
    """
    with db.read() as session:
        if not is_served(db, session):
            return 0
        overdue = session.scalars(
            select(Sitting.id).where(
                Sitting.status == "running",
                Sitting.deadline_at < db.now(session) - GRACE,
                Sitting.pause.is_distinct_from(INVIGILATOR),
            )
        ).all()
    return sum(_close(db, sitting_id) for sitting_id in overdue)


def _close(db: Database, sitting_id: str) -> bool:
    with db.write() as session:
        snapshot = read_snapshot(db, session, sitting_id, lock=True)
        still_over = snapshot.sitting.status == "running" and snapshot.is_late
        if not (still_over and is_served(db, session)):
            return False
        keep_end(session, snapshot, TIME)
        return True


HANDLERS: Mapping[str, Callable[[Database, Mapping[str, Any]], None]] = {
    "seal_sitting": seal_sitting,
    retention.JOB: retention.apply_daily,
}
