"""Everything that is held about one person, as one JSON value that can be handed over.

No key of an item is in it, and no hash of a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, or_, select, type_coerce
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.personal.persons import person
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.base import Base
from item_bank.store.tables.exams import Exam, ExamVersion, Registration
from item_bank.store.tables.items import Item, ItemRevision
from item_bank.store.tables.outcomes import Appeal, Decision, Flag
from item_bank.store.tables.people import AccessCode, Candidate, CandidateDetails
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import (
    Presence,
    PresentedItem,
    Response,
    ResponseContent,
    Result,
    Sitting,
    SittingEvent,
    SittingMessage,
)

FORMAT = 1
_SITTING = (
    "number", "language", "status", "simulated", "prior_theta", "accommodations", "started_at",
    "deadline_at", "finished_at", "stop_reason",
)  # fmt: skip
_DECISION = ("number", "result_number", "act", "category", "by", "at")
_APPEAL = ("result_number", "opened_at", "status", "text", "answer", "decided_at")
_RESPONSE = ("score", "late", "theta", "se", "received_at")


def held_about(db: Database, actor: Actor, roster_id: str) -> dict[str, Any]:
    """Return what is held about a person; that it was asked for stands in the site chain."""
    with db.write() as session:
        own, now = person(session, roster_id, actor.organisation_id), db.now(session)
        found = {
            "format": FORMAT,
            "made_at": _time(now),
            "person": _person(session, own),
            "access_codes": _codes(session, own),
            "registrations": _registrations(session, own),
            "sittings": [_sitting(session, one) for one in _sittings(session, own)],
            "site_events": _site_events(session, own),
        }
        payload = {"candidate": own.candidate_id, "by": actor.by}
        append_site_event(session, "personal_data_exported", payload, now, own.organisation_id)
    return found


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds")


def _values(row: Base, *names: str) -> dict[str, Any]:
    """Return columns of a row, times as text."""
    return {name: _text(name, getattr(row, name)) for name in names}


def _text(name: str, value: Any) -> Any:
    is_time = name == "at" or name.endswith("_at")
    return _time(value) if is_time and value is not None else value


def _person(session: Session, own: CandidateDetails) -> dict[str, Any]:
    candidate = session.get_one(Candidate, own.candidate_id)
    names = ("roster_id", "name", "email", "country", "language")
    return {"candidate": candidate.id, **_values(own, *names), **_values(candidate, "created_at")}


def _codes(session: Session, own: CandidateDetails) -> list[dict[str, Any]]:
    codes = select(AccessCode).where(AccessCode.candidate_id == own.candidate_id)
    found = session.scalars(codes.order_by(AccessCode.issued_at, AccessCode.id))
    return [_values(code, "issued_at", "revoked_at") for code in found]


def _registrations(session: Session, own: CandidateDetails) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Registration, Exam.code)
        .join(Exam, Exam.id == Registration.exam_id)
        .where(Registration.candidate_id == own.candidate_id)
        .order_by(Registration.created_at, Registration.id)
    )
    names = ("attempts_allowed", "accommodations", "prior_theta", "centre", "created_at")
    return [{"exam": code, **_values(row, *names)} for row, code in rows]


def _sittings(session: Session, own: CandidateDetails) -> Sequence[Sitting]:
    mine = select(Sitting).where(Sitting.candidate_id == own.candidate_id)
    return session.scalars(mine.order_by(Sitting.started_at, Sitting.id)).all()


def _sitting(session: Session, sitting: Sitting) -> dict[str, Any]:
    version = session.get_one(ExamVersion, sitting.exam_version_id)
    results = select(Result).where(Result.sitting_id == sitting.id).order_by(Result.number)
    messages = select(SittingMessage).where(SittingMessage.sitting_id == sitting.id)
    events = select(SittingEvent).where(SittingEvent.sitting_id == sitting.id)
    flags = select(Flag).where(Flag.sitting_id == sitting.id)
    presence = session.get(Presence, sitting.id)
    return {
        "sitting": sitting.id,
        "exam": session.get_one(Exam, sitting.exam_id).code,
        "exam_version": version.number,
        **_values(sitting, *_SITTING),
        "questions": _questions(session, sitting),
        "results": [one.content for one in session.scalars(results)],
        "messages": [
            _values(one, "kind", "at", "text", "seen_at")
            for one in session.scalars(messages.order_by(SittingMessage.at))
        ],
        "decisions": [_values(one, *_DECISION) for one in _of(session, Decision, sitting)],
        "appeals": [_values(one, *_APPEAL) for one in _of(session, Appeal, sitting)],
        "flags": [_flag(one) for one in session.scalars(flags.order_by(Flag.kind))],
        "presence": presence and _values(presence, "first_seen_at", "seen_at", "address", "agent"),
        "events": [
            _values(one, "number", "kind", "at", "payload")
            for one in session.scalars(events.order_by(SittingEvent.number))
        ],
    }


def _flag(row: Flag) -> dict[str, Any]:
    """What was found unusual; not which sitting of somebody else it was like."""
    found = {name: value for name, value in row.values.items() if name != "sitting"}
    return _values(row, "kind", "flagged", "at") | {"found": found}


def _of(session: Session, table: Any, sitting: Sitting) -> Sequence[Any]:
    """Return the rows of a sitting, as they came about."""
    order = table.number if table is Decision else table.opened_at
    here = select(table).where(table.sitting_id == sitting.id)
    return session.scalars(here.order_by(order)).all()


def _questions(session: Session, sitting: Sitting) -> list[dict[str, Any]]:
    here = Response.sitting_id == sitting.id, ResponseContent.sitting_id == sitting.id
    responses = {one.position: one for one in session.scalars(select(Response).where(here[0]))}
    contents = select(ResponseContent).where(here[1])
    typed = {one.position: one.content for one in session.scalars(contents)}
    rows = session.execute(
        select(PresentedItem, Item.code)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(PresentedItem.sitting_id == sitting.id)
        .order_by(PresentedItem.position)
    )
    return [
        {
            "item": code,
            **_values(row, "position", "language", "presented_at"),
            "response": _response(responses[row.position], typed)
            if row.position in responses
            else None,
        }
        for row, code in rows
    ]


def _response(row: Response, typed: dict[int, Any]) -> dict[str, Any]:
    erased = row.position not in typed
    return {**_values(row, *_RESPONSE), "given": typed.get(row.position), "erased": erased}


def _site_events(session: Session, own: CandidateDetails) -> list[dict[str, Any]]:
    """Return the links of the site chain that name the person or one of the sittings."""
    ids = [own.candidate_id, *(one.id for one in _sittings(session, own))]
    text = type_coerce(SiteEvent.payload, Text)
    named = select(SiteEvent).where(or_(*(text.contains(one) for one in ids)))
    found = session.scalars(named.order_by(SiteEvent.number))
    return [_values(one, "number", "kind", "at", "payload") for one in found]
