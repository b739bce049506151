"""Text tables, read strictly: the rules that response files and parameter files share.

Called by ``parameter_file`` and ``response_file``. A table has a header and one record per line.
UTF-8 with or without a byte order mark, and UTF-16 with one, are read; comma, semicolon and tab
separate, whichever the header uses most. Where the separator is not a comma, a comma in a number
is its decimal mark. Everything else that is unusual is an error with its line. Imports ``engine``.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from engine.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class TextTable:
    """The records of a text table.

    Parameters
    ----------
    file
        Where it came from, for messages.
    header
        Column names, unique and not empty.
    rows
        The cells of each record, spaces around them removed; as many as the header has names.
    lines
        The line of the file on which each record ends, from 1.
    decimal_comma
        Whether a comma in a number is its decimal mark.
    """

    file: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    decimal_comma: bool

    def cells(self, column: str) -> list[str]:
        """All cells of a column."""
        at = self.header.index(column)
        return [row[at] for row in self.rows]

    def error(self, row: int, column: str, expected: str, found: object) -> InputError:
        """Build the error that names a cell, and the item of its row if that is another cell."""
        shown = repr(found) if isinstance(found, str) else found
        item = "" if column == "item" or "item" not in self.header else self.cells("item")[row]
        if item:
            expected = f"{expected} for item {item}"
        return InputError(expected, shown, file=self.file, line=self.lines[row], column=column)

    def number(self, row: int, column: str) -> float | None:
        """Read a cell as a finite number; None where it is empty."""
        text = self.rows[row][self.header.index(column)]
        if not text:
            return None
        plain = text.replace(",", ".", 1) if self.decimal_comma else text
        if not _NUMBER.fullmatch(plain) or not isfinite(float(plain)):
            raise self.error(row, column, "a number or an empty cell", text)
        return float(plain)


def read_text_table(path: Path | str) -> TextTable:
    """Read a delimited text file.

    Raises
    ------
    InputError
        For a file that is missing, empty, not text, with NUL bytes, an empty or repeated column
        name, an unclosed quote, or a record with more or fewer cells than the header.
    """
    file = Path(path)
    text = _decoded(file)
    delimiter = _delimiter(text)
    records, lines = _records(file, text, delimiter)
    if not records:
        raise InputError("a header line", "an empty file", file=file)
    header = _checked_header(file, records[0], lines[0])
    _check_width(file, header, records, lines)
    return TextTable(file, header, records[1:], lines[1:], decimal_comma=delimiter != ",")


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 file at once: it is there whole or not at all.

    Raises
    ------
    InputError
        When its folder is not there or cannot be written.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("a file that can be written", found, file=target) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a CSV table; None and NaN are empty cells, floats have all their digits.

    A text that a spreadsheet would compute gets an apostrophe, which reading takes off again.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_cell(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, str) and value.startswith(_COMPUTED) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return repr(float(value)) if isinstance(value, float) else value


def _read_cell(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(_COMPUTED) else text


def _decoded(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError("a readable file", error.strerror or str(error), file=file) from error
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x}"
        raise InputError("text in UTF-8", found, file=file, line=line) from error
    at = text.find("\0")
    if at >= 0:
        raise InputError("text", "a NUL byte", file=file, line=text.count("\n", 0, at) + 1)
    return text


def _delimiter(text: str) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _records(file: Path, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, lines = [], []
    try:
        for record in reader:
            records.append([_read_cell(cell) for cell in record])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError("well-formed CSV", error, file=file, line=reader.line_num) from error
    while records and not records[-1]:
        records.pop()
        lines.pop()
    return records, lines


def _checked_header(file: Path, names: list[str], line: int) -> tuple[str, ...]:
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name:
            found = f"none in column {position}"
            raise InputError("a column name", found, file=file, line=line)
        if name in seen:
            raise InputError(
                "column names that differ", "a second one", file=file, line=line, column=name
            )
        seen.add(name)
    if not names:
        raise InputError("a header line", "an empty line", file=file, line=line)
    return tuple(names)


def _check_width(
    file: Path, header: tuple[str, ...], records: list[list[str]], lines: list[int]
) -> None:
    width = len(header)
    for record, line in zip(records, lines, strict=True):
        if len(record) != width:
            found = f"{len(record)} cells" if record else "an empty line"
            raise InputError(f"{width} cells as in the header", found, file=file, line=line)
