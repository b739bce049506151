"""What an item type is, and the checks of texts and ids that the types share. Pure.

A type says what a bank file's variant and key must be, which scores a key can give, and what a
response is worth. A variant's named texts (choices, rows, areas) are kept as ordered pairs, so that
their author's order is not lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError
from item_bank.items.markdown import text_problems

Key = Mapping[str, Any]
Variant = Mapping[str, Any]
Variants = Mapping[str, Variant]
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)
CHOICE = re.compile(r"\w{1,16}")
CODE = re.compile(r"\w[\w .:/-]{0,63}")
MAX_TEXT = 20_000
MAX_CHOICES = 26
ALL, PARTIAL = "all", "partial"


@dataclass(frozen=True)
class Flaw:
    """Something wrong within an item: where (``variants.en.stem``), expected and found."""

    path: str
    expected: str
    found: object


Flaws = Iterator[Flaw]


@dataclass(frozen=True)
class ItemType:
    """One type of item.

    Parameters
    ----------
    name
        As a bank file says it.
    parts
        What a variant must have besides its stem.
    optional
        What it may have, besides a rationale.
    named
        Those of its parts that are texts by id; the ids are the same in every language.
    variant_flaws
        What is wrong with the parts of a variant, at a path.
    key_flaws
        What is wrong with a key, given variants that are right.
    stored_key
        What is added to a key when it is kept, such as the ids that a response may name.
    max_score
        The highest score that a key can give.
    score
        The score of a checked response that was given, in a language.
    checked
        A response in its one form, None where it says nothing.
    shuffled
        Where in the stored key the ids stand that are shown in a drawn order, or in their author's.
    draws
        Whether that order is drawn.
    """

    name: str
    parts: tuple[str, ...]
    optional: tuple[str, ...]
    named: tuple[str, ...]
    variant_flaws: Callable[[str, Variant], Flaws]
    key_flaws: Callable[[Key, Variants], Flaws]
    stored_key: Callable[[Key, Variants], dict[str, Any]]
    max_score: Callable[[Key], int]
    score: Callable[[Key, Any, str], int]
    checked: Callable[[Key, Any], Any]
    shuffled: str | None = None
    draws: bool = False


# --- texts -------------------------------------------------------------------------------------


def is_plain(text: str) -> bool:
    """Whether a text holds no control character but tab and line feed, and no half character."""
    return not any(
        (sign < " " and sign not in "\n\t") or "\ud800" <= sign <= "\udfff" for sign in text
    )


def text_flaws(path: str, value: object, longest: int = MAX_TEXT) -> Flaws:
    """What is wrong with a text in Markdown."""
    if not isinstance(value, str) or not value.strip():
        yield Flaw(path, "text", short(value))
    elif len(value) > longest:
        yield Flaw(path, f"at most {longest} characters", len(value))
    elif not is_plain(value):
        yield Flaw(path, "text without control characters", short(value))
    else:
        yield from (Flaw(path, expected, found) for expected, found in text_problems(value))


def named_text_flaws(path: str, value: object, what: str, fewest: int = 2) -> Flaws:
    """What is wrong with texts by id, such as choices."""
    if not isinstance(value, Mapping) or not fewest <= len(value) <= MAX_CHOICES:
        yield Flaw(path, f"an object of {fewest} to {MAX_CHOICES} {what}s", short(value))
        return
    for name in (name for name in value if not CHOICE.fullmatch(name)):
        yield Flaw(path, f"{what} ids of 1 to 16 letters and digits", short(name))
    for name, words in value.items():
        yield from text_flaws(f"{path}.{name}", words)
    texts = [str(words).strip() for words in value.values()]
    for words in sorted({text for text in texts if texts.count(text) > 1}):
        yield Flaw(path, f"{what}s that differ", f"{short(words)} twice")


def choices_flaws(path: str, variant: Variant) -> Flaws:
    """Everything that is wrong with the choices of a variant."""
    yield from named_text_flaws(f"{path}.choices", variant.get("choices"), "choice")


def short(value: object) -> str:
    """Say a value in at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# --- keys --------------------------------------------------------------------------------------


def only(path: str, value: Mapping[str, Any], known: Sequence[str]) -> Flaws:
    """A flaw for each key that is not known."""
    for name in sorted(set(value) - set(known)):
        yield Flaw(path, f"{', '.join(known)} only", repr(name))


def scoring_flaws(key: Key) -> Flaws:
    """What is wrong with a key's rule of scoring."""
    if key.get("scoring", ALL) not in (ALL, PARTIAL):
        yield Flaw("key.scoring", f"{ALL} or {PARTIAL}", short(key["scoring"]))


def ids_flaws(path: str, value: object, known: Sequence[str], what: str) -> Flaws:
    """What is wrong with a list of ids, each of which stands once."""
    if not isinstance(value, list) or not value:
        yield Flaw(path, f"a list of {what}s", short(value))
        return
    for name in (name for name in value if name not in known):
        yield Flaw(path, f"one of the {what}s {', '.join(known)}", short(name))
    if len({str(name) for name in value}) != len(value):
        yield Flaw(path, f"{what}s that stand once", short(value))


def points_flaws(path: str, value: object, known: Sequence[str], one: str, many: str) -> Flaws:
    """Whole points for each id, of which every score from 0 to the highest can come.

    A response without an answer scores 0, so 0 itself need not be among them.
    """
    if not isinstance(value, Mapping) or set(value) != set(known):
        yield Flaw(path, f"{one} for each of {', '.join(sorted(known))}", short(value))
        return
    numbers = list(value.values())
    if not all(is_whole(number) for number in numbers):
        yield Flaw(path, "whole numbers from 0", short(numbers))
        return
    used = {0, *numbers}
    if used != set(range(len(used))) or len(used) < 2:
        yield Flaw(path, f"{many} 0, 1, 2, ... without a gap", short(sorted(used)))


def is_whole(value: object) -> bool:
    """Whether a JSON value is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def first(variants: Variants) -> Variant:
    """The variant whose order counts where all languages share one."""
    return next(iter(variants.values()))


# --- responses ---------------------------------------------------------------------------------


def one_of(response: Any, known: Sequence[str]) -> str | None:
    """Check a response that names one id."""
    if response in (None, ""):
        return None
    if not isinstance(response, str) or response not in known:
        raise InputError("one of the item's choices", short(response))
    return response


def checked_choice(key: Key, response: Any) -> str | None:
    """Check a response that is one of the key's choices."""
    return one_of(response, key["choices"])


def some_of(response: Any, known: Sequence[str], most: int | None = None) -> list[str] | None:
    """Check a response that names several ids, each once, and sort it."""
    if response is None:
        return None
    if not isinstance(response, list | tuple):
        raise InputError("a list of the item's choices", short(response))
    checked = sorted(str(one_of(name, known) or "") for name in response)
    if "" in checked or len(set(checked)) != len(checked):
        raise InputError("choices that are named once", short(response))
    if most is not None and len(checked) > most:
        raise InputError(f"at most {most} choices", len(checked))
    return checked or None


def pairs_of(response: Any, known: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """Check a response that gives places an id each, and leave out places without one."""
    if response is None:
        return None
    if not isinstance(response, Mapping):
        raise InputError("an object of the item's choices", short(response))
    for place in response:
        if place not in known:
            raise InputError("one of the item's places", short(place))
    pairs = {place: one_of(response.get(place), ids) for place, ids in known.items()}
    return {place: chosen for place, chosen in pairs.items() if chosen is not None} or None


def is_partial(key: Key) -> bool:
    """Whether parts of a key count by themselves."""
    return bool(key.get("scoring", ALL) == PARTIAL)
