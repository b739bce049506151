"""An answer, from the form to the log.

It is read, scored and decided upon outside of any transaction; then one short transaction checks
that nothing has changed meanwhile and appends the response together with the next item. If
something has changed, the answer is decided upon again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams import records
from item_bank.exams.accommodations import break_length, breaks_left
from item_bank.exams.candidate_views import by_content
from item_bank.exams.errors import ForeignResponse
from item_bank.exams.messages import Message, messages_of
from item_bank.exams.page_names import as_page_shows, with_ids
from item_bank.exams.pauses import BREAK, begin_pause
from item_bank.exams.questions import checked
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import Snapshot, changeable, read_again, read_own_snapshot
from item_bank.exams.steps import Answer, Decision, decide, keep_answer, same_answer
from item_bank.exams.surroundings import read_around
from item_bank.items.presented import Presented
from item_bank.store.audit import append_sitting_event
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Response, ResponseContent, Sitting

TRIES = 5
MAX_KEY_LENGTH = 64
LEAST_WAITED, MOST_WAITED = 5, 7 * 24 * 3600  # seconds; less is no event, more is no claim

Reader = Callable[[Presented], Any]
"""From an item as its page showed it to a response in the names of that page."""


class Outcome(StrEnum):
    """What became of an answer."""

    ACCEPTED = "accepted"  # kept; the next question waits
    FINISHED = "finished"  # kept, and it was the last
    LATE = "late"  # kept unscored: the time was over, and so is the sitting
    REPEATED = "repeated"  # the same answer again, kept once
    ALREADY_ANSWERED = "already answered"  # an older question; nothing changed
    CONFLICT = "conflict"  # the same page with another answer; the first stays
    TAKEN_OVER = "taken over"  # another window has this sitting now
    TAMPERED = "tampered"  # not an answer that this page could give
    CLOSED = "closed"  # the sitting had ended before
    PAUSED = "paused"  # not taken: the sitting is held up; the page keeps it


class Unready(Exception):  # noqa: N818 - a circumstance, not an error
    """What a reader raises when the candidate should look at the answer again before it counts.

    Parameters
    ----------
    response
        As it would count.
    """

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class Form:
    """What the page carried, beside the answer itself.

    Parameters
    ----------
    position, epoch, key
        Of the question, of the lease, and of this showing of the page.
    waited_seconds
        How long the page says that the answer waited for a connection.
    take_break
        Whether the candidate wants a break after it; without one left, the answer is kept alone.
    """

    position: int
    epoch: int
    key: str
    waited_seconds: float = 0
    take_break: bool = False


@dataclass(frozen=True)
class Taken:
    """What became of an answer; and the sitting after it, where it was kept just now.

    Parameters
    ----------
    messages
        Those to the candidate when the answer was read.
    """

    outcome: Outcome
    after: Snapshot | None = None
    messages: tuple[Message, ...] = ()


def answer(
    db: Database, candidate: CandidateSession, sitting_id: str, *, read: Reader, **form: Any
) -> Outcome:
    """Take an answer to the open question, once, and say what became of it; see `take`."""
    return take(db, candidate, sitting_id, Form(**form), read).outcome


def take(
    db: Database, candidate: CandidateSession, sitting_id: str, form: Form, read: Reader
) -> Taken:
    """Take an answer to the open question, once.

    Parameters
    ----------
    read
        What was sent, as a response to the item as its page showed it; None: seen and left without
        an answer, which scores 0. It raises `ForeignResponse` for what that page could not send,
        and `Unready` for what should not count yet.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    Unready
        When the answer would count otherwise.
    """
    for _ in range(TRIES):
        with db.read() as session:
            snapshot = read_own_snapshot(db, session, sitting_id, candidate)
            earlier = _earlier(session, snapshot, form.position, form.key)
            if earlier is None and form.position == snapshot.position:
                snapshot = replace(snapshot, around=read_around(session, snapshot))
            messages = tuple(messages_of(session, sitting_id))
        sent = _sent(db, snapshot, form.position, read)
        refusal = _refusal(snapshot, earlier, form, sent)
        if refusal is not None:
            return Taken(_note(db, sitting_id, refusal, form.position))
        if sent.unready is not None and snapshot.is_open:
            raise sent.unready
        decision = decide(db, snapshot, Answer(sent.response, form.key, form.epoch))
        taken = _keep(db, snapshot, decision, form)
        if taken is not None:
            return replace(taken, messages=messages)
    raise RuntimeError(f"sitting {sitting_id} changed {TRIES} times while one answer was taken")


@dataclass(frozen=True)
class _Sent:
    """A response with the author's ids, or that there is none that the page could have sent."""

    response: Any
    foreign: bool = False
    unready: Unready | None = None


