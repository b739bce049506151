"""The log of a sitting as one timeline: events in words, in groups that can be picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from item_bank.exams import records
from item_bank.exams.rooms import RoomEvent
from web.invigilator.words import event_words

ALL, COURSE = "all", ""
"""All events; and all but the questions and answers, which is the usual view."""
GROUPS: Mapping[str, tuple[str, frozenset[str]]] = {
    "questions": ("Questions and answers", frozenset({records.PRESENTED, records.ANSWERED})),
    "clock": (
        "Pauses and time",
        frozenset(
            {
                records.PAUSED,
                records.RESUMED,
                records.TIME_GRANTED,
                records.OUTAGE_CREDITED,
            }
        ),
    ),
    "devices": (
        "Windows and devices",
        frozenset(
            {
                records.TAKEN_OVER,
                records.DEVICE,
                records.DEVICE_REFUSED,
                records.LEASE_RELEASED,
                records.RECONNECTED,
            }
        ),
    ),
    "messages": ("Messages", frozenset({records.MESSAGE})),
    "unusual": (
        "Out of the ordinary",
        frozenset(
            {
                records.CONFLICT,
                records.TAMPERED,
                records.FOREIGN_REQUEST,
                records.WITHDRAWN,
                records.RAPID_ANSWERS,
                records.TERMINATED,
                records.DEVICE_REFUSED,
            }
        ),
    ),
}
RESULT = "result"


@dataclass(frozen=True)
class Line:
    """One event: when, what in words, what was typed, and its place in the chain."""

    number: int
    at: int
    kind: str
    words: str
    text: str | None
    hash: str


@dataclass(frozen=True)
class Filter:
    """A part of the log that can be picked."""

    name: str
    label: str
    n: int
    current: bool


def filters(events: Sequence[RoomEvent], chosen: str) -> list[Filter]:
    """Return the parts that have anything in them, and which is chosen."""
    named = [(COURSE, "The course"), (ALL, "Everything")]
    named += [(name, label) for name, (label, _) in GROUPS.items()]
    named.append((RESULT, "The result"))
    counted = [(name, label, sum(_in(one, name) for one in events)) for name, label in named]
    return [Filter(name, label, n, name == chosen) for name, label, n in counted if n]


def lines(events: Sequence[RoomEvent], hashes: Mapping[int, str], chosen: str) -> list[Line]:
    """Return the events of one part in words."""
    return [
        Line(one.number, one.at, one.kind, event_words(one), one.text, hashes.get(one.number, ""))
        for one in events
        if _in(one, chosen)
    ]


def known(name: str) -> str:
    """Return a part that there is; the usual one for any other name."""
    return name if name in {ALL, RESULT, *GROUPS} else COURSE


def _in(event: RoomEvent, name: str) -> bool:
    if name == ALL:
        return True
    if name == COURSE:
        return event.kind not in GROUPS["questions"][1]
    if name == RESULT:
        return event.kind.startswith((RESULT, "appeal"))
    return event.kind in GROUPS[name][1]
