"""The parameter file: item parameters and their standard errors as CSV.

Columns ``item, model, a, b, c, d, b1, b2, ..., slope1, ..., intercept1, ..., se_a, se_b, se_c,
se_d, se_b1, ...`` and, where they are known, ``language, content, status, enemies, stimulus``; a
column that a model lacks is empty or absent. Called by the command line of this package. Imports
``engine`` and ``tables``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from calibration.tables import TextTable, csv_text, read_text_table, write_text
from engine.arrays import Floats
from engine.attributes import ItemAttributes, item_attributes
from engine.errors import InputError
from engine.items import ItemParameters, item_parameters

SCALARS = ("a", "b", "c", "d")
WORDS = ("key", "cognitive_level", "competency")
OWN = "label:"
"""Begins the name of a column with a label of the bank's own."""
NUMBERS = ("words", "seconds")
LABELS = ("language", "content", "status", "enemies", "stimulus", *WORDS, *NUMBERS, "notes")
REQUIRED = {
    "rasch": ("b",),
    "1pl": ("a", "b"),
    "2pl": ("a", "b"),
    "3pl": ("a", "b", "c"),
    "4pl": ("a", "b", "c", "d"),
    "grm": ("a", "b1"),
    "pcm": ("b1",),
    "gpcm": ("a", "b1"),
    "nrm": ("slope1", "intercept1"),
}
POLYTOMOUS = frozenset({"grm", "pcm", "gpcm"})
_DIGITS = "0123456789"
STEPS = ("b", "slope", "intercept")
"""Columns that are numbered from 1."""


@dataclass(frozen=True, eq=False)
class StandardErrors:
    """Standard errors by item, rows as in the parameters; NaN where there is none.

    Parameters
    ----------
    a, b, c, d
        Shape (n_items,).
    thresholds
        Shape (n_items, max_thresholds); for dichotomous items all NaN, their error is in ``b``.
    slopes, intercepts
        Of nominal items, shape (n_items, max_slopes); without columns where there are none.
    """

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    thresholds: Floats
    slopes: Floats = field(default_factory=lambda: np.empty((0, 0)))
    intercepts: Floats = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True, eq=False)
class ParameterFile:
    """A parameter file: the parameters, their errors, and labels by column name.

    Parameters
    ----------
    items
        The parameters in the order of the file.
    se
        Their standard errors, NaN where the file has none.
    labels
        The optional columns that the file has, of ``LABELS``: one text per item, '' = none.
    """

    items: ItemParameters
    se: StandardErrors
    labels: dict[str, tuple[str, ...]]


def no_errors(n_items: int, n_thresholds: int, n_slopes: int = 0) -> StandardErrors:
    """Make standard errors of which none is known."""
    a, b, c, d = np.full((4, n_items), np.nan)
    slopes, intercepts = np.full((2, n_items, n_slopes), np.nan)
    thresholds = np.full((n_items, n_thresholds), np.nan)
    return StandardErrors(a, b, c, d, thresholds, slopes, intercepts)


def read_parameters(path: Path | str, *, language: str | None = None) -> ItemParameters:
    """Read the parameters of a parameter file; see ``read_parameter_file``."""
    return read_parameter_file(path, language=language).items


def read_parameter_file(path: Path | str, *, language: str | None = None) -> ParameterFile:
    """Read a parameter file with everything that it says.

    Parameters
    ----------
    path
        A CSV file, UTF-8 or UTF-16 with a byte order mark.
    language
        Where an item stands once per language: the rows of this language, and those of none.

    Raises
    ------
    InputError
        With file, line and column: an unknown column or model, a value that is missing, not a
        number or outside its range, an item that stands twice, no items.
    """
    table = _selected(read_text_table(path), language)
    _check_columns(table)
    if not table.rows:
        raise InputError("at least one item", "none", file=table.file)
    _check_unique(table)
    models = _models(table)
    values = {name: _numbers(table, name) for name in SCALARS}
    steps = {name: _step_columns(table, name) for name in STEPS}
    for row, model in enumerate(models):
        _check_row(table, row, model, values, steps)
    items = _built(table, models, values, steps)
    items = replace(items, attributes=_attributes(table))
    labels = {name: tuple(table.cells(name)) for name in LABELS if name in table.header}
    return ParameterFile(items, _errors(table, items), labels)


