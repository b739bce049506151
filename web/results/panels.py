"""What the panel of decisions shows, in words; part of an examiner's report of a sitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from item_bank.exams.actors import Actor, staff_actor
from item_bank.exams.decided import Act
from item_bank.results.appeals import MAX_TEXT
from item_bank.results.deciding import MAX_REASON
from item_bank.results.decisions import WORDS
from item_bank.results.notes import MAX_NOTE
from item_bank.results.panels import Panel, panel
from web.access import current_staff
from web.site import database

STATE_WORDS: Mapping[str, str] = {
    "awaiting": "Awaiting signatures",
    "held": "Held",
    "released": "Released",
    "invalidated": "Invalidated",
}
STATE_MEANS: Mapping[str, str] = {
    "awaiting": "The candidate is told that the result is being reviewed, and sees nothing of it.",
    "held": "The candidate is told that the result is being reviewed, and sees nothing of it.",
    "released": "The candidate sees the report.",
    "invalidated": "The candidate is told that the result was withdrawn, and why. "
    "It counts in no statistics and for no calibration.",
}
ACT_WORDS: Mapping[Act, str] = {
    Act.SIGNED: "signed",
    Act.RELEASED: "released",
    Act.HELD: "held",
    Act.INVALIDATED: "invalidated",
    Act.REINSTATED: "reinstated",
    Act.AMENDED: "another result made to stand",
}
CATEGORY_WORDS: Mapping[str, str] = {
    "irregularity": "The rules of the exam were not kept",
    "identity": "It was not clear who sat the exam",
    "technical": "A technical fault",
    "request": "The candidate asked for it",
    "other": "Another reason",
}


def actor() -> Actor:
    """Return who is signed in, as one who acts."""
    return staff_actor(current_staff())


def panel_of(sitting_id: str) -> Panel | None:
    """Read what the panel of a sitting shows; None while it runs."""
    return panel(database(), actor(), sitting_id)


def decision_words() -> dict[str, Any]:
    """Return the words and bounds that the panel's template uses."""
    return {
        "states": STATE_WORDS,
        "means": STATE_MEANS,
        "acts": ACT_WORDS,
        "categories": CATEGORY_WORDS,
        "why_not": WORDS,
        "most": {"reason": MAX_REASON, "note": MAX_NOTE, "appeal": MAX_TEXT},
    }


def sentence(error: object) -> str:
    """Write a refusal as a sentence."""
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def days_ago(at: int, now: int) -> str:
    """Write an age in whole days."""
    days = max(now - at, 0) // (24 * 3600 * 1_000_000)
    return "today" if days == 0 else "1 day" if days == 1 else f"{days} days"
