"""Several choices of several, all or nothing or in parts."""

from __future__ import annotations

from typing import Any

from item_bank.items.types import several
from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variants,
    choices_flaws,
    first,
    ids_flaws,
    is_whole,
    only,
    scoring_flaws,
    short,
    some_of,
)


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "scoring", "choose"))
    choices = tuple(first(variants)["choices"])
    yield from ids_flaws("key.correct", key.get("correct"), choices, "choice")
    yield from scoring_flaws(key)
    fewest = len(key["correct"]) if isinstance(key.get("correct"), list) else 1
    choose = key.get("choose", fewest)
    if not is_whole(choose) or not max(fewest, 1) <= choose <= len(choices):
        expected = f"how many may be chosen, {fewest} (as many as are correct) to {len(choices)}"
        yield Flaw("key.choose", expected, short(choose))


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"choices": sorted(first(variants)["choices"])}


def _checked(key: Key, response: Any) -> list[str] | None:
    return some_of(response, key["choices"], key.get("choose"))


MULTIPLE_RESPONSE = ItemType(
    "multiple_response",
    parts=("choices",),
    optional=(),
    named=("choices",),
    variant_flaws=choices_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=several.max_score,
    score=several.score,
    checked=_checked,
    shuffled="choices",
    draws=True,
)
