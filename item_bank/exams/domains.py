"""Where a candidate stands in each content area: a score where it is exact enough, and a word.

A score with its standard error comes from the area's items alone, and is withheld with the reason
where these are few or say little. The word needs less: the area's points are compared with what a
candidate exactly at the cut would get on the same items, and called above or below only when the
difference passes the one-sided 5 % point. Fewer than four items: no word either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.items import ItemParameters
from engine.results.domain_scores import DomainRules, DomainScore, domain_scores
from engine.session import ExamDesign, SittingState
from item_bank.exams.points import Points, moments

MIN_ITEMS = 4
CRITICAL = 1.645


def domains(
    state: SittingState,
    items: ItemParameters,
    design: ExamDesign,
    *,
    rules: DomainRules,
    points: Points,
    theta_cut: float | None,
) -> list[dict[str, Any]]:
    """Return one entry for each content area met, in the order met.

    Parameters
    ----------
    state
        A whole sitting; what was only tried out does not count.
    rules
        When a score of an area is reported.
    points
        What each score of an item is worth, by bank row.
    theta_cut
        The passing standard on the theta scale; None when the exam passes and fails no one.
    """
    found = domain_scores(state, items, design, rules)
    return [_domain(one, state, items, points, theta_cut) for one in found]


def _domain(
    found: DomainScore,
    state: SittingState,
    items: ItemParameters,
    points: Points,
    theta_cut: float | None,
) -> dict[str, Any]:
    pairs = zip(*state.scored, strict=True)
    own = [(row, points[row][score]) for row, score in pairs if items.content[row] == found.area]
    part, worth = items.subset([row for row, _ in own]), [points[row] for row, _ in own]
    total = sum(reached for _, reached in own)
    return {
        "area": found.area,
        "n": found.n,
        "points": total,
        "max_points": sum(map(max, worth)),
        "standing": _standing(part, worth, total, theta_cut),
        "score": found.score,
        "score_se": found.se,
        "withheld": None if found.withheld is None else str(found.withheld),
    }


def _standing(
    part: ItemParameters, worth: Points, total: int, theta_cut: float | None
) -> str | None:
    if theta_cut is None or len(part) < MIN_ITEMS:
        return None
    mean, variance = moments(theta_cut, part, worth)
    z = (total - mean.sum()) / np.sqrt(variance.sum())
    return "above" if z > CRITICAL else "below" if z < -CRITICAL else "near"
