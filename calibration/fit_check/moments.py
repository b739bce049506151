"""Low-order moments of a test: what a model implies, their covariance, and their derivatives.

The moments are those of single items (of the score, or of each score above 0 by itself) and, for
every pair, the mean product of the two scores. Called by ``limited_information``.

Sources: Maydeu-Olivares and Joe (2006); Cai and Hansen (2013) for the reduced moments M2*; Cai and
Monroe (2014) for C2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration import families
from calibration.maximisation import latent_score_functions
from calibration.mml import MmlFit
from engine.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Curves:
    """What is expected of each item given theta.

    Parameters
    ----------
    weights
        Latent density on the grid, shape (n_theta,).
    single
        Moments of single items given theta, shape (n_single, n_theta).
    item, value
        Item of each single moment; the score that it counts, or 0 for the mean score itself.
    score, square
        Expected score and squared score of each item, shape (n_items, n_theta).
    """

    weights: Floats
    single: Floats
    item: Ints
    value: Ints
    score: Floats
    square: Floats


def curves_of(found: MmlFit, *, by_category: bool) -> Curves:
    """Take the moments given theta from a fit of one group.

    Parameters
    ----------
    found
        The fit.
    by_category
        Whether each score above 0 is a moment of its own (C2), or the mean score (M2*).
    """
    probabilities = category_curves(found)
    weights = np.exp(found.tables.log_weights[0])
    return make_curves(probabilities, weights, by_category=by_category)


def category_curves(found: MmlFit) -> list[Floats]:
    """Probabilities of each item's scores, shape (n_categories, n_theta) each."""
    curves: dict[int, Floats] = {}
    for family, local in zip(found.space.families, found.state.local, strict=True):
        p = np.exp(families.log_probabilities(family.name, local, found.theta))
        for k, row in enumerate(family.rows):
            curves[int(row)] = p[k, : family.n_categories[k]]
    return [curves[row] for row in sorted(curves)]


def make_curves(probabilities: list[Floats], weights: Floats, *, by_category: bool) -> Curves:
    """Make moments given theta of category probabilities."""
    scores = [np.arange(len(p)) for p in probabilities]
    mean = np.array([x @ p for x, p in zip(scores, probabilities, strict=True)])
    square = np.array([x**2 @ p for x, p in zip(scores, probabilities, strict=True)])
    if not by_category:
        n = len(probabilities)
        return Curves(weights, mean, np.arange(n), np.zeros(n, np.int64), mean, square)
    single = np.concatenate([p[1:] for p in probabilities])
    item = np.repeat(np.arange(len(scores)), [len(x) - 1 for x in scores])
    value = np.concatenate([x[1:] for x in scores])
    return Curves(weights, single, item, value.astype(np.int64), mean, square)


def pairs(n_items: int) -> tuple[Ints, Ints]:
    """Items of each pair, the first before the second."""
    first, second = np.triu_indices(n_items, 1)
    return first.astype(np.int64), second.astype(np.int64)


def expected_moments(curves: Curves) -> Floats:
    """Moments that the model implies, shape (n_moments,): single ones, then pairs."""
    products = (curves.score * curves.weights) @ curves.score.T
    return np.concatenate((curves.single @ curves.weights, products[pairs(len(curves.score))]))


def observed_moments(scores: Ints, curves: Curves) -> Floats:
    """The same moments in data, shape (n_moments,).

    Parameters
    ----------
    scores
        Of persons who answered everything, shape (n_persons, n_items).
    curves
        Says which moments.
    """
    own = scores[:, curves.item]
    single = np.where(curves.value > 0, own == curves.value, own).mean(axis=0)
    products = scores.T.astype(np.float64) @ scores / len(scores)
    return np.concatenate((single, products[pairs(scores.shape[1])]))


