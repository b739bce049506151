"""What a criterion may know: where the examinees stand, and the options of the exam.

Every criterion is a function of a `Situation`, the `CriterionRules`, the bank and the rows to
value; it gives a table of shape ``(n_persons, n_rows)`` in which larger is better. Called by
`engine.selection`. Imports numpy, the engine's answers and grids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.ability.answers import Answers, log_likelihood
from engine.ability.grids import Grid
from engine.ability.priors import STANDARD_NORMAL, Prior
from engine.arrays import Floats, Ints, Words
from engine.errors import InputError
from engine.items import ItemParameters

USUAL_CRITERION_GRID = Grid(-4.0, 4.0, 33)
NUMBERS_AT_ONCE = 2**17
"""Intermediate tables of a block of examinees hold about so many numbers."""


@dataclass(frozen=True)
class CriterionRules:
    """A criterion of item selection with its options.

    Parameters
    ----------
    name
        One of ``engine.selection.CRITERIA``.
    grid
        Points over which likelihood and posterior are integrated.
    prior
        Of theta, for the criteria that use the posterior.
    information_interval
        Half the width of the interval around theta of ``interval_information``.
    a_strata
        Strata of ``a_stratified``, at least 2.
    block_by_difficulty
        Whether each stratum of ``a_stratified`` covers all difficulties.
    length
        Items of the whole test, by which ``a_stratified`` goes from stratum to stratum.
    """

    name: str = "max_information"
    grid: Grid = USUAL_CRITERION_GRID
    prior: Prior = STANDARD_NORMAL
    information_interval: float = 0.5
    a_strata: int = 4
    block_by_difficulty: bool = False
    length: int | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.information_interval) and self.information_interval > 0):
            column = "selection.information_interval"
            raise InputError("a number above 0", self.information_interval, column=column)
        if self.a_strata < 2:
            raise InputError("at least 2 strata", self.a_strata, column="selection.a_strata")


@dataclass(frozen=True, eq=False)
class Situation:
    """Some examinees before the same step of their tests.

    Parameters
    ----------
    theta, seeds
        Estimate and sitting seed of each, shape ``(n_persons,)``.
    given
        Their answers so far, those that count.
    position
        Of the step, from 0.
    """

    theta: Floats
    given: Answers
    seeds: Words
    position: int

    @property
    def counted(self) -> Ints:
        """How many answers count, shape ``(n_persons,)``."""
        return np.asarray(self.given.present.sum(axis=1), dtype=np.int64)

    def only(self, people: Ints | slice) -> Situation:
        """Some of the examinees."""
        given = Answers(
            self.given.rows[people], self.given.scores[people], self.given.present[people]
        )
        return Situation(self.theta[people], given, self.seeds[people], self.position)


def among(items: ItemParameters, rows: Ints) -> ItemParameters:
    """Those items of the bank; the bank itself when they are all."""
    return items if len(rows) == len(items) else items.subset(rows)


def of_rows(table: Floats, rows: Ints) -> Floats:
    """Those rows of a table by item, without a copy when they are all."""
    return table if len(rows) == len(table) else table[rows]


def in_blocks(value: Callable[[Situation], Floats], situation: Situation, width: int) -> Floats:
    """Value a few examinees at a time.

    Parameters
    ----------
    value
        Gives the table of some examinees, shape ``(n_some, n_rows)``.
    width
        Numbers that it holds for each examinee while it works.
    """
    size = max(1, NUMBERS_AT_ONCE // max(width, 1))
    n = len(situation.theta)
    if n <= size:
        return value(situation)
    starts = range(0, n, size)
    return np.concatenate([value(situation.only(slice(start, start + size))) for start in starts])


def point_weights(
    situation: Situation, rules: CriterionRules, items: ItemParameters, *, prior: bool
) -> Floats:
    """Likelihood or posterior at the points of the grid, by the trapezoid rule, adding up to 1.

    Shape ``(n_persons, n_points)``. The constant by which it is divided is the same for all items,
    so it changes no choice, and keeps long tests from underflowing.
    """
    return normalised(
        raw_log_weights(situation, rules, items, prior=prior) + rules.grid.log_weights
    )


def raw_log_weights(
    situation: Situation, rules: CriterionRules, items: ItemParameters, *, prior: bool
) -> Floats:
    """Log likelihood, or log posterior up to a constant, shape ``(n_persons, n_points)``."""
    logs = log_likelihood(situation.given, items, rules.grid)
    return logs + rules.prior.log_density(rules.grid.points) if prior else logs


def weighted(weights: Floats, table: Floats) -> Floats:
    """Sums over the points: ``(n_persons, n_points)`` with ``(n_rows, n_points)``.

    Not a matrix product: its last bits would depend on how many examinees stand in the block, and
    the threads of a BLAS wait for one another on a busy machine, a hundred times longer than this.
    """
    sums: Floats = np.einsum("pk,ck->pc", weights, table)
    return sums


def normalised(log_weights: Floats) -> Floats:
    """Weights that add up to 1 along the last axis."""
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    scaled: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return scaled
