"""A candidate by roster id, and a new access code for one person."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.people import IssuedCode, new_code
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.people import AccessCode, CandidateDetails


def person(session: Session, roster_id: str, organisation_id: str) -> CandidateDetails:
    """Return the details of a candidate, or refuse a roster id that nobody has."""
    found = session.scalars(
        select(CandidateDetails).where(
            CandidateDetails.organisation_id == organisation_id,
            CandidateDetails.roster_id == roster_id,
        )
    ).one_or_none()
    if found is None:
        raise InputError("the roster id of a candidate", repr(roster_id), column="ROSTER_ID")
    return found


def issue_code(
    db: Database, actor: Actor, roster_id: str, *, exam_code: str | None = None
) -> IssuedCode:
    """Give one person a new access code; the old one and its browser sessions end.

    Parameters
    ----------
    exam_code
        Refuse a person who is not registered for this exam.
    """
    key = db.secrets().codes
    with db.write() as session:
        own, now = person(session, roster_id, actor.organisation_id), db.now(session)
        if exam_code is not None:
            _check_registered(session, own, exam_code)
        _end_codes(session, own, now)
        code = new_code(session, own.candidate_id, actor.organisation_id, key, now)
        _record(session, own, "code_issued", actor, now)
        return IssuedCode(own.roster_id, own.name, code)


def end_code(db: Database, actor: Actor, roster_id: str) -> None:
    """End a person's access code and its browser sessions, and issue none."""
    with db.write() as session:
        own, now = person(session, roster_id, actor.organisation_id), db.now(session)
        _end_codes(session, own, now)
        _record(session, own, "code_ended", actor, now)


def _check_registered(session: Session, own: CandidateDetails, exam_code: str) -> None:
    registered = session.scalar(
        select(Registration.id)
        .join(Exam, Exam.id == Registration.exam_id)
        .where(Registration.candidate_id == own.candidate_id, Exam.code == exam_code)
    )
    if registered is None:
        expected = f"an exam that {own.roster_id} is registered for"
        raise InputError(expected, repr(exam_code), column="--exam")


def _end_codes(session: Session, own: CandidateDetails, now: int) -> None:
    session.execute(
        update(AccessCode)
        .where(AccessCode.candidate_id == own.candidate_id, AccessCode.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _record(session: Session, own: CandidateDetails, kind: str, actor: Actor, now: int) -> None:
    payload = {"candidate": own.candidate_id, "by": actor.by}
    append_site_event(session, kind, payload, now, own.organisation_id)
