"""Where nominal items begin: slopes from a first axis of the data.

The categories of a nominal item have no order, so no total score says who is able. The first axis
of a correspondence analysis of all answers does, up to its sign; it is turned so that it grows with
the scores of the ordered items, or where there are none, with the numbers of the categories.
Called by ``mml``. Imports ``engine``.

Source: Guttman (1941), as reciprocal averaging.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.matrix import ResponseMatrix
from calibration.parameter_space import Family
from engine.arrays import Floats, Ints

_ROUNDS = 100
_STEEPEST = 3.0


def nominal_start(
    matrix: ResponseMatrix, counts: Ints, model: Sequence[str], family: Family
) -> Floats:
    """First slopes and intercepts of nominal items, shape (n, width).

    If the axis z is normal with mean mu_k and variance s^2 among those who chose category k, then
    log P(k) / P(0) is linear in z with slope (mu_k - mu_0) / s^2.

    Parameters
    ----------
    matrix
        The responses.
    counts
        Responses by item and category, shape (n_items, max_categories).
    model
        By item.
    family
        The nominal items.
    """
    axis = first_axis(matrix, counts, model)
    means = _category_means(matrix, counts, axis)
    width = family.index.shape[1] // 2
    start = np.full((len(family.rows), 2 * width), np.nan)
    for k, (row, categories) in enumerate(zip(family.rows, family.n_categories, strict=True)):
        own = counts[row, :categories] + 0.5
        mean = means[row, :categories]
        within = max(1.0 - float((own * mean**2).sum() / own.sum()), 0.2)
        slopes = np.clip((mean - mean[0]) / within, -_STEEPEST, _STEEPEST)[1:]
        shift = (mean[1:] ** 2 - mean[0] ** 2) / (2 * within)
        start[k, : categories - 1] = slopes
        start[k, width : width + categories - 1] = np.log(own[1:] / own[0]) - shift
    return start


def first_axis(matrix: ResponseMatrix, counts: Ints, model: Sequence[str]) -> Floats:
    """Persons on the first axis, mean 0 and variance 1, shape (n_persons,)."""
    ordered = np.array([m != "nrm" for m in model])
    judge = ordered[matrix.column] if ordered.any() else np.ones(matrix.n_responses, dtype=bool)
    centre = matrix.score.astype(np.float64) - _item_means(matrix)[matrix.column]
    direction = np.bincount(matrix.rows(), centre * judge, minlength=matrix.n_persons)
    axis = _standard(np.asarray(direction, dtype=np.float64))
    for _ in range(_ROUNDS):
        values = _category_means(matrix, counts, axis)[matrix.column, matrix.score]
        total = np.bincount(matrix.rows(), values, minlength=matrix.n_persons)
        axis = _standard(total / np.maximum(matrix.person_counts(), 1))
    return axis if axis @ direction >= 0 else -axis


def _item_means(matrix: ResponseMatrix) -> Floats:
    total = np.bincount(matrix.column, matrix.score, minlength=matrix.n_items)
    return np.asarray(total / np.maximum(matrix.item_counts(), 1))


def _category_means(matrix: ResponseMatrix, counts: Ints, axis: Floats) -> Floats:
    """Mean of the axis among those who chose each category, shape of ``counts``."""
    cells = matrix.column * counts.shape[1] + matrix.score
    total = np.bincount(cells, axis[matrix.rows()], minlength=counts.size)
    return np.asarray(total.reshape(counts.shape) / np.maximum(counts, 1))


def _standard(values: Floats) -> Floats:
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))
