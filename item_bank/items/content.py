"""What an item says: the checks and the kept form of its text and key, by item type. Pure.

An item of type `PARAMETERS_ONLY` has a code and parameters and no text: it can be published and
simulated, not presented. Called by the readers and writers of bank files; `types` knows the types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from item_bank.items.markdown import MEDIA, MEDIUM_NAME, images
from item_bank.items.types.base import (
    CODE,
    LANGUAGE,
    Flaw,
    Flaws,
    ItemType,
    is_plain,
    only,
    short,
    text_flaws,
)
from item_bank.items.types.catalogue import TYPES, type_named

__all__ = [
    "CODE",
    "LANGUAGE",
    "PARAMETERS_ONLY",
    "Flaw",
    "content_flaws",
    "is_plain",
    "media_in",
    "ordered",
    "stimulus_flaws",
    "stored_key",
    "stored_variant",
    "written_key",
    "written_variant",
]

PARAMETERS_ONLY = "parameters_only"
_WORDS = ("stem", "rationale")


# --- what is kept ------------------------------------------------------------------------------


def stored_variant(item_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a checked variant of a bank file into what is kept: named texts as ordered pairs."""
    named = type_named(item_type).named
    kept = {name: ordered(value) if name in named else value for name, value in content.items()}
    return kept if kept.get("rationale") else {n: v for n, v in kept.items() if n != "rationale"}


def written_variant(item_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `stored_variant`, for an export."""
    kind = type_named(item_type)
    order = ("stem", *kind.parts, *kind.optional, "rationale")
    texts = {name: content[name] for name in order if name in content}
    return {n: _named(value) if n in kind.named else value for n, value in texts.items()}


def ordered(named: Mapping[str, Any]) -> list[list[Any]]:
    """Texts by id as pairs, which keep their order; those within texts likewise."""
    return [
        [name, ordered(value) if isinstance(value, Mapping) else value]
        for name, value in named.items()
    ]


def _named(pairs: list[list[Any]]) -> dict[str, Any]:
    return {name: _named(value) if isinstance(value, list) else value for name, value in pairs}


def stored_key(
    item_type: str, key: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The scoring rule that is kept: the key, and what a response may name."""
    return {**key, **type_named(item_type).stored_key(key, variants)}


def written_key(item_type: str, key: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `stored_key`, for an export."""
    own = {"choices", "rows", "columns", "gaps", "units"} if item_type in TYPES else set()
    return {name: value for name, value in key.items() if name not in own}


def media_in(content: object) -> Iterator[tuple[str, str]]:
    """Kind and name of the media that a variant of an item or a stimulus shows, with repeats."""
    if isinstance(content, str):
        found = images(content) if MEDIA in content else ()
        yield from (("image", image.address.removeprefix(MEDIA)) for image in found)
    elif isinstance(content, Mapping):
        beside = (("image", "media"), ("audio", "audio"))
        yield from ((kind, content[name]) for kind, name in beside if name in content)
        for part in content.values():
            yield from media_in(part)
    elif isinstance(content, list | tuple):
        for part in content:
            yield from media_in(part)


# --- what is wrong -----------------------------------------------------------------------------


def content_flaws(item_type: object, key: object, variants: Mapping[str, object]) -> Flaws:
    """Everything that is wrong with the text and key of an item of a bank file."""
    kind = TYPES.get(str(item_type))
    if kind is None:
        yield Flaw("type", f"one of {', '.join(TYPES)}", repr(item_type))
        return
    if not variants:
        yield Flaw("variants", "at least one language", "none")
    wrong = [flaw for language, one in variants.items() for flaw in _flaws(kind, language, one)]
    texts: dict[str, Any] = dict(variants)
    yield from wrong
    if not wrong:
        yield from _disagreements(kind, texts)
    if not isinstance(key, Mapping):
        yield Flaw("key", f"an object with the key of a {kind.name}", short(key))
    elif variants and not wrong:
        yield from kind.key_flaws(key, texts)


def _flaws(kind: ItemType, language: str, variant: object) -> Flaws:
    path = f"variants.{language}"
    if not LANGUAGE.fullmatch(language):
        yield Flaw("variants", "a language such as en or zh-Hans", repr(language))
    if not isinstance(variant, Mapping):
        yield Flaw(path, f"an object with {' and '.join(('stem', *kind.parts))}", short(variant))
        return
    yield from only(path, variant, ("stem", *kind.parts, *kind.optional, "rationale"))
    yield from text_flaws(f"{path}.stem", variant.get("stem"))
    if "rationale" in variant:
        yield from text_flaws(f"{path}.rationale", variant["rationale"])
    yield from kind.variant_flaws(path, variant)


def _disagreements(kind: ItemType, variants: Mapping[str, Mapping[str, Any]]) -> Flaws:
    """Ids that are not the same in every language."""
    languages = list(variants)
    for name in kind.named:
        known = set(variants[languages[0]][name]) if languages else set()
        for language in languages[1:]:
            ids = variants[language][name]
            if set(ids) != known:
                path = f"variants.{language}.{name}"
                yield Flaw(path, f"the {name} {', '.join(sorted(known))}", ", ".join(sorted(ids)))


def stimulus_flaws(variants: Mapping[str, object]) -> Flaws:
    """Everything that is wrong with the texts of a stimulus."""
    if not variants:
        yield Flaw("variants", "at least one language", "none")
    for language, variant in variants.items():
        path = f"variants.{language}"
        if not LANGUAGE.fullmatch(language):
            yield Flaw("variants", "a language such as en or zh-Hans", repr(language))
        if not isinstance(variant, Mapping):
            yield Flaw(path, "an object with title and text", short(variant))
            continue
        yield from only(path, variant, ("title", "text", "audio", "transcript"))
        yield from text_flaws(f"{path}.title", variant.get("title"), 200)
        if "text" in variant or "audio" not in variant:
            yield from text_flaws(f"{path}.text", variant.get("text"))
        yield from _audio_flaws(path, variant)


def _audio_flaws(path: str, variant: Mapping[str, Any]) -> Flaws:
    audio = variant.get("audio", "x")
    if not isinstance(audio, str) or not MEDIUM_NAME.fullmatch(audio):
        yield Flaw(f"{path}.audio", "the name of a medium", short(variant["audio"]))
    if "audio" in variant and "transcript" not in variant:
        yield Flaw(f"{path}.transcript", "a transcript, for who cannot hear the audio", "none")
    if "transcript" in variant:
        yield from text_flaws(f"{path}.transcript", variant["transcript"])
