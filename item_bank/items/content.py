"""What an item says: the shape of its text in one language, by item type. Pure.

An item of type `PARAMETERS_ONLY` has a code and parameters and no text: it can be published and
simulated, not presented. Called by the readers of bank files and by `presentation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PARAMETERS_ONLY = "parameters_only"
SINGLE_CHOICE = "single_choice"
TYPES = (SINGLE_CHOICE,)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)
CHOICE = re.compile(r"\w{1,16}")
CODE = re.compile(r"\w[\w .:/-]{0,63}")
MAX_TEXT = 20_000


@dataclass(frozen=True)
class Flaw:
    """Something wrong within an item: where (``variants.en.stem``), expected and found."""

    path: str
    expected: str
    found: object


@dataclass(frozen=True)
class SingleChoice:
    """A stem and its choices in one language, as Markdown.

    Parameters
    ----------
    stem
        The question.
    choices
        Choice id and text, in the author's order.
    rationale
        Why the key is right; never shown in an exam.
    """

    stem: str
    choices: tuple[tuple[str, str], ...]
    rationale: str = ""


def single_choice(content: Mapping[str, Any]) -> SingleChoice:
    """Read the content of a single-choice variant that was checked at import."""
    choices = tuple((str(name), str(words)) for name, words in content["choices"])
    return SingleChoice(content["stem"], choices, content.get("rationale", ""))


def stored_variant(content: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a checked variant of a bank file into what is kept: choices as ordered pairs."""
    choices = [[name, words] for name, words in content["choices"].items()]
    kept = {"stem": content["stem"], "choices": choices}
    return kept | ({"rationale": content["rationale"]} if content.get("rationale") else {})


def written_variant(content: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `stored_variant`, for an export."""
    return {**content, "choices": dict(content["choices"])}


def stored_key(key: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The scoring rule that is kept: the key, and the ids that a response may name."""
    first = next(iter(variants.values()))
    return {**key, "choices": sorted(first["choices"])}


def is_plain(text: str) -> bool:
    """Whether a text holds no control character but tab and line feed, and no half character."""
    return not any(
        (sign < " " and sign not in "\n\t") or "\ud800" <= sign <= "\udfff" for sign in text
    )


def content_flaws(item_type: object, key: object, variants: Mapping[str, object]) -> Iterator[Flaw]:
    """Everything that is wrong with the text and key of an item of a bank file."""
    check = _CHECKS.get(str(item_type))
    if check is None:
        yield Flaw("type", f"one of {', '.join(TYPES)}", repr(item_type))
        return
    if not variants:
        yield Flaw("variants", "at least one language", "none")
    for language, variant in variants.items():
        if not LANGUAGE.fullmatch(language):
            yield Flaw("variants", "a language such as en or zh-Hans", repr(language))
        yield from check(f"variants.{language}", variant)
    yield from _key_flaws(key, variants)


def _single_choice_flaws(path: str, variant: object) -> Iterator[Flaw]:
    if not isinstance(variant, Mapping):
        yield Flaw(path, "an object with stem and choices", _short(variant))
        return
    for name in sorted(set(variant) - {"stem", "choices", "rationale"}):
        yield Flaw(path, "stem, choices and rationale only", repr(name))
    yield from _text_flaws(f"{path}.stem", variant.get("stem"))
    if "rationale" in variant:
        yield from _text_flaws(f"{path}.rationale", variant["rationale"])
    choices = variant.get("choices")
    if not isinstance(choices, Mapping) or not 2 <= len(choices) <= 26:
        yield Flaw(f"{path}.choices", "an object of 2 to 26 choices", _short(choices))
        return
    for name in (name for name in choices if not CHOICE.fullmatch(name)):
        yield Flaw(f"{path}.choices", "choice ids of 1 to 16 letters and digits", _short(name))
    for name, words in choices.items():
        yield from _text_flaws(f"{path}.choices.{name}", words)
    texts = [str(words).strip() for words in choices.values()]
    for words in sorted({text for text in texts if texts.count(text) > 1}):
        yield Flaw(f"{path}.choices", "choices that differ", f"{_short(words)} twice")


def _key_flaws(key: object, variants: Mapping[str, object]) -> Iterator[Flaw]:
    correct = key.get("correct") if isinstance(key, Mapping) else None
    allowed = {"correct", "choices", "categories"}
    if not isinstance(key, Mapping) or set(key) - allowed or not isinstance(correct, str):
        yield Flaw("key", 'an object {"correct": choice}', _short(key))
        return
    known: set[str] | None = None
    for language, variant in variants.items():
        choices = variant.get("choices") if isinstance(variant, Mapping) else None
        if not isinstance(choices, Mapping):
            continue
        if correct not in choices:
            where = f"one of the choices of {language}: {', '.join(map(str, choices))}"
            yield Flaw("key.correct", where, repr(correct))
        if known is not None and set(choices) != known:
            path = f"variants.{language}.choices"
            yield Flaw(path, f"the choices {', '.join(sorted(known))}", ", ".join(sorted(choices)))
        known = known or set(choices)
    if "categories" in key and known:
        yield from _category_flaws(key["categories"], correct, known)


def _category_flaws(categories: object, correct: str, choices: set[str]) -> Iterator[Flaw]:
    """A category for each choice, none left out; the key's is its own, and not that of silence."""
    path = "key.categories"
    if not isinstance(categories, Mapping) or set(categories) != choices:
        yield Flaw(path, f"a category for each of {', '.join(sorted(choices))}", _short(categories))
        return
    numbers = list(categories.values())
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers):
        yield Flaw(path, "whole numbers from 0", _short(numbers))
        return
    used = {0, *numbers}
    if used != set(range(len(used))) or len(used) < 2:
        yield Flaw(path, "categories 0, 1, 2, ... without a gap", _short(sorted(used)))
    own = categories.get(correct)
    if own == 0 or numbers.count(own) > 1:
        expected = "a category above 0 that only the correct choice has (no answer is category 0)"
        yield Flaw(f"{path}.{correct}", expected, own)


def _text_flaws(path: str, value: object) -> Iterator[Flaw]:
    if not isinstance(value, str) or not value.strip():
        yield Flaw(path, "text", _short(value))
    elif len(value) > MAX_TEXT:
        yield Flaw(path, f"at most {MAX_TEXT} characters", len(value))
    elif not is_plain(value):
        yield Flaw(path, "text without control characters", _short(value))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_CHECKS: dict[str, Callable[[str, object], Iterator[Flaw]]] = {SINGLE_CHOICE: _single_choice_flaws}
