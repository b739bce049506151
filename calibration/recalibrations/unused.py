"""Scores that an item has and nobody had: what cannot be estimated then, and how it takes part.

About such a score the likelihood has no maximum. The thresholds on its two sides run away from each
other (partial credit), meet (graded), or there is nothing that holds the outermost one; what comes
out is the prior's, if anything. So a polytomous item of which a score is unused keeps the
release's parameters and links nothing. Where all items are fitted together it still takes part,
because it drove the routing: its unused scores are then merged, which is the model that the
likelihood tends to. Called by ``recalibration`` and the command. Imports ``engine``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from calibration.bank_rows import joined_rows
from calibration.matrix import ResponseMatrix
from calibration.parameter_file import StandardErrors
from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters, item_parameters


def used_scores(matrix: ResponseMatrix, n_categories: Ints) -> Bools:
    """Which scores somebody had, shape (n_items, most categories); False beyond an item's own."""
    counts = matrix.category_counts()
    used = np.zeros((matrix.n_items, int(n_categories.max(initial=2))), dtype=np.bool_)
    width = min(used.shape[1], counts.shape[1])
    used[:, :width] = counts[:, :width] > 0
    return used


def unused_scores(matrix: ResponseMatrix, release: ItemParameters) -> dict[str, tuple[int, ...]]:
    """Scores that nobody had, by polytomous item that has any.

    Dichotomous items are not in it: their one difficulty is on one side of what everybody had,
    where its prior holds it.

    Parameters
    ----------
    matrix
        Its items are those of the release, in the same order.
    release
        Says which scores there are.
    """
    used = used_scores(matrix, release.n_categories)
    found = {}
    for name, own, n in zip(release.item, used, release.n_categories.tolist(), strict=True):
        if n > 2 and not own[:n].all():
            found[name] = tuple(np.flatnonzero(~own[:n]).tolist())
    return found


def merged(
    matrix: ResponseMatrix, release: ItemParameters
) -> tuple[ResponseMatrix, ItemParameters]:
    """Leave unused scores of polytomous items out, in the data and in the parameters to begin with.

    Scores are numbered anew from 0. Of an item that has fewer than two used scores, the one next
    to them stays, too.

    Parameters
    ----------
    matrix, release
        As in ``unused_scores``.

    Returns
    -------
    tuple
        The same items, where every score of an item of more than two occurs.
    """
    lacking = unused_scores(matrix, release)
    used = used_scores(matrix, release.n_categories)
    new = np.tile(np.arange(used.shape[1]), (matrix.n_items, 1))
    rows = {}
    for name in lacking:
        k = release.row(name)
        left = _at_least_two(used[k], int(release.n_categories[k]))
        new[k, left] = np.arange(left.size)
        rows[k] = _narrowed(release, k, left)
    if not rows:
        return matrix, release
    sides = [
        (name, rows.get(k, release), 0 if k in rows else k) for k, name in enumerate(release.item)
    ]
    start = joined_rows(sides)
    return matrix.with_scores(new[matrix.column, matrix.score].astype(np.int16)), start


def _at_least_two(used: Bools, n_categories: int) -> Ints:
    left = np.flatnonzero(used[:n_categories])
    if left.size > 1:
        return left
    low = min(int(left[0]) if left.size else 0, n_categories - 2)
    if left.size and left[0] == n_categories - 1:
        low = n_categories - 2
    return np.array([low, low + 1])


def _narrowed(release: ItemParameters, row: int, left: Ints) -> ItemParameters:
    """One item with only some of its scores: where to begin, not what is estimated."""
    if release.model[row] == "nrm":
        tables = (release.slopes[row], release.intercepts[row])
        slopes, intercepts = (np.concatenate(([0.0], table))[left] for table in tables)
        return item_parameters(
            [release.item[row]], "nrm",
            slopes=[slopes[1:] - slopes[0]], intercepts=[intercepts[1:] - intercepts[0]],
        )  # fmt: skip
    between = pairwise(left.tolist())
    steps = [float(release.thresholds[row, low:high].mean()) for low, high in between]
    return item_parameters(
        [release.item[row]],
        release.model[row],
        a=release.a[row : row + 1],
        thresholds=[steps],
        content=[release.content[row]],
    )


def as_wide(errors: StandardErrors, like: ItemParameters) -> StandardErrors:
    """Give tables of errors as many columns as the parameters have, NaN in the new ones."""

    def padded(table: Floats, width: int) -> Floats:
        more = max(width - table.shape[1], 0)
        return np.pad(table, ((0, 0), (0, more)), constant_values=np.nan)

    return replace(
        errors,
        thresholds=padded(errors.thresholds, like.thresholds.shape[1]),
        slopes=padded(errors.slopes, like.slopes.shape[1]),
        intercepts=padded(errors.intercepts, like.intercepts.shape[1]),
    )
