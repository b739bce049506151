"""The score of a response by an item's key. Pure, one rule per item type.

Called by the live exam, by rescoring and by replay, with the type and key of an item revision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError
from item_bank.items.content import SINGLE_CHOICE

Key = Mapping[str, Any]


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


def _rule(item_type: str) -> Rule:
    if item_type not in RULES:
        raise InputError("an item with text and a key", f"type {item_type}")
    return RULES[item_type]


def _one_point(_key: Key) -> int:
    return 1


def _single_choice(key: Key, response: Any) -> int:
    if response not in key["choices"]:
        raise InputError("one of the item's choices", repr(response))
    return int(response == key["correct"])


RULES: Mapping[str, Rule] = {SINGLE_CHOICE: Rule(_one_point, _single_choice)}
