r"""Nominal response items (Bock, 1972).

``P(X = k)`` proportional to ``exp(slope_k theta + intercept_k)``, logistic metric, D = 1; slope
and intercept of category 0 are 0. Categories are scored by their number: the score that a sum or a
mean of this family speaks of is k, whatever order the slopes have.

In every function ``theta`` broadcasts against all axes of ``steepness`` and ``intercepts`` but the
last, which holds categories 1, 2, ... padded with NaN after an item's last one. Results that differ
by score category have one more axis at the end, one longer than theirs. Called by
`engine.models.dispatch`. Imports numpy.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats, log_sums


def log_probabilities(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Log probability of each score, ``-inf`` for scores that an item lacks."""
    logits = theta[..., None] * _with_first(steepness) + _with_first(intercepts)
    logits = np.where(_exists(steepness), logits, -np.inf)
    logs: Floats = logits - log_sums(logits)
    return logs


def probabilities(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Probability of each score, 0 for scores that an item lacks."""
    return np.exp(log_probabilities(theta, steepness, intercepts))


def expected_score(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Expected score, the mean of the category numbers."""
    scores = np.arange(steepness.shape[-1] + 1, dtype=np.float64)
    mean: Floats = (probabilities(theta, steepness, intercepts) * scores).sum(axis=-1)
    return mean


def information(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Fisher information, the variance of the slope of the category chosen."""
    chances, slope = probabilities(theta, steepness, intercepts), _with_first(steepness)
    centred = slope - (chances * slope).sum(axis=-1, keepdims=True)
    variance: Floats = (chances * centred**2).sum(axis=-1)
    return variance


def slopes(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Derivative of the log probability of each score, ``slope_k - E slope``; 0 where lacking."""
    slope = _with_first(steepness)
    mean = (probabilities(theta, steepness, intercepts) * slope).sum(axis=-1, keepdims=True)
    return np.where(_exists(steepness), slope - mean, 0.0)


def curvatures(theta: Floats, steepness: Floats, intercepts: Floats) -> Floats:
    """Second derivative of the log probability of each score; 0 where lacking."""
    bend = -information(theta, steepness, intercepts)
    return np.where(_exists(steepness), bend[..., None], 0.0)


def _with_first(values: Floats) -> Floats:
    """Put the 0 of category 0 before the others, and 0 where an item has no category."""
    first = np.zeros((*values.shape[:-1], 1))
    return np.concatenate([first, np.nan_to_num(values)], axis=-1)


def _exists(values: Floats) -> Bools:
    first = np.ones((*values.shape[:-1], 1), dtype=np.bool_)
    return np.concatenate([first, ~np.isnan(values)], axis=-1)
