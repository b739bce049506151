"""Where a sitting stands, in few words: what the page's script asks for again and again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams.messages import messages_of
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.pauses import INVIGILATOR, break_until, is_overdue
from item_bank.exams.signing_in import CandidateSession
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import PresentedItem, Sitting

MILLISECOND = SECOND // 1000
ENDS = ("time", "terminated")


@dataclass(frozen=True)
class Standing:
    """Where a sitting stands.

    Parameters
    ----------
    state
        "question", "break", "invigilator" (paused by one), or how it ended: "time", "terminated",
        "finished".
    milliseconds_left
        Until the deadline, or until a break is over; None where the clock stands or there is none.
    message_id
        Of the newest message that the candidate has not put away.
    """

    organisation_id: str
    state: str
    position: int
    epoch: int
    milliseconds_left: int | None
    message_id: str | None


def state_name(status: str, stop_reason: str | None, pause: str | None, *, overdue: bool) -> str:
    """Name the state that a sitting is in."""
    if status != "running":
        return stop_reason if stop_reason in ENDS else "finished"
    if pause is not None:
        return pause
    return "time" if overdue else "question"


def standing(db: Database, candidate: CandidateSession, sitting_id: str) -> Standing:
    """Return where a candidate's own sitting stands.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.read() as session:
        sitting = own_sitting(session, candidate, sitting_id)
        return _standing(session, sitting, db.now(session))


def _standing(session: Session, sitting: Sitting, now: int) -> Standing:
    until = _until(sitting)
    overdue = is_overdue(sitting, now)
    return Standing(
        organisation_id=sitting.organisation_id,
        state=state_name(sitting.status, sitting.stop_reason, sitting.pause, overdue=overdue),
        position=_position(session, sitting.id),
        epoch=sitting.lease_epoch,
        milliseconds_left=None if until is None else max(until - now, 0) // MILLISECOND,
        message_id=_newest(session, sitting.id),
    )


def _until(sitting: Sitting) -> int | None:
    if sitting.pause == INVIGILATOR:
        return None
    return break_until(sitting) or sitting.deadline_at


def _position(session: Session, sitting_id: str) -> int:
    found = session.scalar(
        select(func.max(PresentedItem.position)).where(PresentedItem.sitting_id == sitting_id)
    )
    return found or 0


def _newest(session: Session, sitting_id: str) -> str | None:
    unseen = (one.id for one in reversed(messages_of(session, sitting_id)) if not one.seen)
    return next(unseen, None)
