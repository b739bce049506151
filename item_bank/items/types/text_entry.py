"""A word or a few, typed: right when it is one of those accepted in the presentation's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from engine.errors import InputError
from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variant,
    Variants,
    is_plain,
    only,
    short,
    text_flaws,
)

MAX_TYPED = 200


def _variant_flaws(path: str, variant: Variant) -> Flaws:
    if "label" in variant:
        yield from text_flaws(f"{path}.label", variant["label"], MAX_TYPED)


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("accepted", "case"))
    if not isinstance(key.get("case", False), bool):
        yield Flaw("key.case", "true or false", short(key["case"]))
    accepted = key.get("accepted")
    if not isinstance(accepted, Mapping) or set(accepted) != set(variants):
        expected = f"texts for each of the languages {', '.join(variants)}"
        yield Flaw("key.accepted", expected, short(accepted))
        return
    for language, texts in accepted.items():
        if not isinstance(texts, list) or not texts or not all(map(_is_typed, texts)):
            expected = f"a list of texts of 1 to {MAX_TYPED} characters"
            yield Flaw(f"key.accepted.{language}", expected, short(texts))


def _is_typed(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= MAX_TYPED and is_plain(text)


def _stored_key(_: Key, __: Variants) -> dict[str, Any]:
    return {}


def _max_score(_: Key) -> int:
    return 1


def _score(key: Key, response: Any, language: str) -> int:
    if language not in key["accepted"]:
        raise InputError(f"a language of the item: {', '.join(key['accepted'])}", repr(language))
    case = bool(key.get("case", False))
    wanted = {comparable(text, case=case) for text in key["accepted"][language]}
    return int(comparable(response, case=case) in wanted)


def comparable(text: str, *, case: bool) -> str:
    """A text as it is compared: NFKC, single spaces, and small letters unless case counts."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    return plain if case else unicodedata.normalize("NFKC", plain.casefold())


def typed(_: Key, response: Any) -> str | None:
    """Check a response that was typed."""
    if response is None:
        return None
    if not isinstance(response, str):
        raise InputError("text", short(response))
    if len(response) > MAX_TYPED:
        raise InputError(f"at most {MAX_TYPED} characters", len(response))
    if not is_plain(response):
        raise InputError("text without control characters", short(response))
    return response if response.strip() else None


TEXT_ENTRY = ItemType(
    "text_entry",
    parts=(),
    optional=("label",),
    named=(),
    variant_flaws=_variant_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=_max_score,
    score=_score,
    checked=typed,
)
