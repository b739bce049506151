"""A scale from which one answer is taken: points by answer, in the author's order."""

from __future__ import annotations

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
)


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("scores",))
    choices = tuple(first(variants)["choices"])
    yield from points_flaws("key.scores", key.get("scores"), choices, "a score", "scores")
    for language, variant in variants.items():
        if tuple(variant["choices"]) != choices:
            found = ", ".join(variant["choices"])
            yield Flaw(f"variants.{language}.choices", f"the order {', '.join(choices)}", found)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"choices": list(first(variants)["choices"])}


def _max_score(key: Key) -> int:
    return int(max(key["scores"].values()))


def _score(key: Key, response: Any, _: str) -> int:
    return int(key["scores"][response])


RATING_SCALE = ItemType(
    "rating_scale",
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
)
