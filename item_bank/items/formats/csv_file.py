"""Bank files in CSV: item codes with parameters and standard errors, no text.

``read_csv(path) -> BankSource`` names every problem with line and column and reads nothing in
part; ``csv_text`` is what an export writes. Comma, semicolon or tab separate, whichever the header
has most of; where it is not the comma, a comma in a number is its decimal mark.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any

from engine.errors import InputError
from item_bank.items.bank_files import BankSource, ItemSource, Problems
from item_bank.items.content import LANGUAGE
from item_bank.items.formats.values import (
    LABEL,
    NUMBERS,
    SCALARS,
    STEPS,
    TEXTS,
    Note,
    check_about,
    check_area,
    check_code,
    check_status,
    checked_parameters,
    is_number,
    read_text,
)
from item_bank.items.plans import EVERY_LANGUAGE, Parameters

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LABELS = ("language", "content", "status", "enemies", "stimulus", *TEXTS, *NUMBERS)
_NOTES = "notes"
"""What a fit says of an item; not kept."""
_OWN = "label:"
"""Begins the name of a column with a label of the bank's own."""
_RARE = ("language", *TEXTS, *NUMBERS)
"""Columns that are written only where an item has something in them."""
_STEP = re.compile(r"(b|slope|intercept)[1-9]\d?")


@dataclass(frozen=True)
class _Row:
    """A record by column name, with its line."""

    line: int
    cells: Mapping[str, str]
    comma: bool
    problems: Problems

    def note(self, expected: str, found: object, column: str) -> None:
        self.problems.add(expected, found, self.line, column)

    def number(self, column: str) -> float | None:
        text = self.cells.get(column, "")
        if not text:
            return None
        plain = text.replace(",", ".", 1) if self.comma else text
        if not _NUMBER.fullmatch(plain) or not is_number(float(plain)):
            self.note_of_item("a number or an empty cell", repr(text), column)
            return None
        return float(plain)

    def note_of_item(self, expected: str, found: object, column: str) -> None:
        self.note(f"{expected} for item {self.cells.get('item', '')}", found, column)


def read_csv(path: Path | str) -> BankSource:
    """Read a parameter file as a bank without texts.

    Raises
    ------
    InputError
        A `BankFileError` with every problem.
    """
    problems = Problems(path)
    rows = _rows(path, read_text(path), problems)
    read = [(row, _item(row)) for row in rows]
    items = _by_code([(row, item) for row, item in read if item is not None])
    if not rows and not problems.found:
        problems.add("at least one item", "none", None, None)
    problems.stop()
    return BankSource(str(path), tuple(items))


def csv_text(items: Sequence[ItemSource]) -> str:
    """Format items as a parameter file, every number with all its digits."""
    sets = [p for item in items for p in item.parameters.values()]
    names = [*SCALARS, *(column for name in STEPS for column in _step_columns(name, sets))]
    labels = [name for name in _LABELS if name not in _RARE or _is_used(name, items)]
    labels += sorted({_OWN + name for item in items for name in item.about.get("labels", {})})
    errors = [f"se_{name}" for name in names] if any(p.se for p in sets) else []
    stream = io.StringIO()
    writer = csv.DictWriter(
        stream, ["item", "model", *names, *errors, *labels], lineterminator="\n", restval=""
    )
    writer.writeheader()
    for item in items:
        for language, parameters in item.parameters.items():
            row = _written(item, language, parameters)
            writer.writerow({name: row[name] for name in writer.fieldnames if name in row})
    return stream.getvalue()


def _is_used(name: str, items: Sequence[ItemSource]) -> bool:
    if name == "language":
        return any(language for item in items for language in item.parameters)
    return any(name in item.about for item in items)


def _step_columns(name: str, sets: Sequence[Parameters]) -> list[str]:
    width = max((len(p.values.get(name, ())) for p in sets), default=0)
    return [f"{STEPS[name]}{k}" for k in range(1, width + 1)]


# --- reading -----------------------------------------------------------------------------------


def _rows(path: Path | str, text: str, problems: Problems) -> list[_Row]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records = [(reader.line_num, [cell.strip() for cell in record]) for record in reader]
    except csv.Error as error:
        raise InputError("CSV", str(error), file=path, line=reader.line_num) from None
    while records and not any(records[-1][1]):
        records.pop()
    if not records:
        raise InputError("a header line", "an empty file", file=path)
    line, header = records[0]
    _check_header(header, line, problems)
    rows = []
    for number, cells in records[1:]:
        if len(cells) != len(header):
            found = f"{len(cells)} cells" if cells else "an empty line"
            problems.add(f"{len(header)} cells as in the header", found, number, None)
        else:
            named = dict(zip(header, cells, strict=True))
            rows.append(_Row(number, named, delimiter != ",", problems))
    return rows


def _check_header(header: list[str], line: int, problems: Problems) -> None:
    for name in ("item", "model"):
        if name not in header:
            problems.add(f"a column {name}", ", ".join(header)[:60], line, None)
    for name in dict.fromkeys(header):
        base = name.removeprefix("se_")
        known = base in SCALARS or _STEP.fullmatch(base)
        own = name.startswith(_OWN) and LABEL.fullmatch(name.removeprefix(_OWN))
        if not known and not own and name not in {"item", "model", _NOTES, *_LABELS}:
            expected = (
                "a column of a parameter file (item, model, a, b, c, d, b1, .., slope1, .., se_a)"
            )
            problems.add(expected, "an unknown one", line, name or "a column without a name")
        if header.count(name) > 1:
            problems.add("columns that stand once", f"{header.count(name)} of them", line, name)


