"""Where an examinee stands: EAP, MAP, MLE and Warm's WLE, each with its standard error.

`estimate` serves one sitting; the functions on arrays serve simulation and calibration and are the
same computation, row by row. Imports numpy, the models and `engine.ability.grids`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from engine.ability import modes
from engine.ability.answers import (
    Answers,
    check_matrix,
    checked_answers,
    checked_places,
    log_likelihood,
)
from engine.ability.grids import USUAL_GRID, Grid, tables
from engine.ability.priors import STANDARD_NORMAL, Prior
from engine.arrays import Bools, Floats, Ints, frozen_floats
from engine.errors import InputError
from engine.items import ItemParameters

__all__ = [
    "ESTIMATORS",
    "AbilityEstimate",
    "Prior",
    "check_matrix",
    "eap_of",
    "eap_scores",
    "estimate",
    "estimate_eap",
    "estimate_map",
    "estimate_mle",
    "estimate_wle",
    "estimates",
    "matrix_scores",
]

ESTIMATORS = ("eap", "map", "mle", "wle")
PERSONS_AT_ONCE = 4096


@dataclass(frozen=True)
class AbilityEstimate:
    """An estimate of theta and its standard error, both in units of theta."""

    theta: float
    se: float


def estimate(
    method: str,
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> AbilityEstimate:
    """Estimate theta of one person by a named method.

    Parameters
    ----------
    method
        ``eap``, ``map``, ``mle`` or ``wle``.
    rows, scores
        Bank rows answered, and the scores from 0.
    prior, grid
        Not used by ``mle`` and ``wle``, which search [-4, 4]. ``map`` searches the range of the
        grid.

    Returns
    -------
    AbilityEstimate
        Without answers: the prior for ``eap`` and ``map``; theta NaN and se infinite for ``mle``
        and ``wle``, which are then not estimable.
    """
    if method == "eap":
        return _eap_of_one(rows, scores, items, prior, grid)
    one = checked_answers(rows, scores, items)
    theta, se = estimates(method, one, items, prior=prior, grid=grid)
    return AbilityEstimate(float(theta[0]), float(se[0]))


def estimate_eap(
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> AbilityEstimate:
    """Mean and standard deviation of the posterior (Bock and Mislevy, 1982); see `estimate`."""
    return estimate("eap", rows, scores, items, prior=prior, grid=grid)


def estimate_map(
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> AbilityEstimate:
    """Mode of the posterior; se = 1 / sqrt(information + 1 / sd^2); see `estimate`."""
    return estimate("map", rows, scores, items, prior=prior, grid=grid)


def estimate_mle(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters
) -> AbilityEstimate:
    """Maximum of the likelihood on [-4, 4]; se = 1 / sqrt(information); see `estimate`."""
    return estimate("mle", rows, scores, items)


def estimate_wle(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters
) -> AbilityEstimate:
    """Weighted likelihood estimate (Warm, 1989) on [-4, 4]; se = 1 / sqrt(information)."""
    return estimate("wle", rows, scores, items)


def estimates(
    method: str, given: Answers, items: ItemParameters, *, prior: Prior, grid: Grid
) -> tuple[Floats, Floats]:
    """Estimate theta of many persons; theta and se, each of shape ``(n_persons,)``."""
    if method == "eap":
        return eap_of(log_likelihood(given, items, grid), prior=prior, grid=grid)
    if method == "map":
        return modes.map_of(given, items, prior=prior, grid=grid)
    if method == "mle":
        return modes.mle_of(given, items)
    if method == "wle":
        return modes.wle_of(given, items)
    raise InputError(f"one of {', '.join(ESTIMATORS)}", repr(method), column="estimator")


def eap_scores(
    scores: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> tuple[Floats, Floats]:
    """EAP of a whole response matrix, by one matrix product for each score.

    Parameters
    ----------
    scores
        Shape ``(n_persons, n_items)``; ignored where not observed.
    observed
        Which cells were answered, same shape.

    Returns
    -------
    tuple of Floats
        Theta and se, each of shape ``(n_persons,)``; the prior for a person without answers.

    Raises
    ------
    InputError
        For a score that its item does not have.
    """
    check_matrix(scores, observed, items)
    table = _finite(tables(items, grid).log_probabilities)
    theta, se = np.empty(len(scores)), np.empty(len(scores))
    for start in range(0, len(scores), PERSONS_AT_ONCE):
        block = slice(start, start + PERSONS_AT_ONCE)
        sums = np.zeros((len(scores[block]), grid.n))
        for score in range(items.max_categories):
            chosen = observed[block] & (scores[block] == score)
            sums += chosen.astype(np.float64) @ table[:, score]
        theta[block], se[block] = eap_of(sums, prior=prior, grid=grid)
    return theta, se


def matrix_scores(
    method: str,
    scores: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> tuple[Floats, Floats]:
    """Estimate theta for a whole response matrix by any method; see `eap_scores`, `estimate`."""
    if method == "eap":
        return eap_scores(scores, observed, items, prior=prior, grid=grid)
    check_matrix(scores, observed, items)
    theta, se = np.empty(len(scores)), np.empty(len(scores))
    rows = np.arange(len(items), dtype=np.int64)
    for start in range(0, len(scores), PERSONS_AT_ONCE // 16):
        block = slice(start, start + PERSONS_AT_ONCE // 16)
        seen = observed[block]
        given = Answers(np.broadcast_to(rows, seen.shape), np.where(seen, scores[block], 0), seen)
        theta[block], se[block] = estimates(method, given, items, prior=prior, grid=grid)
    return theta, se


def eap_of(log_likelihood: Floats, *, prior: Prior, grid: Grid) -> tuple[Floats, Floats]:
    """Posterior mean and standard deviation from log likelihoods ``(n_persons, n_points)``."""
    log_posterior = log_likelihood + _log_prior(prior, grid)
    weights = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    weights /= np.add.reduce(weights, axis=1, keepdims=True)
    # Sums, not matrix products: their last bits do not depend on how many persons there are.
    theta = np.add.reduce(weights * grid.points, axis=1)
    variance = np.add.reduce(weights * (grid.points - theta[:, None]) ** 2, axis=1)
    return theta, np.sqrt(variance)


def _eap_of_one(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters, prior: Prior, grid: Grid
) -> AbilityEstimate:
    """As `eap_of`, in the same order of operations; arrays of one axis are the quicker."""
    picked = tables(items, grid).by_place.take(checked_places(rows, scores, items), axis=0)
    weights = np.add.reduce(picked, axis=0)
    weights += _log_prior(prior, grid)
    weights -= weights.max()
    np.exp(weights, out=weights)
    weights /= np.add.reduce(weights)
    theta = np.add.reduce(weights * grid.points)
    away = grid.points - theta
    away *= away
    away *= weights
    return AbilityEstimate(float(theta), sqrt(np.add.reduce(away)))


@lru_cache(maxsize=64)
def _log_prior(prior: Prior, grid: Grid) -> Floats:
    """Log of prior and weights at the points of a grid, up to a constant."""
    return frozen_floats(prior.log_density(grid.points) + grid.log_weights)


def _finite(table: Floats) -> Floats:
    """0 for scores that an item lacks: 0 times minus infinity would be NaN in a product."""
    return np.where(np.isneginf(table), 0.0, table)
