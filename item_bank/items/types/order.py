"""Things to put in order: all right, or as many neighbours of the key as follow each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.errors import InputError
from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variants,
    choices_flaws,
    first,
    ids_flaws,
    is_partial,
    only,
    scoring_flaws,
    short,
    some_of,
)


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "scoring"))
    choices = tuple(first(variants)["choices"])
    wrong = list(ids_flaws("key.correct", key.get("correct"), choices, "choice"))
    if not wrong and len(key["correct"]) != len(choices):
        wrong = [Flaw("key.correct", f"all of {', '.join(choices)}", short(key["correct"]))]
    yield from wrong
    yield from scoring_flaws(key)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"choices": sorted(first(variants)["choices"])}


def _max_score(key: Key) -> int:
    return len(key["correct"]) - 1 if is_partial(key) else 1


def _score(key: Key, response: Any, _: str) -> int:
    if is_partial(key):
        return len(set(pairwise(key["correct"])) & set(pairwise(response)))
    return int(response == key["correct"])


def _checked(key: Key, response: Any) -> list[str] | None:
    known = some_of(response, key["choices"])
    if known is None:
        return None
    if len(known) != len(key["choices"]):
        raise InputError(f"all {len(key['choices'])} choices in an order", f"{len(known)} of them")
    return list(response)


ORDER = ItemType(
    "order",
    parts=("choices",),
    optional=(),
    named=("choices",),
    variant_flaws=choices_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=_max_score,
    score=_score,
    checked=_checked,
    shuffled="choices",
    draws=True,
)
