"""The blueprint of invigilators' pages, and what its views share."""

from __future__ import annotations

from flask import Blueprint, request

from item_bank.exams.actors import ADMINISTRATOR, INVIGILATOR, Actor, staff_actor
from web.access import current_staff
from web.examiner.views import staff_person
from web.invigilator import words
from web.invigilator.phrases import PHRASES

rooms = Blueprint("rooms", __name__, url_prefix="/staff")
rooms.context_processor(staff_person)
rooms.context_processor(lambda: {"words": words, "phrases": PHRASES})

IN_CHARGE = (INVIGILATOR, ADMINISTRATOR)
MAX_FIELD = 1000
MOST_MINUTES = 24 * 60


def actor() -> Actor:
    """Return who is signed in, as one who acts."""
    return staff_actor(current_staff())


def field(name: str) -> str:
    """Return a field of the form; one that is too long stays too long, and is refused."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_FIELD]


def seconds_asked() -> int | None:
    """Return the minutes of the form in seconds; None where there is no usable number."""
    minutes = field("minutes")
    right = minutes.isascii() and minutes.isdecimal() and len(minutes) < 6
    return 60 * int(minutes) if right and 0 < int(minutes) <= MOST_MINUTES else None


def sentence(error: object) -> str:
    """Write a refusal as a sentence."""
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."
