"""From theta to what is reported: the scale, its error, the level and how sure it is.

The level is decided on the rounded, reported score. Called by ``item_bank`` when a result is made
and by simulation. Imports numpy and scipy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr

from engine.errors import InputError


@dataclass(frozen=True)
class ReportingScale:
    """``score = slope theta + intercept``, rounded half up, and kept within the scale.

    Parameters
    ----------
    slope
        Above 0: score points for one unit of theta.
    intercept
        Score at theta 0.
    minimum, maximum
        Ends of the scale, on its own rounding.
    decimals
        Decimals of a reported score, 0 to 6.
    """

    slope: float = 100.0
    intercept: float = 500.0
    minimum: float = 200.0
    maximum: float = 800.0
    decimals: int = 0

    def __post_init__(self) -> None:
        numbers = (self.slope, self.intercept, self.minimum, self.maximum)
        if not all(math.isfinite(number) for number in numbers):
            raise InputError("finite numbers", numbers, column="scale")
        if self.slope <= 0:
            raise InputError("a slope above 0", self.slope, column="scale.slope")
        if self.minimum >= self.maximum:
            found = f"{self.minimum} and {self.maximum}"
            raise InputError("a minimum below the maximum", found, column="scale.minimum")
        if not 0 <= self.decimals <= 6:
            raise InputError("0 to 6 decimals", self.decimals, column="scale.decimals")

    @property
    def unit(self) -> float:
        """Smallest step between two reported scores."""
        return 10.0**-self.decimals


@dataclass(frozen=True)
class Level:
    """A level and the lowest reported score that reaches it."""

    name: str
    minimum: float


def scaled(theta: float, scale: ReportingScale) -> float:
    """Reported score: rounded half up, then truncated to the scale."""
    exact = scale.slope * theta + scale.intercept
    return _within(_rounded(exact, scale.decimals), scale)


def score_se(se: float, scale: ReportingScale) -> float:
    """Standard error in score points, before any rounding."""
    return scale.slope * se


def score_band(
    theta: float, se: float, scale: ReportingScale, *, width: float = 1.96
) -> tuple[float, float]:
    """Ends of theta plus and minus ``width`` standard errors, as reported scores.

    Each end is rounded and truncated to the scale.
    """
    return scaled(theta - width * se, scale), scaled(theta + width * se, scale)


def level_of(score: float, levels: Sequence[Level]) -> Level | None:
    """Level of a reported score; None below the lowest level's minimum."""
    reached = [level for level in levels if score >= level.minimum]
    return max(reached, key=lambda level: level.minimum) if reached else None


def probability_at_least(theta: float, se: float, scale: ReportingScale, minimum: float) -> float:
    """Probability that the true score, as it would be reported, is at least ``minimum``.

    Normal with mean theta and standard deviation ``se``. Rounding counts: a score of ``minimum``
    is reported from half a unit below it. A minimum at or below the scale's end is certain, one
    above its top impossible.
    """
    if minimum <= scale.minimum:
        return 1.0
    if minimum > scale.maximum:
        return 0.0
    cut = theta_cut(minimum, scale)
    if se <= 0:
        return float(theta >= cut)
    return float(ndtr((theta - cut) / se))


def theta_cut(minimum: float, scale: ReportingScale) -> float:
    """Lowest theta that is reported with at least ``minimum``; rounding counts."""
    lowest = math.ceil(minimum / scale.unit - 1e-9) * scale.unit
    return (lowest - 0.5 * scale.unit - scale.intercept) / scale.slope


def theta_cuts(levels: Sequence[Level], scale: ReportingScale) -> tuple[float, ...]:
    """Cuts between the levels on the theta scale, ascending.

    A level that begins at or below the lowest score has no cut.
    """
    minima = sorted({level.minimum for level in levels if level.minimum > scale.minimum})
    return tuple(theta_cut(minimum, scale) for minimum in minima)


def probability_of_levels(
    theta: float, se: float, scale: ReportingScale, levels: Sequence[Level]
) -> tuple[float, ...]:
    """Probability of each level, in the order given; what is missing to 1 is below them all."""
    if not levels:
        return ()
    ascending = sorted(levels, key=lambda level: level.minimum)
    reach = [probability_at_least(theta, se, scale, level.minimum) for level in ascending]
    chances = [here - above for here, above in zip(reach, [*reach[1:], 0.0], strict=True)]
    by_name = dict(zip((level.name for level in ascending), chances, strict=True))
    return tuple(by_name[level.name] for level in levels)


def check_levels(levels: Sequence[Level], scale: ReportingScale) -> None:
    """Refuse levels that share a name or a minimum, or that no reported score can reach."""
    names, minima = {level.name for level in levels}, {level.minimum for level in levels}
    if len(names) < len(levels) or len(minima) < len(levels):
        found = ", ".join(f"{level.name} from {level.minimum:g}" for level in levels)
        raise InputError("levels with a name and a minimum of their own", found, column="levels")
    for level in levels:
        if not level.minimum <= scale.maximum:
            expected = f"a minimum of at most {scale.maximum:g}, the top of the scale"
            raise InputError(expected, level.minimum, column=f"levels.{level.name}")


def _rounded(value: float, decimals: int) -> float:
    factor = 10.0**decimals
    return math.floor(value * factor + 0.5) / factor


def _within(score: float, scale: ReportingScale) -> float:
    return min(max(score, scale.minimum), scale.maximum)
