"""Criteria of information: at a point, over an interval, under the likelihood or the posterior.

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
    of_rows,
    point_weights,
    weighted,
)
from engine.items import ItemParameters
from engine.models import dispatch

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(21)


def max_information(
    situation: Situation, _rules: CriterionRules, items: ItemParameters, rows: Ints
) -> Floats:
    """Fisher information at theta (Lord, 1980)."""
    return dispatch.information(situation.theta, among(items, rows))


def interval_information(
    situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints
) -> Floats:
    """Mean Fisher information over theta plus and minus a half-width (Veerkamp and Berger, 1997).

    Gauss-Legendre with 21 points: for items with a of 3 its error is below 1e-14 up to a half-width
    of 1, below 1e-7 up to 2.
    """
    some = among(items, rows)
    offsets = rules.information_interval * NODES

    def value(block: Situation) -> Floats:
        points = block.theta[:, None] + offsets
        table = dispatch.information(points.ravel(), some).reshape(*points.shape, len(some))
        mean: Floats = 0.5 * (table * NODE_WEIGHTS[:, None]).sum(axis=1)
        return mean

    return in_blocks(value, situation, len(NODES) * len(rows) * items.max_categories)


def mlwi(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Mean information under the likelihood of the answers (Veerkamp and Berger, 1997)."""
    weights = point_weights(situation, rules, items, prior=False)
    return weighted(weights, of_rows(tables(items, rules.grid).information, rows))


def mpwi(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Mean information under the posterior (van der Linden, 1998)."""
    weights = point_weights(situation, rules, items, prior=True)
    return weighted(weights, of_rows(tables(items, rules.grid).information, rows))
