"""How often decisions are right, and how often a second test would decide the same.

Both integrate the sampling distribution of the estimator around true theta, from information
(Rudner, 2001, 2005) or from simulation. The posterior standard deviation of an EAP estimate is not
the spread of that distribution and must not be used here. Called by simulation summaries. Imports
numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from engine.ability.priors import Prior
from engine.arrays import Floats, Ints

BAYESIAN = frozenset({"eap", "map"})


@dataclass(frozen=True)
class ClassificationRates:
    """Rates over a population.

    Parameters
    ----------
    accuracy
        Share of decisions that name the level of the true theta.
    consistency
        Share of pairs of parallel tests that decide the same.
    too_high, too_low
        Shares of decisions above and below the level of the true theta.
    """

    accuracy: float
    consistency: float
    too_high: float
    too_low: float


def conditional_sem(estimator: str, information: Floats, prior: Prior) -> Floats:
    """Standard error of measurement as a function of true theta, from information there.

    Parameters
    ----------
    information
        Of the test at the true theta, shape ``(n,)``.

    Returns
    -------
    Floats
        ``1 / sqrt(I)`` for ``mle`` and ``wle``; ``sqrt(I) / (I + 1/sd^2)`` for ``map`` and ``eap``,
        whose estimates vary less because the prior pulls them in. Same shape.
    """
    information = np.asarray(information, dtype=np.float64)
    with np.errstate(divide="ignore"):
        if estimator in BAYESIAN:
            pulled: Floats = np.sqrt(information) / (information + prior.sd**-2)
            return pulled
        return 1.0 / np.sqrt(information)


def expected_estimate(estimator: str, theta: Floats, information: Floats, prior: Prior) -> Floats:
    """Mean of the estimator at a true theta: pulled to the prior mean for ``map`` and ``eap``.

    ``(I theta + mean/sd^2) / (I + 1/sd^2)``; theta itself for ``mle`` and ``wle``.
    """
    if estimator not in BAYESIAN:
        return theta
    precision = prior.sd**-2
    return (information * theta + precision * prior.mean) / (information + precision)


def rudner_rates(
    theta: Floats,
    se: Floats,
    cuts: Sequence[float],
    *,
    center: Floats | None = None,
    weights: Floats | None = None,
) -> ClassificationRates:
    """Rates when estimates are normal around a centre with a standard error.

    Parameters
    ----------
    theta
        True thetas, or estimates taken for them, shape ``(n,)``.
    se
        Of the estimator's sampling distribution there, as from `conditional_sem`, same shape.
    cuts
        On the theta scale, ascending.
    center
        Mean of the estimator there, as from `expected_estimate`; theta by default.
    weights
        Of the thetas, summing to anything; equal by default.
    """
    chances = level_chances(theta if center is None else center, se, cuts)
    true = levels_at(theta, cuts)
    share = np.ones(len(theta)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    columns = np.arange(chances.shape[1])
    return ClassificationRates(
        accuracy=float(share @ chances[np.arange(len(theta)), true]),
        consistency=float(share @ (chances**2).sum(axis=1)),
        too_high=float(share @ (chances * (columns > true[:, None])).sum(axis=1)),
        too_low=float(share @ (chances * (columns < true[:, None])).sum(axis=1)),
    )


def simulated_rates(
    theta: Floats, estimates: Floats, cuts: Sequence[float]
) -> ClassificationRates | None:
    """Rates of simulated tests, without assuming a distribution.

    For consistency, examinees are put in order of their true theta: neighbours are as good as one
    examinee tested twice, and the share of neighbours with the same decision is the rate.

    Parameters
    ----------
    theta, estimates
        True and estimated, shape ``(n,)``; estimates that are not finite are left out.

    Returns
    -------
    ClassificationRates or None
        None for fewer than two estimates.
    """
    known = np.isfinite(estimates)
    if known.sum() < 2:
        return None
    order = np.argsort(theta[known], kind="stable")
    true = levels_at(theta[known][order], cuts)
    decided = levels_at(estimates[known][order], cuts)
    return ClassificationRates(
        accuracy=float((decided == true).mean()),
        consistency=float((decided[1:] == decided[:-1]).mean()),
        too_high=float((decided > true).mean()),
        too_low=float((decided < true).mean()),
    )


def levels_at(theta: Floats, cuts: Sequence[float]) -> Ints:
    """How many cuts each theta reaches, shape ``(n,)``."""
    return np.searchsorted(np.asarray(cuts), theta, side="right").astype(np.int64)


def level_chances(center: Floats, se: Floats, cuts: Sequence[float]) -> Floats:
    """Chance of each level of a normal estimate, shape ``(n, n_cuts + 1)``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        below = ndtr((np.asarray(cuts)[None] - center[:, None]) / se[:, None])
    edges = np.concatenate([np.zeros((len(center), 1)), below, np.ones((len(center), 1))], axis=1)
    chances: Floats = np.diff(edges, axis=1)
    return chances