def _sent(db: Database, snapshot: Snapshot, position: int, read: Reader) -> _Sent:
    """Read what was sent as a response to the item at that position."""
    if not 0 < position <= len(snapshot.presented):
        return _Sent(None, foreign=True)
    row = snapshot.presented[position - 1]
    try:
        shown, ids = as_page_shows(db, row, by_content)
        value, unready = _reading(read, shown)
        value = with_ids(value, ids, shown.type)
        return _Sent(checked(db, row.revision_id, value), unready=unready)
    except (ForeignResponse, InputError):
        return _Sent(None, foreign=True)


def _reading(read: Reader, shown: Presented) -> tuple[Any, Unready | None]:
    try:
        return read(shown), None
    except Unready as unready:
        return unready.response, unready


@dataclass(frozen=True)
class _Earlier:
    """A response that stands where this answer would go."""

    response: Response
    content: ResponseContent | None


def _earlier(session: Session, snapshot: Snapshot, position: int, key: str) -> _Earlier | None:
    for response in snapshot.responses:
        if response.position == position or response.idempotency_key == key:
            place = (response.sitting_id, response.position)
            return _Earlier(response, session.get(ResponseContent, place))
    return None


def _refusal(
    snapshot: Snapshot, earlier: _Earlier | None, form: Form, sent: _Sent
) -> Outcome | None:
    if earlier is not None:
        return _repeated(snapshot, earlier, form, sent)
    if snapshot.open_item is None:
        return Outcome.CLOSED
    if form.epoch != snapshot.sitting.lease_epoch:
        return Outcome.TAKEN_OVER
    if snapshot.sitting.paused_at is not None:
        return Outcome.PAUSED
    is_key = 0 < len(form.key) <= MAX_KEY_LENGTH
    if form.position != snapshot.position or not is_key or sent.foreign:
        return Outcome.TAMPERED
    return None


def _repeated(snapshot: Snapshot, earlier: _Earlier, form: Form, sent: _Sent) -> Outcome:
    """Say what an answer is that came before; after the end only the last one is heard again."""
    response, last = earlier.response, snapshot.responses[-1]
    if snapshot.sitting.status != "running" and response.position != last.position:
        return Outcome.CLOSED
    if response.idempotency_key != form.key:
        return Outcome.ALREADY_ANSWERED
    same = not sent.foreign and same_answer(earlier.content, sent.response)
    return Outcome.REPEATED if response.position == form.position and same else Outcome.CONFLICT


def _note(db: Database, sitting_id: str, outcome: Outcome, position: int) -> Outcome:
    """Put what should not happen into the sitting's chain."""
    kinds = {Outcome.CONFLICT: records.CONFLICT, Outcome.TAMPERED: records.TAMPERED}
    if outcome in kinds:
        with db.write() as session:
            sitting = session.get_one(Sitting, sitting_id, with_for_update=True)
            payload = {"position": position}
            append_sitting_event(session, sitting, kinds[outcome], payload, db.now(session))
    return outcome


def _keep(db: Database, before: Snapshot, decision: Decision, form: Form) -> Taken | None:
    """Append what was decided, unless the sitting has changed since: then None."""
    with db.write() as session:
        fresh = read_again(db, session, before)
        if not _still_true(before, fresh):
            return None
        _note_waiting(session, fresh, form.waited_seconds)
        after = keep_answer(session, fresh, decision)
        if decision.step is None:
            return Taken(Outcome.LATE, after)
        if after.sitting.status != "running":
            return Taken(Outcome.FINISHED, after)
        if form.take_break:
            after = _begin_break(session, after)
        return Taken(Outcome.ACCEPTED, after)


def _note_waiting(session: Session, snapshot: Snapshot, seconds: float) -> None:
    """Put into the log how long an answer waited on its page, as the page says."""
    if LEAST_WAITED <= seconds <= MOST_WAITED:
        payload = {"seconds": round(seconds)}
        append_sitting_event(session, snapshot.sitting, records.RECONNECTED, payload, snapshot.now)


def _begin_break(session: Session, snapshot: Snapshot) -> Snapshot:
    rules = snapshot.exam.plan.delivery
    if not breaks_left(snapshot.sitting, rules):
        return snapshot
    snapshot = changeable(session, snapshot)
    allowed = break_length(snapshot.sitting.accommodations, rules)
    begin_pause(session, snapshot.sitting, BREAK, snapshot.now, allowed=allowed)
    return snapshot


def _still_true(before: Snapshot, fresh: Snapshot) -> bool:
    return (
        fresh.open_item is not None
        and fresh.position == before.position
        and fresh.sitting.lease_epoch == before.sitting.lease_epoch
        and fresh.holds == before.holds
        and fresh.language == before.language
        and fresh.sitting.paused_at is None
        and fresh.is_late == before.is_late
    )
