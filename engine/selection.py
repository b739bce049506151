"""Item selection: a criterion gives each item a value, and the best eligible items are picked.

Called by `engine.session` and `engine.simulation`. Imports numpy, the models and
`engine.randomness`.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import uniform

CRITERIA = ("max_information", "random")
TIE = 1e-10
"""Criteria this close to the best, relative to it, are tied: the lowest bank row wins."""


def check_criterion(name: str) -> None:
    """Refuse a criterion that does not exist."""
    if name not in CRITERIA:
        expected = f"one of {', '.join(CRITERIA)}"
        raise InputError(expected, repr(name), column="selection.criterion")


def criterion_values(
    criterion: str, theta: Floats, items: ItemParameters, seeds: Words, position: int
) -> Floats:
    """Value of every item to every person; larger is better.

    Parameters
    ----------
    criterion
        ``max_information``: Fisher information at theta (Lord, 1980). ``random``: a uniform number
        of the sitting, the step and the item.
    theta, seeds
        Of each person, shape ``(n_persons,)``.
    position
        Of the step, from 0.

    Returns
    -------
    Floats
        Shape ``(n_persons, n_items)``.
    """
    check_criterion(criterion)
    if criterion == "random":
        return uniform(seeds[:, None], position, "selection", np.arange(len(items))[None, :])
    return dispatch.information(theta, items)


def pick_items(values: Floats, eligible: Bools, k: int) -> tuple[Ints, Floats]:
    """Best ``k`` eligible items of each person, best first.

    Parameters
    ----------
    values
        Shape ``(n_persons, n_items)``.
    eligible
        Same shape.

    Returns
    -------
    tuple
        Bank rows and their values, both of shape ``(n_persons, k)``; row -1 and value minus
        infinity where fewer than ``k`` items are eligible.
    """
    left = np.where(eligible, values, -np.inf)
    people = np.arange(len(left))
    rows = np.empty((len(left), k), dtype=np.int64)
    found = np.empty((len(left), k))
    for place in range(k):
        best = left.max(axis=1)
        first = (left >= (best - TIE * np.abs(best))[:, None]).argmax(axis=1)
        found[:, place] = left[people, first]
        rows[:, place] = np.where(np.isneginf(best), -1, first)
        left[people, first] = -np.inf
    return rows, found
