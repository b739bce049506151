"""The dry run of a correction: each sitting that it touches is computed anew, none is changed.

Run as long work, or by the command. What would change is kept, and replaced as a whole by the next
dry run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.exams.rescoring import Rescored
from item_bank.results.corrections import records
from item_bank.results.corrections.amending import Material, amended, says_the_same, signed_hash
from item_bank.results.corrections.effects import Change, sums
from item_bank.results.corrections.in_force import (
    read_material,
    rule_of,
    rules_in_force,
    touched,
)
from item_bank.results.corrections.terms import (
    APPLYING,
    CHECKED,
    OPEN,
    SIGNED,
    CannotCompute,
    Rule,
)
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction, CorrectionChange
from item_bank.store.tables.outcomes import Outcome

BLOCK = 500
Advance = Callable[[int, int, str], None]


def silent(_done: int, _total: int, _stage: str = "") -> None:
    """Tell nobody how far it is."""


def dry_run(db: Database, actor: Actor, number: int, advance: Advance = silent) -> dict[str, Any]:
    """Compute what a correction would change, keep it, and return its sums.

    Raises
    ------
    NotAllowed
        When it is in force or withdrawn, or another correction is being applied.
    """
    records.check_may_propose(actor)
    found: dict[str, Change] = {}
    rules: tuple[Rule, ...] = ()
    while True:  # sittings that end meanwhile are few, and quickly done in the next round
        with db.read() as session:
            row = records.find(session, number, actor.organisation_id)
            check_open(session, row)
            before, rules = rules, (*rules_in_force(session, row.organisation_id), rule_of(row))
            mark, standing = data_mark(session, row), _standing(session, row)
        kept = found if before == rules else {}
        found = {one: kept[one] for one, n in standing.items() if _is_done(kept.get(one), n)}
        for sitting_id in standing.keys() - found.keys():
            advance(len(found), len(standing), "computing")
            found[sitting_id] = change_of(db, sitting_id, rules)
        changes = [found[sitting_id] for sitting_id in standing]
        effect = {**sums(changes), "mark": mark}
        if _keep(db, actor, row.id, changes, effect):
            return effect


def _standing(session: Session, row: Correction) -> dict[str, int]:
    """Return the sittings that a correction touches, with the numbers of their results."""
    own = touched(rule_of(row), row.organisation_id)
    columns = own.with_only_columns(Outcome.sitting_id, Outcome.result_number)
    rows = session.execute(columns.order_by(Outcome.finished_at, Outcome.sitting_id))
    return {sitting_id: number for sitting_id, number in rows}  # noqa: C416 - rows to pairs, typed


def _is_done(change: Change | None, number: int) -> bool:
    return change is not None and change.result_number == number


def check_open(session: Session, row: Correction) -> None:
    """Refuse what is in force or withdrawn, and everything while another one is being applied."""
    if row.status not in OPEN:
        raise NotAllowed(f"correction {row.number} is {row.status}")
    other = session.scalars(
        select(Correction.number).where(
            Correction.organisation_id == row.organisation_id, Correction.status == APPLYING
        )
    ).first()
    if other is not None:
        raise NotAllowed(f"correction {other} is being applied: wait until it is done")


def data_mark(session: Session, row: Correction) -> dict[str, Any]:
    """Return what changes when anything does that the dry run rests on.

    Sittings are only added, and the numbers of standing results only grow: their count and sum are
    the same when nothing has changed.
    """
    own = touched(rule_of(row), row.organisation_id)
    counted = own.with_only_columns(func.count(), func.coalesce(func.sum(Outcome.result_number), 0))
    count, total = session.execute(counted).one()
    rules = rules_in_force(session, row.organisation_id)
    return {"sittings": count, "results": int(total), "in_force": [rule.number for rule in rules]}


def change_of(db: Database, sitting_id: str, rules: Iterable[Rule]) -> Change:
    """Compute one sitting under some rules."""
    with db.read() as session:
        material = read_material(db, session, sitting_id)
    try:
        content = amended(material, rules)
    except CannotCompute as reason:
        return _change(material, material.standing, None, reason.problem)
    same = says_the_same(content, material.standing)
    return _change(material, content, None if same else signed_hash(content))


def _change(
    material: Material, new: dict[str, Any], new_hash: str | None, problem: str | None = None
) -> Change:
    before, exam = material.standing, material.snapshot.exam
    then, now = ((one["level"] or {}) for one in (before, new))
    old, found = ((one["estimate"] or {}).get("theta") for one in (before, new))
    row = Rescored(
        material.snapshot.sitting.id,
        exam.plan.code,
        before["score"],
        new["score"],
        old,
        found,
        then.get("code"),
        now.get("code"),
        then.get("passed"),
        now.get("passed"),
    )
    return Change(exam.exam_id, before["number"], row, new_hash, problem)


def _keep(
    db: Database,
    actor: Actor,
    correction_id: str,
    changes: Sequence[Change],
    effect: dict[str, Any],
) -> bool:
    """Replace what an earlier dry run found, unless the data have changed meanwhile."""
    with db.write() as session:
        row = session.get_one(Correction, correction_id, with_for_update=True)
        check_open(session, row)
        if data_mark(session, row) != effect["mark"]:
            return False
        session.execute(
            delete(CorrectionChange).where(CorrectionChange.correction_id == correction_id)
        )
        for start in range(0, len(changes), BLOCK):
            rows = [change_row(row, change) for change in changes[start : start + BLOCK]]
            session.execute(insert(CorrectionChange), rows)
        digest = effect_hash(row, changes, effect["mark"])
        row.status = SIGNED if row.status == SIGNED and row.effect_hash == digest else CHECKED
        row.effect, row.effect_hash = effect, digest
        about = {"effect": digest, "sittings": effect["sittings"], "changed": effect["changed"]}
        records.note(session, row, records.CORRECTION_CHECKED, actor.by, db.now(session), **about)
        return True


def effect_hash(row: Correction, changes: Sequence[Change], mark: dict[str, Any]) -> str:
    """Hash of everything that a signature stands under."""
    lines = sorted(
        [one.row.sitting_id, one.result_number, one.new_hash, one.problem] for one in changes
    )
    return content_hash([records.digest_of(row), mark, lines])


def change_row(row: Correction, change: Change) -> dict[str, Any]:
    """Return the row that keeps what would change of a sitting."""
    one = change.row
    both = one.score is not None and one.new_score is not None
    return {
        "correction_id": row.id,
        "sitting_id": one.sitting_id,
        "organisation_id": row.organisation_id,
        "exam_id": change.exam_id,
        "result_number": change.result_number,
        "score": one.score,
        "new_score": one.new_score,
        "score_change": (one.new_score or 0) - (one.score or 0) if both else None,
        "level": one.level,
        "new_level": one.new_level,
        "passed": one.passed,
        "new_passed": one.new_passed,
        "changed": change.changed,
        "new_hash": change.new_hash,
        "problem": change.problem,
    }
