"""The most informative items near a theta, looked up instead of computed, and still exact.

For each interval of theta the items are kept in the order of an upper bound on their information
there. If the best of the first few beats the bound of the next one, no other item of the bank can
win, and only those few had to be computed; otherwise the caller computes the whole bank. Called
by `engine.simulation`. Imports numpy and the models.

The bounds rest on how fast the log of the information can change: by at most ``2 a`` for logistic
items, ``3 a`` for graded ones, ``a m`` for partial credit with highest score m, and the range of
the slopes for nominal items. (Logistic:
``|2(1 - 2s) - (d-c)s(1-s)/P + (d-c)s(1-s)/Q| <= 2``. Graded: ``I' = sum P L^3 + 2 sum P L L'``
with ``|L| <= a``, ``L' <= 0`` and ``-sum P L' = I``. Partial credit: ``I' / I = a mu_3 / mu_2``;
nominal: the same of the slopes.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch

LOW, HIGH = -6.0, 6.0
INTERVALS = 480
INTERVALS_AT_ONCE = 16
WIDTH = (HIGH - LOW) / INTERVALS


@dataclass(frozen=True, eq=False)
class InformationLookup:
    """The leading items in each interval of theta.

    Parameters
    ----------
    rows
        Bank rows in falling order of their bound, shape ``(n_intervals, depth)``.
    bound
        The largest information that each can have in the interval, shape
        ``(n_intervals, depth + 1)``; the last column is that of the best item left out, 0 when
        none is.
    """

    rows: Ints
    bound: Floats

    @property
    def depth(self) -> int:
        """How many items are kept for each interval."""
        return int(self.rows.shape[1])


def information_lookup(items: ItemParameters, rows: Ints, depth: int) -> InformationLookup:
    """Prepare the look-up for some rows of a bank.

    Parameters
    ----------
    rows
        The rows among which to look, shape ``(n_rows,)``.
    depth
        How many to keep in each interval; all, if there are fewer.
    """
    depth = min(depth, len(rows))
    some = items.subset(rows)
    slack = np.exp(0.5 * WIDTH * _log_slopes(some)) * (1.0 + 1e-9)
    middles = LOW + WIDTH * (np.arange(INTERVALS) + 0.5)
    kept, bounds = [], []
    for start in range(0, INTERVALS, INTERVALS_AT_ONCE):
        most = dispatch.information(middles[start : start + INTERVALS_AT_ONCE], some) * slack
        order = np.argsort(-most, axis=1, kind="stable")[:, : depth + 1]
        bounds.append(np.take_along_axis(most, order, axis=1))
        kept.append(order[:, :depth])
    bound = np.concatenate(bounds)
    none_left = np.zeros((INTERVALS, depth + 1 - bound.shape[1]))
    return InformationLookup(rows[np.concatenate(kept)], np.concatenate([bound, none_left], axis=1))


def interval_of(theta: Floats) -> tuple[Ints, Bools]:
    """Interval of each theta, and whether the theta lies outside them all, both ``(n,)``."""
    place = np.floor((theta - LOW) / WIDTH).astype(np.int64)
    outside = (place < 0) | (place >= INTERVALS)
    return np.clip(place, 0, INTERVALS - 1), outside


def _log_slopes(items: ItemParameters) -> Floats:
    """Largest change of the log information for one unit of theta, shape ``(n_items,)``."""
    factor = {"logistic": 2.0, "graded": 3.0}
    slopes = np.empty(len(items))
    for part in items.parts:
        if part.family == "nominal":
            steepness = np.nan_to_num(part.items.slopes)
            slopes[part.rows] = steepness.max(axis=1, initial=0) - steepness.min(axis=1, initial=0)
        else:
            top = part.items.n_categories - 1.0
            slopes[part.rows] = part.items.a * factor.get(part.family, top)
    return slopes
