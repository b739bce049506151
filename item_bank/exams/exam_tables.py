"""Reading the tables of an exam file: keys, numbers and texts, checked one by one. Pure.

Called by `delivery_rules` and `result_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InputError


def table_of(mapping: Mapping[str, Any], name: str, keys: Sequence[str]) -> Mapping[str, Any]:
    """Return a table of the file, empty where it is left out; refuse keys that it may not have."""
    table = mapping.get(name, {})
    if not isinstance(table, Mapping):
        raise InputError(f"a table [{name}]", repr(table), column=name)
    for key in table:
        if key not in keys:
            raise InputError(f"one of {', '.join(keys)}", repr(key), column=f"{name}.{key}")
    return table


def number_of(value: Any, low: float, high: float, *, column: str, whole: bool = False) -> float:
    """Return a number between two bounds."""
    right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise InputError(f"{what} from {low:g} to {high:g}", repr(value), column=column)
    return float(value)


def choice_of(value: Any, choices: Sequence[str], *, column: str) -> str:
    """Return one of some words."""
    if value not in choices:
        expected = " or ".join(f'"{choice}"' for choice in choices)
        raise InputError(expected, repr(value), column=column)
    return str(value)


def texts_of(value: Any, languages: Sequence[str], *, column: str) -> Mapping[str, str]:
    """Return a text in each language of the exam; nothing where it is left out."""
    if not isinstance(value, Mapping):
        raise InputError(
            'a text in each language, such as {en = "..."}', repr(value), column=column
        )
    for language in languages if value else ():
        text = value.get(language)
        if not isinstance(text, str) or not text.strip():
            found = "nothing" if text is None else repr(text)
            raise InputError("a text", found, column=f"{column}.{language}")
    return dict(value)
