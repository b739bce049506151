"""Places that take an id each: the scoring that match and inline choice share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from item_bank.items.types.base import (
    Flaw,
    Flaws,
    Key,
    is_partial,
    short,
)


def correct_flaws(correct: object, known: Mapping[str, Sequence[str]], what: str) -> Flaws:
    """What is wrong with the right id of each place."""
    if not isinstance(correct, Mapping) or set(correct) != set(known):
        yield Flaw("key.correct", f"a {what} for each of {', '.join(known)}", short(correct))
        return
    for place, chosen in correct.items():
        if chosen not in known[place]:
            expected = f"one of the {what}s {', '.join(known[place])}"
            yield Flaw(f"key.correct.{place}", expected, short(chosen))


def max_score(key: Key) -> int:
    """Return 1, or how many places there are where each counts."""
    return len(key["correct"]) if is_partial(key) else 1


def score(key: Key, response: Any, _: str) -> int:
    """Return 1 when every place has its id; in parts, how many have."""
    right = sum(response.get(place) == chosen for place, chosen in key["correct"].items())
    return right if is_partial(key) else int(right == len(key["correct"]))
