"""Anchors that drifted: those whose parameters moved otherwise than the rest.

Robust z (Huynh and Meyer, 2010): the difference of log a, and of b on one scale, less its median
over the anchors, by 1.4826 times the median absolute deviation. Median and deviation look away from
up to half of the anchors, so that drifted ones do not hide one another. Called by the commands of
this folder and by ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.linking.constants import NORMAL, linked, one_unit
from calibration.linking.scales import Link, discriminations, locations
from engine.arrays import Bools, Floats
from engine.items import ItemParameters

LIMIT = 2.7
"""The fence of a box plot: of good anchors with normal errors, one in 150 lies beyond."""
LEAST = 5
"""Among fewer anchors no one stands out."""
ROUNDING = 1e-4
"""Deviations below this are taken for rounding."""
MOST_ROUNDS = 50


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
    method: str,
    new: ItemParameters,
    old: ItemParameters,
    *,
    weights: str = NORMAL,
    limit: float = LIMIT,
) -> Screening:
    """Link, drop the anchors beyond the limit, and link again, until the same ones stay.

    b is compared on the scale of the anchors that stayed; medians and deviations are always those
    of all anchors, so that no good anchor is lost to limits that shrink from round to round.

    Parameters
    ----------
    method, new, old, weights
        As in ``linked``.
    limit
        Largest absolute robust z of an anchor that stays.
    """
    z_a = np.full(len(new), np.nan)
    if not one_unit(new, old):
        z_a = robust_z(np.log(discriminations(new) / discriminations(old)))
    kept = ~_beyond(z_a, limit)
    for _round in range(MOST_ROUNDS):
        link = linked(method, new.subset(kept), old.subset(kept), weights=weights)
        shifts = link.A * locations(new) + link.B - locations(old)
        z_b = robust_z(shifts)
        staying = ~_beyond(z_a, limit) & ~_beyond(z_b, limit)
        if np.array_equal(staying, kept):
            break
        kept = staying
    ratios = discriminations(new) / link.A / discriminations(old)
    reasons = {
        new.item[row]: _reason(
            (float(z_a[row]), float(z_b[row])), float(ratios[row]), float(shifts[row]), limit
        )
        for row in np.flatnonzero(~kept)
    }
    return Screening(link, kept, z_a, z_b, reasons)


def _beyond(z: Floats, limit: float) -> Bools:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(z) > limit)


def _reason(z: tuple[float, float], ratio: float, shift: float, limit: float) -> str:
    parts = []
    if abs(z[0]) > limit:
        word = "steeper" if z[0] > 0 else "flatter"
        parts.append(f"{word}: a times {ratio:.2f} (robust z {z[0]:.1f})")
    if abs(z[1]) > limit:
        word = "harder" if z[1] > 0 else "easier"
        parts.append(f"{word}: b by {shift:+.2f} (robust z {z[1]:.1f})")
    return "; ".join(parts)
