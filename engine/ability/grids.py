"""Equally spaced points of theta, and what a bank's items say at each of them.

The tables are computed once for a bank and a grid and kept as long as the bank lives; a release
never changes, so neither do they. Called by `engine.ability.estimates` and `engine.simulation.run`.
Imports numpy and the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from engine.arrays import Floats, frozen_floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch


@dataclass(frozen=True)
class Grid:
    """Equally spaced points from ``low`` to ``high``, both included.

    Parameters
    ----------
    low, high
        Ends, low below high.
    n
        Number of points, at least 2. 61 on [-6, 6] suffice for tests of 100 items; 21 do not.
    """

    low: float = -6.0
    high: float = 6.0
    n: int = 61

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError("a grid from low to high", f"{self.low} to {self.high}", column="grid")
        if self.n < 2:
            raise InputError("a grid of at least 2 points", self.n, column="grid")

    @cached_property
    def points(self) -> Floats:
        """The points, shape ``(n,)``."""
        return frozen_floats(np.linspace(self.low, self.high, self.n))

    @cached_property
    def log_weights(self) -> Floats:
        """Log of the trapezoid rule's weights up to a constant, shape ``(n,)``: half at the ends.

        The halves matter on [-4, 4], where the normal density has not vanished: catR's values
        differ from those with equal weights by up to 3e-4. On [-6, 6] the two rules agree.
        """
        weights = np.zeros(self.n)
        weights[[0, -1]] = np.log(0.5)
        return frozen_floats(weights)


USUAL_GRID = Grid()
"""61 points on [-6, 6]."""


class Tables:
    """What the items of a bank say at the points of a grid; each table is made on first use.

    Parameters
    ----------
    points
        Shape ``(n_points,)``.
    items
        The bank.
    """

    def __init__(self, points: Floats, items: ItemParameters) -> None:
        self._points = points
        self._parameters = items.subset(np.arange(len(items)))

    @cached_property
    def log_probabilities(self) -> Floats:
        """Shape ``(n_items, max_categories, n_points)``, so that a response is one row."""
        return _by_response(dispatch.log_probabilities(self._points, self._parameters))

    @cached_property
    def by_place(self) -> Floats:
        """The same with one axis for row and score, ``(n_items * max_categories, n_points)``."""
        return self.log_probabilities.reshape(-1, len(self._points))

    @cached_property
    def known_logs(self) -> Floats:
        """The same with 0 for scores that an item lacks: in sums, minus infinity would be NaN."""
        return np.where(np.isneginf(self.log_probabilities), 0.0, self.log_probabilities)

    @cached_property
    def probabilities(self) -> Floats:
        """Shaped as the logs; 0 for scores that an item lacks."""
        return np.exp(self.log_probabilities)

    @cached_property
    def slopes(self) -> Floats:
        """Derivatives of the log probabilities, ``(n_items, max_categories, n_points)``."""
        return _by_response(dispatch.slopes(self._points, self._parameters))

    @cached_property
    def information(self) -> Floats:
        """Shape ``(n_items, n_points)``."""
        return np.ascontiguousarray(dispatch.information(self._points, self._parameters).T)

    @cached_property
    def bias_terms(self) -> Floats:
        """Warm's J, shape ``(n_items, n_points)``."""
        return np.ascontiguousarray(dispatch.bias_terms(self._points, self._parameters).T)


_TABLES: WeakKeyDictionary[ItemParameters, dict[Grid, Tables]] = WeakKeyDictionary()


def tables(items: ItemParameters, grid: Grid) -> Tables:
    """The tables of a bank on a grid, made once while the bank lives."""
    of_bank = _TABLES.setdefault(items, {})
    made = of_bank.get(grid)
    if made is None:
        # A copy of the parameters inside: a value that held the key would keep it alive for ever.
        made = of_bank[grid] = Tables(grid.points, items)
    return made


def _by_response(table: Floats) -> Floats:
    return np.ascontiguousarray(np.moveaxis(table, 0, -1))
