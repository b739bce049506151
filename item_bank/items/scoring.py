"""The score of a response by an item's key. Pure; the rules of each type are in `types`.

Called by the live exam, by rescoring and by replay, with the type and key of an item revision. A
response is a JSON value; None means seen and left without an answer, which scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.items import FAMILIES
from engine.randomness import uniform
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.types.base import Key
from item_bank.items.types.catalogue import type_named
from item_bank.items.types.numeric_entry import numbers

TWO_CATEGORIES = tuple(name for name, family in FAMILIES.items() if family == "logistic")
ORDERED_CATEGORIES = tuple(
    name for name, family in FAMILIES.items() if family in {"graded", "partial_credit"}
)


def max_score(item_type: str, key: Key) -> int:
    """Return the highest score of an item."""
    return type_named(item_type).max_score(key)


def checked_response(item_type: str, key: Key, response: Any) -> Any:
    """Return a response in its one form: ids of a multiple response sorted, nothing as None.

    Raises
    ------
    InputError
        When it names what the item has not, has another shape, or is too long.
    """
    return type_named(item_type).checked(key, response)


def score(item_type: str, key: Key, response: Any, language: str = "") -> int:
    """Score a response; None, seen and left without an answer, is 0.

    Parameters
    ----------
    language
        In which the item was presented; only keys that differ by language ask for it.

    Raises
    ------
    InputError
        When the response is none that the item allows, or the item type has no text.
    """
    kind = type_named(item_type)
    checked = kind.checked(key, response)
    return 0 if checked is None else kind.score(key, checked, language)


def is_answer(response: Any) -> bool:
    """Whether a response says anything: not None, nor an empty or blank text, list or object."""
    return bool(response.strip() if isinstance(response, str) else response)


def is_readable(item_type: str, key: Key, response: Any) -> bool:
    """Whether what was typed for a number is one; a page may ask again where it is none."""
    if item_type != "numeric_entry" or not isinstance(response, str):
        return True
    return bool(numbers(response, key["units"]))


def misfit(item_type: str, key: Key, model: str, values: Mapping[str, Any]) -> str | None:
    """Say which model an item with this key should have; None when the one given will do."""
    if item_type == PARAMETERS_ONLY:
        return None
    top = max_score(item_type, key)
    if "categories" in key:
        if model == "nrm" and len(values["slopes"]) == top:
            return None
        return f"nrm with {top} slopes, one for each category of the key above 0"
    if top == 1:
        return None if model in TWO_CATEGORIES else f"a model with two categories for {item_type}"
    if model in ORDERED_CATEGORIES and len(values["thresholds"]) == top:
        return None
    names = ", ".join(ORDERED_CATEGORIES[:-1]) + f" or {ORDERED_CATEGORIES[-1]}"
    return f"{names} with {top} thresholds, since the key of this {item_type} gives 0 to {top}"


def points_by_score(key: Key, top: int) -> list[int]:
    """What each score from 0 to ``top`` is worth: itself; by option, 1 for the key and 0 else."""
    if "categories" not in key:
        return list(range(top + 1))
    right = key["categories"][key["correct"]]
    return [int(category == right) for category in range(top + 1)]


def shown_ids(item_type: str, key: Key) -> tuple[str, ...]:
    """Return the ids whose order a presentation keeps: of choices, areas, or a match's columns."""
    place = type_named(item_type).shuffled
    return tuple(key[place]) if place else ()


def shuffled_order(item_type: str, key: Key, seed: int, position: int) -> tuple[str, ...]:
    """Return those ids in the order shown: drawn from (seed, position), or the author's.

    Things to put in order never stand in the key's order: the first two change places.
    """
    kind, ids = type_named(item_type), shown_ids(item_type, key)
    if not kind.draws:
        return ids
    draws = uniform(seed, position, "choice order", range(len(ids)))
    order = tuple(ids[i] for i in draws.argsort(kind="stable"))
    if item_type == "order" and list(order) == list(key["correct"]):
        return (order[1], order[0], *order[2:])
    return order
