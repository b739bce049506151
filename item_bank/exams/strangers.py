"""Candidates who ask for sittings that are not theirs: a series of it is an event of their own.

Called by `web` for every sitting that is not found.
"""

from __future__ import annotations

from sqlalchemy import func, select

from item_bank.exams import records
from item_bank.exams.attempts import WINDOW
from item_bank.exams.signing_in import CandidateSession
from item_bank.store.audit import append_sitting_event
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.people import SignInAttempt
from item_bank.store.tables.sittings import Sitting

SERIES = 5


def note_stranger(db: Database, candidate: CandidateSession) -> bool:
    """Count a request for what is not there or another's; True when it completes a series.

    What comes after a series, within its quarter of an hour, is not written any more.
    """
    subject = keyed_hash(db.secrets().codes, "stranger", candidate.candidate_id)
    with db.write() as session:
        now = db.now(session)
        same = SignInAttempt.subject_hash == subject, SignInAttempt.at > now - WINDOW
        before = session.scalar(select(func.count()).where(*same)) or 0
        if before >= SERIES:
            return False
        session.add(SignInAttempt(subject_hash=subject, at=now))
        if before + 1 < SERIES:
            return False
        running = (Sitting.candidate_id == candidate.candidate_id, Sitting.status == "running")
        for sitting in session.scalars(select(Sitting).where(*running).with_for_update()):
            append_sitting_event(
                session, sitting, records.FOREIGN_REQUEST, {"requests": SERIES}, now
            )
        return True
