"""Masks that keep a blueprint: which items may come next so that the rest can still be met.

For many persons at once, and for one as a crowd of one: `engine.session` and
`engine.simulation.run` share every line. An item is masked when taking it would break a bound, or
leave too few places or too few items for the minimums. Each attribute, the totals and the stimulus
sets are looked ahead by themselves, with the totals seeing the content areas; where bounds on
several attributes cross tightly only a shadow test knows (`engine.blueprints.shadow`). Imports
numpy and `engine.blueprints.constraints`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import sparse

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.constraints import (
    CONTENT,
    EXACTLY,
    Constraints,
    amounts,
    enemies_of,
    set_codes,
)

RESERVE = 0.6
"""Totals are looked ahead as if a test were completed by items spread over this share of those
left, the best for the total, and not by the very best: other bounds are to be kept too."""


@dataclass(frozen=True, eq=False)
class Progress:
    """How far the tests of some persons have come.

    Parameters
    ----------
    left
        Items to come, the next one included, shape ``(n_persons,)``.
    held
        What the items given add up to, shape ``(n_persons, n_bounds)``.
    open_set
        Stimulus of the last item, -1 for none; how many of its items were given stands in ``run``.
    """

    left: Ints
    held: Floats
    open_set: Ints
    run: Ints


@dataclass(frozen=True, eq=False)
class _Family:
    """The bounds of one attribute, and its items by bound.

    ``cells`` groups the items that compete for a place: those of one stimulus, or enemies of each
    other; a cell yields at most ``cap`` items, which go ``into`` its bound. Of the least
    items that a stimulus is given with, at most ``worst`` and at least ``sure`` count towards each
    bound, shape ``(n_sets, n_bounds)``.
    """

    bounds: Ints
    place: Ints
    cells: sparse.csr_array
    cap: Floats
    cell_set: Ints
    into: Floats
    worst: Floats
    sure: Floats
    loss: Floats
    losing: Ints


@dataclass(frozen=True, eq=False)
class _Needs:
    """What a family still asks for, shape ``(n_persons, n_bounds_of_family)``, and spare places."""

    needed: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    spare: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def progress(bound: Constraints, rows: Ints) -> Progress:
    """Sum up what was given.

    Parameters
    ----------
    rows
        Bank rows in the order given, shape ``(n_persons, n)``; -1 after the last.
    """
    codes, count = set_codes(bound, rows), (rows >= 0).sum(axis=1)
    last = _last(codes, count)
    run = ((codes == last[:, None]) & (codes >= 0)).sum(axis=1)
    return Progress(bound.length - count, amounts(bound, rows), last, run)


def _last(codes: Ints, count: Ints) -> Ints:
    """Stimulus of each person's last item, -1 for none."""
    last = np.full(len(codes), -1, dtype=np.int64)
    some = np.flatnonzero(count)
    last[some] = codes[some, count[some] - 1]
    return last


def not_barred(bound: Constraints, rows: Ints, free: Bools, *, torn: bool = False) -> Bools:
    """Free items that are usable, no enemy of a given one, and of no stimulus that was left.

    Parameters
    ----------
    free
        Items neither given nor held, shape ``(n_persons, n_items)``.
    torn
        Whether items of a stimulus that was left may come after all.
    """
    left = free & bound.usable & ~enemies_of(bound, rows)
    if len(bound.set_names) and not torn:
        left &= ~_closed(bound, rows)[:, bound.set_of]
    return left


