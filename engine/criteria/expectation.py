"""Criteria that look one answer ahead: information or error after each possible answer.

Called by `engine.selection`. Imports numpy, the models and what stands beside it.
"""

from __future__ import annotations

import numpy as np

from engine.ability.grids import tables
from engine.arrays import Bools, Floats, Ints
from engine.criteria.modes_ahead import Ahead, posterior_modes_ahead
from engine.criteria.situation import (
    NUMBERS_AT_ONCE,
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

TINY = 1e-200
"""A predicted probability below it is computed once more, in logs."""


def mei(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Expected observed information (van der Linden, 1998).

    For each score that the item may bring: the mode of the posterior that would follow, within the
    range of the grid, the observed information of the answer there, and its mean with the chances
    of the scores at theta.
    """
    numbers = (situation.given.rows.shape[1] + 1) * items.max_categories**2
    size = max(1, NUMBERS_AT_ONCE // numbers)
    starts = range(0, max(1, len(rows)), size)
    parts = [_mei(situation, rules, items, rows[start : start + size]) for start in starts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _mei(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    some = among(items, rows)
    place, scores = np.nonzero(np.arange(items.max_categories) < some.n_categories[:, None])

    def value(block: Situation) -> Floats:
        chances = dispatch.probabilities(block.theta, some)
        n, m = len(chances), len(place)
        ahead = Ahead(np.repeat(np.arange(n), m), np.tile(rows[place], n), np.tile(scores, n))
        theta = posterior_modes_ahead(ahead, block, rules, items)
        bends = dispatch.paired("curvatures", theta, ahead.rows[:, None], items)[:, 0]
        gains = np.zeros(chances.shape)
        gains[:, place, scores] = -bends[np.arange(n * m), ahead.scores].reshape(n, m)
        expected: Floats = (chances * gains).sum(axis=2)
        return expected

    answers_ahead = len(place) * (situation.given.rows.shape[1] + 1)
    return in_blocks(value, situation, answers_ahead * items.max_categories)


def mepv(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Minus the expected posterior variance (Owen, 1975; van der Linden, 1998).

    The variance, by EAP on the grid, after each score that the item may bring, averaged with the
    chances of the scores at theta.
    """
    some, on_grid = among(items, rows), tables(items, rules.grid)
    exists = np.arange(items.max_categories) < some.n_categories[:, None]
    table = of_rows(on_grid.probabilities, rows).reshape(-1, rules.grid.n)

    def value(block: Situation) -> Floats:
        chances = dispatch.probabilities(block.theta, some)
        weights = point_weights(block, rules, items, prior=True)
        # Around each examinee's mean, so that the difference of moments loses no digits.
        centred = rules.grid.points - (weights * rules.grid.points).sum(axis=1, keepdims=True)
        moments = [weighted(weights * centred**k, table) for k in range(3)]
        total, first, second = (moment.reshape(chances.shape) for moment in moments)
        usable = total > TINY
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = second / total - (first / total) ** 2
        variance[~usable] = 0.0
        doubtful = ~usable & exists
        if doubtful.any():
            logs = of_rows(on_grid.log_probabilities, rows)
            variance[doubtful] = _variance_in_logs(block, rules, items, logs, doubtful)
        expected: Floats = (chances * variance).sum(axis=2)
        return -expected

    return in_blocks(value, situation, 6 * len(rows) * items.max_categories)


def _variance_in_logs(
    block: Situation, rules: CriterionRules, items: ItemParameters, logs: Floats, which: Bools
) -> Floats:
    """Posterior variance after answers that are all but impossible, shape ``(n_which,)``."""
    person, row, score = np.nonzero(which)
    before = raw_log_weights(block, rules, items, prior=True) + rules.grid.log_weights
    weights = normalised(before[person] + logs[row, score])
    mean = (weights * rules.grid.points).sum(axis=1, keepdims=True)
    variance: Floats = (weights * (rules.grid.points - mean) ** 2).sum(axis=1)
    return variance
