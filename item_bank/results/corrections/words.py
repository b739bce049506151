"""Corrections in words and as plain data, for commands and pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from item_bank.results.corrections.changes import ChangeRow
from item_bank.results.corrections.listing import CorrectionView
from item_bank.results.corrections.terms import PROBLEMS


def effect_text(effect: Mapping[str, Any]) -> str:
    """Say what a dry run found."""
    if not effect:
        return "No dry run yet."
    first = (
        f"{effect['sittings']} sittings have to do with it: {effect['changed']} would have another "
        f"score or level, {effect['new_results']} another result."
    )
    lines = [first, *(exam_text(one) for one in effect["exams"])]
    lines += [f"{PROBLEMS[name]}: {count}" for name, count in effect["problems"].items()]
    return "\n".join(lines)


def exam_text(one: Mapping[str, Any]) -> str:
    """Say what would change in one exam."""
    moves = ", ".join(f"{move}: {count}" for move, count in one["moves"].items())
    return (
        f"{one['exam']}: {one['changed_scores']} of {one['sittings']} scores change "
        f"(by {one['mean_change']:+.2f} on average, at most {one['largest_change']:+g}), "
        f"{one['changed_levels']} levels" + (f" ({moves})" if moves else "") + "; "
        f"{one['now_passed']} would pass that failed, {one['now_failed']} fail that passed"
    )


def view_data(view: CorrectionView) -> dict[str, Any]:
    """Return a correction as plain data."""
    return {
        **vars(view.row),
        "place": dict(view.place),
        "before": None if view.before is None else dict(view.before),
        "after": None if view.after is None else dict(view.after),
        "notice": dict(view.notice),
        "effect": dict(view.effect),
        "effect_hash": view.effect_hash,
        "stale": view.stale,
        "signatures": [vars(one) for one in view.signed],
    }


def view_text(view: CorrectionView) -> str:
    """Return a correction as lines."""
    row = view.row
    lines = [
        f"Correction {row.number} ({row.kind}) of {row.subject}: {row.status}",
        f"Reason: {row.reason}",
        f"Before: {_plain(view.before)}",
        f"After: {_plain(view.after)}",
        effect_text(view.effect),
    ]
    lines += [f"Effect {view.effect_hash}"] if view.effect_hash else []
    lines += [f"Signed by {one.name}, {one.role}" for one in view.signed]
    lines += ["Sittings have ended since the dry run: repeat it."] if view.stale else []
    return "\n".join(lines)


def _plain(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "the item does not count"
    return ", ".join(f"{name} {part}" for name, part in value.items())


def change_data(one: ChangeRow) -> dict[str, Any]:
    """Return a changed sitting as plain data; without names, which are for pages."""
    change = one.change
    return {
        "sitting": one.sitting_id,
        "exam": one.exam,
        "score": change.score,
        "new_score": change.new_score,
        "level": change.level,
        "new_level": change.new_level,
        "passed": change.passed,
        "new_passed": change.new_passed,
        "applied": change.applied,
        "problem": one.problem,
    }
