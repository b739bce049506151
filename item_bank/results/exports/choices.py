"""What is to be exported: an exam, and which of its sittings; checked, and as conditions of SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.designs import find_exam
from item_bank.exams.errors import NotFound
from item_bank.exams.outcomes import STATES
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome

RESULTS, RESPONSES, RESEARCH = "results", "responses", "research"
CSV, PARQUET = "csv", "parquet"
WITHOUT, WITH, ONLY = "without", "with", "only"
_WORDS = {"format": (CSV, PARQUET), "simulated": (WITHOUT, WITH, ONLY), "state": ("", *STATES)}
_EQUAL = ("language", "country", "centre", "state")
_MAX = 200


@dataclass(frozen=True)
class Choices:
    """Which sittings of an exam, and how they are written; empty texts choose all.

    Parameters
    ----------
    since, until
        Days (YYYY-MM-DD) on which a sitting ended, both included.
    simulated
        "without", "with" or "only" sittings of simulated candidates.
    names
        With roster numbers and names; for administrators alone.
    mark
        CSV with a byte order mark.
    """

    exam: str
    since: str = ""
    until: str = ""
    language: str = ""
    country: str = ""
    centre: str = ""
    state: str = ""
    simulated: str = WITHOUT
    format: str = CSV
    names: bool = False
    mark: bool = False

    def __post_init__(self) -> None:
        for name, allowed in _WORDS.items():
            if getattr(self, name) not in allowed:
                expected = f"one of {', '.join(word or 'nothing' for word in allowed)}"
                raise InputError(expected, repr(getattr(self, name)), column=name)
        for name in ("since", "until"):
            _day(getattr(self, name), name)
        for name in ("language", "country", "centre"):
            if len(getattr(self, name)) > _MAX:
                raise InputError(f"at most {_MAX} characters", "more", column=name)

    @property
    def payload(self) -> dict[str, Any]:
        """As a job keeps them."""
        return asdict(self)


def choices_from(said: Mapping[str, Any]) -> Choices:
    """Read choices from a form or a job; what it does not name is as usual."""
    known = {field.name for field in fields(Choices)}
    return Choices(**{name: value for name, value in said.items() if name in known})


@dataclass(frozen=True)
class Selection:
    """Sittings of an exam that ended before the export began."""

    choices: Choices
    organisation_id: str
    exam_id: str
    conditions: tuple[ColumnElement[bool], ...]
    at: int

    def count(self, session: Session) -> int:
        """How many there are."""
        return int(session.scalar(select(func.count()).where(*self.conditions)) or 0)


def selection(db: Database, choices: Choices, organisation_id: str) -> Selection:
    """Find the exam, and say which of its outcomes are meant.

    Raises
    ------
    NotFound
        When the organisation has no such exam.
    """
    with db.read() as session:
        exam = find_exam(session, choices.exam, organisation_id)
        if exam is None:
            raise NotFound
        now = db.now(session)
        newest = select(func.max(Outcome.finished_at)).where(Outcome.exam_id == exam.id)
        last = session.scalar(newest) or now
    found = _conditions(choices, exam.id, organisation_id, last)
    return Selection(choices, organisation_id, exam.id, tuple(found), now)


def _conditions(
    choices: Choices, exam_id: str, organisation_id: str, last: int
) -> list[ColumnElement[bool]]:
    since, until = _day(choices.since, "since"), _day(choices.until, "until")
    found = [
        Outcome.exam_id == exam_id,
        Outcome.organisation_id == organisation_id,
        Outcome.finished_at <= last,
    ]
    if since is not None:
        found.append(Outcome.finished_at >= _at(since))
    if until is not None:
        found.append(Outcome.finished_at < _at(until + timedelta(days=1)))
    given = [name for name in _EQUAL if getattr(choices, name)]
    found += [getattr(Outcome, name) == getattr(choices, name) for name in given]
    if choices.simulated != WITH:
        found.append(Outcome.simulated.is_(choices.simulated == ONLY))
    return found


def _day(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError("a day as YYYY-MM-DD", repr(text), column=name) from None


def _at(day: datetime) -> int:
    return round(day.timestamp() * SECOND)
