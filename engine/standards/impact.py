"""What a cut would mean: the reported score that it asks for, and who would reach it.

Called by ``item_bank``. Imports numpy and `engine.results.decisions`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats
from engine.results.decisions import ReportingScale

SLACK = 1e-9
BAND = (-2, -1, 0, 1, 2)


def cut_score(theta: float, scale: ReportingScale) -> float:
    """Lowest reported score that stands for at least ``theta``.

    ``slope theta + intercept``, rounded up to the unit of the scale and kept within it: levels are
    decided on the reported score, and rounding down would let candidates below the cut through.
    """
    exact = scale.slope * theta + scale.intercept
    steps = math.ceil(exact / scale.unit - SLACK)
    return min(max(round(steps * scale.unit, scale.decimals), scale.minimum), scale.maximum)


def reported(theta: npt.ArrayLike, scale: ReportingScale) -> Floats:
    """Reported scores of many thetas, as `engine.results.decisions.scaled` gives them one by one.

    Parameters
    ----------
    theta
        Shape ``(n_persons,)``.
    """
    factor = 10.0**scale.decimals
    exact = scale.slope * np.asarray(theta, dtype=np.float64) + scale.intercept
    rounded: Floats = np.floor(exact * factor + 0.5) / factor
    return np.clip(rounded, scale.minimum, scale.maximum)


def share_reaching(scores: npt.ArrayLike, minimum: float) -> float | None:
    """Share of reported scores of at least ``minimum``; None without any."""
    given = np.asarray(scores, dtype=np.float64)
    return None if len(given) == 0 else float((given >= minimum - SLACK).mean())


@dataclass(frozen=True)
class ImpactRow:
    """What a cut some standard errors away would mean.

    Parameters
    ----------
    errors
        How many standard errors above the panel's cut.
    share
        Of the candidates that would reach it; None without any.
    """

    errors: int
    theta: float
    minimum: float
    share: float | None


def impact(
    scores: npt.ArrayLike, cut: float, se: float | None, scale: ReportingScale
) -> tuple[ImpactRow, ...]:
    """Shares that would reach a cut and those 1 and 2 standard errors around it.

    Parameters
    ----------
    scores
        Reported scores of past candidates, shape ``(n_persons,)``.
    se
        Of the cut; None gives the cut alone.
    """
    errors: Sequence[int] = (0,) if se is None else BAND
    thetas = [cut + k * (se or 0.0) for k in errors]
    minima = [cut_score(theta, scale) for theta in thetas]
    return tuple(
        ImpactRow(k, theta, minimum, share_reaching(scores, minimum))
        for k, theta, minimum in zip(errors, thetas, minima, strict=True)
    )
