"""Parallel analysis: how many dimensions have more in them than chance gives.

Called by ``check``. Imports ``engine``.

Sources: Horn (1965); Timmerman and Lorenzo-Seva (2011) for polychoric correlations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from calibration.fit_check.local_dependence import pair_tables
from calibration.fit_check.polychoric import polychoric_matrix
from calibration.matrix import ResponseMatrix
from engine.arrays import Floats

MOST_ITEMS = 150
QUANTILE = 95
ROUTED = "not admissible for routed data: correlations would be those of persons chosen by ability"


@dataclass(frozen=True, eq=False)
class ParallelAnalysis:
    """Eigenvalues of the polychoric correlations, in data and by chance.

    Parameters
    ----------
    items
        Those that vary, in order.
    eigenvalues
        Of the data, descending.
    chance_mean, chance_95
        Mean and 95th percentile of the same eigenvalue over permuted data.
    n_dimensions
        Leading eigenvalues above ``chance_95``.
    note
        Why there is none, or what to keep in mind.
    """

    items: tuple[str, ...] = ()
    eigenvalues: tuple[float, ...] = ()
    chance_mean: tuple[float, ...] = ()
    chance_95: tuple[float, ...] = ()
    n_dimensions: int = 0
    note: str = ""


def parallel_analysis(
    matrix: ResponseMatrix,
    *,
    draws: int = 20,
    seed: int = 1,
    advance: Callable[[int], None] = lambda _n: None,
) -> ParallelAnalysis:
    """Compare the eigenvalues of the data with those of permuted data.

    Each draw permutes the scores of every item among the persons who answered it, which keeps all
    margins and all that is missing, and takes every relation away.

    Parameters
    ----------
    matrix
        The data; persons count for the pairs that they answered.
    draws
        Of permuted data; 0 for no analysis.
    seed
        Of the permutations.
    advance
        Told when a draw is done.
    """
    if matrix.routed:
        return ParallelAnalysis(note=ROUTED)
    if draws == 0:
        return ParallelAnalysis(note="not asked for")
    varying = [k for k, own in enumerate(matrix.category_counts()) if (own > 0).sum() > 1]
    if len(varying) < 3:
        return ParallelAnalysis(note=f"only {len(varying)} items vary")
    if len(varying) > MOST_ITEMS:
        return ParallelAnalysis(note=f"{len(varying)} items are more than {MOST_ITEMS}")
    data = matrix.items(varying)
    own, note = eigenvalues(data)
    if np.isnan(own).any():
        return ParallelAnalysis(data.item, note=note)
    rng = np.random.default_rng(seed)
    chance = np.empty((draws, own.size))
    for k in range(draws):
        chance[k] = eigenvalues(_permuted(data, rng))[0]
        advance(1)
    high = np.percentile(chance, QUANTILE, axis=0)
    above = own > high
    return ParallelAnalysis(
        data.item,
        tuple(own.tolist()),
        tuple(chance.mean(axis=0).tolist()),
        tuple(high.tolist()),
        int(np.argmin(above)) if not above.all() else own.size,
        note,
    )


def eigenvalues(data: ResponseMatrix) -> tuple[Floats, str]:
    """Eigenvalues of the polychoric correlations, descending, and a remark."""
    highest = data.category_counts().shape[1]
    tables, starts = pair_tables(data, [highest] * data.n_items)
    correlations = polychoric_matrix(tables, starts)
    if np.isnan(correlations).any():
        blank = np.full(data.n_items, np.nan)
        return blank, "no correlation of items that nobody answered together"
    found = np.asarray(np.linalg.eigvalsh(correlations)[::-1], dtype=np.float64)
    note = "the polychoric correlations are not positive definite" if found[-1] < 0 else ""
    return found, note


def _permuted(data: ResponseMatrix, rng: np.random.Generator) -> ResponseMatrix:
    score = data.score.copy()
    order = np.argsort(data.column, kind="stable")
    ends = np.concatenate(([0], np.cumsum(data.item_counts())))
    for low, high in pairwise(ends):
        own = order[low:high]
        score[own] = score[own[rng.permutation(own.size)]]
    return replace(data, score=score)
