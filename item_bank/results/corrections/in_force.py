"""Which corrections are in force, and everything that an amended result of a sitting needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from item_bank.exams.languages import changes_of_language
from item_bank.exams.pauses import still_spans
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.results.corrections.amending import Material
from item_bank.results.corrections.terms import CUTS, IN_FORCE, Rule
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import PresentedItem, ResponseContent, Result, Sitting

NEXT = 2**31 - 1
"""The place of a correction that is not in force yet: after all others."""


def rule_of(row: Correction) -> Rule:
    """Return a correction as it changes results."""
    place = NEXT if row.place is None else row.place
    about = (row.id, row.number, row.kind, row.revision_id, row.exam_id, row.change)
    return Rule(*about, row.reason, place)


def rules_in_force(session: Session, organisation_id: str) -> tuple[Rule, ...]:
    """Return the corrections in force of an organisation, in the order in which they came to be."""
    rows = session.scalars(
        select(Correction)
        .where(Correction.organisation_id == organisation_id, Correction.status.in_(IN_FORCE))
        .order_by(Correction.place)
    )
    return tuple(map(rule_of, rows))


def corrections_of(session: Session, sitting: Sitting) -> list[Correction]:
    """Return the corrections in force that have to do with a sitting, in their order."""
    version = session.get_one(ExamVersion, sitting.exam_version_id)
    shown = select(PresentedItem.revision_id).where(PresentedItem.sitting_id == sitting.id)
    rows = session.scalars(
        select(Correction)
        .where(
            Correction.organisation_id == sitting.organisation_id,
            Correction.status.in_(IN_FORCE),
            or_(Correction.revision_id.in_(shown), Correction.exam_id == sitting.exam_id),
        )
        .order_by(Correction.place)
    ).all()
    return [
        row
        for row in rows
        if row.kind != CUTS or rule_of(row).holds_for(sitting.exam_id, version.number)
    ]


def touched(rule: Rule, organisation_id: str) -> Select[Any]:
    """Select the outcomes of all sittings that a correction has to do with."""
    return select(Outcome).where(Outcome.organisation_id == organisation_id, _has_to_do(rule))


def _has_to_do(rule: Rule) -> ColumnElement[bool]:
    if rule.kind == CUTS:
        versions = select(ExamVersion.id).where(
            ExamVersion.exam_id == rule.exam_id, ExamVersion.number.in_(rule.change["versions"])
        )
        return Outcome.exam_version_id.in_(versions)
    shown = select(PresentedItem.sitting_id).where(PresentedItem.revision_id == rule.revision_id)
    return Outcome.sitting_id.in_(shown)


def read_material(db: Database, session: Session, sitting_id: str) -> Material:
    """Read a finished sitting with its standing result and what was answered."""
    snapshot = read_snapshot(db, session, sitting_id)
    outcome = session.get_one(Outcome, sitting_id)
    standing = session.get_one(Result, (sitting_id, outcome.result_number))
    contents = session.scalars(
        select(ResponseContent).where(ResponseContent.sitting_id == sitting_id)
    )
    return Material(
        snapshot,
        still_spans(session, [sitting_id]).get(sitting_id, []),
        {row.position: row.content.get("response") for row in contents},
        _languages(session, snapshot),
        standing.content,
    )


def _languages(session: Session, snapshot: Snapshot) -> dict[int, str]:
    """Return in which language each position was answered."""
    changes: Sequence[tuple[int, str]] = (
        changes_of_language(session, snapshot.sitting.id)
        if snapshot.exam.plan.language_switch
        else ()
    )
    found = {}
    for shown in snapshot.presented:
        past = [language for position, language in changes if position <= shown.position]
        found[shown.position] = past[-1] if past else snapshot.sitting.language
    return found
