"""What a correction changes, sitting by sitting: searched, sorted, in pages, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from item_bank.exams.actors import ADMINISTRATOR, Actor
from item_bank.results.corrections.listing import find_for
from item_bank.results.corrections.terms import EXAMINER, PROBLEMS
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction, CorrectionChange
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails

PER_PAGE = 50
SEES_NAMES = frozenset({EXAMINER, ADMINISTRATOR})
ALL, CHANGED, LEVELS, NOW_PASSED, NOW_FAILED, IMPOSSIBLE = SHOWN = (
    "all", "changed", "levels", "passed", "failed", "impossible",
)  # fmt: skip
BY_CHANGE, BY_SCORE, BY_NAME, BY_TIME = SORTS = ("change", "score", "name", "time")
COLUMNS = (
    "sitting", "exam", "candidate", "name", "score", "new_score", "change", "level", "new_level",
    "passed", "new_passed", "result", "applied", "problem",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which changes are looked at, in which order."""

    show: str = CHANGED
    exam: str = ""
    text: str = ""
    sort: str = BY_CHANGE
    page: int = 1


@dataclass(frozen=True)
class ChangeRow:
    """A sitting in the list of changes; names are for those who may see them."""

    sitting_id: str
    candidate_id: str
    exam: str
    name: str | None
    roster_id: str | None
    state: str
    change: CorrectionChange

    @property
    def problem(self) -> str | None:
        """Why it cannot be computed, in words."""
        return PROBLEMS.get(self.change.problem or "")


@dataclass(frozen=True)
class Changes:
    """A page of the changes."""

    rows: Sequence[ChangeRow]
    total: int
    page: int
    pages: int


def changes_page(db: Database, actor: Actor, number: int, wanted: Wanted) -> Changes:
    """Return a page of what a correction changes, or has changed."""
    with db.read() as session:
        row = find_for(session, actor, number)
        found = _matching(row, wanted, actor)
        counted = found.with_only_columns(func.count()).order_by(None)
        total = int(session.scalar(counted) or 0)
        pages = max(-(-total // PER_PAGE), 1)
        page = min(max(wanted.page, 1), pages)
        rows = session.execute(found.offset((page - 1) * PER_PAGE).limit(PER_PAGE)).all()
        return Changes([_change(actor, *one) for one in rows], total, page, pages)


def all_changes(db: Database, actor: Actor, number: int, wanted: Wanted) -> list[ChangeRow]:
    """Return all that a correction changes, for a file."""
    with db.read() as session:
        found = _matching(find_for(session, actor, number), wanted, actor)
        return [_change(actor, *one) for one in session.execute(found)]


def _matching(row: Correction, wanted: Wanted, actor: Actor) -> Any:
    query: Any = (
        select(CorrectionChange, Exam.code, CandidateDetails, Outcome)
        .join(Exam, Exam.id == CorrectionChange.exam_id)
        .join(Outcome, Outcome.sitting_id == CorrectionChange.sitting_id)
        .outerjoin(CandidateDetails, CandidateDetails.candidate_id == Outcome.candidate_id)
        .where(CorrectionChange.correction_id == row.id, *_shown(wanted.show))
        .order_by(*_order(wanted.sort, actor))
    )
    if wanted.exam:
        query = query.where(Exam.code == wanted.exam)
    text = wanted.text.strip()
    if text and actor.role in SEES_NAMES:
        name, roster = CandidateDetails.name, CandidateDetails.roster_id
        query = query.where(
            or_(name.icontains(text, autoescape=True), roster.icontains(text, autoescape=True))
        )
    return query


def _shown(show: str) -> tuple[ColumnElement[bool], ...]:
    own = CorrectionChange
    conditions: Mapping[str, tuple[ColumnElement[bool], ...]] = {
        ALL: (),
        CHANGED: (own.changed.is_(True),),
        LEVELS: (own.problem.is_(None), own.level.is_distinct_from(own.new_level)),
        NOW_PASSED: (own.new_passed.is_(True), own.passed.is_(False)),
        NOW_FAILED: (own.new_passed.is_(False), own.passed.is_(True)),
        IMPOSSIBLE: (own.problem.is_not(None),),
    }
    return conditions[show]


def _order(sort: str, actor: Actor) -> tuple[Any, ...]:
    own = CorrectionChange
    orders: Mapping[str, tuple[Any, ...]] = {
        BY_CHANGE: (func.abs(own.score_change).desc().nulls_last(),),
        BY_SCORE: (own.new_score.desc().nulls_last(),),
        BY_NAME: (CandidateDetails.name.nulls_last(),) if actor.role in SEES_NAMES else (),
        BY_TIME: (Outcome.finished_at.desc(),),
    }
    return (*orders[sort], own.sitting_id)


def _change(
    actor: Actor,
    change: CorrectionChange,
    exam: str,
    details: CandidateDetails | None,
    outcome: Outcome,
) -> ChangeRow:
    seen = details if actor.role in SEES_NAMES else None
    name, roster = (seen.name, seen.roster_id) if seen else (None, None)
    who = (outcome.candidate_id, exam, name, roster, outcome.state)
    return ChangeRow(change.sitting_id, *who, change)


def changes_csv(rows: Sequence[ChangeRow]) -> Iterator[str]:
    """Yield the lines of a CSV file of changes."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for one in rows:
        change = one.change
        writer.writerow(
            (
                one.sitting_id, one.exam, one.candidate_id, _plain(one.name), change.score,
                change.new_score, change.score_change, change.level, change.new_level,
                change.passed, change.new_passed, change.result_number, change.applied,
                change.problem,
            )
        )  # fmt: skip
        yield file.getvalue()
        file.seek(0)
        file.truncate()
    yield file.getvalue()


def _plain(name: str | None) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{name}" if name and name[0] in "=+-@\t\r" else name or ""
