"""What staff may do to a sitting that runs, and a candidate to the break that they take.

Every act is one short transaction, and a link of the sitting's chain and of the site's. The
deadline is the only clock, and no act opens again what has ended: a sitting whose time is over is
not paused, and is granted nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.actors import Actor, check_in_charge
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.messages import check_text, message_seen, messages_for
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.pauses import (
    BREAK,
    INVIGILATOR,
    begin_pause,
    end_pause,
    is_overdue,
    move_deadline,
)
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import read_snapshot
from item_bank.exams.steps import keep_end
from item_bank.store.audit import append_site_event, append_sitting_event
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting

__all__ = [
    "end_break",
    "grant_time",
    "message_seen",
    "messages_for",
    "pause",
    "release_lease",
    "resume",
    "send_message",
    "terminate",
]

TERMINATED = "terminated"
MOST_SECONDS = 24 * 3600
MAX_REASON = 200


@dataclass(frozen=True)
class _Acting:
    """An act under way: the sitting is locked, runs, and is the actor's organisation's."""

    session: Session
    sitting: Sitting
    now: int
    actor: Actor

    def note(self, kind: str, text: str) -> dict[str, Any]:
        """Keep a typed text beside the chain, and return what the chain says of it."""
        if not text.strip():
            return {}
        account = self.actor.id
        note = records.new_note(self.sitting, kind, text.strip(), self.now, account)
        self.session.add(note)
        return records.note_payload(note)

    def log(self, kind: str, payload: dict[str, Any]) -> None:
        """Append a link to the sitting's chain."""
        said = {**payload, "by": self.actor.by}
        append_sitting_event(self.session, self.sitting, kind, said, self.now)


@contextmanager
def _acting(db: Database, actor: Actor, sitting_id: str, what: str) -> Iterator[_Acting]:
    """Lock a running sitting for one act, and say on the site's chain who acted."""
    check_in_charge(actor)
    with db.write() as session:
        sitting = session.get(Sitting, sitting_id, with_for_update=True)
        if sitting is None or sitting.organisation_id != actor.organisation_id:
            raise NotFound
        if sitting.status != "running":
            raise NotAllowed("this sitting has ended")
        now = db.now(session)
        yield _Acting(session, sitting, now, actor)
        payload = {"sitting": sitting.id, "by": actor.by, "role": actor.role}
        append_site_event(session, f"sitting_{what}", payload, now, sitting.organisation_id)


def _check_in_time(act: _Acting) -> None:
    if is_overdue(act.sitting, act.now):
        raise NotAllowed("the time of this sitting is over")


def _check_reason(reason: str, *, needed: bool = False) -> None:
    if len(reason) > MAX_REASON or (needed and not reason.strip()):
        least = "1 to" if needed else "at most"
        raise NotAllowed(f"a reason has {least} {MAX_REASON} characters")


def pause(db: Database, actor: Actor, sitting_id: str, reason: str = "") -> None:
    """Hold a sitting up; its question is hidden, and its time stands still.

    A break that is on ends where the pause begins.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended, is paused already, or its time is over.
    """
    _check_reason(reason)
    with _acting(db, actor, sitting_id, "paused") as act:
        _check_in_time(act)
        if act.sitting.pause == INVIGILATOR:
            raise NotAllowed("this sitting is paused already")
        if act.sitting.pause == BREAK:
            end_pause(act.session, act.sitting, act.now, by=actor.by)
        note = act.note(records.PAUSED, reason)
        begin_pause(act.session, act.sitting, INVIGILATOR, act.now, by=actor.by, note=note)


def resume(db: Database, actor: Actor, sitting_id: str) -> None:
    """Let a sitting go on; the whole pause is put on its deadline. A break ends with it, too.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended, or is not paused.
    """
    with _acting(db, actor, sitting_id, "resumed") as act:
        if act.sitting.paused_at is None:
            raise NotAllowed("this sitting is not paused")
        end_pause(act.session, act.sitting, act.now, by=actor.by)


def grant_time(
    db: Database,
    actor: Actor,
    sitting_id: str,
    seconds: int,
    reason: str,
    *,
    seen: int | None = None,
) -> None:
    """Move the deadline of a sitting that runs.

    Parameters
    ----------
    seen
        The deadline that whoever grants has seen: a form that was sent twice grants once.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended, has no time limit, or its time is over; without a reason; or when the
        deadline is no longer the one that was seen.
    """
    _check_reason(reason, needed=True)
    if not 0 < seconds <= MOST_SECONDS:
        raise NotAllowed(f"time is granted in seconds from 1 to {MOST_SECONDS}")
    with _acting(db, actor, sitting_id, "granted_time") as act:
        if act.sitting.deadline_at is None:
            raise NotAllowed("this sitting has no time limit")
        _check_in_time(act)
        if seen is not None and seen != act.sitting.deadline_at:
            raise NotAllowed("the end of this sitting has been moved meanwhile")
        move_deadline(act.sitting, seconds * SECOND)
        moved = {"seconds": seconds, "deadline_at": act.sitting.deadline_at}
        act.log(records.TIME_GRANTED, moved | {"reason": act.note(records.TIME_GRANTED, reason)})


def terminate(db: Database, actor: Actor, sitting_id: str, reason: str) -> None:
    """End a sitting now; its result is that of a sitting whose time is over.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended, or without a reason.
    """
    _check_reason(reason, needed=True)
    with _acting(db, actor, sitting_id, "terminated") as act:
        act.log(records.TERMINATED, {"reason": act.note(records.TERMINATED, reason)})
        keep_end(act.session, read_snapshot(db, act.session, sitting_id), TERMINATED)


def send_message(db: Database, actor: Actor, sitting_id: str, text: str) -> str:
    """Put a message on the candidate's page, and return its id.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended, or the text is blank or too long.
    """
    check_text(text)
    with _acting(db, actor, sitting_id, "sent_message") as act:
        payload = act.note(records.MESSAGE, text)
        act.log(records.MESSAGE, payload)
    return str(payload["message"])


def release_lease(db: Database, actor: Actor, sitting_id: str) -> None:
    """Let another device take a sitting over, once, where the exam denies it.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        When it has ended.
    """
    with _acting(db, actor, sitting_id, "released") as act:
        act.sitting.device = None
        act.log(records.LEASE_RELEASED, {"epoch": act.sitting.lease_epoch})


def end_break(db: Database, candidate: CandidateSession, sitting_id: str) -> None:
    """Go on after a break; what is left of it is taken off the deadline. Twice is as once.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    NotAllowed
        When it is an invigilator who holds it up.
    """
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        if sitting.pause == INVIGILATOR:
            raise NotAllowed("an invigilator has paused this sitting")
        if sitting.pause == BREAK and sitting.status == "running":
            end_pause(session, sitting, db.now(session))
