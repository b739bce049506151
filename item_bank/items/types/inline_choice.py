"""Gaps within the stem, ``[[gap1]]``, each filled from a list of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from item_bank.items.markdown import rendered
from item_bank.items.types import places
from item_bank.items.types.base import (
    CHOICE,
    MAX_CHOICES,
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variant,
    Variants,
    first,
    is_plain,
    named_text_flaws,
    only,
    pairs_of,
    scoring_flaws,
    short,
)

GAP = re.compile(r"\[\[(\w{1,16})\]\]")
_TAG_OR_FORMULA = re.compile(r"<math.*?</math>|<[^>]*>", re.DOTALL)


def _variant_flaws(path: str, variant: Variant) -> Flaws:
    gaps, stem = variant.get("gaps"), variant.get("stem")
    if not isinstance(gaps, Mapping) or not 1 <= len(gaps) <= MAX_CHOICES:
        yield Flaw(f"{path}.gaps", f"an object of 1 to {MAX_CHOICES} gaps", short(gaps))
        return
    for name, choices in gaps.items():
        if not CHOICE.fullmatch(name):
            yield Flaw(f"{path}.gaps", "gap ids of 1 to 16 letters and digits", short(name))
        yield from named_text_flaws(f"{path}.gaps.{name}", choices, "choice")
    found = _gaps_shown(stem) if isinstance(stem, str) and is_plain(stem) else []
    if sorted(found) != sorted(gaps):
        expected = f"each of the gaps {', '.join(f'[[{name}]]' for name in gaps)} once in the text"
        yield Flaw(f"{path}.stem", expected, ", ".join(found) or "none")


def _gaps_shown(stem: str) -> list[str]:
    """The gaps of a stem that a page can fill: not those in a formula or in a picture's words."""
    return GAP.findall(_TAG_OR_FORMULA.sub("", rendered(stem)))


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "scoring"))
    gaps = first(variants)["gaps"]
    for language, variant in variants.items():
        for name in gaps:
            ids = variant["gaps"].get(name, gaps[name])
            if set(ids) != set(gaps[name]):
                path = f"variants.{language}.gaps.{name}"
                yield Flaw(path, f"the choices {', '.join(gaps[name])}", ", ".join(ids))
    known = {name: tuple(choices) for name, choices in gaps.items()}
    yield from places.correct_flaws(key.get("correct"), known, "choice")
    yield from scoring_flaws(key)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    gaps = first(variants)["gaps"].items()
    return {"gaps": {name: list(choices) for name, choices in gaps}}


def _checked(key: Key, response: Any) -> dict[str, str] | None:
    return pairs_of(response, key["gaps"])


INLINE_CHOICE = ItemType(
    "inline_choice",
    parts=("gaps",),
    optional=(),
    named=("gaps",),
    variant_flaws=_variant_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=places.max_score,
    score=places.score,
    checked=_checked,
)
