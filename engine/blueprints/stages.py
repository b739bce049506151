"""Stages: a form that is assembled anew only where a stage begins, its items fixed until it ends.

One stage is a linear form made for the candidate, stages of one item are shadow tests before every
item, and all between is multistage testing on the fly: the same program with other step sizes (van
der Linden, 2005, chapter 9; Zheng and Chang, 2015). Called by `engine.blueprints.balance`. Imports
`engine.blueprints.constraints` and selection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.constraints import Constraints
from engine.errors import InputError
from engine.selection import pick_items


@dataclass(frozen=True)
class Place:
    """A place in a test of stages.

    Parameters
    ----------
    number
        Of the stage, from 1.
    first, size
        Items before the stage, and in it.
    """

    number: int
    first: int
    size: int


def place_of(stages: Sequence[int], n: int) -> Place | None:
    """Return the stage of the item after ``n`` that count; None past the last stage, or without."""
    first = 0
    for number, size in enumerate(stages, start=1):
        if n < first + size:
            return Place(number, first, size)
        first += size
    return None


def within(stages: Sequence[int], n: Ints) -> Bools:
    """Whether after so many items a stage has begun and not ended, shape of ``n``."""
    ends = np.cumsum(np.array([0, *stages], dtype=np.int64))
    unfinished: Bools = ~np.isin(n, ends) & (n < ends[-1])
    return unfinished


def next_of(place: Place, items: Sequence[int], given: Sequence[int], free: Bools) -> int | None:
    """Return the item that the stage at hand has for this place.

    Parameters
    ----------
    items
        Of the stage, in order.
    given
        All items that count, in the order given.
    free
        Items neither given nor held, shape ``(n_items,)``.

    Returns
    -------
    int or None
        None where the stage begins, or its item may not be given any more.
    """
    done = len(given) - place.first
    begun = 0 < done < len(items) and tuple(items[:done]) == tuple(given[place.first :])
    return items[done] if begun and free[items[done]] else None


def items_of_stage(
    bound: Constraints, values: Floats, among: Bools, given: Sequence[int], n: int
) -> tuple[int, ...]:
    """Take the best items of a form for a stage, those of a stimulus one after the other.

    The stimulus at hand comes first. Then items and whole stimuli, these by the mean of their
    items, follow from the best to the worst while they fit; a stimulus is divided between two
    stages only where nothing else is left to fill a stage, and then stands at its end.

    Parameters
    ----------
    values
        Of the criterion, shape ``(n_items,)``.
    among
        Items of the form that may still be given, same shape.
    n
        How many.

    Returns
    -------
    tuple
        Bank rows in the order to give; fewer than ``n`` where the form has no more.
    """
    rows = np.flatnonzero(among)
    codes = np.where(bound.set_of[rows] >= 0, bound.set_of[rows], -1 - np.arange(len(rows)))
    groups = [rows[codes == code] for code in dict.fromkeys(codes.tolist())]
    at_hand = bound.set_of[given[-1]] if given else -1
    chosen: list[int] = []
    here = [group for group in groups if at_hand >= 0 and bound.set_of[group[0]] == at_hand]
    waiting = here + _best_first([group for group in groups if group is not _only(here)], values)
    while waiting and len(chosen) < n:
        left = n - len(chosen)
        fitting = next((k for k, group in enumerate(waiting) if len(group) <= left), 0)
        group = waiting.pop(0 if here and not chosen else fitting)
        chosen += np.concatenate(
            _best_first([group[k : k + 1] for k in range(len(group))], values)
        )[:left].tolist()
    return tuple(chosen)


def _only(groups: list[Ints]) -> Ints | None:
    return groups[0] if groups else None


def _best_first(groups: list[Ints], values: Floats) -> list[Ints]:
    """Sort by the mean of the criterion; the lower bank row first where means are equal."""
    if not groups:
        return []
    worth = np.array([[values[group].mean() for group in groups]])
    order, _ = pick_items(worth, np.ones(worth.shape, dtype=np.bool_), len(groups))
    return [groups[place] for place in order[0].tolist()]


def check_stages(stages: Sequence[int], length: int) -> None:
    """Refuse stages that do not add up to a test."""
    if stages and sum(stages) != length:
        expected = f"stages that add up to the length of {length} items"
        found = f"{' + '.join(str(size) for size in stages)} = {sum(stages)}"
        raise InputError(expected, found, column="blueprint.stages")
