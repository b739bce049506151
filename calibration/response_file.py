"""Response files: CSV or Parquet, wide or long, to a response matrix.

Wide: an optional first column ``person``, then one column per item, one row per person; a blank
(or ``NA``) is not administered. Long: columns ``person, item, score`` and optionally ``time``, one
row per response. A column that ``--group`` names is the persons' group. Scores are integers from 0
(``1.0`` counts as 1). Called by the command line. Imports ``engine``, ``tables``, ``matrix``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.matrix import (
    MAX_CATEGORIES,
    ResponseMatrix,
    from_dense,
    numbered,
    response_matrix_from_codes,
)
from calibration.tables import TextTable, read_text_table
from engine.arrays import Floats, Ints
from engine.errors import InputError

Codes = npt.NDArray[np.integer[Any]]
LONG = ("person", "item", "score")
RECORDED = {"sitting", "position"}
_SCORE = re.compile(r"(\d{1,9})([.,]0*)?", re.ASCII)
_SCORE_TEXT = f"an integer score from 0 to {MAX_CATEGORIES - 1} or an empty cell (or --ignore)"
_PARQUET = b"PAR1"


@dataclass(frozen=True, eq=False)
class _Columns:
    """A table of either kind: labels are text, scores are floats with NaN for blanks."""

    file: Path
    header: tuple[str, ...]
    table: Any
    lines: Sequence[int]

    def labels(self, name: str) -> list[str]:
        if isinstance(self.table, TextTable):
            found = self.table.cells(name)
        else:
            values = self.table.column(name).to_pylist()
            found = ["" if value is None else str(value) for value in values]
        for row, value in enumerate(found):
            if not value:
                raise self.error(row, name, f"a value in every row of {name}", "an empty cell")
        return found

    def codes(self, name: str) -> tuple[tuple[str, ...], Codes]:
        """Distinct labels in the order of appearance, and the position of each row's."""
        if isinstance(self.table, TextTable):
            return _coded(self.labels(name))
        return _parquet_codes(self, name)

    def scores(self, name: str) -> Floats:
        if isinstance(self.table, TextTable):
            return _text_scores(self.table, name)
        return _parquet_scores(self, name)

    def error(self, row: int, name: str, expected: str, found: object) -> InputError:
        return InputError(expected, found, file=self.file, line=self.lines[row], column=name)


def read_responses(
    path: Path | str,
    *,
    group: str | None = None,
    ignore: Sequence[str] = (),
    routed: bool = False,
) -> ResponseMatrix:
    """Read a response file.

    Parameters
    ----------
    path
        CSV (see ``tables``) or Parquet, told apart by content.
    group
        Name of the column with the persons' group.
    ignore
        Columns of a wide file that are not items.
    routed
        Whether an adaptive test chose what is missing; a long file with the columns ``sitting``
        and ``position``, as ``tarozu sitting export`` writes it, says so itself.

    Raises
    ------
    InputError
        With file, line (of a Parquet file: the row, from 1) and column: a score that is not an
        integer from 0, a person twice, a person who answers an item twice or changes group, an
        empty person, item or group, a column that does not exist, no rows, no items.
    """
    columns = _columns(Path(path))
    for name in (*ignore, *([group] if group else [])):
        if name not in columns.header:
            raise InputError(f"a column {name}", "none", file=columns.file, line=1)
    if not len(columns.lines):
        raise InputError("at least one row of responses", "none", file=columns.file)
    if set(LONG) <= set(columns.header):
        return _long(columns, group, routed=routed)
    return _wide(columns, group, ignore, routed=routed)


def _columns(file: Path) -> _Columns:
    try:
        with file.open("rb") as stream:
            is_parquet = stream.read(4) == _PARQUET
    except OSError as error:
        raise InputError("a readable file", error.strerror or str(error), file=file) from error
    if not is_parquet:
        table = read_text_table(file)
        return _Columns(file, table.header, table, table.lines)
    import pyarrow as pa  # noqa: PLC0415 - only for Parquet
    from pyarrow import parquet  # noqa: PLC0415

    try:
        found = parquet.ParquetFile(file).metadata
        names = tuple(parquet.ParquetFile(file).schema_arrow.names)
        parquet_table = _ParquetTable(file, long=set(LONG) <= set(names))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error
    return _Columns(file, names, parquet_table, range(1, found.num_rows + 1))


def _unreadable(file: Path, error: Exception) -> InputError:
    return InputError("a readable Parquet file", str(error).splitlines()[0], file=file)


class _ParquetTable:
    """Columns of a Parquet file: those of a long one one by one, since all may be too much."""

    def __init__(self, file: Path, *, long: bool) -> None:
        self._file, self._long = file, long
        self._whole = None if long else self._read(None)

    def column(self, name: str) -> Any:
        """All values of a column; texts of a long file as codes of a dictionary."""
        return (self._whole or self._read([name])).column(name)

    def _read(self, names: list[str] | None) -> Any:
        import pyarrow as pa  # noqa: PLC0415 - only for Parquet
        from pyarrow import parquet  # noqa: PLC0415

        try:
            schema = parquet.ParquetFile(self._file).schema_arrow
            texts = [
                name
                for name in set(names or ()) & set(LONG[:2])
                if pa.types.is_string(schema.field(name).type)
            ]
            return parquet.ParquetFile(self._file, read_dictionary=texts).read(names)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self._file, error) from error