def covariance(curves: Curves) -> Floats:
    """Covariance of one person's moment functions, shape (n_moments, n_moments).

    Given theta, moments of different items are independent; where two moments share an item, the
    product of expectations gives way to the expectation of the product.
    """
    first, second = pairs(len(curves.score))
    product = curves.score[first] * curves.score[second]
    everything = np.concatenate((curves.single, product))
    joint = (everything * curves.weights) @ everything.T
    n = len(curves.item)
    joint[:n, :n] = _single_by_single(curves, joint[:n, :n])
    joint[:n, n:] = _single_by_pair(curves, joint[:n, n:], first, second)
    joint[n:, :n] = joint[:n, n:].T
    _pair_by_pair(curves, joint[n:, n:], first, second)
    mean = expected_moments(curves)
    return np.asarray(joint - np.outer(mean, mean))


def _single_by_single(curves: Curves, joint: Floats) -> Floats:
    same = curves.item[:, None] == curves.item
    by_score = (curves.square[curves.item] @ curves.weights)[:, None]
    by_category = np.diag(curves.single @ curves.weights)
    within = np.where(curves.value[:, None] > 0, by_category, by_score)
    return np.where(same, within, joint)


def _single_by_pair(curves: Curves, joint: Floats, first: Ints, second: Ints) -> Floats:
    """E[g_i x_i x_j] where the single moment's item is in the pair."""
    own = np.where(
        (curves.value > 0)[:, None],
        curves.value[:, None] * curves.single,
        curves.square[curves.item],
    )
    for inside, outside in ((first, second), (second, first)):
        at, pair = np.nonzero(curves.item[:, None] == inside)
        joint[at, pair] = (own[at] * curves.score[outside[pair]]) @ curves.weights
    return joint


def _pair_by_pair(curves: Curves, joint: Floats, first: Ints, second: Ints) -> None:
    """E[x_i^2 x_j x_k] where two pairs share item i, and E[x_i^2 x_j^2] for a pair with itself."""
    n_items = len(curves.score)
    position = np.zeros((n_items, n_items), dtype=np.int64)
    position[first, second] = position[second, first] = np.arange(first.size)
    for item in range(n_items):
        others = np.flatnonzero(np.arange(n_items) != item)
        score = curves.score[others]
        shared = (score * (curves.square[item] * curves.weights)) @ score.T
        rows = position[item, others]
        joint[np.ix_(rows, rows)] = shared
    own = (curves.square[first] * curves.square[second]) @ curves.weights
    joint[np.arange(first.size), np.arange(first.size)] = own


def derivatives(found: MmlFit, curves: Curves) -> Floats:
    """Derivatives of the moments by the free parameters of a fit, shape (n_moments, n_free)."""
    n = len(curves.item)
    first, second = pairs(len(curves.score))
    table = np.zeros((n + first.size, found.space.n_free))
    for family, local in zip(found.space.families, found.state.local, strict=True):
        p = np.exp(families.log_probabilities(family.name, local, found.theta))
        by = families.score_functions(family.name, local, found.theta, family.n_local)
        change = p[..., None] * by
        for k, row in enumerate(family.rows):
            for column in np.flatnonzero(family.free[k]):
                one = change[k, : family.n_categories[k], :, column] * curves.weights
                add_item(table[:, family.index[k, column]], curves, int(row), one)
    by_mean, by_log_sd = latent_score_functions(found.state, found.theta)
    everything = np.concatenate((curves.single, curves.score[first] * curves.score[second]))
    for index, slope in (
        (found.space.mean_index[0], by_mean),
        (found.space.sd_index[0], by_log_sd),
    ):
        if index >= 0:
            table[:, index] = everything @ (curves.weights * slope[0])
    return table


def add_item(column: Floats, curves: Curves, item: int, change: Floats) -> None:
    """Add what a change of one item's probabilities (n_categories, n_theta) does to moments."""
    n = len(curves.item)
    first, second = pairs(len(curves.score))
    by_score = np.arange(len(change)) @ change
    own = np.flatnonzero(curves.item == item)
    value = curves.value[own]
    column[own] += np.where(value > 0, change[value].sum(axis=1), by_score.sum())
    for inside, outside in ((first, second), (second, first)):
        at = np.flatnonzero(inside == item)
        column[n + at] += curves.score[outside[at]] @ by_score
