"""Which window has a sitting: another window of the browser that holds its lease claims it.

Another browser or device takes it over (`sittings.take_over`). The lease is a number that either
raises; whoever answers with an older one is turned away.
"""

from __future__ import annotations

from item_bank.exams import records
from item_bank.exams.errors import NotFound
from item_bank.exams.signing_in import CandidateSession
from item_bank.store.audit import append_sitting_event
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting


def claim(db: Database, candidate: CandidateSession, sitting_id: str, epoch: int) -> int | None:
    """Give a sitting to a new window of the browser that holds it; return the new epoch.

    None when the lease is no longer at ``epoch``, or the sitting has ended.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.write() as session:
        sitting = session.get(Sitting, sitting_id, with_for_update=True)
        if sitting is None or sitting.candidate_id != candidate.candidate_id:
            raise NotFound
        if sitting.status != "running" or sitting.lease_epoch != epoch:
            return None
        sitting.lease_epoch += 1
        payload = {"epoch": sitting.lease_epoch, "window": True}
        append_sitting_event(session, sitting, records.TAKEN_OVER, payload, db.now(session))
        return sitting.lease_epoch
