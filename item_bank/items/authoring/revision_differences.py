"""What differs between two revisions of an item, in words that were taken out and put in. Pure.

Called by the item page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

SAME, REMOVED, ADDED = "same", "removed", "added"
_WORDS = re.compile(r"\s+|[^\W_]+|[\W_]", re.UNICODE)


@dataclass(frozen=True)
class Part:
    """A piece of a text: the same in both, or in one of them only."""

    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    """A text that differs: where it stands, and its pieces in order."""

    where: str
    parts: tuple[Part, ...]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Compare two revisions, each as nested texts, place by place in the order of the newer."""
    before, after = dict(places(old)), dict(places(new))
    return [
        Change(where, tuple(parts(before.get(where, ""), after.get(where, ""))))
        for where in dict.fromkeys([*after, *before])
        if before.get(where) != after.get(where)
    ]


def places(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text within a value with the place where it stands, such as ``en, choices, A``."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from places(part, f"{where}, {name}" if where else str(name))
    elif _is_named(value):
        yield from places({str(name): part for name, part in value}, where)  # type: ignore[attr-defined]
    elif isinstance(value, str):
        yield where, value
    elif value is not None:
        yield where, json.dumps(value, ensure_ascii=False)


def _is_named(value: object) -> bool:
    """Whether a list is of pairs of a name and what it names."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, list | tuple) and len(one) == 2 for one in value)
        and all(isinstance(one[0], str) for one in value)
    )


def parts(old: str, new: str) -> Iterator[Part]:
    """Cut two texts into the words that are the same, taken out and put in."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            yield Part(SAME, "".join(before[i:j]))
            continue
        if i < j:
            yield Part(REMOVED, "".join(before[i:j]))
        if k < m:
            yield Part(ADDED, "".join(after[k:m]))
