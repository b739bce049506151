"""A dry run: what past sittings would have come to with other parameters.

Answers stay as they were scored, and selections as they were made; estimate, reported score and
level are computed anew with the rules of each sitting's own exam version. Nothing is kept. Called
by `tarozu bank diff --effect`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.items import ItemParameters
from engine.results.decisions import scaled
from item_bank.exams.results import judgement
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.items.plans import EVERY_LANGUAGE, PlannedItem, released_items
from item_bank.items.releases import ReleaseItems, bank_by_code, parameter_arrays
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.releases import Release
from item_bank.store.tables.sittings import Result, Sitting

NO_LEVEL = "none"
MOST_LISTED = 20


@dataclass(frozen=True)
class Rescored:
    """One sitting as it was reported and as it would be; None where there is no score or level."""

    sitting_id: str
    exam: str
    score: float | None
    new_score: float | None
    theta: float | None
    new_theta: float | None
    level: str | None
    new_level: str | None
    passed: bool | None
    new_passed: bool | None


@dataclass(frozen=True)
class Effect:
    """What other parameters would do to the sittings of an exam.

    Parameters
    ----------
    exam, sittings
        The exam's code, and how many of its sittings have a result.
    changed_scores, largest_change, mean_change
        Reported scores that differ; changes are new less old.
    mean_theta_change, largest_theta_change
        The same before rounding, on the scale of theta.
    changed_levels, moves
        Levels that differ; how many by old and new level.
    now_passed, now_failed
        Decisions that would turn.
    listed
        The sittings whose level differs, then those whose score changes most; at most 20.
    """

    exam: str
    sittings: int
    changed_scores: int
    largest_change: float
    mean_change: float
    mean_theta_change: float
    largest_theta_change: float
    changed_levels: int
    moves: Mapping[str, int]
    now_passed: int
    now_failed: int
    listed: tuple[Rescored, ...]


def past_sittings(db: Database, bank_code: str, *, organisation_id: str) -> list[str]:
    """Sittings on a bank that have ended and were not invalidated."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        found = (
            select(Sitting.id)
            .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
            .join(Release, Release.id == ExamVersion.release_id)
            .where(Release.bank_id == bank.id, Sitting.status == "finished")
            .order_by(Sitting.started_at, Sitting.id)
        )
        return list(session.scalars(found))


def rescored(
    db: Database,
    sittings: Iterable[str],
    new: Mapping[str, PlannedItem],
    advance: Callable[..., None] = lambda: None,
) -> list[Rescored]:
    """Compute sittings anew with the parameters of ``new``, by item code.

    An item that is not in ``new``, or is there with another wording, keeps the parameters that it
    had.
    """
    arrays: dict[tuple[str, str], ItemParameters] = {}
    found = []
    for sitting in sittings:
        with db.read() as session:
            snapshot = read_snapshot(db, session, sitting)
            key = (snapshot.release.release_id, snapshot.release.language)
            if key not in arrays:
                arrays[key] = _with_parameters(session, snapshot.release, new)
            row = _rescored(session, snapshot, arrays[key])
        if row is not None:
            found.append(row)
        advance()
    return found


def effects(rows: Iterable[Rescored]) -> list[Effect]:
    """Sum up by exam."""
    by_exam: dict[str, list[Rescored]] = {}
    for row in rows:
        by_exam.setdefault(row.exam, []).append(row)
    return [_effect(exam, own) for exam, own in sorted(by_exam.items())]


def effect_data(effect: Effect) -> dict[str, Any]:
    """Return an effect as plain data."""
    return {**vars(effect), "moves": dict(effect.moves), "listed": [vars(r) for r in effect.listed]}


def effect_text(effect: Effect) -> str:
    """Say what would change in an exam."""
    if not effect.sittings:
        return f"{effect.exam}: no sitting has a score"
    moves = ", ".join(f"{move}: {n}" for move, n in effect.moves.items())
    return (
        f"{effect.exam}: of {effect.sittings} past sittings, {effect.changed_scores} would have "
        f"another score (by {effect.mean_change:+.2f} on average, at most "
        f"{effect.largest_change:+g}; theta by {effect.mean_theta_change:+.3f}, at most "
        f"{effect.largest_theta_change:+.3f}), {effect.changed_levels} another level"
        + (f" ({moves})" if moves else "")
        + f"; {effect.now_passed} would pass that failed, {effect.now_failed} fail that passed"
    )


def _with_parameters(
    session: Session, release: ReleaseItems, new: Mapping[str, PlannedItem]
) -> ItemParameters:
    rows = []
    for own in released_items(session, release.release_id):
        given = new.get(own.code)
        item = given if given is not None and given.revision_id == own.revision_id else own
        parameters = item.parameters.get(release.language) or item.parameters.get(EVERY_LANGUAGE)
        if parameters is None:
            parameters = next(iter(own.parameters.values()))
        rows.append((own.code, parameters.model, own.content_area, parameters.values))
    return replace(parameter_arrays(rows), attributes=release.items.attributes)


def _rescored(session: Session, snapshot: Snapshot, items: ItemParameters) -> Rescored | None:
    sitting, plan = snapshot.sitting, snapshot.exam.plan
    newest = select(func.max(Result.number)).where(Result.sitting_id == sitting.id)
    then = session.get(Result, (sitting.id, session.scalar(newest) or 0))
    if then is None:
        return None
    found = judgement(replace(snapshot, release=replace(snapshot.release, items=items)))
    estimate, level = found.estimate, found.level
    reached = next((one for one in plan.levels if level and one.code == level.name), None)
    before = then.content["estimate"]
    return Rescored(
        sitting.id,
        plan.code,
        then.score,
        None if estimate is None else float(scaled(estimate.theta, plan.design.scale)),
        before["theta"] if before else None,
        None if estimate is None else estimate.theta,
        then.level,
        reached.code if reached else None,
        then.passed,
        reached.passed if reached else None,
    )


def _effect(exam: str, rows: list[Rescored]) -> Effect:
    scores = [_change(row.score, row.new_score) for row in rows]
    thetas = [_change(row.theta, row.new_theta) for row in rows]
    moved = [row for row in rows if row.level != row.new_level]
    moves = Counter(f"{row.level or NO_LEVEL} → {row.new_level or NO_LEVEL}" for row in moved)
    order = sorted(
        (row for row in rows if row.level != row.new_level or row.score != row.new_score),
        key=lambda row: (row.level == row.new_level, -abs(_change(row.score, row.new_score))),
    )
    return Effect(
        exam,
        len(rows),
        sum(row.score != row.new_score for row in rows),
        max(scores, key=abs, default=0.0),
        sum(scores) / len(rows),
        sum(thetas) / len(rows),
        max(thetas, key=abs, default=0.0),
        len(moved),
        dict(moves.most_common()),
        sum(row.new_passed is True and row.passed is False for row in rows),
        sum(row.new_passed is False and row.passed is True for row in rows),
        tuple(order[:MOST_LISTED]),
    )


def _change(old: float | None, new: float | None) -> float:
    """How far a number moves; 0 where one side has none."""
    return 0.0 if old is None or new is None else new - old
