"""What counts when time runs out: the answers, nothing, or the last estimates against the cuts.

Called when a sitting ends by its clock. Imports the engine's estimates and decisions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.ability.estimates import AbilityEstimate, estimate
from engine.ability.priors import Prior
from engine.items import ItemParameters
from engine.results.decisions import Level, level_of, scaled, theta_cut
from engine.rules.designs import ExamDesign
from engine.rules.states import SittingState
from engine.session import final_estimate


@dataclass(frozen=True)
class OutOfTime:
    """How a sitting that ran out of time is judged.

    Parameters
    ----------
    rule
        Which rule spoke: ``enough`` (at least ``min_items`` were answered), else the exam's
        ``score``, ``no_score`` or ``last_estimates``.
    estimate
        What is reported; None where the rule gives none, or the answers determine none.
    level
        The level reached; None where there is none.
    """

    rule: str
    estimate: AbilityEstimate | None
    level: Level | None


def out_of_time(state: SittingState, items: ItemParameters, design: ExamDesign) -> OutOfTime:
    """Judge a sitting whose time ran out by the rule that the exam states.

    Items on screen at the deadline are not in ``state``: they were not reached. Items that are
    tried out count for ``min_items`` only where they count towards the length.
    """
    counted = state.n if design.pretest.counts_towards_length else len(state.scored[0])
    enough = counted >= design.stop.min_items
    rule = "enough" if enough else design.stop.out_of_time
    if rule == "no_score":
        return OutOfTime(rule, None, None)
    if rule == "last_estimates":
        return OutOfTime(rule, None, _level_of_last(state, items, design))
    found = final_estimate(state, items, design)
    if math.isnan(found.theta):
        return OutOfTime(rule, None, None)
    reached = level_of(scaled(found.theta, design.scale), design.levels)
    return OutOfTime(rule, found, reached)


def _level_of_last(state: SittingState, items: ItemParameters, design: ExamDesign) -> Level | None:
    """Highest level whose cut all of the last estimates reach.

    With fewer estimates than the rule asks for, only a level without a cut is reached: one that
    begins at or below the end of the scale.
    """
    lowest = _lowest_of_last(state, items, design)
    passed = [
        level
        for level in design.levels
        if level.minimum <= design.scale.minimum or lowest >= theta_cut(level.minimum, design.scale)
    ]
    return max(passed, key=lambda level: level.minimum) if passed else None


def _lowest_of_last(state: SittingState, items: ItemParameters, design: ExamDesign) -> float:
    rows, scores = state.scored
    count = design.stop.last_estimates
    if len(rows) < count:
        return -math.inf
    mean = design.prior_mean if state.prior_mean is None else state.prior_mean
    prior = Prior(mean, design.prior_sd)
    thetas = [
        estimate(design.interim, rows[:n], scores[:n], items, prior=prior, grid=design.grid).theta
        for n in range(len(rows) - count + 1, len(rows) + 1)
    ]
    return min(thetas)
