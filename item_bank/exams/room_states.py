"""The states of sittings in words of a room, how many are in each, and who sits an exam now.

Called by pages of invigilators, and by `rooms`, whose lists it narrows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from item_bank.exams.actors import Actor, check_in_charge
from item_bank.exams.designs import list_exams
from item_bank.exams.pauses import BREAK, INVIGILATOR
from item_bank.exams.reviews import conditions, joined
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Presence, Response, Sitting

RUNNING, ANSWERING, PAUSED, ON_BREAK, UNSEEN, FINISHED = STATES = (
    "running",
    "answering",
    "paused",
    "break",
    "unseen",
    "finished",
)
"""``running`` are all that have not ended; ``answering``, ``paused`` and ``break`` part them."""
SILENCE = 60 * SECOND
"""How long a page may be silent, which asks for the time every 20 s, before it counts as unseen."""


@dataclass(frozen=True)
class ExamRoom:
    """An exam and how many of its sittings are in which state; `unseen` are answering, too."""

    code: str
    title: dict[str, str]
    status: str
    answering: int
    paused: int
    on_break: int
    unseen: int
    finished: int

    @property
    def running(self) -> int:
        """How many have not ended."""
        return self.answering + self.paused + self.on_break


@dataclass(frozen=True)
class InRoom:
    """A sitting that runs."""

    sitting_id: str
    candidate_name: str
    roster_id: str
    language: str
    deadline_at: int | None
    pause: str | None


def in_state(state: str | None, now: int) -> list[ColumnElement[bool]]:
    """Return the conditions of a state; none for None."""
    if state is None:
        return []
    if state == FINISHED:
        return [Sitting.status != RUNNING]
    runs = Sitting.status == RUNNING
    if state == RUNNING:
        return [runs]
    if state in (PAUSED, ON_BREAK):
        return [runs, Sitting.pause == (BREAK if state == ON_BREAK else INVIGILATOR)]
    free = [runs, Sitting.pause.is_(None)]
    return free + _silent(now - SILENCE) if state == UNSEEN else free


def _silent(since: int) -> list[ColumnElement[bool]]:
    seen = exists().where(Presence.sitting_id == Sitting.id, Presence.seen_at >= since)
    answered = exists().where(Response.sitting_id == Sitting.id, Response.received_at >= since)
    return [Sitting.started_at < since, ~seen, ~answered]


def exam_rooms(db: Database, actor: Actor) -> list[ExamRoom]:
    """Return the exams of an organisation with how many sit them, the fullest first.

    Raises
    ------
    NotAllowed
        When this actor's role may not.
    """
    check_in_charge(actor)
    with db.read() as session:
        now = db.now(session)
        counts: dict[str, dict[str, int]] = {
            state: dict(session.execute(_by_exam(actor, state, now)).all()) for state in STATES
        }
    rooms = [
        ExamRoom(
            code=exam.code,
            title=exam.title,
            status=exam.status,
            answering=counts[ANSWERING].get(exam.code, 0),
            paused=counts[PAUSED].get(exam.code, 0),
            on_break=counts[ON_BREAK].get(exam.code, 0),
            unseen=counts[UNSEEN].get(exam.code, 0),
            finished=counts[FINISHED].get(exam.code, 0),
        )
        for exam in list_exams(db, organisation_id=actor.organisation_id)
    ]
    return sorted(rooms, key=lambda room: -room.running)


def _by_exam(actor: Actor, state: str, now: int) -> Any:
    wanted: Any = select(Exam.code, func.count())
    return (
        wanted.select_from(Sitting)
        .join(Exam, Exam.id == Sitting.exam_id)
        .where(Sitting.organisation_id == actor.organisation_id, *in_state(state, now))
        .group_by(Exam.code)
    )


def now_in_room(db: Database, actor: Actor, exam_code: str) -> list[InRoom]:
    """Return everybody who sits an exam now, by name.

    Raises
    ------
    NotAllowed
        When this actor's role may not.
    """
    check_in_charge(actor)
    wanted: Any = select(
        Sitting.id,
        CandidateDetails.name,
        CandidateDetails.roster_id,
        Sitting.language,
        Sitting.deadline_at,
        Sitting.pause,
    )
    with db.read() as session:
        rows = session.execute(
            joined(wanted)
            .where(*conditions(actor.organisation_id, exam_code, RUNNING, ""))
            .order_by(CandidateDetails.name, Sitting.id)
        ).all()
    return [
        InRoom(key, name or "(erased)", number or "", *rest)
        for key, name, number, *rest in map(tuple, rows)
    ]