def languages_in(path: Path | str) -> tuple[str, ...]:
    """Languages that a parameter file has rows of, in the order of the file; none without them."""
    table = read_text_table(path)
    if "language" not in table.header:
        return ()
    return tuple(dict.fromkeys(name for name in table.cells("language") if name))


def write_parameters(
    path: Path | str,
    items: ItemParameters,
    se: StandardErrors | None = None,
    *,
    labels: dict[str, Sequence[str]] | None = None,
) -> None:
    """Write a parameter file, whole or not at all; see ``parameter_text``."""
    write_text(path, parameter_text(items, se, labels=labels))


def parameter_text(
    items: ItemParameters,
    se: StandardErrors | None = None,
    *,
    labels: dict[str, Sequence[str]] | None = None,
) -> str:
    """Format a parameter file, every number with all its digits.

    Threshold columns are written when an item is polytomous, those of slopes and intercepts when
    one is nominal, ``se_`` columns when ``se`` is given.
    """
    extra = {"content": items.content, **(labels or {})}
    extra = {name: extra[name] for name in LABELS if any(extra.get(name, ()))}
    errors = se or no_errors(len(items), 0)
    polytomous = [model in POLYTOMOUS for model in items.model]
    width = items.thresholds.shape[1] if any(polytomous) else 0
    steps = [f"b{k}" for k in range(1, width + 1)]
    nominal = [f"{name}{k + 1}" for name in STEPS[1:] for k in range(items.slopes.shape[1])]
    header = ["item", "model", *SCALARS, *steps, *nominal]
    if se is not None:
        header += [f"se_{name}" for name in (*SCALARS, *steps, *nominal)]
    rows = []
    for row, (item, model) in enumerate(zip(items.item, items.model, strict=True)):
        own = _present(items, row, width)
        cells: list[object] = [item, model, *own]
        if se is not None:
            cells += [float(column[row]) for column in (errors.a, errors.b, errors.c, errors.d)]
            cells += [float(errors.thresholds[row, k]) for k in range(width)]
            if nominal:
                cells += _nominal_errors(errors, row, len(nominal) // 2)
        rows.append([*cells, *(texts[row] for texts in extra.values())])
    return csv_text([*header, *extra], rows)


def _nominal_errors(errors: StandardErrors, row: int, width: int) -> list[float]:
    """Cells of slopes, then of intercepts."""
    cells = []
    for values in (errors.slopes, errors.intercepts):
        own = values[row].tolist() if values.size else []
        cells += [*own, *[np.nan] * (width - len(own))]
    return cells


def _present(items: ItemParameters, row: int, width: int) -> list[float | None]:
    """Cells of a, b, c, d and all steps, empty (or NaN) where the model has none."""
    model = items.model[row]
    polytomous = model in POLYTOMOUS
    scalars: list[float | None] = [
        float(items.a[row]),
        float(items.b[row]),
        float(items.c[row]) if model in {"3pl", "4pl"} else None,
        float(items.d[row]) if model == "4pl" else None,
    ]
    steps: list[float | None] = [
        float(value) if polytomous else None for value in items.thresholds[row, :width]
    ]
    return [*scalars, *steps, *items.slopes[row].tolist(), *items.intercepts[row].tolist()]


def _selected(table: TextTable, language: str | None) -> TextTable:
    if language is None or "language" not in table.header:
        return table
    keep = [k for k, found in enumerate(table.cells("language")) if found in {"", language}]
    rows, lines = [table.rows[k] for k in keep], [table.lines[k] for k in keep]
    return TextTable(table.file, table.header, rows, lines, table.decimal_comma)


def _check_columns(table: TextTable) -> None:
    for name in ("item", "model"):
        if name not in table.header:
            raise InputError(f"a column {name}", "none", file=table.file, line=1)
    known = {"item", "model", *SCALARS, *LABELS, *(f"se_{name}" for name in SCALARS)}
    for prefix in (*STEPS, *(f"se_{name}" for name in STEPS)):
        known |= {f"{prefix}{k + 1}" for k in range(_n_steps(table.header, prefix))}
    for name in table.header:
        if name not in known and not name.startswith(OWN):
            found = "an unknown one"
            raise InputError(
                "a column of a parameter file", found, file=table.file, line=1, column=name
            )


def _check_unique(table: TextTable) -> None:
    seen: dict[str, int] = {}
    for row, item in enumerate(table.cells("item")):
        if not item:
            raise table.error(row, "item", "an item identifier", item)
        if item in seen:
            advice = f"one row per item (and language), as on line {table.lines[seen[item]]}"
            raise table.error(row, "item", advice, item)
        seen[item] = row


def _models(table: TextTable) -> tuple[str, ...]:
    models = tuple(table.cells("model"))
    for row, model in enumerate(models):
        if model not in REQUIRED:
            raise table.error(row, "model", "one of " + ", ".join(REQUIRED), model)
    return models


def _n_steps(header: tuple[str, ...], prefix: str) -> int:
    width = 0
    while f"{prefix}{width + 1}" in header:
        width += 1
    return width


def _numbers(table: TextTable, name: str) -> Floats:
    if name not in table.header:
        return np.full(len(table.rows), np.nan)
    found = (table.number(row, name) for row in range(len(table.rows)))
    return np.array([np.nan if value is None else value for value in found])


def _step_columns(table: TextTable, prefix: str) -> Floats:
    width = _n_steps(table.header, prefix)
    columns = [_numbers(table, f"{prefix}{k}") for k in range(1, width + 1)]
    return np.column_stack(columns) if columns else np.full((len(table.rows), 0), np.nan)


def _check_row(
    table: TextTable, row: int, model: str, values: dict[str, Floats], steps: dict[str, Floats]
) -> None:
    """Check that a row has what its model needs, no more, and within its range."""
    found = {name: float(column[row]) for name, column in values.items()}
    for name, columns in steps.items():
        found |= {f"{name}{k + 1}": float(value) for k, value in enumerate(columns[row])}
    for name in REQUIRED[model]:
        if np.isnan(found.get(name, np.nan)):
            raise table.error(row, name, f"a value for model {model}", "an empty cell")
    _check_lacking(table, row, model, found)
    if found["a"] <= 0:
        raise table.error(row, "a", "a discrimination above 0", found["a"])
    if model in {"rasch", "pcm"} and found["a"] != 1.0 and not np.isnan(found["a"]):
        raise table.error(row, "a", f"1 or an empty cell for model {model}", found["a"])
    _check_asymptotes(table, row, model, found)
    for name in _steps_of(model):
        _check_steps(table, row, name, steps[name][row])
    _check_shape(table, row, model, steps)


def _steps_of(model: str) -> tuple[str, ...]:
    if model in POLYTOMOUS:
        return ("b",)
    return ("slope", "intercept") if model == "nrm" else ()


def _check_lacking(table: TextTable, row: int, model: str, found: dict[str, float]) -> None:
    """Refuse values that the model does not have, but for the neutral ones."""
    neutral = {"c": 0.0, "d": 1.0}
    own = {name for name in SCALARS if name in REQUIRED[model]}
    own |= {"a"} if model in {"rasch", "pcm"} else set()
    for name in sorted(set(found) - own):
        value = found[name]
        if (
            np.isnan(value)
            or value == neutral.get(name)
            or name.rstrip(_DIGITS) in _steps_of(model)
        ):
            continue
        if name == "b1" and value == found["b"]:
            continue  # the first threshold of a dichotomous item is its b
        raise table.error(row, name, f"an empty cell for model {model}", value)


def _check_asymptotes(table: TextTable, row: int, model: str, found: dict[str, float]) -> None:
    c, d = found["c"], found["d"]
    if model in {"3pl", "4pl"} and not 0 <= c < 1:
        raise table.error(row, "c", "a lower asymptote from 0 to below 1", c)
    if model == "4pl" and not c < d <= 1:
        raise table.error(row, "d", "an upper asymptote above c and at most 1", d)


def _check_steps(table: TextTable, row: int, name: str, steps: Floats) -> None:
    known = steps[~np.isnan(steps)]
    if np.isnan(steps[: known.size]).any():
        gap = int(np.flatnonzero(np.isnan(steps))[0]) + 1
        expected = f"a value before later {'thresholds' if name == 'b' else name + 's'}"
        raise table.error(row, f"{name}{gap}", expected, "an empty cell")


def _check_shape(table: TextTable, row: int, model: str, steps: dict[str, Floats]) -> None:
    """Check the order of graded thresholds, and that nominal categories are whole."""
    known = {name: columns[row][~np.isnan(columns[row])] for name, columns in steps.items()}
    if model == "grm" and (np.diff(known["b"]) <= 0).any():
        at = int(np.flatnonzero(np.diff(known["b"]) <= 0)[0]) + 2
        raise table.error(row, f"b{at}", "thresholds in ascending order", float(known["b"][at - 1]))
    if model == "nrm" and known["slope"].size != known["intercept"].size:
        found = f"{known['slope'].size} and {known['intercept'].size}"
        raise table.error(row, "intercept1", "as many intercepts as slopes", found)
    if model == "nrm" and not known["slope"].any():
        raise table.error(row, "slope1", "a slope other than 0, that of category 0", "0")


def _built(
    table: TextTable,
    models: tuple[str, ...],
    values: dict[str, Floats],
    steps: dict[str, Floats],
) -> ItemParameters:
    fixed_a = np.array([model in {"rasch", "pcm"} for model in models])
    graded = np.array([model in POLYTOMOUS for model in models])
    return item_parameters(
        tuple(table.cells("item")),
        models,
        a=np.where(fixed_a, 1.0, values["a"]),
        b=values["b"],
        c=np.where(np.isnan(values["c"]), 0.0, values["c"]),
        d=np.where(np.isnan(values["d"]), 1.0, values["d"]),
        thresholds=np.where(graded[:, None], steps["b"], np.nan) if graded.any() else None,
        slopes=steps["slope"],
        intercepts=steps["intercept"],
        content=tuple(table.cells("content")) if "content" in table.header else None,
    )


def _attributes(table: TextTable) -> ItemAttributes:
    """What a blueprint may speak of; numbers must be there for every item, or for none."""
    numbers = {name: _numbers(table, name) for name in NUMBERS if name in table.header}
    for name, values in numbers.items():
        for row in np.flatnonzero(np.isnan(values)):
            raise table.error(int(row), name, "a number", "an empty cell")
    enemies = table.cells("enemies") if "enemies" in table.header else ()
    return item_attributes(
        len(table.rows),
        stimulus=table.cells("stimulus") if "stimulus" in table.header else None,
        enemies=[[one.strip() for one in cell.split(";") if one.strip()] for cell in enemies],
        labels={
            name.removeprefix(OWN): table.cells(name)
            for name in table.header
            if name in WORDS or name.startswith(OWN)
        },
        numbers=numbers,
    )


def _errors(table: TextTable, items: ItemParameters) -> StandardErrors:
    a, b, c, d = (_numbers(table, f"se_{name}") for name in SCALARS)
    widths = (items.thresholds.shape[1], items.slopes.shape[1], items.slopes.shape[1])
    steps = []
    for name, width in zip(STEPS, widths, strict=True):
        own = np.full((len(table.rows), width), np.nan)
        found = _step_columns(table, f"se_{name}")[:, :width]
        own[:, : found.shape[1]] = found
        steps.append(own)
    named = dict(zip(SCALARS, (a, b, c, d), strict=True))
    for name, values in zip(STEPS, steps, strict=True):
        named |= {f"{name}{k + 1}": column for k, column in enumerate(values.T)}
    for name, column in named.items():
        for row in np.flatnonzero(column < 0):
            expected = "a standard error from 0"
            raise table.error(int(row), f"se_{name}", expected, float(column[row]))
    return StandardErrors(a, b, c, d, *steps)
