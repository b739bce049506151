"""How often an item was shown, exam by exam.

Called by the item page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.items import Item, ItemRevision
from item_bank.store.tables.releases import ReleaseItem
from item_bank.store.tables.sittings import PresentedItem, Sitting


@dataclass(frozen=True)
class ItemExposure:
    """How often an item was shown in the finished sittings of an exam."""

    exam: str
    shown: int
    sittings: int

    @property
    def rate(self) -> float:
        """Its part of the sittings; 0 where there are none."""
        return self.shown / self.sittings if self.sittings else 0.0


def item_exposure(db: Database, item_id: str, *, organisation_id: str) -> list[ItemExposure]:
    """Return the exams that ever had an item in their release, with how often it was shown."""
    with db.read() as session:
        item = session.get(Item, item_id)
        if item is None or item.organisation_id != organisation_id:
            return []
        exams = session.execute(
            select(Exam.id, Exam.code)
            .join(ExamVersion, ExamVersion.exam_id == Exam.id)
            .join(ReleaseItem, ReleaseItem.release_id == ExamVersion.release_id)
            .join(ItemRevision, ItemRevision.id == ReleaseItem.revision_id)
            .where(ItemRevision.item_id == item_id)
            .distinct()
            .order_by(Exam.code)
        ).all()
        ids = [exam_id for exam_id, _ in exams]
        shown, finished = _shown(session, ids, item_id), _finished(session, ids)
    return [
        ItemExposure(code, shown.get(exam_id, 0), finished.get(exam_id, 0))
        for exam_id, code in exams
    ]


def _finished(session: Session, ids: Sequence[str]) -> dict[str, int]:
    query = select(Sitting.exam_id, func.count()).where(
        Sitting.exam_id.in_(ids), Sitting.status == "finished"
    )
    rows = session.execute(query.group_by(Sitting.exam_id))
    return {exam_id: count for exam_id, count in rows}  # noqa: C416 - typed


def _shown(session: Session, ids: Sequence[str], item_id: str) -> dict[str, int]:
    query = (
        select(Sitting.exam_id, func.count())
        .select_from(PresentedItem)
        .join(Sitting, Sitting.id == PresentedItem.sitting_id)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .where(
            ItemRevision.item_id == item_id,
            Sitting.exam_id.in_(ids),
            Sitting.status == "finished",
        )
        .group_by(Sitting.exam_id)
    )
    return {exam_id: count for exam_id, count in session.execute(query)}  # noqa: C416 - typed
