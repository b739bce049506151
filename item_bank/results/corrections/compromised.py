"""Sittings that met items which are known outside: what they come to with and without these.

Computed as long work and kept as a study; no result is changed. Somebody looks at it and decides:
by a correction that drops the items, or by invalidating results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.items.releases import bank_by_code
from item_bank.results.corrections.amending import amended
from item_bank.results.corrections.dry_run import Advance, silent
from item_bank.results.corrections.in_force import NEXT, read_material, rules_in_force
from item_bank.results.corrections.records import check_may_propose
from item_bank.results.corrections.terms import DROP, CannotCompute, Rule
from item_bank.results.studies import NewStudy, RecordedStudy, newest_study, record_study
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank, Item, ItemHold, ItemRevision
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import PresentedItem

KIND = "compromised"


@dataclass(frozen=True)
class CompromisedItem:
    """An item that is held as known outside, and how many ended sittings met it."""

    bank: str
    bank_id: str
    item_id: str
    code: str
    reason: str
    held_at: int
    sittings: int


@dataclass(frozen=True)
class Met:
    """A sitting that met compromised items, with its state now and whose it is."""

    row: dict[str, Any]
    state: str
    name: str | None
    roster_id: str | None


def compromised_items(db: Database, organisation_id: str) -> list[CompromisedItem]:
    """Return the items that are held as compromised, by bank and code."""
    met = (
        select(func.count(Outcome.sitting_id.distinct()))
        .join(PresentedItem, PresentedItem.sitting_id == Outcome.sitting_id)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .where(ItemRevision.item_id == Item.id)
        .scalar_subquery()
    )
    query = (
        select(Bank.code, Bank.id, Item.id, Item.code, ItemHold.reason, ItemHold.placed_at, met)
        .join(Item, Item.bank_id == Bank.id)
        .join(ItemHold, ItemHold.item_id == Item.id)
        .where(
            Bank.organisation_id == organisation_id,
            ItemHold.compromised,
            ItemHold.lifted_at.is_(None),
        )
        .order_by(Bank.code, Item.code)
    )
    with db.read() as session:
        return [CompromisedItem(*row) for row in session.execute(query)]


def compute(db: Database, actor: Actor, bank_code: str, advance: Advance = silent) -> str:
    """Compute every sitting of a bank that met compromised items without them; keep a study."""
    check_may_propose(actor)
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=actor.organisation_id)
        dropped = _dropped(session, bank.id)
        rules = (*rules_in_force(session, actor.organisation_id), *dropped)
        ids = _sittings(session, dropped)
    rows = []
    for done, sitting_id in enumerate(ids):
        advance(done, len(ids), "computing")
        rows.append(_row(db, sitting_id, rules))
    study = NewStudy(
        kind=KIND,
        organisation_id=actor.organisation_id,
        recorded_by=actor.by,
        summary=_summary(rows),
        rows=rows,
        settings={"bank": bank_code, "items": [rule.reason for rule in dropped]},
        bank_id=bank.id,
    )
    with db.write() as session:
        return record_study(db, session, study)


def _dropped(session: Session, bank_id: str) -> tuple[Rule, ...]:
    """Return, for each revision of a compromised item, the rule that would leave it out."""
    query = (
        select(ItemRevision.id, Item.code)
        .join(Item, Item.id == ItemRevision.item_id)
        .join(ItemHold, ItemHold.item_id == Item.id)
        .where(Item.bank_id == bank_id, ItemHold.compromised, ItemHold.lifted_at.is_(None))
        .order_by(Item.code, ItemRevision.number)
    )
    return tuple(
        Rule(KIND, 0, DROP, revision, None, {}, code, NEXT)
        for revision, code in session.execute(query)
    )


def _sittings(session: Session, dropped: Sequence[Rule]) -> list[str]:
    shown = select(PresentedItem.sitting_id).where(
        PresentedItem.revision_id.in_([rule.revision_id for rule in dropped])
    )
    query = select(Outcome.sitting_id).where(Outcome.sitting_id.in_(shown))
    return list(session.scalars(query.order_by(Outcome.finished_at, Outcome.sitting_id)))


def _row(db: Database, sitting_id: str, rules: Sequence[Rule]) -> dict[str, Any]:
    with db.read() as session:
        material = read_material(db, session, sitting_id)
    standing, problem = material.standing, None
    try:
        without = amended(material, rules)
    except CannotCompute as reason:
        without, problem = standing, reason.problem
    met = [row for row in without["path"] if row.get("correction", {}).get("id") == KIND]
    left = {**_said(without), "problem": problem} if problem is None else _nothing(problem)
    return {
        "sitting": sitting_id,
        "exam": standing["exam"]["code"],
        "finished_at": standing["finished_at"],
        "items": len(met),
        "points": sum(row["correction"]["score_then"] or 0 for row in met),
        "max_points": sum(row["max_score"] for row in met),
        **_said(standing),
        **{f"{name}_without": value for name, value in left.items() if name != "problem"},
        "problem": problem,
    }


def _said(content: dict[str, Any]) -> dict[str, Any]:
    level = content["level"] or {"code": None, "passed": None}
    return {"score": content["score"], "level": level["code"], "passed": level["passed"]}


def _nothing(problem: str) -> dict[str, Any]:
    return {"score": None, "level": None, "passed": None, "problem": problem}


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    known = [row for row in rows if row["problem"] is None]
    return {
        "sittings": len(rows),
        "changed_scores": sum(row["score"] != row["score_without"] for row in known),
        "changed_levels": sum(row["level"] != row["level_without"] for row in known),
        "would_fail": sum(bool(row["passed"]) and row["passed_without"] is False for row in known),
        "impossible": len(rows) - len(known),
    }


def newest(db: Database, organisation_id: str, bank_id: str) -> RecordedStudy | None:
    """Return the newest computation for a bank; None before the first."""
    with db.read() as session:
        return newest_study(session, KIND, organisation_id=organisation_id, bank_id=bank_id)


def with_names(db: Database, rows: Sequence[dict[str, Any]], organisation_id: str) -> list[Met]:
    """Add to some rows of a study whose sittings they are, and how their results stand now."""
    ids = [row["sitting"] for row in rows]
    query = (
        select(Outcome.sitting_id, Outcome.state, CandidateDetails.name, CandidateDetails.roster_id)
        .outerjoin(CandidateDetails, CandidateDetails.candidate_id == Outcome.candidate_id)
        .where(Outcome.organisation_id == organisation_id, Outcome.sitting_id.in_(ids))
    )
    with db.read() as session:
        known = {row[0]: row[1:] for row in session.execute(query)}
    return [Met(row, *known[row["sitting"]]) for row in rows if row["sitting"] in known]
