"""Which sittings of an exam are looked at together: a cohort, as conditions on `outcomes`.

Called by every part of this folder. What is asked for comes from an address; what cannot be read
there is refused in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from item_bank.exams.designs import LoadedExam
from item_bank.exams.outcomes import INVALIDATED, STATES
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Outcome

UNKNOWN = "?"
"""Stands for a country or centre that is not known, or was erased."""
ANY_STATE = "any"
FIRST = "first"
REAL, SIMULATED = "real", "simulated"
FEW = 10
"""Groups of fewer sittings are marked, and withheld from whoever may not open single sittings."""


@dataclass(frozen=True)
class Wanted:
    """What a cohort is narrowed to; "" is everything.

    Parameters
    ----------
    since, until
        Finished from, and before; microseconds.
    version
        Number of an exam version.
    attempts
        ``first``: each candidate's first sitting alone.
    sittings
        ``real`` or ``simulated``.
    state
        Of the result; "" leaves withdrawn results out, ``any`` has them in.
    """

    since: int | None = None
    until: int | None = None
    language: str = ""
    country: str = ""
    centre: str = ""
    version: int | None = None
    attempts: str = ""
    sittings: str = ""
    state: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out that is usually in."""
        return self != Wanted()


@dataclass(frozen=True)
class Cohort:
    """Sittings of one exam that are looked at together."""

    organisation_id: str
    exam_id: str
    wanted: Wanted = Wanted()

    @property
    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions on `outcomes`."""
        wanted, own = self.wanted, [Outcome.exam_id == self.exam_id]
        own.append(Outcome.organisation_id == self.organisation_id)
        if wanted.since is not None:
            own.append(Outcome.finished_at >= wanted.since)
        if wanted.until is not None:
            own.append(Outcome.finished_at < wanted.until)
        if wanted.version is not None:
            own.append(Outcome.exam_version_id == self._version)
        if wanted.attempts == FIRST:
            own.append(Outcome.attempt == 1)
        if wanted.sittings:
            own.append(Outcome.simulated.is_(wanted.sittings == SIMULATED))
        return (*own, *self._places(), self._state())

    def in_any_state(self) -> Cohort:
        """The same with withdrawn results."""
        return replace(self, wanted=replace(self.wanted, state=ANY_STATE))

    def of_first_attempts(self) -> Cohort:
        """Each candidate's first sitting alone."""
        return replace(self, wanted=replace(self.wanted, attempts=FIRST))

    @property
    def _version(self) -> Any:
        return (
            select(ExamVersion.id)
            .where(ExamVersion.exam_id == self.exam_id, ExamVersion.number == self.wanted.version)
            .scalar_subquery()
        )

    def _places(self) -> list[ColumnElement[bool]]:
        asked: Sequence[tuple[InstrumentedAttribute[Any], str]] = (
            (Outcome.language, self.wanted.language),
            (Outcome.country, self.wanted.country),
            (Outcome.centre, self.wanted.centre),
        )
        return [
            column.is_(None) if value == UNKNOWN else column == value
            for column, value in asked
            if value
        ]

    def _state(self) -> ColumnElement[bool]:
        state = self.wanted.state
        if state in STATES:
            return Outcome.state == state
        return true() if state == ANY_STATE else Outcome.state != INVALIDATED


def size(db: Database, cohort: Cohort) -> int:
    """Return how many sittings a cohort has."""
    with db.read() as session:
        found = select(func.count()).select_from(Outcome).where(*cohort.conditions)
        return session.scalar(found) or 0


@dataclass(frozen=True)
class Choices:
    """What an exam's outcomes can be narrowed by: values that occur, in order.

    Parameters
    ----------
    simulated
        How many of all outcomes are simulated.
    """

    languages: tuple[str, ...]
    countries: tuple[str, ...]
    centres: tuple[str, ...]
    versions: tuple[int, ...]
    total: int
    simulated: int


def choices(session: Session, exam: LoadedExam) -> Choices:
    """Find what occurs among the outcomes of an exam."""
    columns = Outcome.language, Outcome.country, Outcome.centre, Outcome.exam_version_id
    rows = session.execute(
        select(*columns, Outcome.simulated, func.count())
        .where(Outcome.exam_id == exam.exam_id, Outcome.organisation_id == exam.organisation_id)
        .group_by(*columns, Outcome.simulated)
    ).all()
    versions = session.execute(
        select(ExamVersion.id, ExamVersion.number).where(ExamVersion.exam_id == exam.exam_id)
    )
    numbers = {version_id: number for version_id, number in versions}  # noqa: C416 - typed
    return Choices(
        languages=_in_order(row[0] for row in rows),
        countries=_in_order(row[1] for row in rows),
        centres=_in_order(row[2] for row in rows),
        versions=tuple(sorted({numbers[row[3]] for row in rows})),
        total=sum(row[5] for row in rows),
        simulated=sum(row[5] for row in rows if row[4]),
    )


def _in_order(values: Any) -> tuple[str, ...]:
    """Return values once, in order; what is not known comes last."""
    found = set(values)
    return (*sorted(found - {None}), *((UNKNOWN,) if None in found else ()))
