"""Reading a question in another language: where an exam allows it, and what the log says of it.

A sitting keeps the language in which it began: its parameters are of that language, and
`language_rules` sees to it that the others share them.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.errors import NotAllowed
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import read_own_snapshot
from item_bank.store.audit import append_sitting_event
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting, SittingEvent


def switch_language(
    db: Database, candidate: CandidateSession, sitting_id: str, *, epoch: int, language: str
) -> None:
    """Show the open question, and those after it, in another language; the chain keeps it.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    NotAllowed
        When the exam does not allow it, or has no such language.
    """
    with db.write() as session:
        session.get(Sitting, sitting_id, with_for_update=True)
        snapshot = read_own_snapshot(db, session, sitting_id, candidate)
        plan = snapshot.exam.plan
        if not plan.language_switch or language not in plan.languages:
            raise NotAllowed("this exam does not change to that language")
        open_item, sitting = snapshot.open_item, snapshot.sitting
        if open_item is None or not snapshot.is_open or epoch != sitting.lease_epoch:
            return
        if language != snapshot.language:
            payload = {"position": open_item.position, "language": language}
            append_sitting_event(session, sitting, records.LANGUAGE, payload, snapshot.now)


def changes_of_language(session: Session, sitting_id: str) -> list[tuple[int, str]]:
    """Return at which positions a sitting changed to which language."""
    query = (
        select(SittingEvent.payload)
        .where(SittingEvent.sitting_id == sitting_id, SittingEvent.kind == records.LANGUAGE)
        .order_by(SittingEvent.number)
    )
    return [(said["position"], said["language"]) for said in session.scalars(query)]
