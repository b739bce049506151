"""Sittings: starting one, pinned to an exam version for ever, and taking one over.

What the candidate sees is in `candidate_views`, what an answer does in `answering`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.session import Step
from item_bank.exams import records
from item_bank.exams.accommodations import seconds_allowed
from item_bank.exams.delivery_rules import DENY, consent_hash
from item_bank.exams.designs import LoadedExam, load_version, newest_version_id
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.numbering import number_of_attempt
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.records import commitment
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import Snapshot
from item_bank.exams.steps import (
    first_item,
    keep_first,
)
from item_bank.items.items import holds_now
from item_bank.items.releases import release_items
from item_bank.store.audit import GENESIS, append_sitting_event
from item_bank.store.clock import DAY, SECOND
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.base import new_id
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.sittings import Sitting

TRIES = 5


@dataclass(frozen=True)
class Started:
    """A sitting that runs, and the epoch of its lease."""

    sitting_id: str
    epoch: int


@dataclass(frozen=True)
class Agreed:
    """What a candidate said before the start, where the exam asks."""

    confirmed: bool = False
    consent: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """What the chain keeps of it: nothing where nothing was said."""
        said = {"identity_confirmed": self.confirmed, "consent": self.consent}
        return {key: value for key, value in said.items() if value}


NOTHING_AGREED = Agreed()


def check_agreed(version: LoadedExam, agreed: Agreed) -> None:
    """Refuse a start without the confirmation or the consent that the exam asks for."""
    rules = version.plan.delivery
    if rules.identity and not agreed.confirmed:
        raise NotAllowed("the candidate has not confirmed who they are")
    if rules.consent and agreed.consent not in set(map(consent_hash, rules.consent.values())):
        raise NotAllowed("the candidate has not agreed to the exam's text")


def sittings_of(session: Session, exam_id: str, candidate: CandidateSession) -> list[Sitting]:
    """Return a candidate's sittings of an exam, the first one first."""
    statement = (
        select(Sitting)
        .where(Sitting.exam_id == exam_id, Sitting.candidate_id == candidate.candidate_id)
        .order_by(Sitting.number)
    )
    return list(session.scalars(statement).all())


def start(
    db: Database,
    candidate: CandidateSession,
    registration_id: str,
    language: str,
    *,
    device: str = "",
    confirmed: bool = False,
    consent: str | None = None,
) -> Started:
    """Start a sitting on the newest version of an exam, or return the one that runs.

    The first item is chosen outside of any transaction; should anything that it rests on change
    meanwhile, it is chosen again.

    Parameters
    ----------
    device
        What names the device that asks, as `take_over` compares it.
    confirmed
        Whether the candidate has confirmed who they are.
    consent
        The hash of the text that the candidate has agreed to (`delivery_rules.consent_hash`).

    Raises
    ------
    NotFound
        When the registration is not this candidate's.
    NotAllowed
        When the exam is closed, no attempt is left, the wait between two attempts is not over, it
        has no such language, or asks for a confirmation or consent that is missing.
    """
    agreed = Agreed(confirmed, consent)
    for _ in range(TRIES):
        with db.read() as session:
            found = _registered(db, session, candidate, registration_id)
        if found.running is not None:
            return found.running
        version = load_version(db, found.version_id)
        _check_start(version, found, language)
        check_agreed(version, agreed)
        snapshot = _next_sitting(db, version, found, language)
        snapshot.sitting.device = device_hash(db, device)
        step, order = first_item(db, snapshot)
        started = _keep(db, candidate, found, snapshot, step, order, agreed)
        if started is not None:
            return started
    raise RuntimeError(f"registration {registration_id} changed {TRIES} times during one start")


@dataclass(frozen=True)
class _Registered:
    """What a start rests on."""

    registration: Registration
    exam: Exam
    version_id: str
    used: int
    last_end: int
    running: Started | None
    now: int

    def facts(self) -> tuple[Any, ...]:
        """All of it that a start depends on, to be compared."""
        own, exam = self.registration, self.exam
        given = (own.attempts_allowed, own.accommodations, own.prior_theta)
        return (*given, exam.status, self.version_id, self.used, self.last_end, self.running)


def _registered(
    db: Database,
    session: Session,
    candidate: CandidateSession,
    registration_id: str,
    *,
    lock: bool = False,
) -> _Registered:
    registration = session.get(Registration, registration_id, with_for_update=lock or None)
    if registration is None or registration.candidate_id != candidate.candidate_id:
        raise NotFound
    sittings = sittings_of(session, registration.exam_id, candidate)
    last = sittings[-1] if sittings and sittings[-1].status == "running" else None
    return _Registered(
        registration,
        session.get_one(Exam, registration.exam_id),
        newest_version_id(session, registration.exam_id),
        len(sittings),
        max((sitting.finished_at or 0 for sitting in sittings), default=0),
        None if last is None else Started(last.id, last.lease_epoch),
        db.now(session),
    )


