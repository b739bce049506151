"""Builds the demonstration: a bank, an exam, people, and 500 simulated past sittings.

The past sittings go through the functions that a live sitting uses, under a clock that was set
back; each is kept in one transaction, so that building is quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import ndtri
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from engine.models.dispatch import probabilities
from engine.randomness import derived, uniform
from item_bank.demo.answers import answer_worth
from item_bank.demo.people import past_candidate
from item_bank.exams.accounts import add_staff
from item_bank.exams.designs import LoadedExam, apply_exam
from item_bank.exams.people import RosterRow, enrol, import_roster
from item_bank.exams.signing_in import access_code_hash
from item_bank.exams.sittings import keep_sitting, new_sitting
from item_bank.exams.snapshots import Snapshot
from item_bank.exams.steps import Answer, decide, first_item, keep_answer, keep_first
from item_bank.items.formats.json_file import bank_from_folder
from item_bank.items.imports import import_bank
from item_bank.items.items import revision
from item_bank.items.releases import publish
from item_bank.results.short_work import HANDLERS
from item_bank.store.clock import DAY, MINUTE, SECOND, wall_time
from item_bank.store.database import Database
from item_bank.store.jobs import run_pending
from item_bank.store.schema import initialise, organisation
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.people import AccessCode

FOLDER = Path(__file__).parent
KIND = "demonstration"
SEED = 20_260_901
SITTINGS = 500
STARTED_DAYS_AGO = 56
OMITS = 0.01  # of the questions are seen and left without an answer


@dataclass(frozen=True)
class LogIn:
    """A way into the demonstration."""

    role: str
    name: str
    secret: str  # a password or an access code


STAFF = (
    LogIn("examiner", "examiner@demo.example", "weigh-with-care"),
    LogIn("examiner", "examiner2@demo.example", "weigh-it-again"),
    LogIn("administrator", "administrator@demo.example", "open-the-house"),
    LogIn("psychometrician", "psychometrician@demo.example", "mind-the-error"),
    LogIn("author", "author@demo.example", "every-word-weighed"),
)
CANDIDATES = (
    LogIn("candidate", "Zarina Karimova", "DEMO-2345-6789"),
    LogIn("candidate", "Timur Li", "DEMO-ABCD-EFGH"),
    LogIn("candidate", "Umed Sharipov", "DEMO-JKMN-PQRS"),
)


class PastClock:
    """A clock that is set, for building a past."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, _connection: Connection) -> int:
        """Return the time it was set to."""
        return self.at


def build_demo(
    db: Database, advance: Callable[..., None] = lambda _n=1: None, *, sittings: int = SITTINGS
) -> None:
    """Fill a new database; ``advance`` is called once for each past sitting."""
    clock = PastClock(wall_time() - STARTED_DAYS_AGO * DAY)
    past = replace(db, clock=clock)
    initialise(past, kind=KIND, organisation=("demo", "Demonstration academy"))
    owner = organisation(past)
    import_bank(past, bank_from_folder(FOLDER), organisation_id=owner)
    publish(past, "low-altitude", organisation_id=owner)
    exams = [_apply(past, file, owner) for file in sorted((FOLDER / "exams").glob("*.toml"))]
    _people(past, exams[0], owner)
    first, step = clock.at, (STARTED_DAYS_AGO - 1) * DAY // max(sittings, 1)
    for number in range(1, sittings + 1):
        clock.at = first + number * step
        _past_sitting(past, clock, exams[0], owner, number)
        advance()
    run_pending(past, HANDLERS)


def _apply(db: Database, file: Path, owner: str) -> LoadedExam:
    text = file.read_text(encoding="utf-8")
    return apply_exam(db, text, organisation_id=owner, file=file.name)[0]


def _people(db: Database, exam: LoadedExam, owner: str) -> None:
    for login in STAFF:
        add_staff(db, login.name, login.role, login.secret, organisation_id=owner)
    rows = [
        RosterRow(f"C-{n:04d}", login.name, language="ru" if n == 2 else "en", attempts=20)
        for n, login in enumerate(CANDIDATES, start=1)
    ]
    import_roster(db, rows, exam.plan.code, organisation_id=owner)
    key = db.secrets().codes
    with db.write() as session:
        codes = session.scalars(select(AccessCode).order_by(AccessCode.issued_at)).all()
        for code, login in zip(codes, CANDIDATES, strict=True):
            code.code_hash = access_code_hash(key, login.secret)


def _past_sitting(
    db: Database, clock: PastClock, exam: LoadedExam, owner: str, number: int
) -> None:
    row = past_candidate(number, SEED)
    with db.write() as session:
        registration = _register(db, session, row, exam, owner)
        snapshot = new_sitting(
            db,
            session,
            exam,
            registration,
            number=1,
            language=str(row.language),
            seed=int(derived(SEED, number, "sitting seed")[0] >> np.uint64(1)),
            simulated=True,
        )
        snapshot = keep_sitting(db, session, snapshot)
        snapshot = keep_first(session, snapshot, *first_item(db, snapshot))
        theta = float(ndtri(uniform(SEED, number, "ability")[0]))
        while snapshot.open_item is not None:
            clock.at += _thinking_time(number, snapshot.position)
            snapshot = snapshot.at(clock.at)
            decision = decide(db, snapshot, _answer(db, snapshot, theta, number))
            snapshot = keep_answer(session, snapshot, decision)


def _register(
    db: Database, session: Session, row: RosterRow, exam: LoadedExam, owner: str
) -> Registration:
    candidate_id = enrol(session, row, exam.exam_id, owner, db.now(session))
    return session.scalars(
        select(Registration).where(
            Registration.exam_id == exam.exam_id, Registration.candidate_id == candidate_id
        )
    ).one()


def _thinking_time(number: int, position: int) -> int:
    """Return a lognormal time of about 50 seconds."""
    z = float(ndtri(uniform(SEED, number, "time", position)[0]))
    return int(np.exp(3.9 + 0.45 * z) * SECOND) % (3 * MINUTE)


def _answer(db: Database, snapshot: Snapshot, theta: float, number: int) -> Answer:
    """Answer as somebody of this ability would: any answer of a score that the model draws."""
    presented = snapshot.presented[-1]
    one = snapshot.release.items.subset([presented.row])
    from_the_top = probabilities(np.array([theta]), one)[0, 0, : one.n_categories[0]][::-1]
    draw, pick, omit = (
        float(uniform(SEED, number, purpose, presented.position)[0])
        for purpose in ("answer", "wrong choice", "omit")
    )
    score = len(from_the_top) - 1 - int((draw >= from_the_top.cumsum()[:-1]).sum())
    shown = revision(db, presented.revision_id)
    omits = omit < OMITS and score == 0
    chosen = None if omits else answer_worth(shown.type, shown.key, presented.language, score, pick)
    return Answer(chosen, f"simulated-{presented.position}", snapshot.sitting.lease_epoch)
