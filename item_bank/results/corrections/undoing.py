"""Undoing a correction in force: another correction is prepared that restores what held before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.results.corrections import records
from item_bank.results.corrections.in_force import rule_of, rules_in_force
from item_bank.results.corrections.listing import before_and_after, place_of
from item_bank.results.corrections.proposing import (
    Words,
    propose_cuts,
    propose_drop,
    propose_key,
)
from item_bank.results.corrections.terms import CUTS, IN_FORCE, Rule
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction


def propose_undo(db: Database, actor: Actor, number: int) -> int:
    """Propose what held before a correction; return the number of the new one.

    Raises
    ------
    NotAllowed
        When it is not in force, or another one has come since for the same item or exam.
    """
    with db.read() as session:
        row = records.find(session, number, actor.organisation_id)
        _check_newest(session, row)
        (before, _), place = before_and_after(session, row), place_of(session, row)
    words = Words(f"Undoes correction {number}: {row.reason}"[: records.MAX_REASON], {})
    if row.kind == CUTS:
        minimums = {code: float(minimum) for code, minimum in (before or {}).items()}
        return propose_cuts(db, actor, place["exam"], minimums, place["versions"], words)
    where = (place["bank"], place["item"], place["revision"])
    if before is None:
        return propose_drop(db, actor, where, words)
    return propose_key(db, actor, where, before, words)


def _check_newest(session: Session, row: Correction) -> None:
    if row.status not in IN_FORCE:
        raise NotAllowed(f"correction {row.number} is {row.status}: there is nothing to undo")
    own = rule_of(row)
    for rule in rules_in_force(session, row.organisation_id):
        if rule.place > own.place and _same_subject(rule, own):
            raise NotAllowed(f"correction {rule.number} has come since: undo that one first")


def _same_subject(one: Rule, other: Rule) -> bool:
    if CUTS in {one.kind, other.kind}:
        shared = set(one.change.get("versions", ())) & set(other.change.get("versions", ()))
        return one.exam_id == other.exam_id and bool(shared)
    return one.revision_id == other.revision_id
