"""The most informative items near a theta, looked up instead of computed, and still exact.

Theta is cut into intervals. For each, the items of a pool are kept in falling order of an upper
bound on their information there. If the best of the first few beats the bound of the next one, no
other item of the pool can win, and only those few had to be computed: `engine.fast.leading` does
that.

There are two levels. The coarse one looks at the whole pool, once for each interval that is
visited; the fine one cuts each interval into ten and orders again the leading items of the coarse
one, so that its bounds are ten times closer. Bounds follow from the information in the middle of
an interval and from how fast its log can change: by at most ``2 a`` for logistic items, ``3 a`` for
graded ones, ``a m`` for partial credit with highest score m, and the range of the slopes for
nominal ones. (Logistic: ``|2(1 - 2s) - (d-c)s(1-s)/P + (d-c)s(1-s)/Q| <= 2``. Graded: ``I' = sum P
L^3 + 2 sum P L L'`` with ``|L| <= a``, ``L' <= 0`` and ``-sum P L' = I``. Partial credit and
nominal: ``I' / I`` is a third central moment over a second one.)

Kept as long as the bank lives. Called by `engine.session` and `engine.simulation.choice`. Imports
numpy and the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from weakref import WeakKeyDictionary

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch, logistic

LOW, HIGH = -6.0, 6.0
COARSE = 480
FINE = 4800
INTERVALS_AT_ONCE = 16
BEYOND_ROUNDING = 1.0 + 1e-9
DEPTHS = 64
"""Depths are whole multiples of this, so that designs of different length share a look-up."""
DEEPEST = 256


class Level:
    """The leading items in each interval of theta; an interval is filled when first visited.

    Two threads that fill the same interval write the same numbers.

    Parameters
    ----------
    items
        The items of the pool alone; where ``above`` is given, the bank.
    intervals
        Into how many [-6, 6] is cut.
    depth
        How many items are kept for each; all, if there are fewer.
    pool
        The bank rows among which to look, shape ``(n_rows,)``.
    above
        The coarser level whose leading items are ordered again; None to look at the whole pool.

    Attributes
    ----------
    rows
        Bank rows in falling order of their bound, shape ``(intervals, depth)``.
    bound
        The largest information that each can have in the interval, or an item left out, if that
        is more, shape ``(intervals, depth + 1)``; the last column is that of the best item left
        out, 0 when none is.
    """

    def __init__(
        self,
        items: ItemParameters,
        intervals: int,
        depth: int,
        pool: Ints,
        above: Level | None = None,
    ) -> None:
        self.depth = min(depth, len(pool))
        self.width = (HIGH - LOW) / intervals
        self.intervals = intervals
        self.rows = np.empty((intervals, self.depth), dtype=np.int64)
        self.bound = np.empty((intervals, self.depth + 1))
        self._filled = np.zeros(intervals, dtype=np.bool_)
        self._items, self._pool, self._above = items, pool, above
        self._slack = np.exp(0.5 * self.width * _log_slopes(items)) * BEYOND_ROUNDING

    def places(self, theta: Floats) -> tuple[Ints, Bools]:
        """Interval of each theta, filled, and whether the theta lies outside them all, ``(n,)``."""
        exact = np.floor((theta - LOW) / self.width)
        place = np.minimum(np.maximum(exact, 0), self.intervals - 1).astype(np.int64)
        if not self._filled[place].all():
            self._fill(np.unique(place[~self._filled[place]]))
        return place, exact != place

    def place(self, theta: float) -> tuple[int, bool]:
        """As `places`, for one theta."""
        exact = floor((theta - LOW) / self.width)
        place = min(max(exact, 0), self.intervals - 1)
        if not self._filled[place]:
            self._fill(np.array([place]))
        return place, exact != place

    def _fill(self, places: Ints) -> None:
        for start in range(0, len(places), INTERVALS_AT_ONCE):
            some = places[start : start + INTERVALS_AT_ONCE]
            middle = np.add(LOW, self.width * (some + 0.5), dtype=np.float64)
            rows, most, left_out = self._candidates(middle)
            order = _falling(most, self.depth)
            self.rows[some] = np.take_along_axis(rows, order[:, : self.depth], axis=1)
            bound = np.take_along_axis(most, order, axis=1)
            self.bound[some] = left_out[:, None]
            self.bound[some, : order.shape[1]] = np.maximum(bound, left_out[:, None])
            self._filled[some] = True

    def _candidates(self, middle: Floats) -> tuple[Ints, Floats, Floats]:
        """Rows, bounds, and the bound on items that are not among them, for some intervals."""
        if self._above is None:
            most = dispatch.information(middle, self._items) * self._slack
            return np.broadcast_to(self._pool, most.shape), most, np.zeros(len(middle))
        place, _ = self._above.places(middle)
        rows = self._above.rows[place]
        most = dispatch.paired("information", middle, rows, self._items) * self._slack[rows]
        return rows, most, self._above.bound[place, -1]


@dataclass(frozen=True, eq=False)
class InformationLookup:
    """The items of one pool, and both levels of their order.

    Parameters
    ----------
    mask, rows
        Which items of the bank they are, shape ``(n_items,)``, and their rows, ascending, shape
        ``(n_rows,)``.
    items
        They alone, in that order.
    coarse, fine
        Their leading items by interval of theta.
    constants
        `logistic.constants` of the bank, shape ``(6, n_bank)``; None where other families are in
        it.
    """

    mask: Bools
    rows: Ints
    items: ItemParameters
    coarse: Level
    fine: Level
    constants: Floats | None


@dataclass(frozen=True, eq=False)
class _OfBank:
    """What is kept of a bank; a copy, since a value that held the key would keep it alive."""

    items: ItemParameters
    made: dict[tuple[str | None, int], InformationLookup]


_KEPT: WeakKeyDictionary[ItemParameters, _OfBank] = WeakKeyDictionary()


def information_lookup(items: ItemParameters, area: str | None, depth: int) -> InformationLookup:
    """The look-up for a content area of a bank, or for all of it; made once while the bank lives.

    Parameters
    ----------
    area
        None for all items.
    depth
        So many items at least are kept for each interval; all, if there are fewer, and no more than
        256.
    """
    kept = _KEPT.get(items)
    if kept is None:
        kept = _KEPT.setdefault(items, _OfBank(items.subset(np.arange(len(items))), {}))
    key = (area, min(-(-depth // DEPTHS) * DEPTHS, DEEPEST))
    if key not in kept.made:
        kept.made[key] = _made(kept.items, *key)
    return kept.made[key]


def _made(items: ItemParameters, area: str | None, depth: int) -> InformationLookup:
    mask = np.ones(len(items), dtype=np.bool_) if area is None else items.areas[area]
    pool = np.flatnonzero(mask)
    some = items if area is None else items.subset(pool)
    coarse = Level(some, COARSE, 3 * depth, pool)
    fine = Level(items, FINE, depth, pool, coarse)
    return InformationLookup(mask, pool, some, coarse, fine, _constants(items))


def _constants(items: ItemParameters) -> Floats | None:
    if not items.is_dichotomous.all():
        return None
    return np.array(logistic.constants(items.a, items.b, items.c, items.d))


def _falling(most: Floats, depth: int) -> Ints:
    """Columns of the ``depth + 1`` largest, or of all if there are fewer, largest first."""
    if depth + 1 < most.shape[1]:
        first = np.argpartition(-most, depth, axis=1)[:, : depth + 1]
        order = np.argsort(-np.take_along_axis(most, first, axis=1), axis=1)
        return np.take_along_axis(first, order, axis=1)
    return np.argsort(-most, axis=1)


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
