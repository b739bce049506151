"""Anchors: the items that two parameter files have in common, and those that a person chose.

Called by the commands of this folder. Imports ``engine`` and ``tables``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from calibration.parameter_file import ParameterFile, StandardErrors
from calibration.tables import read_text_table
from engine.errors import InputError
from engine.items import ItemParameters

AUTO = "auto"
LEAST = 2
"""One anchor cannot show that anything is wrong with it."""
_ALIKE = {"rasch": "2pl", "1pl": "2pl", "pcm": "gpcm"}
"""Models that differ in which values a may take, and in nothing else."""


@dataclass(frozen=True, eq=False)
class Anchors:
    """The same items on two scales, in the order of the new file.

    Parameters
    ----------
    new, old
        Their parameters.
    new_se, old_se
        Their standard errors; NaN where a file has none.
    """

    new: ItemParameters
    old: ItemParameters
    new_se: StandardErrors
    old_se: StandardErrors


def read_anchor_names(path: Path | str) -> tuple[tuple[str, int], ...]:
    """Read the names of anchors with their lines.

    A CSV file with a column ``item``, or plain text with one name on each line (or several with
    commas between).

    Raises
    ------
    InputError
        With file and line: a name that stands twice, or no name at all.
    """
    file = Path(path)
    names = _from_table(file) if _has_header(file) else _from_lines(file)
    seen: dict[str, int] = {}
    for name, line in names:
        if name in seen:
            expected = f"each anchor once, as on line {seen[name]}"
            raise InputError(expected, repr(name), file=file, line=line)
        seen[name] = line
    if not names:
        raise InputError("names of anchors", "none", file=file)
    return tuple(names)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("a readable file", found, file=file, column="--anchors") from error
    except UnicodeDecodeError as error:
        raise InputError("text in UTF-8", "other bytes", file=file, column="--anchors") from error


def _cells(line: str) -> list[str]:
    cells = (cell.strip().strip('"') for cell in re.split(r"[,;\t]", line))
    return [cell for cell in cells if cell]


def _has_header(file: Path) -> bool:
    return "item" in _cells((_read(file).splitlines() or [""])[0])


def _from_table(file: Path) -> list[tuple[str, int]]:
    table = read_text_table(file)
    return [row for row in zip(table.cells("item"), table.lines, strict=True) if row[0]]


def _from_lines(file: Path) -> list[tuple[str, int]]:
    lines = enumerate(_read(file).splitlines(), start=1)
    return [(name, number) for number, line in lines for name in _cells(line)]


def common_anchors(
    new: ParameterFile,
    old: ParameterFile,
    chosen: Sequence[tuple[str, int]] | None = None,
    *,
    files: tuple[object, object, object] = (None, None, None),
) -> Anchors:
    """Take the anchors of two parameter files.

    Parameters
    ----------
    new, old
        The files.
    chosen
        Names with lines from ``read_anchor_names``; by default every item in both files.
    files
        Where new, old and chosen came from, for messages.

    Raises
    ------
    InputError
        For fewer than two anchors, a chosen one that a file does not have, and anchors whose model
        or number of categories differs between the files.
    """
    if chosen is None:
        names = [name for name in new.items.item if name in old.items]
    else:
        _check_known(chosen, new.items, old.items, files)
        names = [name for name, _line in chosen]
    if len(names) < LEAST:
        expected = f"at least {LEAST} items in both {files[0]} and {files[1]}"
        found = f"{len(names)}" if names else "none"
        raise InputError(expected, found, file=files[2], column="--anchors")
    new_rows = [new.items.row(name) for name in names]
    old_rows = [old.items.row(name) for name in names]
    sides = new.items.subset(new_rows), old.items.subset(old_rows)
    _check_models(*sides, files)
    return Anchors(*sides, errors_of(new.se, new_rows), errors_of(old.se, old_rows))


def errors_of(se: StandardErrors, rows: Sequence[int]) -> StandardErrors:
    """Standard errors of some items."""
    at = np.asarray(rows, dtype=np.int64)
    tables = (getattr(se, field.name) for field in fields(se))
    return StandardErrors(*(table[at] if table.size else table for table in tables))


def subset(anchors: Anchors, rows: Sequence[int]) -> Anchors:
    """Some of the anchors."""
    return Anchors(
        anchors.new.subset(list(rows)),
        anchors.old.subset(list(rows)),
        errors_of(anchors.new_se, rows),
        errors_of(anchors.old_se, rows),
    )


def _check_known(
    chosen: Sequence[tuple[str, int]],
    new: ItemParameters,
    old: ItemParameters,
    files: tuple[object, object, object],
) -> None:
    for name, line in chosen:
        for items, file in ((new, files[0]), (old, files[1])):
            if name not in items:
                raise InputError(f"an item of {file}", repr(name), file=files[2], line=line)


def _check_models(
    new: ItemParameters, old: ItemParameters, files: tuple[object, object, object]
) -> None:
    for row, name in enumerate(new.item):
        models = [_ALIKE.get(side.model[row], side.model[row]) for side in (new, old)]
        counts = [int(side.n_categories[row]) for side in (new, old)]
        if models[0] != models[1] or counts[0] != counts[1]:
            said = [f"{m} with {n} categories" for m, n in zip(models, counts, strict=True)]
            expected = f"item {name} as in {files[1]} ({said[1]})"
            raise InputError(expected, said[0], file=files[0], column="model")
