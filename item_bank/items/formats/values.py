"""Checks that every bank format shares: text files, item codes, and parameters of a model.

Called by the readers beside it. May import the engine, whose own checks of parameters decide.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.items import FAMILIES, HAS_C, HAS_D, item_parameters
from item_bank.items.bank_files import MAX_C, STATUSES
from item_bank.items.content import CODE, is_plain
from item_bank.items.plans import Parameters

MAX_BYTES = 200 * 2**20
MAX_NUMBER = 1e9
SCALARS = ("a", "b", "c", "d")
STEPS: Mapping[str, str] = {"thresholds": "b", "slopes": "slope", "intercepts": "intercept"}
"""Parameters of several numbers, and how their columns begin: b1, b2, ..., slope1, ..."""
TEXTS = ("cognitive_level", "competency")
NUMBERS = ("words", "seconds")
"""What a bank file can say of an item in texts and in numbers, for blueprints."""
LABEL = re.compile(r"[a-z][a-z0-9_]{0,31}")
Note = Callable[[str, object, str], None]
"""Takes note of a problem: expected, found, column."""


def read_text(path: Path | str) -> str:
    """Read UTF-8, with or without its mark, or UTF-16 with its mark.

    Raises
    ------
    InputError
        When there is no such file, it is too large, in another encoding, or holds a NUL.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError("a file to read", (error.strerror or "none").lower(), file=path) from None
    return decoded(data, path)


def decoded(data: bytes, path: Path | str) -> str:
    """Decode what was read; `InputError` as `read_text`."""
    if len(data) > MAX_BYTES:
        raise InputError(f"at most {MAX_BYTES >> 20} MiB", f"{len(data) >> 20} MiB", file=path)
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x}"
        raise InputError("UTF-8 text", found, file=path, line=line) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError("text", "a NUL character", file=path, line=line)
    return text


def check_code(code: object, note: Note, column: str) -> bool:
    """Check an item's code."""
    if isinstance(code, str) and CODE.fullmatch(code):
        return True
    expected = "a code of at most 64 letters, digits, space and _ . : / - (a letter or digit first)"
    note(expected, repr(code), column)
    return False


def check_area(area: Any, note: Note, column: str) -> str | None:
    """Check a content area; "" is none."""
    short = isinstance(area, str) and len(area) <= 64
    if short and is_plain(area) and not area.startswith(("=", "+", "-", "@")):
        return str(area).strip()
    note("a content area of at most 64 characters", repr(area), column)
    return None


def check_status(status: object, note: Note, column: str) -> str | None:
    """Check a status; None and "" say nothing."""
    if status in (*STATUSES, None, ""):
        return str(status) if status else None
    note(f"one of {', '.join(STATUSES)}", repr(status), column)
    return None


def check_about(given: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """Check what else a file says of an item.

    Enemies are codes, a stimulus is one; words and seconds are numbers, labels texts by name; the
    others are texts.
    """
    checked = dict(given)
    for name, value in given.items():
        if name == "labels":
            checked[name] = _check_labels(value, note)
            continue
        if name in NUMBERS:
            good, expected = is_number(value) and value >= 0, "a number from 0"
            checked[name] = int(value) if good and value == int(value) else value
        elif name == "enemies":
            good = isinstance(value, list) and all(_is_code(code) for code in value)
            expected = "a list of item codes"
        elif name == "stimulus":
            good, expected = _is_code(value), "a code such as those of items"
        else:
            good, expected = _is_label(value), "1 to 200 characters"
        if not good:
            note(expected, repr(value)[:60], name)
    return checked


def _check_labels(value: object, note: Note) -> dict[str, str]:
    """Check the labels that a bank has of its own."""
    if not isinstance(value, Mapping):
        note("an object of texts by label", repr(value)[:60], "labels")
        return {}
    for name, words in value.items():
        if not LABEL.fullmatch(name) or name in TEXTS or name == "key":
            expected = "a label of small letters, digits and _, not one that items have anyway"
            note(expected, repr(name), "labels")
        elif not _is_label(words):
            note("1 to 200 characters", repr(words)[:60], f"labels.{name}")
    return dict(value)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= 200 and is_plain(value)


def _is_code(value: object) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def checked_parameters(
    model: object, values: Mapping[str, Any], se: Mapping[str, Any], note: Note, prefix: str = ""
) -> Parameters | None:
    """Check the parameters of one item by the engine's own rules, and keep those of its model.

    Parameters
    ----------
    values, se
        Of the keys a, b, c, d, thresholds, slopes and intercepts those that are given.
    prefix
        Put before the name of a parameter in a column.
    """
    if not isinstance(model, str) or model not in FAMILIES:
        note(f"one of {', '.join(FAMILIES)}", repr(model), f"{prefix}model")
        return None
    names = _needed(str(model))
    given = {"a": 1.0, **values} if model in {"rasch", "pcm"} else dict(values)
    missing = [name for name in names if name not in given]
    for name in missing:
        note(f"a number (model {model})", "none", f"{prefix}{_column(name)}")
    if missing or _engine_refuses(str(model), given, note, prefix):
        return None
    if given.get("c", 0.0) > MAX_C:
        note(f"a lower asymptote of at most {MAX_C}", given["c"], f"{prefix}c")
        return None
    kept = {name: given[name] for name in names}
    errors = {name: se[name] for name in names if name in se}
    if _errors_refused(kept, errors, note, prefix):
        return None
    return Parameters(str(model), kept, errors)


def _needed(model: str) -> list[str]:
    if FAMILIES[model] == "nominal":
        return ["slopes", "intercepts"]
    if FAMILIES[model] != "logistic":
        return ["a", "thresholds"]
    return ["a", "b"] + ["c"] * (model in HAS_C) + ["d"] * (model in HAS_D)


def _column(name: str) -> str:
    return f"{STEPS[name]}1" if name in STEPS else name


def _engine_refuses(model: str, values: Mapping[str, Any], note: Note, prefix: str) -> bool:
    if model in {"rasch", "pcm"} and values["a"] != 1:
        note(f"1 (model {model})", values["a"], f"{prefix}a")
        return True
    given = {name: [values[name]] for name in (*SCALARS, *STEPS) if name in values}
    try:
        item_parameters(["x"], model, **given)
    except InputError as error:
        name = (error.column or "").rpartition(": ")[2]
        note(error.expected, error.found, prefix + name)
        return True
    return False


def _errors_refused(
    kept: Mapping[str, Any], errors: Mapping[str, Any], note: Note, prefix: str
) -> bool:
    before = False
    for name, value in errors.items():
        many = name in STEPS
        numbers = value if many else [value]
        wanted = len(kept[name]) if many else 1
        if len(numbers) != wanted or not all(number >= 0 for number in numbers):
            note("standard errors from 0, one for each parameter", value, f"{prefix}se_{name}")
            before = True
    return before


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number (a truth value is none)."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < MAX_NUMBER  # false for NaN and infinity, too
