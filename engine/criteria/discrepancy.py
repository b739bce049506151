"""Criteria of discrepancy: how well an answer tells theta from what else it may be.

Called by `engine.selection`. Imports numpy, the models and `engine.criteria.situation`.
"""

from __future__ import annotations

import numpy as np

from engine.ability.grids import tables
from engine.arrays import Floats, Ints
from engine.criteria.situation import (
    CriterionRules,
    Situation,
    among,
    in_blocks,
    normalised,
    of_rows,
    point_weights,
    raw_log_weights,
    weighted,
)
from engine.items import ItemParameters
from engine.models import dispatch


def kl(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Mean Kullback-Leibler divergence from theta under the likelihood (Barrada et al., 2009).

    ``sum_k P_k(theta) log(P_k(theta) / P_k(x))``, averaged over the points x (Chang and Ying, 1996,
    with the likelihood in place of an interval).
    """
    return _divergence(situation, rules, items, rows, prior=False)


def klp(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Mean Kullback-Leibler divergence from theta under the posterior; see `kl`."""
    return _divergence(situation, rules, items, rows, prior=True)


def gdi(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Global discrimination index, the variance of P under the likelihood (Kaplan et al., 2015).

    The points count alike, without the halves of the trapezoid rule at the ends. Dichotomous items.
    """
    return _variance_of_p(situation, rules, items, rows, prior=False)


def gdip(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Global discrimination index under the posterior; see `gdi`."""
    return _variance_of_p(situation, rules, items, rows, prior=True)


def _divergence(
    situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints, *, prior: bool
) -> Floats:
    some = among(items, rows)
    table = of_rows(tables(items, rules.grid).known_logs, rows).reshape(-1, rules.grid.n)

    def value(block: Situation) -> Floats:
        at_theta = dispatch.log_probabilities(block.theta, some)
        chances = np.exp(at_theta)
        known = np.where(np.isneginf(at_theta), 0.0, at_theta)
        weights = point_weights(block, rules, items, prior=prior)
        elsewhere = weighted(weights, table).reshape(at_theta.shape)
        mean: Floats = (chances * (known - elsewhere)).sum(axis=2)
        return mean

    return in_blocks(value, situation, 4 * len(rows) * items.max_categories)


def _variance_of_p(
    situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints, *, prior: bool
) -> Floats:
    chances = of_rows(tables(items, rules.grid).probabilities, rows)[:, 1]

    def value(block: Situation) -> Floats:
        own = normalised(raw_log_weights(block, rules, items, prior=prior))
        centred = chances - weighted(own, chances)[:, :, None]
        variance: Floats = (own[:, None, :] * centred**2).sum(axis=2)
        return variance

    return in_blocks(value, situation, 2 * len(rows) * rules.grid.n)
