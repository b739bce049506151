r"""Graded response items (Samejima, 1969).

``P(X >= k) = 1 / (1 + exp(-a (theta - b_k)))``, logistic metric, D = 1, b_k ascending.

In every function ``theta`` broadcasts against ``a``; ``thresholds`` has the shape of ``a`` and one
more axis, padded with NaN after an item's last threshold. Results that differ by score category
have one more axis at the end, one longer than that of ``thresholds``. Called by
`engine.models.dispatch`. Imports numpy and scipy.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from engine.arrays import Bools, Floats


def log_probabilities(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Log probability of each score, ``-inf`` for scores that an item lacks.

    With ``x = a (theta - b_k)`` and ``y = a (theta - b_{k+1})``, the difference of two logistic
    curves is ``s(x) s(-y) (1 - exp(y - x))``: no cancellation, however far theta is.
    """
    x, y, exists = _bounds(theta, a, thresholds)
    apart = np.where(exists, a[..., None] * _gaps(thresholds), np.inf)
    logs = log_expit(x) + log_expit(-y) + np.log1p(-np.exp(-apart))
    return np.where(exists, logs, -np.inf)


def probabilities(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Probability of each score, 0 for scores that an item lacks."""
    return np.exp(log_probabilities(theta, a, thresholds))


def expected_score(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Expected score, the sum over k of ``P(X >= k)``."""
    above = expit(a[..., None] * (theta[..., None] - thresholds))
    mean: Floats = np.where(np.isnan(above), 0.0, above).sum(axis=-1)
    return mean


def information(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Fisher information, the expected square of the slopes."""
    chances = probabilities(theta, a, thresholds)
    info: Floats = (chances * slopes(theta, a, thresholds) ** 2).sum(axis=-1)
    return info


def slopes(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Derivative of the log probability of each score, ``a (s(-x) - s(y))``; 0 where lacking."""
    x, y, exists = _bounds(theta, a, thresholds)
    return np.where(exists, a[..., None] * (expit(-x) - expit(y)), 0.0)


def curvatures(theta: Floats, a: Floats, thresholds: Floats) -> Floats:
    """Second derivative of the log probability of each score; 0 where lacking."""
    x, y, exists = _bounds(theta, a, thresholds)
    bend = expit(x) * expit(-x) + expit(y) * expit(-y)
    return np.where(exists, -(a[..., None] ** 2) * bend, 0.0)


def _bounds(theta: Floats, a: Floats, thresholds: Floats) -> tuple[Floats, Floats, Bools]:
    """Logits of reaching a score and of passing it, and which scores exist.

    The lowest score is always reached (+inf), the highest never passed (-inf).
    """
    logits = a[..., None] * (theta[..., None] - thresholds)
    edge = np.full((*logits.shape[:-1], 1), np.inf)
    known = ~np.isnan(logits)
    passing = np.where(known, logits, -np.inf)
    reached = np.concatenate([edge, passing], axis=-1)
    passed = np.concatenate([passing, -edge], axis=-1)
    exists = np.concatenate([np.ones(edge.shape, dtype=np.bool_), known], axis=-1)
    return reached, passed, exists


def _gaps(thresholds: Floats) -> Floats:
    """Distance from a score's lower to its upper threshold, infinite at both ends."""
    inner = np.diff(thresholds, axis=-1)
    edge = np.full((*thresholds.shape[:-1], 1), np.inf)
    gaps = np.concatenate([edge, inner, edge], axis=-1)
    return np.where(np.isnan(gaps), np.inf, gaps)
