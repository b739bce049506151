"""What the chains keep of somebody who asks for many records that are not theirs."""

from __future__ import annotations

from sqlalchemy import select

from item_bank.exams import records
from item_bank.exams.signing_in import CandidateSession, StaffSession
from item_bank.store.audit import append_site_event, append_sitting_event
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting

FOREIGN_REQUESTS = "foreign_requests"


def named(person: CandidateSession | StaffSession) -> tuple[str, str]:
    """Return how the chains name somebody: candidate or account, and the id."""
    if isinstance(person, CandidateSession):
        return "candidate", person.candidate_id
    return "account", person.id


def record_foreign_requests(
    db: Database, person: CandidateSession | StaffSession, requests: int
) -> None:
    """Put a series of such requests into the site chain, and into that of a running sitting."""
    who, key = named(person)
    with db.write() as session:
        now = db.now(session)
        if isinstance(person, CandidateSession):
            running = (
                select(Sitting)
                .where(Sitting.candidate_id == person.candidate_id, Sitting.status == "running")
                .with_for_update()
            )
            for sitting in session.scalars(running).all():
                asked = {"requests": requests}
                append_sitting_event(session, sitting, records.FOREIGN_REQUEST, asked, now)
        payload = {who: key, "requests": requests}
        append_site_event(session, FOREIGN_REQUESTS, payload, now, person.organisation_id)
