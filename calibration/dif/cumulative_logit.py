"""Regression of a score on a few columns: logistic for two categories, cumulative logit for more.

P(X >= k) = expit(alpha_k + x beta) with alpha_1 > ... > alpha_m and one beta for all k. Fisher
scoring on counted rows. Called by ``logistic``. Imports numpy and scipy.

Source: McCullagh (1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from engine.arrays import Floats

_STEPS = 60
_LARGEST = 30.0


@dataclass(frozen=True, eq=False)
class Regression:
    """A maximum of the likelihood.

    Parameters
    ----------
    log_likelihood
        At the maximum; NaN where there is none, as with scores that the columns separate.
    beta
        Slopes, shape (n_columns,).
    """

    log_likelihood: float
    beta: Floats


def fit_cumulative(columns: Floats, counts: Floats) -> Regression:
    """Maximise the likelihood.

    Parameters
    ----------
    columns
        Shape (n_rows, n_columns); may have no column.
    counts
        Persons by row and score, shape (n_rows, n_categories); every score occurs.
    """
    n_steps = counts.shape[1] - 1
    point = np.concatenate((_start(counts), np.zeros(columns.shape[1])))
    value, slope, information = _terms(point, columns, counts)
    for _ in range(_STEPS):
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            break
        point, new = _without_loss(point, step, columns, counts, value)
        done = abs(new - value) < 1e-11 * (1 + abs(value)) and np.abs(step).max() < 1e-6
        value, slope, information = _terms(point, columns, counts)
        if np.abs(point).max() > _LARGEST:
            break
        if done:
            return Regression(value, point[n_steps:])
    return Regression(float("nan"), np.full(columns.shape[1], np.nan))


def _start(counts: Floats) -> Floats:
    by_score = counts.sum(axis=0)
    above = np.cumsum(by_score[::-1])[::-1][1:]
    return np.asarray(np.log(above / (by_score.sum() - above)))


def _without_loss(
    point: Floats,
    step: npt.NDArray[np.floating[Any]],
    columns: Floats,
    counts: Floats,
    value: float,
) -> tuple[Floats, float]:
    size = 1.0
    for _ in range(30):
        tried = point + size * step
        new = _log_likelihood(tried, columns, counts)
        if new >= value - 1e-12 * abs(value):
            return tried, new
        size /= 2
    return point, value


def _boundaries(point: Floats, columns: Floats, counts: Floats) -> Floats:
    """P(X >= k) for k = 0..m + 1, shape (n_rows, m + 2)."""
    n_steps = counts.shape[1] - 1
    eta = point[:n_steps] + (columns @ point[n_steps:])[:, None]
    ends = np.ones((len(counts), 1))
    return np.concatenate((ends, expit(eta), 0 * ends), axis=1)


def _log_likelihood(point: Floats, columns: Floats, counts: Floats) -> float:
    p = -np.diff(_boundaries(point, columns, counts), axis=1)
    if (p[counts > 0] <= 0).any():
        return -np.inf
    return float((counts[counts > 0] * np.log(p[counts > 0])).sum())


def _terms(point: Floats, columns: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient and expected information."""
    above = _boundaries(point, columns, counts)
    p = np.maximum(-np.diff(above, axis=1), 1e-300)
    density = above * (1 - above)
    n, k = p.shape
    by = np.zeros((n, k, point.size))
    for step in range(1, k):
        by[:, step, step - 1] = density[:, step]
        by[:, step - 1, step - 1] = -density[:, step]
    change = -np.diff(density, axis=1)
    by[:, :, k - 1 :] = change[:, :, None] * columns[:, None, :]
    slope = np.einsum("nk,nkq->q", counts / p, by)
    weight = counts.sum(axis=1, keepdims=True) / p
    information = np.einsum("nk,nkq,nkr->qr", weight, by, by)
    return _log_likelihood(point, columns, counts), slope, information
