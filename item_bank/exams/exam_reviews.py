"""What staff see of whole exams: what their sittings came to, and how often each item was shown."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from item_bank.exams.designs import ExamSummary, list_exams, load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.outcomes import INVALIDATED
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.items import Item, ItemRevision
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.releases import ReleaseItem
from item_bank.store.tables.sittings import PresentedItem, Sitting


@dataclass(frozen=True)
class ExamOverview:
    """An exam with what its sittings came to, by the results that stand.

    Parameters
    ----------
    finished
        Sittings that ended and were not withdrawn.
    judged
        Of these, those with a level, which has passed or not.
    """

    exam: ExamSummary
    finished: int
    running: int
    mean_items: float | None
    judged: int
    passed: int
    without_score: int


@dataclass(frozen=True)
class ExposureRow:
    """How often an item was shown, over the finished sittings of an exam."""

    item: str
    content_area: str
    status: str
    shown: int
    rate: float


def exam_overview(db: Database, *, organisation_id: str) -> list[ExamOverview]:
    """Return the exams of an organisation with what their sittings came to."""
    return [
        _overview(db, exam, organisation_id)
        for exam in list_exams(db, organisation_id=organisation_id)
    ]


def _overview(db: Database, exam: ExamSummary, organisation_id: str) -> ExamOverview:
    of_exam = Exam.code == exam.code, Sitting.organisation_id == organisation_id
    with db.read() as session:
        finished, scored, judged, mean_items, passed = session.execute(
            select(
                func.count(),
                func.count(Outcome.score),
                func.count(Outcome.passed),
                func.avg(Outcome.n_items),
                func.sum(cast(Outcome.passed, Integer)),
            )
            .join(Exam, Exam.id == Outcome.exam_id)
            .where(
                Exam.code == exam.code,
                Outcome.organisation_id == organisation_id,
                Outcome.state != INVALIDATED,
            )
        ).one()
        running = session.scalar(
            select(func.count())
            .select_from(Sitting)
            .join(Exam, Exam.id == Sitting.exam_id)
            .where(*of_exam, Sitting.status == "running")
        )
    return ExamOverview(
        exam=exam,
        finished=finished,
        running=running or 0,
        mean_items=None if mean_items is None else float(mean_items),
        judged=judged,
        passed=int(passed or 0),
        without_score=finished - scored,
    )


def exposure(db: Database, *, organisation_id: str, exam_code: str) -> list[ExposureRow]:
    """Count how often each item of an exam's newest release was shown, the most shown first.

    Raises
    ------
    NotFound
        When there is no such exam.
    """
    with db.read() as session:
        version_id = session.scalar(
            select(ExamVersion.id)
            .join(Exam, Exam.id == ExamVersion.exam_id)
            .where(Exam.code == exam_code, Exam.organisation_id == organisation_id)
            .order_by(ExamVersion.number.desc())
            .limit(1)
        )
        if version_id is None:
            raise NotFound
        version = load_version(db, version_id)
        total = _finished(session, version.exam_id)
        shown = _shown(session, version.exam_id)
        items = session.execute(
            select(ReleaseItem.code, ReleaseItem.content_area, ReleaseItem.status)
            .where(ReleaseItem.release_id == version.release_id)
            .distinct()
        ).all()
    rows = [
        ExposureRow(code, area, status, shown.get(code, 0), shown.get(code, 0) / max(total, 1))
        for code, area, status in items
    ]
    return sorted(rows, key=lambda row: (-row.shown, row.item))


def _finished(session: Session, exam_id: str) -> int:
    statement = select(func.count()).where(Sitting.exam_id == exam_id, Sitting.status == "finished")
    return session.scalar(statement) or 0


def _shown(session: Session, exam_id: str) -> dict[str, int]:
    statement = (
        select(Item.code, func.count())
        .select_from(PresentedItem)
        .join(Sitting, Sitting.id == PresentedItem.sitting_id)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Sitting.exam_id == exam_id, Sitting.status == "finished")
        .group_by(Item.code)
    )
    return {code: count for code, count in session.execute(statement)}  # noqa: C416 - typed
