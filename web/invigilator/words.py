"""Everything that invigilators read about a sitting, in words: standing, alerts, events.

The one place to translate when pages of staff get languages. Nothing here reads a score, an
estimate or an item: only kinds, times, counts and what staff typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from item_bank.exams import records
from item_bank.exams.decided import KINDS
from item_bank.exams.pauses import BREAK, INVIGILATOR
from item_bank.exams.room_states import SILENCE
from item_bank.exams.rooms import RoomEvent, RoomRow
from item_bank.store.clock import SECOND
from web.formats import duration
from web.language import NAMES

STATE_WORDS = {
    "running": "In the exam",
    "unseen": "Not seen",
    "paused": "Paused",
    "break": "On a break",
    "finished": "Finished",
    "": "All",
}
ENDS = {
    "terminated": "ended by an invigilator",
    "time": "the time was over",
}


@dataclass(frozen=True)
class Standing:
    """How it stands with a sitting: a word, since when, and whether to look."""

    word: str
    since: int | None = None
    look: bool = False
    mark: str = "running"


def standing(row: RoomRow, now: int) -> Standing:
    """Say how it stands with a sitting."""
    if row.status != "running":
        return Standing(
            ENDS.get(row.stop_reason or "", "finished"), row.finished_at, mark="finished"
        )
    if row.pause == INVIGILATOR:
        return Standing("paused since", row.paused_at, mark="paused")
    if is_over(row, now):
        return Standing("time is over since", row.deadline_at, look=True)
    if row.pause == BREAK:
        return Standing("on a break since", row.paused_at, mark="paused")
    if last_heard(row) < now - SILENCE:
        return Standing("not seen since", last_heard(row), look=True, mark="ready")
    return Standing("answering")


def is_over(row: RoomRow, now: int) -> bool:
    """Whether the deadline of a sitting that runs has passed."""
    return row.deadline_at is not None and row.pause != INVIGILATOR and now > row.deadline_at


def last_heard(row: RoomRow) -> int:
    """When anything last came from a sitting's page."""
    return max(row.seen_at or 0, row.last_answer_at or 0, row.started_at)


def seconds_left(row: RoomRow, now: int) -> float | None:
    """Return the time that is left of a sitting that runs; a pause holds it up."""
    if row.deadline_at is None or row.status != "running":
        return None
    at = row.paused_at if row.pause == INVIGILATOR and row.paused_at is not None else now
    return max(row.deadline_at - at, 0) / SECOND


def left(seconds: float | None) -> str:
    """Write the time left: whole minutes, and seconds near the end."""
    if seconds is None:
        return "no limit"
    if seconds < 120:
        return f"{int(seconds)} s"
    whole = int(seconds // 60)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min"


# --- alerts ------------------------------------------------------------------------------------

ALERT_WORDS = {
    records.DEVICE: "went on on another device",
    records.DEVICE_REFUSED: "another device was refused",
    records.CONFLICT: "a second, different answer was refused",
    records.TAMPERED: "an answer that the page cannot send was refused",
    records.FOREIGN_REQUEST: "a request that the page cannot send",
    records.RECONNECTED: "reconnected",
    records.OUTAGE_CREDITED: "time credited after the site was down",
    records.RAPID_ANSWERS: "rapid answers",
}


def alerts(row: RoomRow) -> list[str]:
    """Say what happened in a sitting that should be looked at."""
    named = [(ALERT_WORDS.get(kind, _plain(kind)), n) for kind, n in sorted(row.alerts.items())]
    return [word if n == 1 else f"{word} ({n} times)" for word, n in named]


# --- events ------------------------------------------------------------------------------------

USUAL = frozenset({records.PRESENTED, records.ANSWERED})


def _plain(kind: str) -> str:
    return kind.replace("_", " ")


def length(seconds: float) -> str:
    """Write a length of time; whole minutes without their 0 s."""
    return duration(seconds).removesuffix(" 0 s")


def _long(microseconds: int | None) -> str:
    return length(abs(microseconds or 0) / SECOND)


def _paused(event: RoomEvent) -> str:
    if event.payload["kind"] == BREAK:
        return f"began a break; {_long(event.payload.get('granted'))} of it cost no time"
    return f"paused by {event.by}"


def _resumed(event: RoomEvent) -> str:
    moved = event.payload.get("given_back") or 0
    if event.payload["kind"] == BREAK:
        left_over = f"; {_long(moved)} of it were not used" if moved else ""
        return f"the break ended{left_over}"
    return f"resumed by {event.by}; the end was moved by {_long(moved)}"


def _granted(event: RoomEvent) -> str:
    return f"{length(event.payload['seconds'])} more, given by {event.by}"


def _message(event: RoomEvent) -> str:
    return f"message from {event.by}, {'read' if event.seen_at else 'not read yet'}"


def _finished(event: RoomEvent) -> str:
    why = ENDS.get(str(event.payload.get("stop_reason")))
    return f"finished: {why}" if why else "finished"


def _late(event: RoomEvent) -> str:
    late = ", after the time was over" if event.payload.get("late") else ""
    return f"answer to question {event.payload['position']}{late}"


def _language(event: RoomEvent) -> str:
    code = str(event.payload.get("language"))
    return f"reads question {event.payload.get('position')} in {NAMES.get(code, code)}"


NOTED = (
    records.RESULT_NOTE,
    records.APPEAL_OPENED,
    records.APPEAL_ANSWERED,
    records.APPEAL_WITHDRAWN,
)
EVENT_WORDS: Mapping[str, Callable[[RoomEvent], str]] = {
    records.STARTED: lambda _event: "started",
    records.PRESENTED: lambda event: f"question {event.payload['position']} shown",
    records.ANSWERED: _late,
    records.TAKEN_OVER: lambda _event: "went on in another window",
    records.LANGUAGE: _language,
    records.FINISHED: _finished,
    records.PAUSED: _paused,
    records.RESUMED: _resumed,
    records.TIME_GRANTED: _granted,
    records.OUTAGE_CREDITED: lambda event: (
        f"the site was down; {_long(event.payload.get('credited'))} credited"
    ),
    records.TERMINATED: lambda event: f"ended by {event.by}",
    records.MESSAGE: _message,
    records.RECONNECTED: lambda event: (
        f"reconnected; an answer had waited {length(event.payload['seconds'])}"
    ),
    records.LEASE_RELEASED: lambda event: f"released for another device by {event.by}",
    records.WITHDRAWN: lambda event: f"question {event.payload['position']} was withdrawn",
    **{kind: (lambda event: _plain(event.kind)) for kind in (*KINDS.values(), *NOTED)},
    **{
        kind: (lambda _event, word=ALERT_WORDS[kind]: word)  # type: ignore[misc]
        for kind in (
            records.DEVICE,
            records.DEVICE_REFUSED,
            records.CONFLICT,
            records.TAMPERED,
            records.FOREIGN_REQUEST,
            records.RAPID_ANSWERS,
        )
    },
}


def event_words(event: RoomEvent) -> str:
    """Say what happened."""
    say = EVENT_WORDS.get(event.kind)
    return say(event) if say else _plain(event.kind)


def people(n: int) -> str:
    """Count candidates."""
    return "1 candidate" if n == 1 else f"{n} candidates"
