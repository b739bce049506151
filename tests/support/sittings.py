"""An exam on the small bank, people who sit it, and a clock that tests can set."""

from __future__ import annotations

from dataclasses import dataclass, replace

from item_bank.exams.answering import Outcome, answer
from item_bank.exams.candidate_views import SittingView, exams_of_candidate, view
from item_bank.exams.designs import LoadedExam, apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.signing_in import CandidateSession, candidate_by_code
from item_bank.exams.sittings import start
from item_bank.exams.upkeep import close_abandoned
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.schema import organisation
from item_bank.store.tables.site import Site

EXAM = """
code = "sums"
bank = "small"
release = "latest"
languages = ["en", "ru"]
time_limit_minutes = 30
[title]
en = "Sums"
ru = "Суммы"
[selection]
criterion = "max_information"
randomesque = 2
[selection.content]
small = 0.5
large = 0.5
[stopping]
se = 0.3
min_items = 4
max_items = 8
[scale]
slope = 50
intercept = 500
minimum = 300
maximum = 700
[[levels]]
code = "below"
name = {en = "Below", ru = "Ниже"}
minimum = 300
passed = false
[[levels]]
code = "certified"
name = {en = "Certified", ru = "Сертифицирован"}
minimum = 500
passed = true
"""


class SetClock:
    """A clock that stands until a test moves it."""

    def __init__(self, at: int = 1_800_000_000 * SECOND) -> None:
        self.at = at

    def __call__(self, _connection) -> int:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += round(seconds * SECOND)


@dataclass(frozen=True)
class Hall:
    """An exam hall: a database under a set clock, an exam, and two candidates."""

    db: Database
    clock: SetClock
    exam: LoadedExam
    alice: CandidateSession
    bob: CandidateSession
    codes: dict[str, str]


def open_hall(db: Database, *, exam: str = EXAM, attempts: int = 2) -> Hall:
    clock = SetClock()
    db = replace(db, clock=clock)
    home = organisation(db)
    loaded, _ = apply_exam(db, exam, organisation_id=home)
    rows = [
        RosterRow("A", "Alice", language="en", attempts=attempts),
        RosterRow("B", "Bob", language="ru", extra_time=1.5, attempts=attempts),
    ]
    issued = import_roster(db, rows, loaded.plan.code, organisation_id=home)
    codes = {person.name: str(person.code) for person in issued}
    alice, bob = (candidate_by_code(db, codes[name], address="10.0.0.1") for name in codes)
    assert alice
    assert bob
    return Hall(db, clock, loaded, alice, bob, codes)


def serve(db: Database) -> None:
    """Say that candidates are served now and were all along: no outage is credited."""
    with db.write() as session:
        session.get_one(Site, 1).pulse_at = db.now(session)


def close_over(db: Database) -> int:
    """What the worker does of a site that serves."""
    serve(db)
    return close_abandoned(db)


def begin(hall: Hall, candidate: CandidateSession, language: str = "en") -> SittingView:
    exam = exams_of_candidate(hall.db, candidate)[0]
    started = start(hall.db, candidate, exam.registration_id, language)
    return view(hall.db, candidate, started.sitting_id)


def saying(response: object):
    """A reader that finds this response in whatever was sent."""
    return lambda _shown: response


def respond(hall: Hall, candidate: CandidateSession, now: SittingView, choice: int = 0, **other):
    """Answer the question of a view with its n-th choice; other fields of the form as given."""
    form = {
        "position": now.position,
        "epoch": now.epoch,
        "key": f"key-{now.position}",
        "read": saying(now.question.shown.options[choice].id),
    } | other
    return answer(hall.db, candidate, now.sitting_id, **form)


def finish(hall: Hall, candidate: CandidateSession, now: SittingView) -> SittingView:
    """Answer with the first choice until the sitting ends."""
    while now.question is not None:
        hall.clock.pass_seconds(20)
        outcome = respond(hall, candidate, now)
        assert outcome in {Outcome.ACCEPTED, Outcome.FINISHED}
        now = view(hall.db, candidate, now.sitting_id)
    return now
