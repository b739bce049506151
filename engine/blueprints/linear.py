"""A linear program that changes a little between solutions: columns come in, bounds move.

HiGHS keeps the basis of the solution before, so that most of a hundred solutions take a step of the
dual simplex each. One object serves one search from its beginning to its end, and nothing of it
outlives the search: equal searches take equal steps. Called by `engine.blueprints.tree` and
`engine.blueprints.programs`. Imports numpy, scipy and highspy.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from engine.arrays import Floats


class LinearTroubleError(ArithmeticError):
    """HiGHS neither solved a program nor found that it has no solution."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The solution of a linear program.

    Parameters
    ----------
    gain
        Of the values.
    values, reduced
        And what a unit more of each column would add, by the prices; shape ``(n_columns,)``.
    prices
        Of the rows, shape ``(n_rows,)``.
    """

    gain: float
    values: Floats
    reduced: Floats
    prices: Floats


class Linear:
    """Maximise ``gain @ x`` with ``lower <= matrix @ x <= upper`` and bounds on x.

    Parameters
    ----------
    lower, upper
        Shape ``(n_rows,)``.
    """

    def __init__(self, lower: Floats, upper: Floats) -> None:
        self._highs = _Silent()
        self._gain = np.zeros(0)
        nothing = np.zeros(0)
        no_rows = np.zeros(0, dtype=np.int32)
        self._highs.addRows(len(lower), lower, upper, 0, no_rows, no_rows, nothing)

    def add(self, gain: Floats, least: Floats, most: Floats, matrix: sparse.csc_array) -> None:
        """Add columns, ``matrix`` of shape ``(n_rows, n_new)``."""
        starts, rows = matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32)
        self._highs.addCols(len(gain), -gain, least, most, matrix.nnz, starts, rows, matrix.data)
        self._gain = np.concatenate([self._gain, gain])

    def solve(self, least: Floats | None = None, most: Floats | None = None) -> Optimum | None:
        """Solve, under other bounds where some are given; None where nothing keeps the rows."""
        highs, n = self._highs, len(self._gain)
        if least is not None and most is not None:
            highs.changeColsBounds(n, np.arange(n, dtype=np.int32), least, most)
        highs.run()
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise LinearTroubleError(highs.modelStatusToString(status))
        found = highs.getSolution()
        values = np.array(found.col_value)
        reduced, prices = -np.array(found.col_dual), -np.array(found.row_dual)
        return Optimum(float(self._gain @ values), values, reduced, prices)


class _Silent(highspy.Highs):
    """HiGHS in one thread and without a word on standard output."""

    def __init__(self) -> None:
        # Highs.__init__ switches callbacks on, by which HiGHS prints its name before any option.
        super(highspy.Highs, self).__init__()
        for option, value in (("output_flag", False), ("presolve", "off"), ("threads", 1)):
            self.setOptionValue(option, value)
