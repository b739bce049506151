"""Anchors that drifted: those whose parameters moved otherwise than the rest.

Robust z (Huynh and Meyer, 2010): the difference of log a, and of b on one scale, less its median
over the anchors, by 1.4826 times the median absolute deviation. Median and deviation look away from
up to half of the anchors, so that drifted ones do not hide one another. Where standard errors are
known, an anchor must stand out by these, too: in data of an adaptive test they differ so much from
anchor to anchor that the less sure ones would seem to drift. Called by the commands of
this folder and by ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.linking.anchors import Anchors
from calibration.linking.constants import NORMAL, linked, one_unit
from calibration.linking.scales import (
    Link,
    discriminations,
    location_errors,
    locations,
    log_size_errors,
)
from calibration.parameter_file import StandardErrors
from engine.arrays import Bools, Floats
from engine.items import ItemParameters

LIMIT = 2.7
"""The fence of a box plot: of good anchors with normal errors, one in 150 lies beyond."""
LEAST = 5
"""Among fewer anchors no one stands out."""
ROUNDING = 1e-4
"""Deviations below this are taken for rounding."""
MOST_ROUNDS = 50

_ErrorsOf = Callable[[ItemParameters, StandardErrors], Floats]


@dataclass(frozen=True, eq=False)
class Screening:
    """What a screening found.

    Parameters
    ----------
    link
        From the anchors that stayed.
    kept
        Whether an anchor stayed, shape ``(n_anchors,)``.
    z_a, z_b
        Robust z of log a and of b, shape ``(n_anchors,)``; NaN with fewer than five anchors, and
        of a where the models fix it.
    reasons
        Why an anchor went, by name.
    """

    link: Link
    kept: Bools
    z_a: Floats
    z_b: Floats
    reasons: dict[str, str]


def robust_z(differences: Floats) -> Floats:
    """Distance from the median in robust standard deviations; NaN for fewer than five values."""
    known = np.isfinite(differences)
    if known.sum() < LEAST:
        return np.full(differences.shape, np.nan)
    centred = differences - np.median(differences[known])
    deviation = 1.4826 * float(np.median(np.abs(centred[known])))
    return np.asarray(centred / max(deviation, ROUNDING))


def screened(
    method: str, anchors: Anchors, *, weights: str = NORMAL, limit: float = LIMIT
) -> Screening:
    """Link, drop the anchors beyond the limit, and link again, until the same ones stay.

    b is compared on the scale of the anchors that stayed; medians and deviations are always those
    of all anchors, so that no good anchor is lost to limits that shrink from round to round.

    Parameters
    ----------
    method, weights
        As in ``linked``.
    anchors
        With their standard errors; one that only one side has is taken as that of the difference.
    limit
        Largest absolute robust z of an anchor that stays.
    """
    new, old = anchors.new, anchors.old
    ratios = np.log(discriminations(new) / discriminations(old))
    z_a = np.full(len(new), np.nan) if one_unit(new, old) else robust_z(ratios)
    flatter = _beyond(z_a, limit) & ~_within_error(ratios, _errors(anchors, log_size_errors), limit)
    errors, kept = _errors(anchors, location_errors), ~flatter
    for _round in range(MOST_ROUNDS):
        link = linked(method, new.subset(kept), old.subset(kept), weights=weights)
        shifts = link.A * locations(new) + link.B - locations(old)
        z_b = robust_z(shifts)
        moved = _beyond(z_b, limit) & ~_within_error(shifts, errors, limit)
        if np.array_equal(kept, ~flatter & ~moved):
            break
        kept = ~flatter & ~moved
    found = (np.where(flatter, z_a, 0.0), np.where(moved, z_b, 0.0))
    sizes = np.exp(ratios) / link.A
    reasons = {
        new.item[row]: _reason(
            (float(found[0][row]), float(found[1][row])), float(sizes[row]), float(shifts[row])
        )
        for row in np.flatnonzero(~kept)
    }
    return Screening(link, kept, z_a, z_b, reasons)


def _beyond(z: Floats, limit: float) -> Bools:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(z) > limit)


def _errors(anchors: Anchors, of: _ErrorsOf) -> Floats:
    """Standard error of the difference; NaN where neither side has one."""
    sides = of(anchors.new, anchors.new_se), of(anchors.old, anchors.old_se)
    known = np.isfinite(sides[0]) | np.isfinite(sides[1])
    return np.where(known, np.hypot(*np.nan_to_num(sides)), np.nan)


def _within_error(differences: Floats, errors: Floats, limit: float) -> Bools:
    """Whether a difference from the median is no larger than its error lets it be."""
    known = np.isfinite(errors)
    distance = np.abs(differences - np.median(differences))
    return known & (distance <= limit * np.where(known, errors, 0.0))


def _reason(z: tuple[float, float], ratio: float, shift: float) -> str:
    parts = []
    if z[0]:
        word = "steeper" if z[0] > 0 else "flatter"
        parts.append(f"{word}: a times {ratio:.2f} (robust z {z[0]:.1f})")
    if z[1]:
        word = "harder" if z[1] > 0 else "easier"
        parts.append(f"{word}: b by {shift:+.2f} (robust z {z[1]:.1f})")
    return "; ".join(parts)
