"""Somebody signed in who asks for many records that are not theirs, or not there.

The two are answered alike, so that nothing is learned from one; a series of them goes into the site
chain, and into that of a candidate's running sitting, where an invigilator sees it. The requests
are counted beside the failed sign-ins, so that all processes of a site count together.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.attempts import WINDOW
from item_bank.exams.signing_in import CandidateSession, StaffSession
from item_bank.store.audit import append_site_event, append_sitting_event
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.people import SignInAttempt
from item_bank.store.tables.sittings import Sitting

FOREIGN_REQUESTS = "foreign_requests"
SERIES = 10
"""Requests within the window of `attempts`; what comes after them in it is not written."""

Person = CandidateSession | StaffSession


def named(person: Person) -> tuple[str, str]:
    """Return how the chains name somebody: candidate or account, and the id."""
    if isinstance(person, CandidateSession):
        return "candidate", person.candidate_id
    return "account", person.id


def count_foreign_request(db: Database, person: Person) -> bool:
    """Count one request; True when it completes a series, which is then on the record."""
    subject = keyed_hash(db.secrets().codes, "foreign", *named(person))
    with db.read() as session:
        if _counted(db, session, subject) >= SERIES:
            return False
    with db.write() as session:
        before = _counted(db, session, subject)
        if before < SERIES:
            session.add(SignInAttempt(subject_hash=subject, at=db.now(session)))
        if before != SERIES - 1:
            return False
        _record(db, session, person)
        return True


def _counted(db: Database, session: Session, subject: str) -> int:
    same = SignInAttempt.subject_hash == subject, SignInAttempt.at > db.now(session) - WINDOW
    return session.scalar(select(func.count()).where(*same)) or 0


def _record(db: Database, session: Session, person: Person) -> None:
    now, (who, key) = db.now(session), named(person)
    if isinstance(person, CandidateSession):
        mine = Sitting.candidate_id == person.candidate_id, Sitting.status == "running"
        for sitting in session.scalars(select(Sitting).where(*mine).with_for_update()).all():
            asked = {"requests": SERIES}
            append_sitting_event(session, sitting, records.FOREIGN_REQUEST, asked, now)
    payload = {who: key, "requests": SERIES}
    append_site_event(session, FOREIGN_REQUESTS, payload, now, person.organisation_id)
