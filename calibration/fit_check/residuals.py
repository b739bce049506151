"""Residuals of an item along theta: what its persons scored, less what the model expects of them.

Called by ``check``. Imports ``engine``. Admissible for routed data, as everything is weighted by
the posteriors of the persons who answered.

Source: Haberman, Sinharay and Chon (2013); the errors leave out that parameters were estimated,
which makes the standardised residuals somewhat too small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from calibration.expectation import posteriors
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from engine.arrays import Floats
from engine.models import dispatch

FEWEST = 10.0
FEWEST_EXPECTED = 1.0


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals by item on the grid of theta, each (n_items, n_theta).

    NaN where fewer than 10 persons count, in the sense of (sum h)^2 / sum h^2 with h their
    posteriors at that theta, or fewer than 1 is expected there: far out, where nobody is, many
    persons' last traces count as many.

    Parameters
    ----------
    persons
        Posterior-expected persons who answered.
    observed, expected
        Mean score.
    standardised
        (observed - expected) / standard error.
    """

    persons: Floats
    observed: Floats
    expected: Floats
    standardised: Floats

    def worst(self, theta: Floats) -> tuple[Floats, Floats]:
        """Largest standardised residual of each item, with its sign, and the theta where it is."""
        size = np.nan_to_num(np.abs(self.standardised), nan=-1.0)
        at = np.argmax(size, axis=1)
        value = self.standardised[np.arange(len(at)), at]
        return value, np.where(np.isnan(value), np.nan, theta[at])


def residuals(matrix: ResponseMatrix, found: MmlFit) -> Residuals:
    """Compute residuals at every point of the grid.

    With h_p the posterior of person p at theta: observed = sum h_p x_p / sum h_p, and its error
    sqrt(sum h_p^2 (x_p - E)^2) / sum h_p, over the persons who answered the item.

    Parameters
    ----------
    matrix, found
        The data and the fit.
    """
    shape = (matrix.n_items, found.theta.size)
    people, score, squares = np.zeros(shape), np.zeros(shape), np.zeros((3, *shape))
    for posterior, seen, values, second in _blocks(matrix, found):
        people += seen.T @ posterior
        score += values.T @ posterior
        own = posterior * posterior
        for k, table in enumerate((seen, values, second)):
            squares[k] += table.T @ own
    expected = dispatch.expected_score(found.theta, found.items).T
    spread = squares[2] - 2 * expected * squares[1] + expected**2 * squares[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = (people**2 / squares[0] >= FEWEST) & (people >= FEWEST_EXPECTED)
        observed = np.where(enough, score / people, np.nan)
        error = np.sqrt(np.maximum(spread, 0.0)) / people
        standardised = np.where(error > 0, (observed - expected) / error, np.nan)
    return Residuals(people, observed, expected, standardised)


def _blocks(
    matrix: ResponseMatrix, found: MmlFit
) -> Iterator[tuple[Floats, sparse.csr_array, sparse.csr_array, sparse.csr_array]]:
    """Posteriors of some persons, who answered what, their scores and squared scores."""
    low = 0
    for _block, posterior, _log_l in posteriors(found.design, found.tables):
        part = matrix.persons(low, low + len(posterior))
        low += len(posterior)
        where, shape = (part.rows(), part.column), (part.n_persons, part.n_items)
        score = part.score.astype(np.float64)
        seen, values, second = (
            sparse.csr_array((x, where), shape=shape)
            for x in (np.ones(score.size), score, score * score)
        )
        yield posterior, seen, values, second
