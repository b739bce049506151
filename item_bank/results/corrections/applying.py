"""Applying a correction that is in force: each result that it changes is superseded by another one.

One sitting is one transaction, and a sitting whose standing result has the correction already is
left alone, so that applying may be repeated. A sitting that ends later is amended when it is
sealed: its first result is what its log says, the second one follows the corrections in force.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor, command_line
from item_bank.exams.cut_scores import cut_scores_hash, levels_and_scale
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.exams.errors import NotAllowed
from item_bank.results.corrections import records
from item_bank.results.corrections.amending import (
    amended,
    says_the_same,
    signed_hash,
    with_cuts,
)
from item_bank.results.corrections.dry_run import Advance, change_of, change_row, silent
from item_bank.results.corrections.in_force import (
    corrections_of,
    read_material,
    rule_of,
    rules_in_force,
    touched,
)
from item_bank.results.corrections.terms import (
    APPLIED,
    APPLYING,
    CUTS,
    NOT_AS_SIGNED,
    CannotCompute,
    Rule,
)
from item_bank.results.deciding import make_stand
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction, CorrectionChange
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Sitting
from item_bank.store.tables.standards import CutScores

TRIES = 20


def apply(db: Database, actor: Actor, number: int, advance: Advance = silent) -> dict[str, int]:
    """Amend the results that a correction in force changes; return how many, and how many cannot.

    Raises
    ------
    NotAllowed
        When it is not in force, or applied already.
    """
    with db.read() as session:
        row = records.find(session, number, actor.organisation_id)
        if row.status != APPLYING:
            raise NotAllowed(f"correction {number} is {row.status}: it cannot be applied")
        rule = rule_of(row)
        ids = list(
            session.scalars(
                touched(rule, row.organisation_id)
                .with_only_columns(Outcome.sitting_id)
                .order_by(Outcome.finished_at, Outcome.sitting_id)
            )
        )
    for done, sitting_id in enumerate(ids):
        advance(done, len(ids), "amending results")
        _apply_to(db, rule, sitting_id)
    return _finish(db, actor, number)


def _apply_to(db: Database, rule: Rule, sitting_id: str) -> None:
    """Amend one sitting as it was signed, and note in the list of changes that it is done."""
    with db.read() as session:
        listed = session.get(CorrectionChange, (rule.id, sitting_id))
    if listed is None:  # it ended after the last signature
        _list_late(db, rule, sitting_id)
    elif listed.applied or (listed.new_hash is None and listed.problem is None):
        return
    signed = None if listed is None else listed.new_hash
    problem = amend(db, sitting_id, signed)
    with db.write() as session:
        session.execute(
            update(CorrectionChange)
            .where(
                CorrectionChange.correction_id == rule.id,
                CorrectionChange.sitting_id == sitting_id,
            )
            .values(applied=problem is None, problem=problem)
        )


def _list_late(db: Database, rule: Rule, sitting_id: str) -> None:
    """Add a sitting to the list that ended when the dry run was done."""
    with db.read() as session:
        rules = rules_in_force(session, session.get_one(Sitting, sitting_id).organisation_id)
    change = change_of(db, sitting_id, rules)
    with db.write() as session:
        row = session.get_one(Correction, rule.id)
        if session.get(CorrectionChange, (rule.id, sitting_id)) is None:
            session.add(CorrectionChange(**change_row(row, change)))


def amend(db: Database, sitting_id: str, signed: str | None = None) -> str | None:
    """Let a sitting's result follow the corrections in force; return why it cannot, if so.

    Parameters
    ----------
    signed
        Hash of what the result must say, where it was signed; anything else is refused.
    """
    for _ in range(TRIES):
        with db.read() as session:
            sitting = session.get_one(Sitting, sitting_id)
            rules = rules_in_force(session, sitting.organisation_id)
            material = read_material(db, session, sitting_id)
        known = {one["id"] for one in material.standing.get("corrections", ())}
        try:
            content = amended(material, rules)
        except CannotCompute as reason:
            return reason.problem
        if {one["id"] for one in content["corrections"]} <= known:
            return None
        if says_the_same(content, material.standing):
            return None
        if signed is not None and signed_hash(content) != signed:
            return NOT_AS_SIGNED
        if _stand(db, material.standing["number"], content):
            return None
    raise RuntimeError(f"sitting {sitting_id} changes all the time")


def _stand(db: Database, number: int, content: dict[str, Any]) -> bool:
    """Let an amended result stand; False where another one stands meanwhile."""
    with db.write() as session:
        sitting = session.get_one(Sitting, content["sitting"], with_for_update=True)
        outcome = session.get_one(Outcome, sitting.id, with_for_update=True)
        if outcome.result_number != number:
            return False
        reason = f"correction {content['corrections'][-1]['number']}"
        actor = command_line(sitting.organisation_id)
        make_stand(session, db, sitting, content, reason, actor=actor, by=reason)
        return True


def _finish(db: Database, actor: Actor, number: int) -> dict[str, int]:
    """Note that a correction is applied, with the cut scores that it made."""
    with db.write() as session:
        row = records.find(session, number, actor.organisation_id, lock=True)
        now = db.now(session)
        own = CorrectionChange.correction_id == row.id
        said = {
            "amended": _count(session, own, CorrectionChange.applied),
            "impossible": _count(session, own, CorrectionChange.problem.is_not(None)),
        }
        if row.status == APPLYING:
            row.status, row.applied_at = APPLIED, now
            row.effect = {**row.effect, "applied": said}
            if row.kind == CUTS:
                _keep_cuts(db, session, row, now)
            records.note(session, row, records.CORRECTION_APPLIED, actor.by, now, **said)
        return said


def _count(session: Session, *conditions: Any) -> int:
    query = select(func.count()).select_from(CorrectionChange).where(*conditions)
    return int(session.scalar(query) or 0)


def _keep_cuts(db: Database, session: Session, row: Correction, now: int) -> None:
    """Record the cut scores that a correction made as a version of them."""
    plan = with_cuts(_an_exam(db, session, row), row.change["minimums"]).plan
    levels, scale = levels_and_scale(plan)
    key = (str(row.exam_id), cut_scores_hash(plan))
    source = {"kind": "correction", "number": row.number, "correction": row.id}
    if session.get(CutScores, key) is None:
        about = {"organisation_id": row.organisation_id, "source": source, "recorded_at": now}
        session.add(CutScores(exam_id=key[0], hash=key[1], levels=levels, scale=scale, **about))
        said = {"exam": row.change["exam"], "hash": key[1], "source": source}
        append_site_event(session, "cut_scores_recorded", said, now, row.organisation_id)


def _an_exam(db: Database, session: Session, row: Correction) -> LoadedExam:
    """Load one of the versions that a correction of cut scores holds for."""
    version = session.scalars(
        select(ExamVersion.id).where(
            ExamVersion.exam_id == row.exam_id,
            ExamVersion.number == row.change["versions"][0],
        )
    ).one()
    return load_version(db, version)


def follow(db: Database, sitting_id: str) -> None:
    """Let the result of a sitting that has just ended follow the corrections in force."""
    with db.read() as session:
        late = [
            rule_of(row) for row in corrections_of(session, session.get_one(Sitting, sitting_id))
        ]
    for rule in late:
        _apply_to(db, rule, sitting_id)
