"""Sittings: starting one, pinned to an exam version for ever, and taking one over.

What the candidate sees is in `candidate_views`, what an answer does in `answering`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.designs import LoadedExam, current_version
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.exams.steps import (
    first_item,
    keep_first,
)
from item_bank.store.audit import GENESIS, append_sitting_event
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.sittings import Sitting

TOKEN_LENGTH = 16
TRIES = 5
MAX_KEY_LENGTH = 64


@dataclass(frozen=True)
class Started:
    """A sitting that runs, and the epoch of its lease."""

    sitting_id: str
    epoch: int


def sittings_of(session: Session, exam_id: str, candidate: CandidateSession) -> list[Sitting]:
    """Return a candidate's sittings of an exam, the first one first."""
    statement = (
        select(Sitting)
        .where(Sitting.exam_id == exam_id, Sitting.candidate_id == candidate.candidate_id)
        .order_by(Sitting.number)
    )
    return list(session.scalars(statement).all())


def seconds_allowed(version: LoadedExam, registration: Registration) -> int | None:
    """Return the time limit with the candidate's extra time; None where there is none."""
    limit = version.plan.time_limit
    factor = float(registration.accommodations.get("extra_time", 1.0))
    return None if limit is None else round(limit * factor)


def start(
    db: Database, candidate: CandidateSession, registration_id: str, language: str
) -> Started:
    """Start a sitting on the newest version of an exam, or return the one that runs.

    Raises
    ------
    NotFound
        When the registration is not this candidate's.
    NotAllowed
        When the exam is closed, no attempt is left, or it has no such language.
    """
    with db.write() as session:
        registration = session.get(Registration, registration_id, with_for_update=True)
        if registration is None or registration.candidate_id != candidate.candidate_id:
            raise NotFound
        sittings = sittings_of(session, registration.exam_id, candidate)
        if sittings and sittings[-1].status == "running":
            return Started(sittings[-1].id, sittings[-1].lease_epoch)
        exam = session.get_one(Exam, registration.exam_id)
        version = current_version(db, exam.id)
        _check_start(exam, version, registration, len(sittings), language)
        snapshot = open_sitting(
            db, session, version, registration, number=len(sittings) + 1, language=language
        )
        keep_first(session, snapshot, *first_item(db, snapshot))
        return Started(snapshot.sitting.id, snapshot.sitting.lease_epoch)


def _check_start(
    exam: Exam, version: LoadedExam, registration: Registration, used: int, language: str
) -> None:
    if exam.status != "open":
        raise NotAllowed("this exam is closed")
    if used >= registration.attempts_allowed:
        raise NotAllowed("no attempt is left")
    if language not in version.plan.languages:
        raise NotAllowed(f"this exam is not given in {language!r}")


def open_sitting(
    db: Database,
    session: Session,
    version: LoadedExam,
    registration: Registration,
    *,
    number: int,
    language: str,
    seed: int | None = None,
    simulated: bool = False,
) -> Snapshot:
    """Append a new sitting, pinned to a version for ever, with no item yet."""
    now = db.now(session)
    limit = seconds_allowed(version, registration)
    sitting = Sitting(
        id=new_id(),
        organisation_id=registration.organisation_id,
        exam_id=version.exam_id,
        exam_version_id=version.version_id,
        rules_version=version.rules_version,
        candidate_id=registration.candidate_id,
        number=number,
        language=language,
        seed=secrets.randbits(63) if seed is None else seed,
        simulated=simulated,
        prior_theta=registration.prior_theta if version.plan.design.candidate_prior else None,
        status="running",
        lease_epoch=1,
        started_at=now,
        deadline_at=None if limit is None else now + limit * SECOND,
        chain_length=0,
        chain_head=GENESIS,
    )
    session.add(sitting)
    append_sitting_event(session, sitting, records.STARTED, _started(sitting, version), now)
    session.flush()
    return read_snapshot(db, session, sitting.id)


def _started(sitting: Sitting, version: LoadedExam) -> dict[str, Any]:
    return {
        "candidate": sitting.candidate_id,
        "exam_version": version.version_id,
        "exam_hash": version.content_hash,
        "rules_version": sitting.rules_version,
        "number": sitting.number,
        "language": sitting.language,
        "seed": sitting.seed,
        "simulated": sitting.simulated,
        "prior_theta": sitting.prior_theta,
        "deadline_at": sitting.deadline_at,
    }


def take_over(db: Database, candidate: CandidateSession, sitting_id: str) -> int:
    """Give this window the sitting; any other window's next answer is turned away.

    Returns the new epoch of the lease.
    """
    with db.write() as session:
        sitting = session.get(Sitting, sitting_id, with_for_update=True)
        if sitting is None or sitting.candidate_id != candidate.candidate_id:
            raise NotFound
        if sitting.status == "running":
            sitting.lease_epoch += 1
            payload = {"epoch": sitting.lease_epoch}
            append_sitting_event(session, sitting, records.TAKEN_OVER, payload, db.now(session))
        return sitting.lease_epoch
