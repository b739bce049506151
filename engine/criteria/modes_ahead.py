"""The posterior mode after each possible next answer, for all items of a bank at once.

Hundreds of posteriors of one examinee differ by one answer only. The slope that the answers so far
give is computed once at points of theta and interpolated by cubics while the modes are sought; one
exact Newton step then squares the error. A mode that moves by more than 1e-6 in that step is
sought again without interpolation, which happens for items with a of 10 and more. Banks of
logistic items have both derivatives from one exponential for each answer. Called by
`engine.criteria.expectation`. Imports numpy, the models, `engine.ability.modes` and
`engine.criteria.situation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.ability import modes
from engine.ability.answers import Answers, response_sums
from engine.ability.grids import Grid, tables
from engine.arrays import Floats, Ints
from engine.criteria.situation import CriterionRules, Situation, raw_log_weights
from engine.items import ItemParameters
from engine.models import logistic

SPACING = 0.025
CLOSE = 1e-6
NEAR = 1e-8
"""A last step of this length before the exact one."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """Each examinee with each possible next answer, examinee by examinee.

    Parameters
    ----------
    person
        Place of the examinee, shape ``(n_ahead,)``.
    rows, scores
        The next item's bank row and its score, same shape.
    """

    person: Ints
    rows: Ints
    scores: Ints

    def answers(self, block: Situation, which: Ints) -> Answers:
        """All answers of some of them, the next one last."""
        given, person = block.given, self.person[which]
        return Answers(
            np.column_stack([given.rows[person], self.rows[which]]),
            np.column_stack([given.scores[person], self.scores[which]]),
            np.column_stack([given.present[person], np.ones(len(which), dtype=np.bool_)]),
        )


def posterior_modes_ahead(
    ahead: Ahead, block: Situation, rules: CriterionRules, items: ItemParameters
) -> Floats:
    """Mode of each posterior within the range of the grid, shape ``(n_ahead,)``."""
    heights = _heights(ahead, block, rules, items)
    ascent = _interpolated(ahead, block, rules, items)
    near = modes.climb(ascent, heights, rules.grid, from_parabola=True, tolerance=NEAR)
    slope, bend = _derivatives(near, ahead, block, items)
    theta, moved = _polished(near, slope, bend, rules)
    doubtful = np.flatnonzero(~(moved <= CLOSE))
    if len(doubtful):
        given = ahead.answers(block, doubtful)
        prior, grid = rules.prior, rules.grid
        theta[doubtful] = modes.posterior_modes(
            given, items, heights[doubtful], prior=prior, grid=grid
        )
    return theta


def _heights(
    ahead: Ahead, block: Situation, rules: CriterionRules, items: ItemParameters
) -> Floats:
    before = raw_log_weights(block, rules, items, prior=True)
    table = tables(items, rules.grid).log_probabilities
    return before[ahead.person] + table[ahead.rows, ahead.scores]


def _interpolated(
    ahead: Ahead, block: Situation, rules: CriterionRules, items: ItemParameters
) -> modes.Ascent:
    """Slope and curvature of the log posteriors, that of the answers so far from a table."""
    grid = rules.grid
    fine = Grid(grid.low, grid.high, max(5, round((grid.high - grid.low) / SPACING) + 1))
    table = _slopes_so_far(block, fine, rules, items)
    step = fine.points[1] - fine.points[0]
    of_last = _of_last(ahead, items)

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        place = np.clip(((theta - fine.low) / step).astype(np.int64), 1, fine.n - 3)
        # Four points around theta; t is 0 at the second and 1 at the third.
        t = (theta - fine.points[place]) / step
        y = [table[ahead.person, place + k] for k in (-1, 0, 1, 2)]
        so_far = (
            -t * (t - 1) * (t - 2) * y[0] / 6
            + (t + 1) * (t - 1) * (t - 2) * y[1] / 2
            - (t + 1) * t * (t - 2) * y[2] / 2
            + (t + 1) * t * (t - 1) * y[3] / 6
        )
        slope, bend = of_last(theta)
        return so_far + slope, (y[2] - y[1]) / step + bend

    return ascent


def _slopes_so_far(
    block: Situation, fine: Grid, rules: CriterionRules, items: ItemParameters
) -> Floats:
    """Slope of each examinee's log posterior at the points, shape ``(n_persons, n_points)``."""
    sums = response_sums(tables(items, fine).slopes, block.given)
    table: Floats = sums - (fine.points - rules.prior.mean) / rules.prior.sd**2
    return table


def _of_last(ahead: Ahead, items: ItemParameters) -> modes.Ascent:
    """First and second derivative of the log probability of the next answer alone."""
    if not _is_logistic(items):
        there = np.ones((len(ahead.rows), 1), dtype=np.bool_)
        last = Answers(ahead.rows[:, None], ahead.scores[:, None], there)
        return lambda theta: modes.slope_and_bend(theta, last, items)
    curve = [one[ahead.rows] for one in (items.a, items.b, items.c, items.d)]
    right = ahead.scores == 1
    return lambda theta: logistic.slope_and_bend(theta, right, *curve)


def _derivatives(
    theta: Floats, ahead: Ahead, block: Situation, items: ItemParameters
) -> tuple[Floats, Floats]:
    """First and second derivative of each log likelihood, the next answer included."""
    if not _is_logistic(items):
        everyone = np.arange(len(ahead.rows))
        return modes.slope_and_bend(theta, ahead.answers(block, everyone), items)
    slope, bend = _of_last(ahead, items)(theta)
    given, n = block.given, len(block.theta)
    curve = [one[given.rows][:, None] for one in (items.a, items.b, items.c, items.d)]
    right = (given.scores == 1)[:, None]
    there = theta.reshape(n, -1, 1)
    parts = logistic.slope_and_bend(there, right, *curve)
    before = [np.where(given.present[:, None], part, 0.0).sum(axis=2).ravel() for part in parts]
    return slope + before[0], bend + before[1]


def _is_logistic(items: ItemParameters) -> bool:
    return len(items.parts) == 1 and items.parts[0].family == "logistic"


def _polished(
    near: Floats, slope: Floats, bend: Floats, rules: CriterionRules
) -> tuple[Floats, Floats]:
    """One exact Newton step, and by how much it moved; NaN where it is none."""
    slope, bend = slope - (near - rules.prior.mean) / rules.prior.sd**2, bend - rules.prior.sd**-2
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.where(bend < 0, -slope / bend, np.nan)
    at_end = ((near <= rules.grid.low) & (slope < 0)) | ((near >= rules.grid.high) & (slope > 0))
    moved = np.where(at_end, 0.0, moved)
    return np.clip(near + moved, rules.grid.low, rules.grid.high), np.abs(moved)
