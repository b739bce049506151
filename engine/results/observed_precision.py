"""How exact an exam was for the people who sat it, from their estimates and standard errors.

What comes in are estimates put together in narrow bins of theta, so that a cohort of any size is a
few hundred numbers. Called by cohort pages and the technical report. Imports numpy and the
engine's classification rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.ability.priors import Prior
from engine.arrays import Floats
from engine.results.classification_accuracy import (
    BAYESIAN,
    ClassificationRates,
    conditional_sem,
    expected_estimate,
    rudner_rates,
)

POINTS: Floats = np.linspace(-6.0, 6.0, 241)
LEAST_PRECISION = 1e-6


@dataclass(frozen=True, eq=False)
class BinnedEstimates:
    """Estimates of a cohort, put together in bins.

    Parameters
    ----------
    n
        How many, shape ``(n_bins,)``.
    theta
        Mean estimate of each bin, same shape.
    error_variance
        Mean squared standard error of each bin, same shape.
    """

    n: Floats
    theta: Floats
    error_variance: Floats

    @property
    def total(self) -> float:
        """How many estimates there are."""
        return float(self.n.sum())

    @property
    def mean(self) -> float:
        """Mean of the estimates."""
        return float(np.average(self.theta, weights=self.n))

    @property
    def variance(self) -> float:
        """Variance of the bins' means: that of the estimates but for what varies within a bin."""
        return float(np.average((self.theta - self.mean) ** 2, weights=self.n))

    @property
    def mean_error_variance(self) -> float:
        """Mean squared standard error."""
        return float(np.average(self.error_variance, weights=self.n))


def empirical_reliability(
    estimator: str, variance: float, mean_error_variance: float
) -> float | None:
    """Reliability of the scores of the people who sat an exam.

    ``eap`` and ``map``: ``v / (v + e)`` with v the variance of the estimates and e the mean squared
    posterior SD, as estimates vary less than abilities do. ``mle`` and ``wle``: ``(v - e) / v``.

    Returns
    -------
    float or None
        0 to 1; None where nothing varies.
    """
    if variance <= 0:
        return None
    if estimator in BAYESIAN:
        return variance / (variance + mean_error_variance)
    return max(0.0, (variance - mean_error_variance) / variance)


def information_behind(estimator: str, error_variance: Floats, prior: Prior) -> Floats:
    """Test information behind reported standard errors, shape as given.

    ``1 / SE^2``, less the prior's ``1 / sd^2`` for ``eap`` and ``map``.
    """
    precision = 1.0 / np.maximum(np.asarray(error_variance, dtype=np.float64), LEAST_PRECISION)
    if estimator in BAYESIAN:
        precision = precision - prior.sd**-2
    found: Floats = np.maximum(precision, LEAST_PRECISION)
    return found


def population_behind(estimator: str, found: BinnedEstimates) -> Floats:
    """Share of the abilities behind the estimates at `POINTS`, shape ``(241,)``, summing to 1.

    The mean of the posterior distributions of the people (Mislevy, 1984): normal, with the reported
    mean and SD for ``eap`` and ``map``. For ``mle`` and ``wle`` a normal population with the
    cohort's mean and its variance less the mean error variance stands for the prior.
    """
    theta, variance = found.theta, found.error_variance
    if estimator not in BAYESIAN:
        spread = max(found.variance - found.mean_error_variance, LEAST_PRECISION)
        variance = 1.0 / (1.0 / np.maximum(variance, LEAST_PRECISION) + 1.0 / spread)
        theta = found.mean + (theta - found.mean) * variance / found.error_variance
    sd = np.sqrt(np.maximum(variance, LEAST_PRECISION))
    density = np.exp(-0.5 * ((POINTS[:, None] - theta) / sd) ** 2) / sd
    density = density / density.sum(axis=0)
    shares: Floats = density @ (found.n / found.n.sum())
    return shares


def observed_rates(
    estimator: str, found: BinnedEstimates, cuts: Sequence[float], prior: Prior
) -> ClassificationRates | None:
    """Accuracy and consistency of the decisions on a cohort, by Rudner's method.

    The abilities are `population_behind` the estimates; around each of them the estimator varies as
    the information there lets it (`conditional_sem`, `expected_estimate`), never by the posterior
    SD. Information between bins is interpolated, and beyond them that of the last.

    Parameters
    ----------
    cuts
        On the theta scale, ascending.

    Returns
    -------
    ClassificationRates or None
        None for fewer than two estimates.
    """
    if found.total < 2:
        return None
    order = np.argsort(found.theta)
    behind = information_behind(estimator, found.error_variance, prior)
    information = np.interp(POINTS, found.theta[order], behind[order])
    return rudner_rates(
        POINTS,
        conditional_sem(estimator, information, prior),
        cuts,
        center=expected_estimate(estimator, POINTS, information, prior),
        weights=population_behind(estimator, found),
    )
