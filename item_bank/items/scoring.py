"""The score of a response by an item's key. Pure, one rule per item type.

Called by the live exam, by rescoring and by replay, with the type and key of an item revision.

A key with ``categories`` (choice: category from 0) scores the choice itself, for the model ``nrm``:
what the engine learns is which category was chosen, and `points_by_score` says what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError
from engine.items import FAMILIES
from item_bank.items.content import PARAMETERS_ONLY, SINGLE_CHOICE

Key = Mapping[str, Any]
TWO_CATEGORIES = frozenset(name for name, family in FAMILIES.items() if family == "logistic")


@dataclass(frozen=True)
class Rule:
    """How one item type is scored.

    Parameters
    ----------
    max_score
        The highest score that a key can give.
    score
        The score of a response that was given; None never reaches it.
    """

    max_score: Callable[[Key], int]
    score: Callable[[Key, Any], int]


def max_score(item_type: str, key: Key) -> int:
    """Return the highest score of an item."""
    return _rule(item_type).max_score(key)


def score(item_type: str, key: Key, response: Any) -> int:
    """Score a response; None, seen and left without an answer, is 0.

    Raises
    ------
    InputError
        When the response is none that the item allows, or the item type has no text.
    """
    rule = _rule(item_type)
    return 0 if response is None else rule.score(key, response)


def misfit(item_type: str, key: Key, model: str, values: Mapping[str, Any]) -> str | None:
    """Say which model an item with this key should have; None when the one given will do."""
    if item_type == PARAMETERS_ONLY:
        return None
    top = max_score(item_type, key)
    if "categories" not in key:
        return None if model in TWO_CATEGORIES else f"a model with two categories for {item_type}"
    if model == "nrm" and len(values["slopes"]) == top:
        return None
    return f"nrm with {top} slopes, one for each category of the key above 0"


def points_by_score(key: Key, top: int) -> list[int]:
    """What each score from 0 to ``top`` is worth: itself; by option, 1 for the key and 0 else."""
    if "categories" not in key:
        return list(range(top + 1))
    right = key["categories"][key["correct"]]
    return [int(category == right) for category in range(top + 1)]


def _rule(item_type: str) -> Rule:
    if item_type not in RULES:
        raise InputError("an item with text and a key", f"type {item_type}")
    return RULES[item_type]


def _top_of_choices(key: Key) -> int:
    return max(key["categories"].values()) if "categories" in key else 1


def _single_choice(key: Key, response: Any) -> int:
    if response not in key["choices"]:
        raise InputError("one of the item's choices", repr(response))
    if "categories" in key:
        category: int = key["categories"][response]
        return category
    return int(response == key["correct"])


RULES: Mapping[str, Rule] = {SINGLE_CHOICE: Rule(_top_of_choices, _single_choice)}
