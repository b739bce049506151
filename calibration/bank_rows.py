"""Rows of a bank: taken apart into named values, and put together from several banks.

Called by the recalibration command, which keeps parameters by item and language. Imports
``engine``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.parameter_file import StandardErrors
from engine.arrays import Floats
from engine.items import ItemParameters, item_parameters

STEPS = ("thresholds", "slopes", "intercepts")


def parameter_values(items: ItemParameters, row: int) -> dict[str, Any]:
    """Parameters of one item that its model has: a; b or thresholds; c, d; slopes, intercepts."""
    model = items.model[row]
    if model == "nrm":
        return {name: _known(getattr(items, name)[row]) for name in ("slopes", "intercepts")}
    values: dict[str, Any] = {"a": float(items.a[row])}
    if items.is_dichotomous[row]:
        values["b"] = float(items.b[row])
    else:
        values["thresholds"] = _known(items.thresholds[row])
    if model in {"3pl", "4pl"}:
        values["c"] = float(items.c[row])
    if model == "4pl":
        values["d"] = float(items.d[row])
    return values


def error_values(se: StandardErrors, row: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Standard errors of one item's `parameter_values` that are known; of lists all or none."""
    scalars = {name: float(getattr(se, name)[row]) for name in "abcd"}
    known = {name: value for name, value in scalars.items() if not np.isnan(value)}
    tables = {name: getattr(se, name) for name in STEPS if name in values}
    lists = {name: _known(table[row]) for name, table in tables.items() if table.size}
    return known | {n: steps for n, steps in lists.items() if len(steps) == len(values[n])}


def same_parameters(rows: Sequence[tuple[ItemParameters, int]]) -> bool:
    """Whether rows of several banks say the same of an item."""
    said = [(items.model[row], parameter_values(items, row)) for items, row in rows]
    return all(own == said[0] for own in said)


def joined_rows(rows: Sequence[tuple[str, ItemParameters, int]]) -> ItemParameters:
    """Make a bank of rows of other banks, under new names."""
    scalars = {name: [getattr(items, name)[row] for _, items, row in rows] for name in "abcd"}
    return item_parameters(
        [name for name, _items, _row in rows],
        [items.model[row] for _name, items, row in rows],
        **scalars,
        **{name: _table([getattr(items, name)[row] for _, items, row in rows]) for name in STEPS},
        content=[items.content[row] for _name, items, row in rows],
    )


def _known(steps: Floats) -> list[float]:
    known: list[float] = steps[~np.isnan(steps)].tolist()
    return known


def _table(rows: Sequence[Floats]) -> Floats:
    """Rows of different lengths in one table, padded with NaN."""
    table = np.full((len(rows), max(1, *map(len, rows))), np.nan)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
