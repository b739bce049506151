"""One choice of several: right or wrong, worth points (credit), or scored by option (categories).

A key with ``categories`` (choice: category from 0) scores the choice itself, for the model ``nrm``:
what the engine learns is which category was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variants,
    checked_choice,
    choices_flaws,
    first,
    only,
    points_flaws,
    short,
)


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "categories", "credit"))
    choices = tuple(first(variants)["choices"])
    if "credit" in key:
        if set(key) != {"credit"}:
            yield Flaw("key", "either credit or correct", ", ".join(sorted(key)))
        yield from points_flaws("key.credit", key["credit"], choices, "points", "points")
        return
    correct = key.get("correct")
    if not isinstance(correct, str):
        yield Flaw("key", 'an object {"correct": choice}', short(dict(key)))
        return
    if correct not in choices:
        language = next(iter(variants))
        expected = f"one of the choices of {language}: {', '.join(choices)}"
        yield Flaw("key.correct", expected, repr(correct))
    if "categories" in key:
        yield from _category_flaws(key["categories"], correct, choices)


def _category_flaws(categories: Any, correct: str, choices: tuple[str, ...]) -> Flaws:
    """A category for each choice, none left out; the key's is its own, and not that of silence."""
    path = "key.categories"
    yield from points_flaws(path, categories, choices, "a category", "categories")
    if not isinstance(categories, Mapping) or correct not in categories:
        return
    own = categories.get(correct)
    if own == 0 or list(categories.values()).count(own) > 1:
        expected = "a category above 0 that only the correct choice has (no answer is category 0)"
        yield Flaw(f"{path}.{correct}", expected, own)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"choices": sorted(first(variants)["choices"])}


def _max_score(key: Key) -> int:
    points = key.get("categories") or key.get("credit")
    return max(points.values()) if points else 1


def _score(key: Key, response: Any, _: str) -> int:
    points = key.get("categories") or key.get("credit")
    return int(points[response]) if points else int(response == key["correct"])


SINGLE_CHOICE = ItemType(
    "single_choice",
    parts=("choices",),
    optional=(),
    named=("choices",),
    variant_flaws=choices_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=_max_score,
    score=_score,
    checked=checked_choice,
    shuffled="choices",
    draws=True,
)