def _next_sitting(db: Database, version: LoadedExam, found: _Registered, language: str) -> Snapshot:
    number = number_of_attempt(db, found.used + 1)
    with db.read() as session:
        return new_sitting(
            db, session, version, found.registration, number=number, language=language
        )


def _keep(
    db: Database,
    candidate: CandidateSession,
    found: _Registered,
    snapshot: Snapshot,
    step: Step,
    order: tuple[str, ...],
    agreed: Agreed,
) -> Started | None:
    """Append the sitting with its first item, unless something has changed since: then None."""
    with db.write() as session:
        fresh = _registered(db, session, candidate, found.registration.id, lock=True)
        if fresh.running is not None:
            return fresh.running
        held = holds_now(session, snapshot.exam.bank_id)
        if fresh.facts() != found.facts() or held != snapshot.holds:
            return None
        keep_first(session, keep_sitting(db, session, snapshot, agreed), step, order)
        return Started(snapshot.sitting.id, snapshot.sitting.lease_epoch)


def retake_from(version: LoadedExam, last_end: int) -> int:
    """Return from when a candidate may start again whose last sitting ended then; 0: at once."""
    wait = round(version.plan.delivery.retake_days * DAY)
    return last_end + wait if last_end and wait else 0


def _check_start(version: LoadedExam, found: _Registered, language: str) -> None:
    if found.exam.status != "open":
        raise NotAllowed("this exam is closed")
    if found.used >= found.registration.attempts_allowed:
        raise NotAllowed("no attempt is left")
    if found.now < retake_from(version, found.last_end):
        raise NotAllowed("the wait between two attempts is not over")
    if language not in version.plan.languages:
        raise NotAllowed(f"this exam is not given in {language!r}")


def new_sitting(
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
    """Return a sitting as its first step sees it, pinned to a version for ever, not kept yet."""
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
        accommodations=dict(registration.accommodations),
        accommodations_salt=secrets.token_hex(16),
        breaks_taken=0,
        lease_epoch=1,
        chain_length=0,
        chain_head=GENESIS,
    )
    return Snapshot(
        sitting=sitting,
        exam=version,
        release=release_items(db, version.release_id, language),
        presented=(),
        responses=(),
        holds=holds_now(session, version.bank_id),
        now=db.now(session),
    )


def keep_sitting(
    db: Database, session: Session, snapshot: Snapshot, agreed: Agreed = NOTHING_AGREED
) -> Snapshot:
    """Append a new sitting, whose time begins now."""
    sitting, now = snapshot.sitting, db.now(session)
    limit = seconds_allowed(snapshot.exam.plan.time_limit, sitting.accommodations)
    sitting.started_at = now
    sitting.deadline_at = None if limit is None else now + limit * SECOND
    session.add(sitting)
    session.flush()
    append_sitting_event(
        session, sitting, records.STARTED, _started(sitting, snapshot.exam) | agreed.payload, now
    )
    return snapshot.at(now)


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
        "accommodations": commitment(str(sitting.accommodations_salt), sitting.accommodations),
    }


def device_hash(db: Database, device: str) -> str | None:
    """Return the keyed hash of what names a device; None where nothing does."""
    return keyed_hash(db.secrets().presentation, "device", device) if device else None


def take_over(
    db: Database, candidate: CandidateSession, sitting_id: str, *, device: str = "", agent: str = ""
) -> int:
    """Give this window the sitting; any other window's next answer is turned away.

    Parameters
    ----------
    device
        What names the device and outlives a sign-in, such as a cookie of its own. Where the exam
        denies a second device, only the one that holds the lease goes on, until an invigilator
        releases it.
    agent
        How the browser names itself.

    Returns the new epoch of the lease.

    Raises
    ------
    NotFound
        When the sitting is not this candidate's.
    NotAllowed
        When another device holds it, and the exam denies a second one.
    """
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        if sitting.status != "running":
            return sitting.lease_epoch
        mine, now = device_hash(db, device), db.now(session)
        moves = sitting.device is not None and sitting.device != mine
        about = {"device": mine, "agent_hash": device_hash(db, agent)}
        denied = moves and _denies(db, sitting)
        if denied:
            append_sitting_event(session, sitting, records.DEVICE_REFUSED, about, now)
        else:
            _give(session, sitting, mine, about, now, moves=moves)
        epoch = sitting.lease_epoch
    if denied:
        raise NotAllowed("another device has this sitting; an invigilator can release it")
    return epoch


def _denies(db: Database, sitting: Sitting) -> bool:
    return load_version(db, sitting.exam_version_id).plan.delivery.second_device == DENY


def _give(
    session: Session,
    sitting: Sitting,
    device: str | None,
    about: dict[str, Any],
    now: int,
    *,
    moves: bool,
) -> None:
    """Raise the lease's epoch, and bind it to a device."""
    sitting.lease_epoch += 1
    epoch = {"epoch": sitting.lease_epoch}
    append_sitting_event(session, sitting, records.TAKEN_OVER, epoch, now)
    if moves:
        append_sitting_event(session, sitting, records.DEVICE, epoch | about, now)
    sitting.device = device
