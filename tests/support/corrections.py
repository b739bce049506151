"""Sittings to be corrected: the small bank's sums, answered as a test says."""

from __future__ import annotations

import re
from typing import Any

from support.sittings import Hall, begin, respond

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import view
from item_bank.exams.signing_in import CandidateSession
from item_bank.results.corrections.applying import apply
from item_bank.results.corrections.dry_run import dry_run
from item_bank.results.corrections.listing import correction_view
from item_bank.results.corrections.proposing import Words, propose_drop
from item_bank.results.corrections.signing import sign
from item_bank.store.database import Database
from item_bank.store.tables.items import ItemRevision
from item_bank.store.tables.outcomes import Outcome as Outcome_
from item_bank.store.tables.sittings import Result

PASSWORD = "weigh-with-care"
WORDS = Words("The key was mistyped.", {})


def right_choice(code: str) -> str:
    """The key of an item of the small bank."""
    return "ABCD"[int(code.removeprefix("S-")) % 4]


def sit(
    hall: Hall, candidate: CandidateSession, *, right: bool = True, language: str = "en"
) -> str:
    """Sit the exam: all answers right, or all wrong; return its id."""
    now = begin(hall, candidate, language)
    while now.question is not None:
        hall.clock.pass_seconds(20)
        options = [one.html for one in now.question.shown.options]
        first, second = map(int, re.findall(r"[0-9]+", now.question.shown.stem_html)[:2])
        place = next(n for n, html in enumerate(options) if (str(first + second) in html) is right)
        assert respond(hall, candidate, now, choice=place) in {
            Outcome.ACCEPTED,
            Outcome.FINISHED,
        }
        now = view(hall.db, candidate, now.sitting_id)
    return now.sitting_id


def somebody(hall: Hall) -> Actor:
    return command_line(hall.alice.organisation_id)


def person(hall: Hall, name: str, role: str = "examiner") -> Actor:
    """A member of the staff."""
    home = hall.alice.organisation_id
    account = add_staff(
        hall.db, f"{name}@staff.example", role, PASSWORD, organisation_id=home, name=name
    )
    return Actor(account, home, role, name)


def wrong_key(code: str) -> dict[str, str]:
    """A key that calls the choice after the right one right."""
    return {"correct": "ABCD"[("ABCD".index(right_choice(code)) + 1) % 4]}


def put_in_force(hall: Hall, number: int) -> None:
    """Dry run, two signatures, and applied."""
    first, second = (person(hall, f"{who}{number}") for who in ("nora", "omar"))
    dry_run(hall.db, first, number)
    for one in (first, second):
        sign(hall.db, one, number, seen_effect(hall, number))
    apply(hall.db, somebody(hall), number)


def seen_effect(hall: Hall, number: int) -> str:
    return str(correction_view(hall.db, somebody(hall), number).effect_hash)


def standing(hall: Hall, sitting: str) -> dict[str, Any]:
    """The result that stands."""
    with hall.db.read() as session:
        number = session.get_one(Outcome_, sitting).result_number
        return session.get_one(Result, (sitting, number)).content


def correction_after_dry_run(db: Database, sitting: str) -> tuple[str, str]:
    """Drop the first item of a sitting, as far as the dry run; return its id and code."""
    with db.read() as session:
        content = session.get_one(Result, (sitting, 1)).content
        revision = session.get_one(ItemRevision, content["path"][0]["revision"])
        home = session.get_one(Outcome_, sitting).organisation_id
    actor, code = command_line(home), content["path"][0]["item"]
    number = propose_drop(db, actor, ("small", code, 1), WORDS)
    dry_run(db, actor, number)
    return revision.item_id, code
