"""Corrections in words, and as points of a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from item_bank.results.corrections.terms import (
    APPLIED,
    APPLYING,
    CHECKED,
    CUTS,
    DROP,
    KEY,
    PROBLEMS,
    PROPOSED,
    SIGNED,
    WITHDRAWN,
)
from web.figures.scatter_plot import Point
from web.formats import number

KINDS = {KEY: "another key", DROP: "the item does not count", CUTS: "other cut scores"}
STATUSES = {
    PROPOSED: "proposed",
    CHECKED: "dry run done",
    SIGNED: "signed once",
    APPLYING: "being applied",
    APPLIED: "applied",
    WITHDRAWN: "withdrawn",
}
SHOWN = {
    "changed": "Changed",
    "all": "All",
    "levels": "Another level",
    "passed": "Now passed",
    "failed": "Now failed",
    "impossible": "Cannot be computed",
}
SORTS = {
    "change": "Largest change first",
    "score": "Highest new score first",
    "name": "By name",
    "time": "Newest first",
}
STATE_WORDS = {
    "awaiting": "awaits a decision",
    "held": "held",
    "released": "released",
    "invalidated": "invalidated",
}


def problems(effect: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what cannot be computed, in words, with how many sittings."""
    return [(PROBLEMS[name], count) for name, count in effect.get("problems", {}).items()]


def key_lines(key: Mapping[str, Any] | None) -> str:
    """Return a key, or the minimums of levels, on one line."""
    if key is None:
        return "the item does not count"
    return ", ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in key.items())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return number(value, 2).removesuffix(".00")
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def change(by: float, decimals: int | None = None) -> str:
    """Return by how much a score moves, with its sign and no more digits than it has."""
    text = f"{by:+g}" if decimals is None else f"{by:+.{decimals}f}"
    return text.replace("-", "−")


def sittings(count: int) -> str:
    """Return so many sittings in words."""
    return "1 sitting" if count == 1 else f"{count} sittings"


def points(pairs: Sequence[Sequence[float]]) -> list[Point]:
    """Return old and new scores as points; those that moved stand out."""
    return [
        Point(old, new, f"{old:g} → {new:g}: {sittings(int(count))}", marked=old != new)
        for old, new, count in pairs
    ]


def reading(one: Mapping[str, Any]) -> str:
    """Say in one sentence what a figure of old and new scores shows."""
    if not one["changed_scores"]:
        return f"No score of {one['exam']} changes: all lie on the line of equal scores."
    return (
        f"{one['changed_scores']} of {one['sittings']} scores of {one['exam']} leave the line of "
        f"equal scores, by {one['mean_change']:+.1f} on average over all and "
        f"{one['largest_change']:+g} at most."
    ).replace("-", "−")
