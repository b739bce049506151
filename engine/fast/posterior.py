"""The posteriors of many persons on a grid, moved on answer by answer.

What `engine.ability.estimates.eap_of` computes from all answers, from the last one: a row of the
bank's table is added to each log posterior, and three weighted sums give mean and standard
deviation. Called by `engine.fast.plain_simulation`. Imports numpy and `engine.ability.grids`.
"""

from __future__ import annotations

import numpy as np

from engine.ability.grids import Grid, tables
from engine.ability.priors import Prior
from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters

SMALLEST_SUM = 1e-100
"""Weights that add up to less are scaled anew, long before they underflow."""

NARROW = 1e-4
"""The variance of a narrower posterior would be lost in the difference of two squares."""


class Posterior:
    """Log posteriors up to a constant, shape ``(n_persons, n_points)``.

    Parameters
    ----------
    n
        Number of persons, at first without answers.
    items, prior, grid
        What the answers are to, and where the posterior lives.
    """

    def __init__(self, n: int, items: ItemParameters, prior: Prior, grid: Grid) -> None:
        self._points = grid.points
        self._squares = grid.points**2
        self._ones = np.ones(grid.n)
        self._n_scores = items.max_categories
        self._table = tables(items, grid).log_probabilities.reshape(-1, grid.n)
        start = prior.log_density(grid.points) + grid.log_weights
        self._logs = np.repeat(start[None], n, axis=0)
        self._room = np.empty((n, grid.n))

    def keep(self, who: Bools) -> None:
        """Go on with some of the persons."""
        self._logs = self._logs[who]
        self._room = self._room[: len(self._logs)]

    def update(self, rows: Ints, scores: Ints) -> tuple[Floats, Floats]:
        """Add one answer of each person; theta and se, each of shape ``(n_persons,)``."""
        places = rows * self._n_scores + scores
        self._logs += self._table.take(places, axis=0, out=self._room, mode="clip")
        weights = np.exp(self._logs, out=self._room)
        sums = self._weighted(weights, self._ones)
        if sums.min(initial=1.0) < SMALLEST_SUM:
            self._logs -= self._logs.max(axis=1, keepdims=True)
            weights = np.exp(self._logs, out=self._room)
            sums = self._weighted(weights, self._ones)
        mean = self._weighted(weights, self._points) / sums
        variance = self._weighted(weights, self._squares) / sums - mean * mean
        narrow = np.flatnonzero(variance < NARROW)
        if len(narrow):
            away = self._points - mean[narrow, None]
            variance[narrow] = (weights[narrow] * away**2).sum(axis=1) / sums[narrow]
        return mean, np.sqrt(variance)

    @staticmethod
    def _weighted(weights: Floats, values: Floats) -> Floats:
        # Not a matrix product: the last bits of those depend on how many persons there are.
        sums: Floats = np.einsum("ij,j->i", weights, values)
        return sums
