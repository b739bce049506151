"""Sittings to look through: narrowed by what examiners ask for, in an order that they choose.

What is listed of a result are the copies in its outcome; the result itself is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from item_bank.exams.designs import load_version
from item_bank.exams.reviews import PER_PAGE, conditions, joined
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.outcomes import Flag, Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Response, Sitting

ANY_FLAG = "any"
ORDERS: Mapping[str, Any] = {
    "started": Sitting.started_at,
    "name": func.lower(CandidateDetails.name),
    "exam": Exam.code,
    "score": Outcome.score,
    "items": Outcome.n_items,
    "state": Outcome.state,
}


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; "" or None for all.

    Parameters
    ----------
    text
        A part of a candidate's name or roster id.
    status
        Of the sitting: running, finished, invalidated.
    state
        Of the result: awaiting, held, released, invalidated.
    flag
        A kind of flag that stands out, or ``any``.
    since, until
        When it was started, in microseconds; ``until`` is not within.
    order, descending
        One of `ORDERS`.
    """

    text: str = ""
    exam: str = ""
    status: str = ""
    state: str = ""
    flag: str = ""
    language: str = ""
    country: str = ""
    since: int | None = None
    until: int | None = None
    order: str = "started"
    descending: bool = True


@dataclass(frozen=True)
class ListedSitting:
    """A sitting in a list; what its result says is None while it runs."""

    sitting_id: str
    candidate_name: str
    roster_id: str
    exam_code: str
    version: int
    status: str
    state: str | None
    language: str
    country: str | None
    simulated: bool
    started_at: int
    score: float | None
    score_se: float | None
    level_name: dict[str, str] | None
    passed: bool | None
    n_items: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class SittingList:
    """One page of a list, how much there is in all, and how many of these stand out."""

    rows: tuple[ListedSitting, ...]
    total: int
    flagged: int
    page: int
    pages: int


@dataclass(frozen=True)
class Choices:
    """What there is to narrow a list by: languages and countries of an organisation's sittings."""

    languages: tuple[str, ...]
    countries: tuple[str, ...]


def list_sittings(
    db: Database, wanted: Wanted, *, organisation_id: str, page: int = 1
) -> SittingList:
    """Return a page of the sittings of an organisation that fit."""
    found = _conditions(wanted, organisation_id)
    with db.read() as session:
        total = _count(session, found)
        pages = max(-(-total // PER_PAGE), 1)
        page = min(max(page, 1), pages)
        ids = _ids(session, wanted, found, page)
        rows, flags = _rows(session, ids), _flags(session, ids)
        counts = _answered(session, [row[0].id for row in rows if row[3] is None])
        listed = tuple(_listed(db, row, flags, counts) for row in rows)
        flagged = _count(session, [*found, _stands_out("", organisation_id)])
        return SittingList(listed, total, flagged, page, pages)


def choices(db: Database, *, organisation_id: str) -> Choices:
    """Return the languages and countries that there are."""
    with db.read() as session:
        own = Sitting.organisation_id == organisation_id
        languages = session.scalars(select(Sitting.language).where(own).distinct())
        countries = session.scalars(
            select(Outcome.country)
            .where(Outcome.organisation_id == organisation_id, Outcome.country.is_not(None))
            .distinct()
        )
        return Choices(tuple(sorted(languages)), tuple(sorted(code for code in countries if code)))


def _conditions(wanted: Wanted, organisation_id: str) -> list[ColumnElement[bool]]:
    found = conditions(organisation_id, wanted.exam or None, wanted.status or None, wanted.text)
    plain = ((Outcome.state, wanted.state), (Sitting.language, wanted.language),
             (Outcome.country, wanted.country))  # fmt: skip
    found += [column == value for column, value in plain if value]
    if wanted.flag:
        found.append(_stands_out("" if wanted.flag == ANY_FLAG else wanted.flag, organisation_id))
    if wanted.since is not None:
        found.append(Sitting.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(Sitting.started_at < wanted.until)
    return found


def _stands_out(kind: str, organisation_id: str) -> ColumnElement[bool]:
    found = select(Flag.sitting_id).where(Flag.organisation_id == organisation_id, Flag.flagged)
    return Sitting.id.in_(found.where(Flag.kind == kind) if kind else found)


def _with_outcomes(statement: Select[Any]) -> Select[Any]:
    return joined(statement).outerjoin(Outcome, Outcome.sitting_id == Sitting.id)


def _count(session: Session, found: Sequence[ColumnElement[bool]]) -> int:
    return session.scalar(_with_outcomes(select(func.count())).where(*found)) or 0


def _ids(
    session: Session, wanted: Wanted, found: Sequence[ColumnElement[bool]], page: int
) -> Sequence[str]:
    """The sittings of a page in its order; narrow rows, so that long lists are sorted quickly."""
    column = ORDERS[wanted.order]
    order = column.desc() if wanted.descending else column.asc()
    return session.scalars(
        _with_outcomes(select(Sitting.id))
        .where(*found)
        .order_by(order.nulls_last(), Sitting.started_at.desc(), Sitting.id)
        .offset((page - 1) * PER_PAGE)
        .limit(PER_PAGE)
    ).all()


def _rows(session: Session, ids: Sequence[str]) -> list[Any]:
    columns: Any = select(Sitting, Exam.code, CandidateDetails, Outcome)
    rows = session.execute(_with_outcomes(columns).where(Sitting.id.in_(ids)))
    return sorted(rows, key=lambda row: ids.index(row[0].id))


def _flags(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rows = session.execute(
        select(Flag.sitting_id, Flag.kind).where(Flag.sitting_id.in_(ids), Flag.flagged)
    )
    found: dict[str, tuple[str, ...]] = {}
    for sitting_id, kind in rows:
        found[sitting_id] = (*found.get(sitting_id, ()), kind)
    return found


def _answered(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """How many answers sittings that run have."""
    rows = session.execute(
        select(Response.sitting_id, func.count())
        .where(Response.sitting_id.in_(ids), Response.score.is_not(None))
        .group_by(Response.sitting_id)
    )
    return {sitting_id: int(n) for sitting_id, n in rows}


def _listed(
    db: Database, row: Any, flags: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]
) -> ListedSitting:
    sitting, exam_code, details, outcome = row
    version = load_version(db, sitting.exam_version_id)
    names = {level.code: level.name for level in version.plan.levels}
    return ListedSitting(
        sitting_id=sitting.id,
        candidate_name=details.name if details else "(erased)",
        roster_id=details.roster_id if details else "",
        exam_code=exam_code,
        version=version.number,
        status=sitting.status,
        state=outcome.state if outcome else None,
        language=sitting.language,
        country=outcome.country if outcome else None,
        simulated=sitting.simulated,
        started_at=sitting.started_at,
        score=outcome.score if outcome else None,
        score_se=outcome.score_se if outcome else None,
        level_name=names.get(outcome.level) if outcome and outcome.level else None,
        passed=outcome.passed if outcome else None,
        n_items=outcome.n_items if outcome else counts.get(sitting.id, 0),
        flags=flags.get(sitting.id, ()),
    )
