"""Where a candidate stands in each content area, with its error, and when that is not reported.

A short part of a test says little: a score whose error is large, or that rests on a few items, is
withheld with the reason. Called by reports. Imports the engine's estimates and decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.ability.estimates import AbilityEstimate, estimate
from engine.errors import InputError
from engine.items import ItemParameters
from engine.results.decisions import scaled, score_se
from engine.rules.designs import ExamDesign
from engine.rules.states import SittingState


class Withheld(StrEnum):
    """Why a domain score is not reported."""

    TOO_FEW_ITEMS = "too_few_items"
    ERROR_TOO_LARGE = "error_too_large"
    NOT_ESTIMABLE = "not_estimable"


@dataclass(frozen=True)
class DomainRules:
    """When a domain score is reported.

    Parameters
    ----------
    least_items
        Scored items of the area, at least.
    largest_se
        Standard error of theta from the area's items, at most. 0.55 is a reliability of 0.7 in a
        population with standard deviation 1.
    """

    least_items: int = 6
    largest_se: float = 0.55

    def __post_init__(self) -> None:
        if self.least_items < 1:
            raise InputError("a whole number from 1", self.least_items, column="least_items")
        if not self.largest_se > 0:
            raise InputError("a number above 0", self.largest_se, column="largest_se")


@dataclass(frozen=True)
class DomainScore:
    """One content area.

    Parameters
    ----------
    area
        Its name.
    n
        Scored items.
    estimate
        Theta from these items alone, by the exam's final estimator and prior.
    score, se
        On the reporting scale; None where withheld.
    withheld
        Why it is not reported; None when it is.
    """

    area: str
    n: int
    estimate: AbilityEstimate
    score: float | None
    se: float | None
    withheld: Withheld | None


def domain_scores(
    state: SittingState, items: ItemParameters, design: ExamDesign, rules: DomainRules
) -> tuple[DomainScore, ...]:
    """Score each content area that the sitting met, in the order met."""
    rows, _ = state.scored
    areas = dict.fromkeys(items.content[row] for row in rows if items.content[row])
    return tuple(_domain(area, state, items, design, rules) for area in areas)


def _domain(
    area: str,
    state: SittingState,
    items: ItemParameters,
    design: ExamDesign,
    rules: DomainRules,
) -> DomainScore:
    pairs = zip(*state.scored, strict=True)
    own = [(row, score) for row, score in pairs if items.content[row] == area]
    found = estimate(
        design.final,
        [row for row, _ in own],
        [score for _, score in own],
        items,
        prior=design.prior,
        grid=design.grid,
    )
    reason = _reason(len(own), found, rules)
    if reason is not None:
        return DomainScore(area, len(own), found, None, None, reason)
    points = scaled(found.theta, design.scale)
    return DomainScore(area, len(own), found, points, score_se(found.se, design.scale), None)


def _reason(n: int, found: AbilityEstimate, rules: DomainRules) -> Withheld | None:
    if n < rules.least_items:
        return Withheld.TOO_FEW_ITEMS
    if not (np.isfinite(found.theta) and np.isfinite(found.se)):
        return Withheld.NOT_ESTIMABLE
    return Withheld.ERROR_TOO_LARGE if found.se > rules.largest_se else None