def eligible(bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Items that may come next.

    Parameters
    ----------
    rows
        Bank rows in the order given, shape ``(n_persons, n)``.
    free
        Items neither given nor held, shape ``(n_persons, n_items)``.

    Returns
    -------
    Bools
        Shape ``(n_persons, n_items)``; nothing where the masks see no way on, which need not mean
        that there is none.
    """
    now, open_ = progress(bound, rows), not_barred(bound, rows, free)
    mask, staying = open_.copy(), np.zeros(len(open_), dtype=np.bool_)
    if len(bound.set_names):
        staying = _keep_sets(bound, now, open_, mask)
    content = _Needs()
    for family in _families(bound):
        needs = _keep_family(bound, family, now, open_, mask, staying)
        if bound.kinds[family.bounds[0]] == CONTENT:
            content = needs
    for place in bound.totals:
        _keep_total(bound, int(place), content, now, open_, mask, staying)
    return mask


def _closed(bound: Constraints, rows: Ints) -> Bools:
    """Stimuli that were left or are used up, shape ``(n_persons, n_sets + 1)``; the last: none."""
    codes = set_codes(bound, rows)
    given = (codes[:, :, None] == np.arange(len(bound.set_names))).sum(axis=1)
    closed = given > 0
    last = _last(codes, (rows >= 0).sum(axis=1))
    here = np.flatnonzero(last >= 0)
    closed[here, last[here]] = given[here, last[here]] >= bound.most
    return np.concatenate([closed, np.zeros((len(rows), 1), dtype=np.bool_)], axis=1)


# --- stimulus sets ------------------------------------------------------------------------------


def _keep_sets(bound: Constraints, now: Progress, open_: Bools, mask: Bools) -> Bools:
    """Stay in a set until it has enough items; enter none that cannot be finished."""
    inside = (bound.set_of[None, :] == now.open_set[:, None]) & (now.open_set >= 0)[:, None]
    staying: Bools = (now.open_set >= 0) & (now.run < bound.least) & (open_ & inside).any(axis=1)
    mask[staying] &= inside[staying]
    size = open_.astype(np.float32) @ bound.members.T.astype(np.float32)
    enough = (size >= bound.least) & (now.left >= bound.least)[:, None]
    enough = np.concatenate([enough, np.ones((len(mask), 1), dtype=np.bool_)], axis=1)
    mask &= enough[:, bound.set_of] | inside
    return staying


# --- bounds on numbers of items -----------------------------------------------------------------


@lru_cache(maxsize=64)
def _families(bound: Constraints) -> tuple[_Family, ...]:
    return tuple(_family(bound, places) for places in bound.families)


def _family(bound: Constraints, bounds: Ints) -> _Family:
    inside = bound.weights[bounds] > 0
    place = np.where(inside.any(axis=0), inside.argmax(axis=0), len(bounds))
    group, cap = _groups(bound)
    rows = np.flatnonzero(inside.any(axis=0))
    keys, cell = np.unique(np.stack([group[rows], place[rows]]), axis=1, return_inverse=True)
    n_cells = keys.shape[1]
    shape = (n_cells, bound.n_items)
    cells = sparse.csr_array((np.ones(len(rows)), (cell.ravel(), rows)), shape=shape)
    first = np.array([rows[cell.ravel() == code][0] for code in range(n_cells)], dtype=np.int64)
    loss = (bound.enemies @ sparse.csr_array(inside.T.astype(np.float64))).toarray()
    loss[np.arange(bound.n_items)[place < len(bounds)], place[place < len(bounds)]] = 0.0
    into = np.zeros((n_cells, len(bounds)))
    into[np.arange(n_cells), keys[1]] = 1.0
    worst, sure = _of_sets(bound, inside)
    return _Family(
        bounds=bounds,
        place=place.astype(np.int64),
        cells=cells,
        cap=cap[first],
        cell_set=bound.set_of[first],
        into=into,
        worst=worst,
        sure=sure,
        loss=loss,
        losing=np.flatnonzero(loss.any(axis=1)).astype(np.int64),
    )


def _of_sets(bound: Constraints, inside: Bools) -> tuple[Floats, Floats]:
    """Most and fewest of a stimulus's least items that can count towards each bound."""
    members = bound.members.astype(np.float64)
    counts = members @ inside.T.astype(np.float64)
    outside = members.sum(axis=1, keepdims=True) - counts
    return np.minimum(counts, bound.least), np.maximum(bound.least - outside, 0.0)


def _groups(bound: Constraints) -> tuple[Ints, Floats]:
    """Items that compete with each other, and how many of them can be had, both ``(n_items,)``."""
    _, component = sparse.csgraph.connected_components(bound.enemies, directed=False)
    alone = np.bincount(component)[component] == 1
    n = len(component)
    cap = np.where(alone, float(n), 1.0)
    group = np.where(alone, -1, component)
    in_set = bound.set_of >= 0
    cap[in_set] = bound.most
    group[in_set] = n + bound.set_of[in_set]
    return group.astype(np.int64), cap


def _keep_family(
    bound: Constraints,
    family: _Family,
    now: Progress,
    open_: Bools,
    mask: Bools,
    staying: Bools,
) -> _Needs:
    """Mask what would break the bounds of an attribute, or make them unattainable."""
    held = now.held[:, family.bounds]
    lower, upper = bound.lower[family.bounds], bound.upper[family.bounds]
    supply, loose = _supply(bound, family, now, open_)
    needed = np.maximum(lower - held, 0.0)
    through_sets = np.ceil(np.maximum(needed - loose, 0.0) / bound.most) * bound.least
    needed = np.maximum(needed, through_sets)
    spare = now.left - needed.sum(axis=1)
    fits = (held + 1.0 <= upper) & ((needed >= 1.0) | (spare >= 1.0)[:, None])
    fits = np.concatenate([fits, (spare >= 1.0)[:, None]], axis=1)
    allowed = fits[:, family.place]
    if len(bound.set_names):
        entering = _entering(bound, family, now, needed, held)
        enters = (bound.set_of >= 0) & (bound.set_of != now.open_set[:, None])
        allowed = np.where(enters, entering[:, bound.set_of], allowed)
    if len(family.losing):
        margin = (supply - needed)[:, None, :]
        allowed[:, family.losing] &= (margin >= family.loss[family.losing]).all(axis=2)
    mask &= allowed | staying[:, None]
    mask &= (needed <= supply).all(axis=1)[:, None]
    return _Needs(needed.astype(np.int64), np.maximum(spare, 0.0).astype(np.int64))


def _supply(
    bound: Constraints, family: _Family, now: Progress, open_: Bools
) -> tuple[Floats, Floats]:
    """Items that can be had by bound, in all and one by one, both ``(n_persons, n_bounds)``."""
    count = np.asarray(family.cells @ open_.T.astype(np.float64)).T
    here = (family.cell_set >= 0) & (family.cell_set == now.open_set[:, None])
    cap = np.where(here, (bound.most - now.run)[:, None], family.cap)
    finishable = (family.cell_set < 0) | here | (now.left >= bound.least)[:, None]
    found = np.where(finishable, np.minimum(count, cap), 0.0)
    alone = np.where((family.cell_set < 0) | here, found, 0.0)
    return found @ family.into, alone @ family.into


def _entering(
    bound: Constraints, family: _Family, now: Progress, needed: Floats, held: Floats
) -> Bools:
    """Whether a stimulus can be given whole, ``(n_persons, n_sets + 1)``; the last column: none."""
    upper = bound.upper[family.bounds]
    room = (held[:, None, :] + family.worst <= upper).all(axis=2)
    rest = np.maximum(needed[:, None, :] - family.sure, 0.0).sum(axis=2)
    fits: Bools = room & (rest <= (now.left - bound.least)[:, None])
    return np.concatenate([fits, np.ones((len(fits), 1), dtype=np.bool_)], axis=1)


# --- bounds on totals ---------------------------------------------------------------------------


def _keep_total(
    bound: Constraints,
    place: int,
    content: _Needs,
    now: Progress,
    open_: Bools,
    mask: Bools,
    staying: Bools,
) -> None:
    """Mask what would make a total too large, or too small, whatever follows."""
    weight = bound.weights[place]
    for sign, limit in ((1.0, bound.upper[place]), (-1.0, -bound.lower[place])):
        if np.isfinite(limit):
            room = limit - sign * now.held[:, place]
            least, instead = _least_rest(bound, sign * weight, content, now, open_)
            fits = sign * weight <= (room - least)[:, None] + instead + EXACTLY
            if len(bound.set_names):
                enters = (bound.set_of >= 0) & (bound.set_of != now.open_set[:, None])
                whole = _whole_sets(bound, sign * weight)[bound.set_of]
                freed = (
                    bound.least * np.where(np.isinf(least), 0.0, least) / np.maximum(now.left, 1)
                )
                entering = whole <= (room - least + freed)[:, None] + EXACTLY
                fits = np.where(enters, entering, fits)
            mask &= fits | staying[:, None]


def _whole_sets(bound: Constraints, weight: Floats) -> Floats:
    """Most that a stimulus can add before it may be left, shape ``(n_sets + 1,)``; the last: 0."""
    inside = np.where(bound.members & bound.usable, weight, -np.inf)
    largest = -np.sort(-inside, axis=1)[:, : bound.least]
    return np.append(np.where(np.isfinite(largest), largest, 0.0).sum(axis=1), 0.0)


def _least_rest(
    bound: Constraints, weight: Floats, content: _Needs, now: Progress, open_: Bools
) -> tuple[Floats, Floats]:
    """Smallest sum with which a test can be completed, and what each item would replace in it.

    Returns
    -------
    tuple
        Shape ``(n_persons,)``, infinite where too few items are left; and ``(n_persons, n_items)``.
    """
    order = np.argsort(weight, kind="stable")
    ranked, left = weight[order], open_[:, order]
    taken, instead = np.zeros_like(left), np.full(left.shape, -np.inf)
    spare = content.spare if content.needed.size else now.left
    family = next((one for one in _families(bound) if bound.kinds[one.bounds[0]] == CONTENT), None)
    if family is not None and content.needed.size:
        left = left & _below_upper(bound, family, now)[:, family.place[order]]
        for code in range(len(family.bounds)):
            columns = np.flatnonzero(family.place[order] == code)
            some = left[:, columns] & (content.needed[:, code] > 0)[:, None]
            some = _spread(some, content.needed[:, code])
            taken[:, columns] = some
            instead[:, columns] = _largest(ranked[columns], some)[:, None]
    rest = _spread(left & ~taken, spare)
    instead = np.maximum(instead, _largest(ranked, rest)[:, None])
    taken |= rest
    total = np.where(taken.sum(axis=1) >= now.left, taken @ ranked, np.inf)
    back = np.empty_like(instead)
    back[:, order] = instead
    return total, back


def _spread(some: Bools, n: Ints) -> Bools:
    """Choose ``n`` of some for each person, evenly among the first `RESERVE` of them."""
    count = some.sum(axis=1)
    apart = np.maximum(RESERVE * count // np.maximum(n, 1), 1).astype(np.int32)[:, None]
    place = np.cumsum(some, axis=1, dtype=np.int32)
    chosen: Bools = some & (place % apart == 0) & (place <= apart * n[:, None])
    return chosen


def _below_upper(bound: Constraints, family: _Family, now: Progress) -> Bools:
    below = now.held[:, family.bounds] + 1.0 <= bound.upper[family.bounds]
    return np.concatenate([below, np.ones((len(below), 1), dtype=np.bool_)], axis=1)


def _largest(weight: Floats, taken: Bools) -> Floats:
    largest: Floats = np.where(taken, weight, -np.inf).max(axis=1, initial=-np.inf)
    return largest
