"""Erasing a person: name and details, codes, what was chosen and typed, messages, and presence.

Scores, estimates and results stay under the pseudonymous id. Every chain verifies after it, because
links hold salted commitments only, and the salt goes with the content; every sitting replays,
because replay reads scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.exams.personal.persons import person
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.base import Base
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.outcomes import Appeal, Outcome
from item_bank.store.tables.people import AccessCode, CandidateDetails
from item_bank.store.tables.sittings import Presence, ResponseContent, Sitting, SittingMessage

MAX_REASON = 200
RUNNING = "running"


@dataclass(frozen=True)
class Erasure:
    """What an erasure takes away, or has taken.

    Parameters
    ----------
    sittings
        Sittings that stay under the pseudonymous id.
    rows
        How many rows go, by what they hold.
    """

    candidate_id: str
    sittings: int
    rows: dict[str, int]


def plan_erasure(db: Database, actor: Actor, roster_id: str) -> Erasure:
    """Say what would be erased, and change nothing."""
    with db.read() as session:
        own = person(session, roster_id, actor.organisation_id)
        _check_ended(session, own.candidate_id)
        return _planned(session, own.candidate_id)


def erase(db: Database, actor: Actor, roster_id: str, reason: str) -> Erasure:
    """Erase a person.

    Raises
    ------
    NotAllowed
        While a sitting of the person runs; or after the erasure, see `leave_no_trace`.
    """
    if not 0 < len(reason.strip()) <= MAX_REASON:
        found = f"{len(reason.strip())} characters"
        raise InputError(f"a reason of 1 to {MAX_REASON} characters", found, column="--reason")
    with db.write() as session:
        own = person(session, roster_id, actor.organisation_id)
        erased = erase_candidate(db, session, own, reason.strip(), actor.by)
    leave_no_trace(db)
    return erased


def erase_candidate(
    db: Database, session: Session, own: CandidateDetails, reason: str, by: str
) -> Erasure:
    """Erase a person within the caller's transaction, and record it in the site chain."""
    _check_ended(session, own.candidate_id)
    found = _planned(session, own.candidate_id)
    organisation_id = own.organisation_id
    for _, table, condition in _held(own.candidate_id):
        session.execute(delete(table).where(condition))
    session.execute(
        update(Sitting)
        .where(Sitting.candidate_id == own.candidate_id)
        .values(accommodations={}, accommodations_salt=None, device=None)
    )
    session.execute(
        update(Outcome)
        .where(Outcome.candidate_id == own.candidate_id)
        .values(country=None, centre=None)
    )
    session.execute(
        update(Appeal)
        .where(_appealed(own.candidate_id))
        .values(text="", salt="", answer=None, answer_salt=None)
    )
    payload = {"candidate": found.candidate_id, "reason": reason, "rows": found.rows, "by": by}
    append_site_event(session, "candidate_erased", payload, db.now(session), organisation_id)
    return found


def leave_no_trace(db: Database) -> None:
    """Take what was erased out of SQLite's ``-wal`` file, too; its file has zeros there already.

    Raises
    ------
    NotAllowed
        When somebody reads the database for so long that the file cannot be emptied.
    """
    if not db.empty_log():
        raise NotAllowed(
            "erased, but it still stands in the file -wal beside the database, which another "
            "program reads; end that one, then run `tarozu retention run`"
        )


def _check_ended(session: Session, candidate_id: str) -> None:
    running = select(func.count()).where(
        Sitting.candidate_id == candidate_id, Sitting.status == RUNNING
    )
    if session.scalar(running):
        raise NotAllowed("a sitting of this person runs; end it first")


def _planned(session: Session, candidate_id: str) -> Erasure:
    rows = {
        name: session.scalar(select(func.count()).select_from(table).where(condition)) or 0
        for name, table, condition in _held(candidate_id)
    }
    appeals = select(func.count()).where(_appealed(candidate_id), Appeal.text != "")
    rows["appeals"] = session.scalar(appeals) or 0
    sittings = select(func.count()).where(Sitting.candidate_id == candidate_id)
    return Erasure(candidate_id, session.scalar(sittings) or 0, rows)


def _appealed(candidate_id: str) -> ColumnElement[bool]:
    """Appeals of a person: that there was one stays, what was written goes."""
    mine = select(Sitting.id).where(Sitting.candidate_id == candidate_id)
    return Appeal.sitting_id.in_(mine)


def _held(candidate_id: str) -> Iterator[tuple[str, type[Base], ColumnElement[bool]]]:
    """What goes: what it is called, its table, and which rows."""
    mine = select(Sitting.id).where(Sitting.candidate_id == candidate_id).scalar_subquery()
    by_sitting: tuple[tuple[str, Any], ...] = (
        ("answers", ResponseContent),
        ("messages", SittingMessage),
        ("presence", Presence),
    )
    for name, table in by_sitting:
        yield name, table, table.sitting_id.in_(mine)
    by_person: tuple[tuple[str, Any], ...] = (
        ("registrations", Registration),
        ("access_codes", AccessCode),
        ("details", CandidateDetails),
    )
    for name, table in by_person:
        yield name, table, table.candidate_id == candidate_id
