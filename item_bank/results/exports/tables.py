"""Tables that are written block by block, as CSV or as Parquet, with columns that have a meaning.

Pure: rows in, bytes into a file that can only be written once, from its beginning to its end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from item_bank.store.cells import BYTE_ORDER_MARK, no_formula
from item_bank.store.clock import SECOND

TEXT, WHOLE, NUMBER, YES_NO, TIME = "text", "whole", "number", "yes_no", "time"
ROWS_OF_A_GROUP = 20_000
Row = Sequence[Any]
_ARROW: Mapping[str, Any] = {
    TEXT: pa.string(),
    WHOLE: pa.int64(),
    NUMBER: pa.float64(),
    YES_NO: pa.bool_(),
    TIME: pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Column:
    """A variable.

    Parameters
    ----------
    kind
        text, whole, number, yes_no or time (microseconds of the site clock).
    values
        What it may be, in words; empty where its meaning says so.
    """

    name: str
    kind: str
    meaning: str
    values: str = ""


class Table(Protocol):
    """What both writers are."""

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what is left; the file itself stays open."""


class CsvTable:
    """CSV in UTF-8: times by ISO 8601, true and false, nothing for what is missing."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column], *, mark: bool = False) -> None:
        self._file = file
        self._times = [n for n, column in enumerate(columns) if column.kind == TIME]
        self._truths = [n for n, column in enumerate(columns) if column.kind == YES_NO]
        if mark:
            file.write(BYTE_ORDER_MARK)
        self._lines([[column.name for column in columns]])

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        self._lines(map(self._said, rows))

    def close(self) -> None:
        """Nothing is left."""

    def _said(self, row: Row) -> list[Any]:
        said = [no_formula(value) for value in row]
        for n in self._times:
            said[n] = None if row[n] is None else iso_time(row[n])
        for n in self._truths:
            said[n] = None if row[n] is None else str(bool(row[n])).lower()
        return said

    def _lines(self, rows: Iterable[Row]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._file.write(text.getvalue().encode())


class ParquetTable:
    """Parquet with typed columns, what each means, and what the table is about."""

    def __init__(
        self, file: IO[bytes], columns: Sequence[Column], about: Mapping[str, str]
    ) -> None:
        fields = [
            pa.field(c.name, _ARROW[c.kind], metadata={"meaning": c.meaning}) for c in columns
        ]
        self._schema = pa.schema(fields, metadata=dict(about))
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._batches: list[Any] = []
        self._waiting = 0

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows; row groups are written as they are full."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        self._batches.append(pa.record_batch(arrays, schema=self._schema))
        self._waiting += len(columns[0])
        if self._waiting >= ROWS_OF_A_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches, schema=self._schema)
            self._writer.write_table(table, row_group_size=len(table))
        self._batches, self._waiting = [], 0


def iso_time(at: int) -> str:
    """Write a time of the site clock by ISO 8601, to the second."""
    return f"{datetime.fromtimestamp(at / SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
