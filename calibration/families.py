"""The item families in slope and intercept form, with their derivatives.

The metric in which estimation is well behaved; ``parameter_space`` turns it into a, b, c, d. Each
family has the same two verbs in the same order: log P of each category on a grid of theta, and
its derivatives. Called by the expectation, maximisation and error steps. Imports numpy and scipy.

===============  ===========================================  ============================
family           probability                                  local parameters
===============  ===========================================  ============================
logistic         c + (d - c) expit(slope theta + intercept)   slope, intercept, logit c, d
partial credit   proportional to exp(k slope theta + d_k)     slope, d_1, ..., d_m
graded           expit(slope theta + d_k) for X >= k          slope, d_1 > ... > d_m
nominal          proportional to exp(s_k theta + d_k)         s_1, ..., s_m, d_1, ..., d_m
===============  ===========================================  ============================
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from engine.arrays import Bools, Floats

LOGISTIC = "logistic"
PARTIAL_CREDIT = "partial_credit"
GRADED = "graded"
NOMINAL = "nominal"
_CLOSEST = 1e-8
"""Graded intercepts nearer to one another are the same after a multiple of theta is added."""


def log_probabilities(family: str, parameters: Floats, theta: Floats) -> Floats:
    """Log P of each category, shape (n_items, n_categories, n_theta).

    Parameters
    ----------
    family
        ``logistic``, ``partial_credit``, ``graded`` or ``nominal``, as in ``engine.items``.
    parameters
        Local parameters, shape (n_items, n_local); NaN where an item lacks a category.
    theta
        Shape (n_theta,).

    Returns
    -------
    Floats
        ``-inf`` for categories that an item lacks.
    """
    if family == LOGISTIC:
        return _logistic_log_probabilities(parameters, theta)
    if family == GRADED:
        return _graded_log_probabilities(parameters, theta)
    if family == NOMINAL:
        return _nominal_log_probabilities(parameters, theta)
    return _partial_credit_log_probabilities(parameters, theta)


def score_functions(family: str, parameters: Floats, theta: Floats, n_local: int) -> Floats:
    """Derivatives of log P by the first ``n_local`` local parameters.

    Returns
    -------
    Floats
        Shape (n_items, n_categories, n_theta, n_local); 0 for categories that an item lacks.
    """
    if family == LOGISTIC:
        return _logistic_scores(parameters, theta, n_local)
    if family == GRADED:
        return _graded_scores(parameters, theta)
    if family == NOMINAL:
        return _nominal_scores(parameters, theta)
    return _partial_credit_scores(parameters, theta)


def ordered(family: str, parameters: Floats) -> Bools:
    """Whether the items have the form of their family, shape (n_items,).

    Graded intercepts must descend, by more than their rounding: where two of them meet or cross, a
    category has no chance at any theta. Items of the other families always have it.
    """
    if family != GRADED:
        return np.ones(len(parameters), dtype=np.bool_)
    steps = np.diff(parameters[:, 1:], axis=1)
    return np.asarray(np.all((steps < -_CLOSEST) | np.isnan(steps), axis=1))


def _logits(parameters: Floats, theta: Floats) -> Floats:
    return parameters[:, :1] * theta + parameters[:, 1:2]


def _logistic_log_probabilities(parameters: Floats, theta: Floats) -> Floats:
    eta = _logits(parameters, theta)
    right, wrong = log_expit(eta), log_expit(-eta)
    low, high = parameters[:, 2:3], parameters[:, 3:4]
    if np.isneginf(low).all() and np.isposinf(high).all():
        return np.stack((wrong, right), axis=1)
    # P = c + (d - c) s and 1 - P = (1 - d) + (d - c)(1 - s), on the log scale throughout.
    span = np.log(expit(high) - expit(low))
    return np.stack(
        (
            np.logaddexp(log_expit(-high), span + wrong),
            np.logaddexp(log_expit(low), span + right),
        ),
        axis=1,
    )


def _logistic_scores(parameters: Floats, theta: Floats, n_local: int) -> Floats:
    eta = _logits(parameters, theta)
    low, high = parameters[:, 2:3], parameters[:, 3:4]
    log_p = _logistic_log_probabilities(parameters, theta)
    span = np.log(expit(high) - expit(low))
    slope = np.exp(span + log_expit(eta) + log_expit(-eta) - log_p.transpose(1, 0, 2))
    by_logit = np.stack((-slope[0], slope[1]), axis=1)
    parts = [by_logit * theta, by_logit]
    if n_local > 2:
        weight = expit(low) * expit(-low) * expit(-eta)
        parts.append(_signed(weight, log_p))
    if n_local > 3:
        weight = expit(high) * expit(-high) * expit(eta)
        parts.append(_signed(weight, log_p))
    return np.stack(parts[:n_local], axis=-1)


def _signed(change: Floats, log_p: Floats) -> Floats:
    """Derivatives of log (1 - P) and log P from that of P."""
    return np.stack((-change, change), axis=1) * np.exp(-log_p)


def _partial_credit_log_probabilities(parameters: Floats, theta: Floats) -> Floats:
    steps = np.arange(parameters.shape[1])[:, None]
    intercepts = np.column_stack((np.zeros(len(parameters)), parameters[:, 1:]))
    terms = steps * (parameters[:, :1] * theta)[:, None, :] + intercepts[:, :, None]
    terms = np.where(np.isnan(terms), -np.inf, terms)
    return np.asarray(terms - logsumexp(terms, axis=1, keepdims=True))


def _partial_credit_scores(parameters: Floats, theta: Floats) -> Floats:
    p = np.exp(_partial_credit_log_probabilities(parameters, theta))
    n, k, q = p.shape
    steps = np.arange(k)[:, None]
    expected = (steps * p).sum(axis=1, keepdims=True)
    scores = np.zeros((n, k, q, k))
    scores[..., 0] = theta * (steps - expected)
    for v in range(1, k):
        scores[..., v] = -p[:, v : v + 1]
        scores[:, v, :, v] += 1.0
    scores[p == 0] = 0.0
    return scores


def _graded_boundaries(parameters: Floats, theta: Floats) -> Floats:
    """Logits of X >= k for k = 0..m + 1, shape (n_items, m + 2, n_theta), +inf and -inf ends."""
    x = (parameters[:, :1] * theta)[:, None, :] + parameters[:, 1:, None]
    ends = np.full((len(parameters), 1, theta.size), np.inf)
    return np.concatenate((ends, np.where(np.isnan(x), -np.inf, x), -ends), axis=1)


def _graded_log_probabilities(parameters: Floats, theta: Floats) -> Floats:
    # expit(x) - expit(y) = expit(x) expit(-y) (1 - exp(y - x)), without cancellation.
    x = _graded_boundaries(parameters, theta)
    upper, lower = x[:, :-1], x[:, 1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(np.isneginf(lower) | np.isposinf(upper), -np.inf, lower - upper)
        log_p = log_expit(upper) + log_expit(-lower) + np.log(-np.expm1(gap))
    return np.where(np.isneginf(upper) | np.isnan(log_p), -np.inf, log_p)


def _graded_scores(parameters: Floats, theta: Floats) -> Floats:
    x = _graded_boundaries(parameters, theta)
    log_p = _graded_log_probabilities(parameters, theta)
    n, k, q = log_p.shape
    scores = np.zeros((n, k, q, k))
    scores[..., 0] = theta * (1.0 - expit(x[:, :-1]) - expit(x[:, 1:]))
    density = log_expit(x) + log_expit(-x)
    for v in range(1, k):
        with np.errstate(invalid="ignore", over="ignore"):
            scores[:, v, :, v] = np.exp(density[:, v] - log_p[:, v])
            scores[:, v - 1, :, v] = -np.exp(density[:, v] - log_p[:, v - 1])
    scores[np.isneginf(log_p)] = 0.0
    return np.nan_to_num(scores, nan=0.0)


def _nominal_log_probabilities(parameters: Floats, theta: Floats) -> Floats:
    slopes, intercepts = np.split(parameters, 2, axis=1)
    terms = slopes[:, :, None] * theta + intercepts[:, :, None]
    first = np.zeros((len(parameters), 1, theta.size))
    terms = np.concatenate((first, np.where(np.isnan(terms), -np.inf, terms)), axis=1)
    return np.asarray(terms - logsumexp(terms, axis=1, keepdims=True))


def _nominal_scores(parameters: Floats, theta: Floats) -> Floats:
    p = np.exp(_nominal_log_probabilities(parameters, theta))
    n, k, q = p.shape
    scores = np.zeros((n, k, q, 2 * (k - 1)))
    for v in range(1, k):
        by_intercept = -np.repeat(p[:, v : v + 1], k, axis=1)
        by_intercept[:, v] += 1.0
        scores[..., k - 2 + v] = by_intercept
        scores[..., v - 1] = theta * by_intercept
    scores[p == 0] = 0.0
    return scores