def _parquet_codes(columns: _Columns, name: str) -> tuple[tuple[str, ...], Codes]:
    from pyarrow import types  # noqa: PLC0415 - only for Parquet

    column = columns.table.column(name)
    if not types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.unify_dictionaries().combine_chunks()
    if not hasattr(values, "indices"):  # no more than one chunk comes back in a list of chunks
        values = values.chunk(0)
    labels = ["" if label is None else str(label) for label in values.dictionary.to_pylist()]
    codes = values.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    nothing = np.array([not label for label in labels] + [True])
    for row in np.flatnonzero(nothing[codes])[:1]:
        expected = f"a value in every row of {name}"
        raise columns.error(int(row), name, expected, "an empty cell")
    first = np.full(len(labels), codes.size)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    order = np.argsort(first, kind="stable")[: int((first < codes.size).sum())]
    place = np.zeros(len(labels), dtype=np.int32)
    place[order] = np.arange(order.size)
    return tuple(labels[k] for k in order), place[codes]


def _wide(
    columns: _Columns, group: str | None, ignore: Sequence[str], *, routed: bool
) -> ResponseMatrix:
    header = columns.header
    if "person" in header[1:]:
        found = f"it in column {header.index('person') + 1}"
        raise InputError("person as the first column", found, file=columns.file, line=1)
    apart = {"person", group, *ignore}
    items = tuple(name for name in header if name not in apart)
    if not items:
        raise InputError("at least one item column", "none", file=columns.file, line=1)
    named = header[0] == "person"
    person = tuple(columns.labels("person")) if named else numbered(len(columns.lines))
    _check_persons(columns, person)
    scores = np.column_stack([columns.scores(name) for name in items])
    groups = tuple(columns.labels(group)) if group else ()
    observed = ~np.isnan(scores)
    filled = np.where(observed, scores, 0)
    return from_dense(filled, observed, person=person, item=items, group=groups, routed=routed)


def _check_persons(columns: _Columns, person: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for row, name in enumerate(person):
        if name in seen:
            expected = f"one row per person (as on line {columns.lines[seen[name]]})"
            raise columns.error(row, "person", expected, name)
        seen[name] = row


def _long(columns: _Columns, group: str | None, *, routed: bool) -> ResponseMatrix:
    persons, person_code = columns.codes("person")
    items, item_code = columns.codes("item")
    scores = columns.scores("score")
    _check_pairs(columns, persons, items, (person_code, item_code))
    groups = _person_groups(columns, group, persons, person_code) if group else ()
    seen = ~np.isnan(scores)
    codes = (person_code, item_code, scores)
    if not seen.all():
        codes = (person_code[seen], item_code[seen], scores[seen])
    recorded = set(columns.header) >= RECORDED
    return response_matrix_from_codes(
        persons, items, codes, group=groups, routed=routed or recorded
    )


def _coded(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Distinct names in the order of appearance, and the position of each among them."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(n, len(known)) for n in names), np.int64, len(names))
    return tuple(known), codes


def _check_pairs(
    columns: _Columns, persons: Sequence[str], items: Sequence[str], codes: tuple[Codes, Codes]
) -> None:
    pair = codes[0].astype(np.int64) * len(items) + codes[1]
    if not (pair[1:] > pair[:-1]).all() and _repeats(pair):
        _distinct, first = np.unique(pair, return_index=True)
        row = int(np.setdiff1d(np.arange(pair.size), first)[0])
        found = f"person {persons[codes[0][row]]}, item {items[codes[1][row]]} again"
        raise columns.error(row, "item", "one response per person and item", found)


def _repeats(pair: Ints) -> bool:
    ordered = np.sort(pair)
    return bool((ordered[1:] == ordered[:-1]).any())


def _person_groups(
    columns: _Columns, group: str, persons: Sequence[str], person_code: Codes
) -> tuple[str, ...]:
    found: dict[int, str] = {}
    for row, (code, name) in enumerate(
        zip(person_code.tolist(), columns.labels(group), strict=True)
    ):
        if found.setdefault(code, name) != name:
            expected = f"one group per person ({persons[code]} is in {found[code]})"
            raise columns.error(row, group, expected, name)
    return tuple(found[code] for code in range(len(persons)))


class _ScoreCells(dict[str, float]):
    """Text to score, each text read once; None for text that is no score."""

    def __missing__(self, text: str) -> float:
        found = _SCORE.fullmatch(text)
        value = float(found[1]) if found and int(found[1]) < MAX_CATEGORIES else -1.0
        if text in {"", "NA"}:
            value = np.nan
        self[text] = value
        return value


def _text_scores(table: TextTable, name: str) -> Floats:
    cells, known = table.cells(name), _ScoreCells()
    scores = np.array([known[cell] for cell in cells])
    wrong = np.flatnonzero(scores < 0)
    if wrong.size:
        row = int(wrong[0])
        raise table.error(row, name, _SCORE_TEXT, cells[row])
    return scores


def _parquet_scores(columns: _Columns, name: str) -> Floats:
    from pyarrow import types  # noqa: PLC0415 - only for Parquet

    column = columns.table.column(name)
    kind = column.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        if types.is_null(kind):
            return np.full(len(columns.lines), np.nan)
        raise InputError("a column of integers", f"type {kind}", file=columns.file, column=name)
    values = column.cast("int8") if types.is_boolean(kind) else column
    # Half the memory where nothing is lost by it: whole numbers above 2 ** 24 are no scores.
    width = "float64" if types.is_floating(kind) else "float32"
    scores: npt.NDArray[np.float64] = np.asarray(
        values.cast(width, safe=False).to_numpy(zero_copy_only=False)
    )
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(
            (scores < 0) | (scores >= MAX_CATEGORIES) | (scores != np.floor(scores))
        )
    wrong = wrong[~np.isnan(scores[wrong])]
    if wrong.size:
        row = int(wrong[0])
        raise columns.error(row, name, _SCORE_TEXT, float(scores[row]))
    return scores
