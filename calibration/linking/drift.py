"""Drift: how far items moved between two sets of parameters on one scale.

Called by the commands of this folder. Imports ``engine``.

Sources: Wells, Subkoviak and Serlin (2002) for areas as effects of drift; Huynh and Meyer (2010)
for robust z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.linking.anchors import Anchors
from calibration.linking.constants import NODES, NORMAL, WEIGHTS, one_unit
from calibration.linking.scales import Link, discriminations, location_errors, locations
from calibration.linking.scales import transformed as on_scale
from calibration.linking.scales import transformed_errors as errors_on_scale
from calibration.linking.screening import LIMIT, robust_z
from calibration.tables import csv_text
from engine.arrays import Floats
from engine.items import ItemParameters
from engine.models import dispatch

HEADER = ("item", "d_a", "d_b", "z", "robust_z", "area", "flag")
LARGE_AREA = 0.1
FLAGS = ("harder", "easier", "steeper", "flatter", "curve")


@dataclass(frozen=True, eq=False)
class Drift:
    """How far each item moved, each array of shape ``(n_items,)``.

    Parameters
    ----------
    item
        Items in both sets.
    d_a, d_b
        New less old; of polytomous items b is the mean of the thresholds.
    z
        ``d_b / sqrt(se_new^2 + se_old^2)``; NaN where a standard error is not known.
    robust_z_a, robust_z_b
        Robust z of the ratio of log a and of d_b; see ``screening``.
    area
        Mean distance of the expected-score curves over N(0, 1), unsigned, in score points.
    area_limit
        The largest area of an item that is not flagged: a share of its highest score.
    flags
        By item, words of ``FLAGS``.
    """

    item: tuple[str, ...]
    d_a: Floats
    d_b: Floats
    z: Floats
    robust_z_a: Floats
    robust_z_b: Floats
    area: Floats
    area_limit: Floats
    flags: tuple[tuple[str, ...], ...]

    @property
    def flagged(self) -> tuple[str, ...]:
        """Items with a flag."""
        return tuple(name for name, flag in zip(self.item, self.flags, strict=True) if flag)


def drift(anchors: Anchors, *, limit: float = LIMIT, largest_area: float = LARGE_AREA) -> Drift:
    """Compare the parameters of the same items on one scale.

    Parameters
    ----------
    anchors
        Every item in both sets.
    limit
        Largest absolute robust z of an item that is not flagged.
    largest_area
        Largest area of such an item, as a share of its highest score.
    """
    new, old = anchors.new, anchors.old
    d_b = locations(new) - locations(old)
    spread = np.hypot(location_errors(new, anchors.new_se), location_errors(old, anchors.old_se))
    z_a = np.full(len(new), np.nan)
    if not one_unit(new, old):
        z_a = robust_z(np.log(discriminations(new) / discriminations(old)))
    z_b, area = robust_z(d_b), areas(new, old)
    most = np.asarray(largest_area * (new.n_categories - 1), dtype=np.float64)
    words = zip(z_a.tolist(), z_b.tolist(), (area > most).tolist(), strict=True)
    return Drift(
        new.item,
        discriminations(new) - discriminations(old),
        d_b,
        d_b / np.where(spread > 0, spread, np.nan),
        z_a,
        z_b,
        area,
        most,
        tuple(_words(a, b, limit, curve=curve) for a, b, curve in words),
    )


def areas(new: ItemParameters, old: ItemParameters) -> Floats:
    """Unsigned area between expected-score curves over N(0, 1), shape ``(n_items,)``.

    ``sum_q w_q |E_new(theta_q) - E_old(theta_q)|`` on nodes from -4 to 4 by .05: a signed area
    would let a curve that crosses the other pass for unchanged.
    """
    gap = dispatch.expected_score(NODES, new) - dispatch.expected_score(NODES, old)
    return np.asarray(WEIGHTS[NORMAL] @ np.abs(gap))


def placed(anchors: Anchors, link: Link) -> Anchors:
    """Put the new side on the scale of the old one."""
    new, new_se = on_scale(anchors.new, link), errors_on_scale(anchors.new_se, link)
    return Anchors(new, anchors.old, new_se, anchors.old_se)


def drift_text(found: Drift) -> str:
    """Format the file of ``tarozu calibrate drift``; flags are joined by semicolons.

    ``robust_z`` is the one of b, or that of log a where it alone is beyond the limit.
    """
    return csv_text(HEADER, drift_rows(found))


def drift_rows(found: Drift) -> list[list[object]]:
    """One row by item, in the order of ``HEADER``."""
    columns = (found.d_a, found.d_b, found.z, shown_z(found), found.area)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        [name, *row, ";".join(flag)]
        for name, row, flag in zip(found.item, rows, found.flags, strict=True)
    ]


def shown_z(found: Drift) -> Floats:
    """The robust z of b, or of log a where the steepness alone made the flag."""
    steepness = [_is_steepness(flag) for flag in found.flags]
    return np.where(steepness, found.robust_z_a, found.robust_z_b)


def _is_steepness(flags: Sequence[str]) -> bool:
    return bool({"steeper", "flatter"} & set(flags)) and not {"harder", "easier"} & set(flags)


def _words(z_a: float, z_b: float, limit: float, *, curve: bool) -> tuple[str, ...]:
    tests = (z_b > limit, z_b < -limit, z_a > limit, z_a < -limit, curve)
    return tuple(word for word, holds in zip(FLAGS, tests, strict=True) if holds)
