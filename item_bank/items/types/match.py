"""Rows that are given a column each; a column may be given to several rows, or to none."""

from __future__ import annotations

from typing import Any

from item_bank.items.types import places
from item_bank.items.types.base import (
    Flaws,
    ItemType,
    Key,
    Variant,
    Variants,
    first,
    named_text_flaws,
    only,
    pairs_of,
    scoring_flaws,
)


def _variant_flaws(path: str, variant: Variant) -> Flaws:
    yield from named_text_flaws(f"{path}.rows", variant.get("rows"), "row")
    yield from named_text_flaws(f"{path}.columns", variant.get("columns"), "column")


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "scoring"))
    known = dict.fromkeys(first(variants)["rows"], tuple(first(variants)["columns"]))
    yield from places.correct_flaws(key.get("correct"), known, "column")
    yield from scoring_flaws(key)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"rows": list(first(variants)["rows"]), "columns": sorted(first(variants)["columns"])}


def _checked(key: Key, response: Any) -> dict[str, str] | None:
    return pairs_of(response, dict.fromkeys(key["rows"], tuple(key["columns"])))


MATCH = ItemType(
    "match",
    parts=("rows", "columns"),
    optional=(),
    named=("rows", "columns"),
    variant_flaws=_variant_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=places.max_score,
    score=places.score,
    checked=_checked,
    shuffled="columns",
    draws=True,
)
