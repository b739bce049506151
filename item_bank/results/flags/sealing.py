"""What is looked at once a sitting is sealed: its own answers, and what is known of its items.

Called by the worker after the sitting's chain stands in the site chain, and by the long job that
looks through a whole exam.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from item_bank.exams.pauses import still_spans
from item_bank.exams.rapid import LEAST_ANSWERS, LEAST_EFFORT, rapid_facts
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.exams.upkeep import seal_sitting
from item_bank.results.flags.fit import fit_of
from item_bank.results.flags.limits import Limits, limits_in, precision_of
from item_bank.results.flags.met import compromised_seen, met_before
from item_bank.results.flags.records import RAPID, Found, keep
from item_bank.store.database import Database


def seal_and_flag(db: Database, payload: Mapping[str, Any]) -> None:
    """Seal a sitting and say what stands out in it; may run twice."""
    seal_sitting(db, payload)
    flag_sitting(db, payload["sitting"])


def flag_sitting(db: Database, sitting_id: str) -> None:
    """Compute the flags that need this sitting alone, and keep them."""
    with db.read() as session:
        snapshot = read_snapshot(db, session, sitting_id)
        found = own_flags(session, snapshot, limits_for(session, snapshot))
    with db.write() as session:
        keep(session, sitting_id, snapshot.sitting.organisation_id, found, db.now(session))


def limits_for(session: Session, snapshot: Snapshot) -> Limits | None:
    """Return the limits of person fit that were simulated for a sitting's exam version."""
    sitting = snapshot.sitting
    study = precision_of(
        session,
        organisation_id=sitting.organisation_id,
        exam_id=sitting.exam_id,
        version_id=sitting.exam_version_id,
    )
    return limits_in(study)


def own_flags(session: Session, snapshot: Snapshot, limits: Limits | None) -> list[Found]:
    """Compute the flags of a sitting that has ended, without keeping them."""
    return [
        fit_of(snapshot, limits),
        _rapid(session, snapshot),
        compromised_seen(session, snapshot),
        met_before(session, snapshot),
    ]


def _rapid(session: Session, snapshot: Snapshot) -> Found:
    """Say how many answers were rapid, by the rule that put the event into the log."""
    sitting_id = snapshot.sitting.id
    found = rapid_facts(snapshot, still_spans(session, [sitting_id]).get(sitting_id, []))
    if found is None:
        return Found(RAPID, flagged=False, values={"reason": "too_few"})
    flagged = found["effort"] < LEAST_EFFORT and len(found["positions"]) >= LEAST_ANSWERS
    return Found(RAPID, flagged=flagged, values=found)
