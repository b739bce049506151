"""What may be corrected: the revisions of an item that sittings met, the versions of an exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams.designs import LoadedExam, versions_of
from item_bank.items.content import written_key, written_variant
from item_bank.results.corrections.in_force import rules_in_force
from item_bank.results.corrections.proposing import alike, key_now, minimums_now
from item_bank.store.database import Database
from item_bank.store.tables.items import ItemRevision, ItemVariant
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import PresentedItem


@dataclass(frozen=True)
class RevisionUse:
    """A revision of an item, its key in force, and how many ended sittings met it.

    Parameters
    ----------
    key
        As a bank file has it; None where the item is dropped.
    choices
        Texts by id in the first language, where the type has choices.
    """

    number: int
    type: str
    key: Mapping[str, Any] | None
    choices: Mapping[str, str]
    sittings: int


@dataclass(frozen=True)
class VersionUse:
    """A version of an exam, its cut scores in force, and how many sittings ended on it.

    Parameters
    ----------
    alike
        Whether it has the levels and the scale of the newest version.
    """

    exam: LoadedExam
    minimums: Mapping[str, float]
    sittings: int
    alike: bool


def revisions_of(db: Database, item_id: str) -> list[RevisionUse]:
    """Return the revisions of an item, the newest first."""
    with db.read() as session:
        rows = session.scalars(
            select(ItemRevision)
            .where(ItemRevision.item_id == item_id)
            .order_by(ItemRevision.number.desc())
        ).all()
        return [_revision_use(session, row) for row in rows]


def _revision_use(session: Session, row: ItemRevision) -> RevisionUse:
    key = key_now(session, row)
    met = (
        select(func.count())
        .select_from(Outcome)
        .join(PresentedItem, PresentedItem.sitting_id == Outcome.sitting_id)
        .where(PresentedItem.revision_id == row.id)
    )
    written = None if key is None else written_key(row.type, key)
    counted = int(session.scalar(met) or 0)
    return RevisionUse(row.number, row.type, written, _choices(session, row), counted)


def _choices(session: Session, row: ItemRevision) -> dict[str, str]:
    variant = session.scalars(
        select(ItemVariant)
        .where(ItemVariant.revision_id == row.id)
        .order_by(ItemVariant.language)
        .limit(1)
    ).first()
    text = {} if variant is None else written_variant(row.type, variant.content)
    return dict(text.get("choices", {}))


def versions_in_use(db: Database, code: str, organisation_id: str) -> Sequence[VersionUse]:
    """Return the versions of an exam, the newest first; `InputError` for an unknown code."""
    exams = versions_of(db, code, organisation_id=organisation_id)
    with db.read() as session:
        rules = rules_in_force(session, organisation_id)
        counted = session.execute(
            select(Outcome.exam_version_id, func.count())
            .where(Outcome.exam_id == exams[0].exam_id)
            .group_by(Outcome.exam_version_id)
        )
        counts = {version: count for version, count in counted}  # noqa: C416 - rows to pairs, typed
    return [
        VersionUse(
            one, minimums_now(rules, one), counts.get(one.version_id, 0), alike(one, exams[0])
        )
        for one in exams
    ]
