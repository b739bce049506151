"""Answers that are worth a given score, for the simulated past: one way to give them by item type.

Pure. Called by `build`. Of several such answers ``pick``, a number from 0 to 1, chooses one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from item_bank.items.scoring import score as scored

Key = Mapping[str, Any]
WRONG_TEXT = "?"


def answer_worth(item_type: str, key: Key, language: str, score: int, pick: float) -> Any | None:
    """Return an answer of this score; None where only silence is worth it."""
    found = _WAYS[item_type](key, language, score, pick)
    same = found is not None and scored(item_type, key, found, language) == score
    return found if same else None


def _one_of(values: Sequence[Any], pick: float) -> Any | None:
    return values[int(pick * len(values))] if values else None


def _choice(item_type: str) -> Callable[[Key, str, int, float], Any]:
    def way(key: Key, language: str, score: int, pick: float) -> Any:
        worth = [c for c in key["choices"] if scored(item_type, key, c, language) == score]
        return _one_of(worth, pick)

    return way


def _several(key: Key, _: str, score: int, pick: float) -> Any:
    """Right ones; one too few of them, or a wrong one instead, for less."""
    right = sorted(key["correct"])
    wrong = [choice for choice in key["choices"] if choice not in right]
    partial = key.get("scoring") == "partial"
    count = score if partial else len(right) * score
    if count:
        start = int(pick * len(right))
        return sorted((right[start:] + right[:start])[:count])
    other = _one_of(wrong, pick)
    fewer = right[: len(right) - 1] if not partial else []
    return [other] if other is not None else fewer or None


def _places(key: Key, _: str, score: int, pick: float) -> Any:
    """The right id in as many places as there are points, and wrong ones elsewhere."""
    known: dict[str, list[str]] = dict(key.get("gaps") or {})
    known = known or {row: list(key["columns"]) for row in key["rows"]}
    places = list(known)
    start = int(pick * len(places))
    right = score if key.get("scoring") == "partial" else len(places) * score
    good = set((places[start:] + places[:start])[:right])
    correct = key["correct"]
    wrong = {p: [i for i in ids if i != correct[p]] for p, ids in known.items()}
    return {p: correct[p] if p in good else _one_of(wrong[p], pick) for p in places}


def _order(key: Key, _: str, score: int, pick: float) -> Any:
    """Cut the right order into blocks and put these in reverse: neighbours within them stay."""
    right = list(key["correct"])
    top = len(right) - 1
    kept = score if key.get("scoring") == "partial" else top * score
    blocks = top - kept + 1
    shift = int(pick * (kept + 1))  # how many more than one the first block has
    cuts = [0, *range(shift + 1, shift + blocks), len(right)]
    parts = [right[a:b] for a, b in pairwise(cuts)]
    return [choice for part in reversed(parts) for choice in part]


def _text(key: Key, language: str, score: int, pick: float) -> Any:
    return _one_of(key["accepted"][language], pick) if score else WRONG_TEXT


def _number(key: Key, _: str, score: int, pick: float) -> Any:
    """The value itself, one between tolerance and near, or one beyond both."""
    value, tolerance = (Decimal(str(key[name])) for name in ("value", "tolerance"))
    near = Decimal(str(key.get("near", tolerance)))
    if score == (2 if "near" in key else 1):
        return f"{value:f}"
    if score:
        return f"{value + (tolerance + near) / 2:f}"
    return f"{value + (near or 1) * (2 + int(9 * pick)):f}"


_WAYS: Mapping[str, Callable[[Key, str, int, float], Any]] = {
    "single_choice": _choice("single_choice"),
    "rating_scale": _choice("rating_scale"),
    "multiple_response": _several,
    "hotspot": _several,
    "inline_choice": _places,
    "match": _places,
    "order": _order,
    "text_entry": _text,
    "numeric_entry": _number,
}
