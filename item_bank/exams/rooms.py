"""What an invigilator sees: who sits which exam, how far along, and whether their page is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.accommodations import breaks_left
from item_bank.exams.actors import Actor, check_in_charge
from item_bank.exams.designs import load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.exam_files import fewest_items, most_items
from item_bank.exams.reviews import conditions, cut_out, joined
from item_bank.exams.room_states import in_state
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.people import CandidateDetails, StaffAccount
from item_bank.store.tables.sittings import (
    Presence,
    PresentedItem,
    Response,
    Sitting,
    SittingEvent,
    SittingMessage,
)

ALERTS = (
    records.CONFLICT,
    records.TAMPERED,
    records.FOREIGN_REQUEST,
    records.DEVICE,
    records.DEVICE_REFUSED,
    records.RECONNECTED,
    records.OUTAGE_CREDITED,
    records.RAPID_ANSWERS,
)
"""Kinds of events that somebody who watches over a room should look at."""


@dataclass(frozen=True)
class RoomRow:
    """A sitting as an invigilator sees it; times in microseconds of the site clock.

    Parameters
    ----------
    position
        Of the question on screen.
    at_least, at_most
        How many questions a sitting of this exam has.
    seen_at
        When its page was last heard from; None before, and where it was erased.
    alerts
        How often each kind of event happened that should be looked at.
    """

    sitting_id: str
    candidate_name: str
    roster_id: str
    exam_code: str
    title: dict[str, str]
    language: str
    position: int
    answered: int
    at_least: int
    at_most: int
    status: str
    stop_reason: str | None
    pause: str | None
    paused_at: int | None
    breaks_left: int
    started_at: int
    deadline_at: int | None
    finished_at: int | None
    seen_at: int | None
    address: str
    last_answer_at: int | None
    lease_epoch: int
    second_device: str
    alerts: dict[str, int]


@dataclass(frozen=True)
class RoomPage:
    """One page of a room, how much there is in all, and the site's time when it was read."""

    rows: tuple[RoomRow, ...]
    total: int
    page: int
    pages: int
    now: int


@dataclass(frozen=True)
class RoomEvent:
    """A link of a sitting's chain, with what was typed and who did it, as far as not erased."""

    number: int
    kind: str
    at: int
    payload: dict[str, Any]
    by: str | None
    text: str | None
    seen_at: int | None


def sittings_in_exam(
    db: Database,
    actor: Actor,
    exam_code: str | None,
    *,
    status: str | None = "running",
    search: str = "",
    page: int = 1,
) -> RoomPage:
    """Look through the sittings of an organisation, or of one of its exams, the newest first.

    Parameters
    ----------
    status
        One of `room_states.STATES`; None for all.

    Raises
    ------
    NotAllowed
        When this actor's role may not.
    """
    check_in_charge(actor)
    found = conditions(actor.organisation_id, exam_code, None, search)
    with db.read() as session:
        found += in_state(status, db.now(session))
        cut = cut_out(session, found, page)
        rows = tuple(_rows(db, session, cut.ids))
        return RoomPage(rows, cut.total, cut.page, cut.pages, db.now(session))


def sitting_in_room(db: Database, actor: Actor, sitting_id: str) -> RoomRow:
    """Return one sitting as an invigilator sees it.

    Raises
    ------
    NotFound
        When it is not there, or another organisation's.
    """
    with db.read() as session:
        _check_own(session, actor, sitting_id)
        return _rows(db, session, [sitting_id])[0]


def room_events(db: Database, actor: Actor, sitting_id: str) -> list[RoomEvent]:
    """Return what happened in a sitting, in order.

    Raises
    ------
    NotFound
        When it is not there, or another organisation's.
    """
    with db.read() as session:
        _check_own(session, actor, sitting_id)
        return sitting_events(session, sitting_id)


def sitting_events(session: Session, sitting_id: str) -> list[RoomEvent]:
    """As `room_events`, for who has looked whose sitting it is."""
    links = session.scalars(
        select(SittingEvent)
        .where(SittingEvent.sitting_id == sitting_id)
        .order_by(SittingEvent.number)
    ).all()
    notes = {note.id: note for note in _notes(session, sitting_id)}
    names = _names(session, {link.payload.get("by") for link in links})
    return [_event(link, notes, names) for link in links]


