"""Words and numbers of the command line, read strictly.

Called by the files beside it that read options. Imports the engine's errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InputError


def one_of(option: str, value: str, known: Sequence[str]) -> str:
    """Return a word that exists; `InputError` naming the option and the words otherwise."""
    if value not in known:
        expected = " or ".join(known) if len(known) < 3 else f"one of {', '.join(known)}"
        raise InputError(expected, repr(value), column=option)
    return value


def numbers(text: str, n: int, option: str, form: str) -> list[float]:
    """Read ``n`` numbers separated by commas."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != n or not all(abs(number) < float("inf") for number in found):
        raise InputError(form, repr(text), column=option)
    return found