def _item(row: _Row) -> ItemSource | None:
    before = len(row.problems.found)
    cells = row.cells
    check_code(cells.get("item", ""), row.note, "item")
    language = cells.get("language", "")
    if language and not LANGUAGE.fullmatch(language):
        row.note("a language such as en or zh-Hans, or an empty cell", repr(language), "language")
    area = check_area(cells["content"], row.note, "content") if "content" in cells else None
    status = check_status(cells.get("status"), row.note, "status")
    about = _about(row)
    clean = len(row.problems.found)
    values, se = _numbers(row, ""), _numbers(row, "se_")
    if len(row.problems.found) > clean:
        return None
    note = _in_columns(row, values)
    parameters = checked_parameters(cells.get("model"), values, se, note)
    if parameters is None or len(row.problems.found) > before:
        return None
    return ItemSource(
        code=cells["item"],
        content_area=area,
        about=about,
        parameters={language: parameters},
        status=status,
    )


def _about(row: _Row) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if row.cells.get("enemies"):
        given["enemies"] = [code.strip() for code in row.cells["enemies"].split(";")]
    if row.cells.get("stimulus"):
        given["stimulus"] = row.cells["stimulus"]
    given |= {name: row.cells[name] for name in TEXTS if row.cells.get(name)}
    numbers = {name: row.number(name) for name in NUMBERS}
    given |= {name: number for name, number in numbers.items() if number is not None}
    own = {
        name.removeprefix(_OWN): text
        for name, text in row.cells.items()
        if name.startswith(_OWN) and text
    }
    if own:
        given["labels"] = own
    return check_about(given, row.note)


def _numbers(row: _Row, prefix: str) -> dict[str, Any]:
    found = {name: row.number(prefix + name) for name in SCALARS}
    values: dict[str, Any] = {name: x for name, x in found.items() if x is not None}
    steps = {name: _steps(row, prefix + first) for name, first in STEPS.items()}
    return values | {name: found for name, found in steps.items() if found}


def _steps(row: _Row, first: str) -> list[float]:
    """Numbers of the columns of one name, NaN in the gaps between them."""
    columns = [f"{first}{k}" for k in range(1, 100) if f"{first}{k}" in row.cells]
    steps = [row.number(column) for column in columns]
    while steps and steps[-1] is None:
        steps.pop()
    return [float("nan") if step is None else step for step in steps]


def _in_columns(row: _Row, values: Mapping[str, Any]) -> Note:
    """Note what is wrong with parameters where it stands, in a column of the file."""

    def note(expected: str, found: object, column: str) -> None:
        name = column.removeprefix("se_")
        if name in STEPS:
            place = _first_wrong(values.get(name, ())) if name == column == "thresholds" else 0
            found = values[name][place] if name == column == "thresholds" else found
            column = f"{column.removesuffix(name)}{STEPS[name]}{place + 1}"
        row.note_of_item(expected, found, column)

    return note


def _first_wrong(steps: Sequence[float]) -> int:
    """Place of the first threshold that is missing or does not exceed the one before it."""
    pairs = enumerate(pairwise(steps), start=1)
    falling = (place for place, (before, after) in pairs if not before < after)
    missing = (place for place, step in enumerate(steps) if isnan(step))
    return next(missing, next(falling, 0))


def _by_code(read: Sequence[tuple[_Row, ItemSource]]) -> list[ItemSource]:
    """Put the rows of an item in several languages together."""
    items: dict[str, ItemSource] = {}
    for row, item in read:
        old = items.get(item.code)
        if old is None:
            items[item.code] = item
        elif _may_join(old, item, row.note):
            sets = {**old.parameters, **item.parameters}
            items[item.code] = ItemSource(
                item.code,
                content_area=old.content_area,
                about=old.about,
                parameters=sets,
                status=old.status,
            )
    return list(items.values())


def _may_join(old: ItemSource, new: ItemSource, note: Note) -> bool:
    language = next(iter(new.parameters))
    if EVERY_LANGUAGE in old.parameters or language in {*old.parameters, EVERY_LANGUAGE}:
        note("items that stand once (or once for each language)", repr(new.code), "item")
        return False
    same = (old.content_area, old.status, old.about) == (new.content_area, new.status, new.about)
    if not same:
        note("the same labels in every language of an item", "others", "content, status, enemies")
    return same


# --- writing -----------------------------------------------------------------------------------


def _written(item: ItemSource, language: str, parameters: Parameters) -> dict[str, Any]:
    return {
        "item": item.code,
        "model": parameters.model,
        **_cells(parameters.values, ""),
        **_cells(parameters.se, "se_"),
        "language": language,
        "content": item.content_area or "",
        "status": item.status or "",
        "enemies": ";".join(item.about.get("enemies", ())),
        "stimulus": item.about.get("stimulus", ""),
        **{name: item.about[name] for name in (*TEXTS, *NUMBERS) if name in item.about},
        **{_OWN + name: text for name, text in item.about.get("labels", {}).items()},
    }


def _cells(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    cells = {prefix + name: repr(values[name]) for name in SCALARS if name in values}
    for name, first in STEPS.items():
        steps = enumerate(values.get(name, ()), start=1)
        cells |= {f"{prefix}{first}{k}": repr(step) for k, step in steps}
    return cells