def _event(
    link: SittingEvent, notes: dict[str, SittingMessage], names: dict[str, str]
) -> RoomEvent:
    payload = link.payload
    said = payload.get("reason")
    told = said.get("message") if isinstance(said, dict) else payload.get("message")
    note, by = notes.get(told or ""), payload.get("by")
    return RoomEvent(
        number=link.number,
        kind=link.kind,
        at=link.at,
        payload=payload,
        by=names.get(by, by) if by else None,
        text=note.text if note else None,
        seen_at=note.seen_at if note else None,
    )


def _notes(session: Session, sitting_id: str) -> Sequence[SittingMessage]:
    wanted = select(SittingMessage).where(SittingMessage.sitting_id == sitting_id)
    return session.scalars(wanted).all()


def _names(session: Session, ids: set[Any]) -> dict[str, str]:
    wanted = [one for one in ids if isinstance(one, str)]
    found = session.execute(
        select(StaffAccount.id, StaffAccount.name).where(StaffAccount.id.in_(wanted))
    )
    return {account: name for account, name in found}  # noqa: C416 - rows to pairs, typed


def _check_own(session: Session, actor: Actor, sitting_id: str) -> None:
    check_in_charge(actor)
    sitting = session.get(Sitting, sitting_id)
    if sitting is None or sitting.organisation_id != actor.organisation_id:
        raise NotFound


def _rows(db: Database, session: Session, ids: Sequence[str]) -> list[RoomRow]:
    wanted: Any = select(Sitting, Exam.code, CandidateDetails, Presence)
    statement = (
        joined(wanted)
        .outerjoin(Presence, Presence.sitting_id == Sitting.id)
        .where(Sitting.id.in_(ids))
        .order_by(Sitting.started_at.desc(), Sitting.id)
    )
    found = session.execute(statement).all()
    positions = _counts(session, ids, PresentedItem, func.max(PresentedItem.position))
    answers = _counts(session, ids, Response, func.count())
    last = _counts(session, ids, Response, func.max(Response.received_at))
    alerts = _alerts(session, ids)
    return [
        _row(
            db,
            sitting,
            code,
            details,
            presence,
            position=positions.get(sitting.id, 0),
            answered=answers.get(sitting.id, 0),
            last_answer_at=last.get(sitting.id),
            alerts=alerts.get(sitting.id, {}),
        )
        for sitting, code, details, presence in found
    ]


def _row(
    db: Database,
    sitting: Sitting,
    exam_code: str,
    details: CandidateDetails | None,
    presence: Presence | None,
    **counted: Any,
) -> RoomRow:
    plan = load_version(db, sitting.exam_version_id).plan
    return RoomRow(
        sitting_id=sitting.id,
        candidate_name=details.name if details else "(erased)",
        roster_id=details.roster_id if details else "",
        exam_code=exam_code,
        title=plan.title,
        language=sitting.language,
        at_least=fewest_items(plan),
        at_most=most_items(plan),
        status=sitting.status,
        stop_reason=sitting.stop_reason,
        pause=sitting.pause,
        paused_at=sitting.paused_at,
        breaks_left=breaks_left(sitting, plan.delivery),
        started_at=sitting.started_at,
        deadline_at=sitting.deadline_at,
        finished_at=sitting.finished_at,
        seen_at=presence.seen_at if presence else None,
        address=presence.address if presence else "",
        lease_epoch=sitting.lease_epoch,
        second_device=plan.delivery.second_device,
        **counted,
    )


def _counts(session: Session, ids: Sequence[str], table: Any, what: Any) -> dict[str, int]:
    found = session.execute(
        select(table.sitting_id, what).where(table.sitting_id.in_(ids)).group_by(table.sitting_id)
    )
    return {sitting_id: int(value) for sitting_id, value in found}


def _alerts(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    found = session.execute(
        select(SittingEvent.sitting_id, SittingEvent.kind, func.count())
        .where(SittingEvent.sitting_id.in_(ids), SittingEvent.kind.in_(ALERTS))
        .group_by(SittingEvent.sitting_id, SittingEvent.kind)
    )
    counts: dict[str, dict[str, int]] = {}
    for sitting_id, kind, count in found:
        counts.setdefault(sitting_id, {})[kind] = count
    return counts
