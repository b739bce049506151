"""Rows of a bank: taken apart into named values, and put together from several banks.

Called by the recalibration command, which keeps parameters by item and language. Imports
``engine``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from calibration.parameter_file import StandardErrors
from engine.items import ItemParameters, item_parameters


def parameter_values(items: ItemParameters, row: int) -> dict[str, Any]:
    """Parameters of one item that its model has: a; b or thresholds; c, d."""
    model = items.model[row]
    values: dict[str, Any] = {"a": float(items.a[row])}
    if items.is_dichotomous[row]:
        values["b"] = float(items.b[row])
    else:
        steps = items.thresholds[row]
        values["thresholds"] = steps[~np.isnan(steps)].tolist()
    if model in {"3pl", "4pl"}:
        values["c"] = float(items.c[row])
    if model == "4pl":
        values["d"] = float(items.d[row])
    return values


def error_values(se: StandardErrors, row: int) -> dict[str, Any]:
    """Standard errors of one item that are known."""
    found = {name: float(getattr(se, name)[row]) for name in "abcd"}
    values: dict[str, Any] = {name: value for name, value in found.items() if not np.isnan(value)}
    steps = se.thresholds[row]
    if not np.isnan(steps).all():
        values["thresholds"] = steps[~np.isnan(steps)].tolist()
    return values


def same_parameters(rows: Sequence[tuple[ItemParameters, int]]) -> bool:
    """Whether rows of several banks say the same of an item."""
    said = [(items.model[row], parameter_values(items, row)) for items, row in rows]
    return all(own == said[0] for own in said)


def joined_rows(rows: Sequence[tuple[str, ItemParameters, int]]) -> ItemParameters:
    """Make a bank of rows of other banks, under new names."""
    width = max(items.thresholds.shape[1] for _name, items, _row in rows)
    steps = np.full((len(rows), width), np.nan)
    for k, (_name, items, row) in enumerate(rows):
        steps[k, : items.thresholds.shape[1]] = items.thresholds[row]
    return item_parameters(
        [name for name, _items, _row in rows],
        [items.model[row] for _name, items, row in rows],
        a=[items.a[row] for _name, items, row in rows],
        b=[items.b[row] for _name, items, row in rows],
        c=[items.c[row] for _name, items, row in rows],
        d=[items.d[row] for _name, items, row in rows],
        thresholds=steps,
        content=[items.content[row] for _name, items, row in rows],
    )
