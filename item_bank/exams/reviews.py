"""What an examiner sees: sittings to look through, and everything about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from item_bank.exams.designs import load_version, shared_parameters
from item_bank.exams.errors import NotFound
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Response, Result, Sitting, SittingEvent

PER_PAGE = 25


@dataclass(frozen=True)
class SittingRow:
    """A sitting in a list."""

    sitting_id: str
    candidate_name: str
    roster_id: str
    exam_code: str
    version: int
    status: str
    language: str
    simulated: bool
    started_at: int
    finished_at: int | None
    score: float | None
    score_se: float | None
    level_name: dict[str, str] | None
    passed: bool | None
    n_items: int
    stop_reason: str | None


@dataclass(frozen=True)
class Page:
    """One page of a list, and how much there is in all."""

    rows: tuple[SittingRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Report:
    """Everything about one sitting.

    Parameters
    ----------
    result
        The newest canonical result; None while the sitting runs.
    amended
        Why, when it is not the first.
    events
        The links of the sitting's chain, in order.
    parameters
        Whether the languages of the exam's version share their parameters.
    """

    row: SittingRow
    result: dict[str, Any] | None
    amended: str | None
    events: tuple[dict[str, Any], ...]
    country: str | None
    sealed: bool
    parameters: str


def search_sittings(
    db: Database,
    *,
    organisation_id: str,
    exam: str | None = None,
    status: str | None = None,
    text: str = "",
    page: int = 1,
) -> Page:
    """Look through the sittings of an organisation, the newest first.

    Parameters
    ----------
    text
        A part of a candidate's name or roster id.
    """
    found = conditions(organisation_id, exam, status, text)
    with db.read() as session:
        cut = cut_out(session, found, page)
        return Page(tuple(_rows(session, cut.ids)), cut.total, cut.page, cut.pages)


@dataclass(frozen=True)
class Cut:
    """The sittings on one page of a list, and how long the list is."""

    ids: Sequence[str]
    total: int
    page: int
    pages: int


def cut_out(session: Session, found: Sequence[ColumnElement[bool]], page: int) -> Cut:
    """Return a page of the sittings that fulfil some conditions, the newest first."""
    total = session.scalar(joined(select(func.count())).where(*found)) or 0
    pages = max(-(-total // PER_PAGE), 1)
    page = min(max(page, 1), pages)
    ids = session.scalars(
        joined(select(Sitting.id))
        .where(*found)
        .order_by(Sitting.started_at.desc(), Sitting.id)
        .offset((page - 1) * PER_PAGE)
        .limit(PER_PAGE)
    ).all()
    return Cut(ids, total, page, pages)


def joined(statement: Select[Any]) -> Select[Any]:
    """Join sittings with their exams and with the details of their candidates, if not erased."""
    return (
        statement.select_from(Sitting)
        .join(Exam, Exam.id == Sitting.exam_id)
        .outerjoin(CandidateDetails, CandidateDetails.candidate_id == Sitting.candidate_id)
    )


def conditions(
    organisation_id: str, exam: str | None, status: str | None, text: str
) -> list[ColumnElement[bool]]:
    """Return the conditions of a search through sittings."""
    found = [Sitting.organisation_id == organisation_id]
    if exam:
        found.append(Exam.code == exam)
    if status:
        found.append(Sitting.status == status)
    if text.strip():
        found.append(
            or_(
                CandidateDetails.name.icontains(text.strip(), autoescape=True),
                CandidateDetails.roster_id.icontains(text.strip(), autoescape=True),
            )
        )
    return found


def _rows(session: Session, ids: Any) -> list[SittingRow]:
    newest = (
        select(Result.sitting_id, func.max(Result.number).label("number"))
        .group_by(Result.sitting_id)
        .subquery()
    )
    answered = (
        select(func.count())
        .where(Response.sitting_id == Sitting.id, Response.score.is_not(None))
        .scalar_subquery()
    )
    statement = (
        joined(
            select(
                Sitting,
                Exam.code,
                ExamVersion.number,
                CandidateDetails.name,
                CandidateDetails.roster_id,
                Result.content,
                answered,
            )
        )
        .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
        .outerjoin(newest, newest.c.sitting_id == Sitting.id)
        .outerjoin(Result, (Result.sitting_id == Sitting.id) & (Result.number == newest.c.number))
        .where(Sitting.id.in_(ids))
        .order_by(Sitting.started_at.desc(), Sitting.id)
    )
    return [_row(*row) for row in session.execute(statement).all()]


def _row(
    sitting: Sitting,
    exam_code: str,
    version: int,
    name: str | None,
    roster_id: str | None,
    result: dict[str, Any] | None,
    answered: int,
) -> SittingRow:
    level = result["level"] if result else None
    return SittingRow(
        sitting_id=sitting.id,
        candidate_name=name or "(erased)",
        roster_id=roster_id or "",
        exam_code=exam_code,
        version=version,
        status=sitting.status,
        language=sitting.language,
        simulated=sitting.simulated,
        started_at=sitting.started_at,
        finished_at=sitting.finished_at,
        score=result["score"] if result else None,
        score_se=result["score_se"] if result else None,
        level_name=level["name"] if level else None,
        passed=level["passed"] if level else None,
        n_items=answered,
        stop_reason=sitting.stop_reason,
    )


def report(db: Database, *, organisation_id: str, sitting_id: str) -> Report:
    """Return everything about one sitting.

    Raises
    ------
    NotFound
        When it is not there, or another organisation's.
    """
    with db.read() as session:
        sitting = session.get(Sitting, sitting_id)
        if sitting is None or sitting.organisation_id != organisation_id:
            raise NotFound
        result = session.scalars(
            select(Result)
            .where(Result.sitting_id == sitting_id)
            .order_by(Result.number.desc())
            .limit(1)
        ).first()
        details = session.get(CandidateDetails, sitting.candidate_id)
        return Report(
            row=_rows(session, [sitting_id])[0],
            result=result.content if result else None,
            amended=result.reason if result and result.number > 1 else None,
            events=tuple(_events(session, sitting_id)),
            country=details.country if details else None,
            sealed=sitting.sealed_at is not None,
            parameters=shared_parameters(db, load_version(db, sitting.exam_version_id)),
        )


def _events(session: Session, sitting_id: str) -> list[dict[str, Any]]:
    links = session.scalars(
        select(SittingEvent)
        .where(SittingEvent.sitting_id == sitting_id)
        .order_by(SittingEvent.number)
    ).all()
    return [
        {"number": k.number, "kind": k.kind, "at": k.at, "payload": k.payload, "hash": k.hash}
        for k in links
    ]
