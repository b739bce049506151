r"""Rasch, 1PL, 2PL, 3PL and 4PL items.

``P(X = 1) = c + (d - c) / (1 + exp(-a (theta - b)))``, logistic metric, D = 1.

In every function ``theta`` broadcasts against ``a, b, c, d``: pass ``theta[:, None]`` for a table
of persons by items, or equal shapes for pairs. Results that differ by score category have one more
axis at the end, of length 2. Called by `engine.models.dispatch`. Imports numpy and scipy.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from engine.arrays import Bools, Floats

LARGEST_LOGIT = 700.0
"""Beyond it exp(-z) is no longer a normal number; information is below 1e-300 there."""


def log_probabilities(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Log probability of the scores 0 and 1, shape ``(..., 2)``.

    ``log P = log(c + (d - c) s)`` and ``log Q = log((1 - d) + (d - c)(1 - s))``, each as a sum of
    two logs: exact where P or Q rounds to 0 or 1.
    """
    z = a * (theta - b)
    with np.errstate(divide="ignore"):
        floor, ceiling, span = np.log(c), np.log1p(-d), np.log(d - c)
    right = np.logaddexp(floor, span + log_expit(z))
    wrong = np.logaddexp(ceiling, span + log_expit(-z))
    return np.stack([wrong, right], axis=-1)


def probabilities(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Probability of the scores 0 and 1, shape ``(..., 2)``."""
    right, wrong, _ = _curve(theta, a, b, c, d)
    return np.stack([wrong, right], axis=-1)


def expected_score(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Expected score, here the probability of a right answer."""
    return _curve(theta, a, b, c, d)[0]


def information(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Fisher information ``P'^2 / (P Q)`` (Magis, 2013, for the 4PL)."""
    return information_from(theta, *constants(a, b, c, d))


def constants(a: Floats, b: Floats, c: Floats, d: Floats) -> tuple[Floats, ...]:
    """What `information_from` needs of each item: a, b, c, d - c, 1 - d and (a (d - c))^2."""
    span = d - c
    scale = a * span
    return a, b, c, span, 1.0 - d, scale * scale


def information_from(
    theta: Floats | float,
    a: Floats,
    b: Floats,
    floor: Floats,
    span: Floats,
    lapse: Floats,
    square: Floats,
) -> Floats:
    """Fisher information from `constants`, which can be kept: the same numbers, sooner."""
    right, wrong, steepness = _tails(theta, a, b, floor, span, lapse)
    info: Floats = square * (steepness / right)
    info *= steepness / wrong
    return info


def slopes(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Derivative of the log probability of each score with respect to theta, ``(..., 2)``."""
    right, wrong, steepness = _curve(theta, a, b, c, d)
    rise = a * (d - c) * steepness
    return np.stack([-rise / wrong, rise / right], axis=-1)


def curvatures(theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Second derivative of the log probability of each score, shape ``(..., 2)``."""
    right, wrong, steepness = _curve(theta, a, b, c, d)
    z = np.clip(a * (theta - b), -LARGEST_LOGIT, LARGEST_LOGIT)
    rise = a * (d - c) * steepness
    bend = rise * a * (expit(-z) - expit(z))
    of_wrong = -bend / wrong - (rise / wrong) ** 2
    of_right = bend / right - (rise / right) ** 2
    return np.stack([of_wrong, of_right], axis=-1)


def slope_and_bend(
    theta: Floats, right_answer: Bools, a: Floats, b: Floats, c: Floats, d: Floats
) -> tuple[Floats, Floats]:
    """First and second derivative of the log probability of one score each.

    What `slopes` and `curvatures` have for that score, from one exponential.

    Parameters
    ----------
    right_answer
        Whether the score is 1; broadcast with the others.
    """
    right, wrong, steepness, tilt = *_curve(theta, a, b, c, d), np.tanh(0.5 * a * (b - theta))
    slope: Floats = a * (d - c) * steepness
    slope = np.where(right_answer, slope, -slope) / np.where(right_answer, right, wrong)
    return slope, slope * (a * tilt - slope)


def _curve(
    theta: Floats, a: Floats, b: Floats, c: Floats, d: Floats
) -> tuple[Floats, Floats, Floats]:
    return _tails(theta, a, b, c, d - c, 1.0 - d)


def _tails(
    theta: Floats | float, a: Floats, b: Floats, floor: Floats, span: Floats, lapse: Floats
) -> tuple[Floats, Floats, Floats]:
    """P, Q and ``s (1 - s)``, the last never exactly 0, so that ratios of them stay finite."""
    against = a * (b - theta)
    against = np.minimum(np.maximum(against, -LARGEST_LOGIT), LARGEST_LOGIT)
    odds = np.exp(against)  # one exponential serves both tails, each to full relative precision
    up = 1.0 / (1.0 + odds)
    odds *= up  # from here on the chance of missing
    return floor + span * up, lapse + span * odds, up * odds
