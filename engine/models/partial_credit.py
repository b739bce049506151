r"""Partial credit (Masters, 1982) and generalised partial credit items (Muraki, 1992).

``P(X = k)`` proportional to ``exp(sum_{v <= k} a (theta - b_v))``, logistic metric, D = 1; a = 1
in the PCM as fitted.

In every function ``theta`` broadcasts against ``a``; ``thresholds`` has the shape of ``a`` and one
more axis, padded with NaN after an item's last threshold. Results that differ by score category
have one more axis at the end, one longer than that of ``thresholds``. Called by
`engine.models.dispatch`. Imports numpy.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats, log_sums


def log_probabilities(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Log probability of each score, ``-inf`` for scores that an item lacks."""
    steps = a[..., None] * (theta[..., None] - thresholds)
    known = ~np.isnan(steps)
    sums = np.where(known, np.cumsum(np.where(known, steps, 0.0), axis=-1), -np.inf)
    sums = np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
    logs: Floats = sums - log_sums(sums)
    return logs


def probabilities(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Probability of each score, 0 for scores that an item lacks."""
    return np.exp(log_probabilities(theta, a, thresholds))


def expected_score(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Expected score."""
    mean: Floats = (probabilities(theta, a, thresholds) * _scores(thresholds)).sum(axis=-1)
    return mean


def information(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Fisher information, ``a^2`` times the variance of the score."""
    return a**2 * _variance(theta, a, thresholds)


def slopes(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Derivative of the log probability of each score, ``a (k - E X)``; 0 where lacking."""
    mean = expected_score(theta, a, thresholds)
    return np.where(
        _exists(thresholds), a[..., None] * (_scores(thresholds) - mean[..., None]), 0.0
    )


def curvatures(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Second derivative of the log probability of each score; 0 where lacking."""
    bend = -information(theta, a, thresholds)
    return np.where(_exists(thresholds), bend[..., None], 0.0)


def _variance(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    chances, scores = probabilities(theta, a, thresholds), _scores(thresholds)
    centred = scores - (chances * scores).sum(axis=-1, keepdims=True)
    variance: Floats = (chances * centred**2).sum(axis=-1)
    return variance


def _scores(thresholds: Floats) -> Floats:
    return np.arange(thresholds.shape[-1] + 1, dtype=np.float64)


def _exists(thresholds: Floats) -> np.typing.NDArray[np.bool_]:
    first = np.ones((*thresholds.shape[:-1], 1), dtype=np.bool_)
    return np.concatenate([first, ~np.isnan(thresholds)], axis=-1)
