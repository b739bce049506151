"""Sittings to be corrected: the small bank's sums, answered as a test says."""

from __future__ import annotations

from typing import Any

from support.sittings import Hall, begin, respond

from item_bank.exams.actors import Actor, command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import view
from item_bank.exams.signing_in import CandidateSession
from item_bank.results.corrections.proposing import Words

WORDS = Words("The key was mistyped.", {})


def right_choice(code: str) -> str:
    """The key of an item of the small bank."""
    return "ABCD"[int(code.removeprefix("S-")) % 4]


def sit(
    hall: Hall, candidate: CandidateSession, *, right: bool = True, language: str = "en"
) -> str:
    """Sit the exam: all answers right, or all the choice after the right one; return its id."""
    now = begin(hall, candidate, language)
    while now.question is not None:
        hall.clock.pass_seconds(20)
        options = now.question.shown.options
        key = _key_of(now)
        wanted = key if right else "ABCD"[("ABCD".index(key) + 1) % 4]
        place = [one.id for one in options].index(wanted)
        assert respond(hall, candidate, now, choice=place) in {
            Outcome.ACCEPTED,
            Outcome.FINISHED,
        }
        now = view(hall.db, candidate, now.sitting_id)
    return now.sitting_id


def _key_of(now: Any) -> str:
    """The right choice, from the sum that the question asks for."""
    digits = "".join(sign if sign.isdigit() else " " for sign in now.question.shown.stem)
    return right_choice(f"S-{int(digits.split()[0]):02}")


def somebody(hall: Hall) -> Actor:
    return command_line(hall.alice.organisation_id)
