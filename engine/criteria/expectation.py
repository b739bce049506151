"""Criteria that look one answer ahead: information or error after each possible answer.

Called by `engine.selection`. Imports numpy, the models, `engine.modes` and
`engine.criteria.situation`.
"""

from __future__ import annotations

import numpy as np

from engine import modes
from engine.answers import Answers
from engine.arrays import Bools, Floats, Ints
from engine.criteria.situation import (
    CriterionRules,
    Situation,
    in_blocks,
    normalised,
    point_weights,
    raw_log_weights,
)
from engine.grids import tables
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
    exists = np.arange(items.max_categories) < items.n_categories[rows, None]

    def value(block: Situation) -> Floats:
        chances = dispatch.probabilities(block.theta, items.subset(rows))
        ahead = _ahead(block, rows, exists)
        theta = _modes_ahead(ahead, block, rules, items, exists)
        last = (ahead.rows[:, -1:], ahead.scores[:, -1])
        bends = dispatch.paired("curvatures", theta, last[0], items)[:, 0]
        gains = np.zeros(chances.shape)
        gains[:, exists] = -bends[np.arange(len(bends)), last[1]].reshape(len(chances), -1)
        expected: Floats = (chances * gains).sum(axis=2)
        return expected

    answers_ahead = int(exists.sum()) * (situation.given.rows.shape[1] + 1)
    wide = answers_ahead * items.max_categories + int(exists.sum()) * rules.grid.n
    return in_blocks(value, situation, wide)


def mepv(situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Minus the expected posterior variance (Owen, 1975; van der Linden, 1998).

    The variance, by EAP on the grid, after each score that the item may bring, averaged with the
    chances of the scores at theta.
    """
    logs = tables(items, rules.grid).log_probabilities[rows]
    chances_on_grid = np.exp(logs).reshape(-1, rules.grid.n).T

    def value(block: Situation) -> Floats:
        chances = dispatch.probabilities(block.theta, items.subset(rows))
        weights = point_weights(block, rules, items, prior=True)
        # Around each examinee's mean, so that the difference of moments loses no digits.
        centred = rules.grid.points - (weights * rules.grid.points).sum(axis=1, keepdims=True)
        moments = [((weights * centred**k) @ chances_on_grid) for k in range(3)]
        total, first, second = (moment.reshape(chances.shape) for moment in moments)
        usable = total > TINY
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = second / total - (first / total) ** 2
        variance[~usable] = 0.0
        doubtful = ~usable & np.isfinite(logs).all(axis=2)
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


def _ahead(block: Situation, rows: Ints, exists: Bools) -> Answers:
    """Each examinee's answers with each possible next one, ``(n_persons n_ahead, n + 1)``."""
    place, score = np.nonzero(exists)
    n, m = len(block.theta), len(place)

    def put_together(before: Ints, last: Ints) -> Ints:
        return np.column_stack([np.repeat(before, m, axis=0), np.tile(last, n)])

    return Answers(
        put_together(block.given.rows, rows[place]),
        put_together(block.given.scores, score),
        np.asarray(put_together(block.given.present.astype(np.int64), np.ones_like(score)) > 0),
    )


def _modes_ahead(
    ahead: Answers, block: Situation, rules: CriterionRules, items: ItemParameters, exists: Bools
) -> Floats:
    """Mode of the posterior of each row of `_ahead`."""
    before = raw_log_weights(block, rules, items, prior=True)
    table = tables(items, rules.grid).log_probabilities
    last = table[ahead.rows[:, -1], ahead.scores[:, -1]]
    heights = np.repeat(before, int(exists.sum()), axis=0) + last
    return modes.posterior_modes(ahead, items, heights, prior=rules.prior, grid=rules.grid)
