"""The most informative free items, exactly, from few computed ones.

For each person the listed items of the interval are walked in the order of their bounds, beginning
with the first free one; a window of them is computed. The answer is sure when the last of the
wanted items, less a margin wider than that of ties, beats the bound of the first item after the
window: then nothing outside the window can be among the wanted, nor be tied with one. For those
not sure the window is widened, and in the end the whole pool is computed. The choices are those of
`engine.selection.pick_items` on the information of the whole pool, ties included.

Called by `engine.session` for one person and by `engine.simulation.choice` for many. Imports
selection, the models and `engine.fast.lookup`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.fast.lookup import InformationLookup, Level
from engine.items import ItemParameters
from engine.models import dispatch, logistic
from engine.rules.designs import ExamDesign
from engine.selection import TIE, pick_items

CLEARLY = 1.0 - 1e-9
"""A margin wider than that of ties."""
WINDOW = 4
"""So many items beyond the wanted ones are computed at first, where there are many persons."""
WIDER = 28
"""So many for those who are not sure then."""
NO_ROW = np.iinfo(np.int64).max
A_FEW = 5
SPARE = 40
"""So many items beyond the answered and the wanted ones are computed for one person."""


@dataclass(frozen=True, eq=False)
class Leading:
    """The best free items of some persons.

    Parameters
    ----------
    rows
        Bank rows, best first, shape ``(n_persons, k)``; -1 where there are fewer.
    values
        Their information, same shape; minus infinity where there are fewer.
    largest
        The largest information of a free item, shape ``(n_persons,)``; minus infinity where none
        is free.
    """

    rows: Ints
    values: Floats
    largest: Floats

    def replace(self, who: Ints, other: Leading) -> None:
        """Put others in the place of some persons."""
        self.rows[who], self.values[who] = other.rows, other.values
        self.largest[who] = other.largest


def leading(
    pool: InformationLookup, theta: Floats, free: Bools, items: ItemParameters, k: int, taken: int
) -> Leading:
    """Best ``k`` free items of a pool for each person.

    Parameters
    ----------
    theta
        Shape ``(n_persons,)``.
    free
        Shape ``(n_persons, n_items)``.
    items
        The bank.
    taken
        About how many of the leading items of a person are not free. Any number gives the same
        answer; a good one gives it sooner.
    """
    first, *others = _attempts(pool, k, taken)
    found, sure = _looked_up(*first, theta, free, items, k)
    unsure = np.flatnonzero(~sure)
    for attempt in others:
        if not len(unsure):
            return found
        better, sure = _looked_up(*attempt, theta[unsure], free[unsure], items, k)
        found.replace(unsure, better)
        unsure = unsure[~sure]
    if len(unsure):
        found.replace(unsure, computed(pool, theta[unsure], free[unsure], k))
    return found


@dataclass(frozen=True, eq=False)
class LeadingOfOne:
    """The best free items of one person, best first, and the information of items answered."""

    rows: list[int]
    values: list[float]
    largest: float
    answered: Floats


def leading_of_one(
    pool: InformationLookup,
    theta: float,
    free: Bools,
    answered: Ints,
    items: ItemParameters,
    k: int,
) -> LeadingOfOne:
    """As `leading`, for one person and in one evaluation of the model.

    A call of numpy costs more than many items, so all listed items are computed at once.

    Parameters
    ----------
    free
        Shape ``(n_items,)``.
    answered
        Rows whose information is wanted, too, shape ``(n,)``.

    Returns
    -------
    LeadingOfOne
        With fewer than ``k`` rows where fewer are free; ``largest`` is minus infinity where none
        is.
    """
    n, level = len(answered), pool.coarse
    place, outside = level.place(theta)
    width = min(n + k + SPARE, level.depth)
    rows = level.rows[place, :width]
    information = _information_at(pool, theta, np.concatenate([answered, rows]), items)
    values = np.where(free[rows], information[n:], -np.inf)
    chosen, found, largest = _best_of_one(rows, values, k)
    if len(found) == k and found[-1] * CLEARLY > level.bound[place, width] and not outside:
        return LeadingOfOne(chosen, found, largest, information[:n])
    whole = computed(pool, np.array([theta]), free[None], k)
    wanted = whole.rows[0] >= 0
    chosen, found = whole.rows[0][wanted].tolist(), whole.values[0][wanted].tolist()
    return LeadingOfOne(chosen, found, float(whole.largest[0]), information[:n])


def _information_at(
    pool: InformationLookup, theta: float, rows: Ints, items: ItemParameters
) -> Floats:
    """Information of some rows of the bank at one theta."""
    if pool.constants is not None:
        return logistic.information_from(theta, *pool.constants.take(rows, axis=1))
    found: Floats = dispatch.paired("information", np.array([theta]), rows[None], items)[0]
    return found


def _best_of_one(rows: Ints, values: Floats, k: int) -> tuple[list[int], list[float], float]:
    """As `pick_items`, for few items in any order, and the largest value."""
    order = (-values).argsort()
    first = order[: k + A_FEW]
    ranked, listed = values[first].tolist(), rows[first].tolist()
    if len(first) > k and _are_apart(ranked, k):
        return listed[:k], ranked[:k], ranked[0]
    if len(first) < len(order) and ranked[-1] > ranked[k - 1] * CLEARLY:
        # Ties may go on after the first few.
        ranked, listed = values[order].tolist(), rows[order].tolist()
    chosen = _untied(ranked, listed, k)
    return [row for _, row in chosen], [value for value, _ in chosen], ranked[0]


def _are_apart(ranked: list[float], k: int) -> bool:
    """Whether each of the first k values is free and tied with none after it."""
    if ranked[k - 1] == -np.inf:
        return False
    return all(after < value - TIE * abs(value) for value, after in pairwise(ranked[: k + 1]))


def _untied(ranked: list[float], listed: list[int], k: int) -> list[tuple[float, int]]:
    """Values and rows of the first k, the lowest row first among those tied."""
    left = [pair for pair in zip(ranked, listed, strict=True) if pair[0] > -np.inf]
    chosen: list[tuple[float, int]] = []
    while left and len(chosen) < k:
        lowest = left[0][0] - TIE * abs(left[0][0])
        best = left[0]
        for pair in left:
            if pair[0] < lowest:
                break
            best = min(best, pair, key=itemgetter(1))
        left.remove(best)
        chosen.append(best)
    return chosen


def lookup_depth(design: ExamDesign, items: ItemParameters) -> int:
    """How many items a look-up should keep so that a test of a design finds its items there."""
    return (design.longest or len(items)) + design.randomesque + WIDER


def computed(pool: InformationLookup, theta: Floats, free: Bools, k: int) -> Leading:
    """The same from the information of the whole pool; the definition of `leading`."""
    open_ = free[:, pool.rows]
    information = dispatch.information(theta, pool.items)
    columns, values = pick_items(information, open_, k)
    rows = np.where(columns < 0, -1, pool.rows[columns])
    return Leading(rows, values, np.where(open_, information, -np.inf).max(axis=1))


def _attempts(pool: InformationLookup, k: int, taken: int) -> list[tuple[Level, int, int]]:
    """Levels to look at, how many listed items to search, and how many of them to compute.

    For many persons each item counts: first a narrow window, then a wider one, then all.
    """
    width, wider = (min(taken + k + beyond, pool.fine.depth) for beyond in (WINDOW, WIDER))
    return [
        (pool.fine, width, min(k + WINDOW, width)),
        (pool.fine, wider, min(k + WIDER, wider)),
        (pool.coarse, pool.coarse.depth, pool.coarse.depth),
    ]


def _looked_up(
    level: Level,
    width: int,
    window: int,
    theta: Floats,
    free: Bools,
    items: ItemParameters,
    k: int,
) -> tuple[Leading, Bools]:
    """The best of the window of each person, and whether no other item can be among them.

    Tables of windows have a row for each place in the window and a column for each person, which
    is the quicker way round.
    """
    place, outside = level.places(theta)
    people = np.arange(len(theta))
    start, listed = np.zeros(len(theta), dtype=np.int64), place * level.depth
    if window < width:
        # The first free item begins the window; what stands before it cannot be chosen.
        rows = level.rows[:, :width][place]
        rows += (people * free.shape[1])[:, None]
        open_ = free.ravel().take(rows)
        start = np.minimum(open_.argmax(axis=1), width - window)
    columns = start + np.arange(window)[:, None]
    rows = level.rows.ravel().take(columns + listed)
    values = _information(theta, rows, items)
    values = np.where(free.ravel().take(rows + people * free.shape[1]), values, -np.inf)
    found = _best(rows, values, k)
    sure = (found.values[:, -1] * CLEARLY > level.bound[place, start + window]) & ~outside
    return found, sure


def _information(theta: Floats, rows: Ints, items: ItemParameters) -> Floats:
    """Information of a table of rows, a column for each theta."""
    each = np.broadcast_to(theta, rows.shape).ravel()
    return dispatch.paired("information", each, rows.reshape(-1, 1), items).reshape(rows.shape)


def _best(rows: Ints, values: Floats, k: int) -> Leading:
    """As `pick_items`, for items in any order, a column for each person."""
    largest = values.max(axis=0)
    chosen = np.empty((rows.shape[1], k), dtype=np.int64)
    found = np.empty((rows.shape[1], k))
    best = largest
    for place in range(k):
        if place:
            values = np.where(rows == chosen[:, place - 1], -np.inf, values)
            best = values.max(axis=0)
        tied = values >= best - TIE * np.abs(best)
        chosen[:, place] = np.where(tied, rows, NO_ROW).min(axis=0)
        found[:, place] = np.where(rows == chosen[:, place], values, -np.inf).max(axis=0)
    chosen[np.isneginf(found)] = -1
    return Leading(chosen, found, largest)
