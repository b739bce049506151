"""Several of several: the scoring that multiple response and hotspot share."""

from __future__ import annotations

from typing import Any

from item_bank.items.types.base import Key, is_partial


def max_score(key: Key) -> int:
    """Return 1, or how many are right where parts count."""
    return len(key["correct"]) if is_partial(key) else 1


def score(key: Key, response: Any, _: str) -> int:
    """Return 1 for exactly the right ones; in parts, right ones less wrong ones, at least 0."""
    correct, chosen = set(key["correct"]), set(response)
    if is_partial(key):
        return max(0, len(chosen & correct) - len(chosen - correct))
    return int(chosen == correct)
