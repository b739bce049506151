"""What a fit is given, made consistent: models, categories, and known parameters by item.

Called by ``mml``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.matrix import ResponseMatrix
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import FAMILIES, ItemParameters, item_parameters


def known_parameters(
    matrix: ResponseMatrix, fixed: ItemParameters | None, start: ItemParameters | None
) -> tuple[ItemParameters | None, Ints]:
    """One bank of known parameters, and each item's row in it (-1 for none)."""
    bank = fixed if start is None else start if fixed is None else _joined(fixed, start)
    if bank is None:
        return None, np.full(matrix.n_items, -1, dtype=np.int64)
    rows = {name: row for row, name in enumerate(bank.item)}
    return bank, np.array([rows.get(name, -1) for name in matrix.item], dtype=np.int64)


def _joined(fixed: ItemParameters, start: ItemParameters) -> ItemParameters:
    """Fixed items, then those of ``start`` that are not fixed."""
    held = set(fixed.item)
    rest = start.subset([k for k, name in enumerate(start.item) if name not in held])
    return item_parameters(
        fixed.item + rest.item,
        fixed.model + rest.model,
        a=np.concatenate((fixed.a, rest.a)),
        b=np.concatenate((fixed.b, rest.b)),
        c=np.concatenate((fixed.c, rest.c)),
        d=np.concatenate((fixed.d, rest.d)),
        thresholds=_stacked(fixed.thresholds, rest.thresholds),
        slopes=_stacked(fixed.slopes, rest.slopes),
        intercepts=_stacked(fixed.intercepts, rest.intercepts),
    )


def _stacked(upper: Floats, lower: Floats) -> Floats:
    """One table over the other, NaN where one is narrower."""
    table = np.full((len(upper) + len(lower), max(upper.shape[1], lower.shape[1])), np.nan)
    table[: len(upper), : upper.shape[1]] = upper
    table[len(upper) :, : lower.shape[1]] = lower
    return table


def checked_models(
    matrix: ResponseMatrix, models: Sequence[str], fixed: ItemParameters | None, held: Bools
) -> tuple[str, ...]:
    """Models by item, those of held items from their parameters; refuse data without any."""
    if matrix.n_persons == 0 or matrix.n_items == 0:
        found = f"{matrix.n_persons} persons, {matrix.n_items} items"
        raise InputError("at least one person and one item", found)
    return tuple(
        fixed.model[fixed.row(name)] if fixed is not None and is_held else model
        for name, model, is_held in zip(matrix.item, models, held, strict=True)
    )


def category_numbers(
    matrix: ResponseMatrix,
    models: Sequence[str],
    known: ItemParameters | None,
    known_rows: Ints,
    held: Bools,
) -> Ints:
    """Categories of each item: two for the logistic family, as known, or as observed.

    Raises
    ------
    InputError
        For a score that the model cannot have, and for a free item one of whose scores nobody had,
        unless it is known how many it has. A graded item is refused even then: thresholds about
        a score that nobody had are best when they meet, which no prior of each alone prevents.
    """
    counts = matrix.category_counts()
    highest = matrix.highest_scores()
    n_categories = np.maximum(highest + 1, 2)
    for k, model in enumerate(models):
        if known is not None and known_rows[k] >= 0:
            n_categories[k] = known.n_categories[known_rows[k]]
        elif FAMILIES[model] == "logistic":
            n_categories[k] = 2
        if highest[k] >= n_categories[k]:
            expected = f"scores from 0 to {n_categories[k] - 1} (model {model})"
            raise InputError(expected, int(highest[k]), column=matrix.item[k])
        own = np.zeros(n_categories[k], dtype=np.int64)
        own[: counts.shape[1]] = counts[k, : n_categories[k]]
        empty = np.flatnonzero(own == 0)
        graded = FAMILIES[model] == "graded" and n_categories[k] > 2
        if empty.size and not held[k] and (known_rows[k] < 0 or graded):
            found = f"no score of {empty[0]}"
            raise InputError("an item of which every score occurs", found, column=matrix.item[k])
    return np.asarray(n_categories, dtype=np.int64)


def padded_counts(matrix: ResponseMatrix, n_categories: Ints) -> Ints:
    """Responses by item and category, as wide as the item with most categories."""
    counts = matrix.category_counts()
    width = max(int(n_categories.max()), counts.shape[1])
    padded = np.zeros((matrix.n_items, width), dtype=np.int64)
    padded[:, : counts.shape[1]] = counts
    return padded


def with_held(found: ItemParameters, fixed: ItemParameters, held: Bools) -> ItemParameters:
    """Put held items back digit for digit, not as they come out of slopes and intercepts."""
    rows = np.flatnonzero(held)
    own = [fixed.row(found.item[row]) for row in rows]
    scalars, steps = ("a", "b", "c", "d"), ("thresholds", "slopes", "intercepts")
    columns = {name: np.array(getattr(found, name)) for name in (*scalars, *steps)}
    for name in scalars:
        columns[name][rows] = getattr(fixed, name)[own]
    for name in steps:
        given = getattr(fixed, name)
        width = min(columns[name].shape[1], given.shape[1])
        columns[name][rows, :width] = given[own, :width]
    return item_parameters(found.item, found.model, content=found.content, **columns)
