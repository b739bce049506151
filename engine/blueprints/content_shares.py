"""Content balancing: which area the next item must come from.

Kingsbury and Zara (1989): the area whose share of the items given so far falls shortest of its
target. Called by `engine.session` and `engine.simulation.run`. Imports numpy and `engine.items`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters

Shares = tuple[tuple[str, float], ...]
TIE = 1e-10


def check_shares(shares: Shares) -> None:
    """Refuse shares that are not positive, repeat an area, or do not add up to 1."""
    names = [name for name, _ in shares]
    if len(set(names)) < len(names):
        raise InputError("each content area once", names, column="selection.content")
    for name, share in shares:
        if not (np.isfinite(share) and 0 < share <= 1):
            expected = "a share above 0, at most 1"
            raise InputError(expected, share, column=f"selection.content.{name}")
    total = sum(share for _, share in shares)
    if shares and abs(total - 1.0) > 1e-6:
        raise InputError("shares that add up to 1", f"{total:g}", column="selection.content")


def check_areas(shares: Shares, items: ItemParameters) -> None:
    """Refuse a share for an area of which the bank has no item."""
    for name, _ in shares:
        if name not in items.areas:
            known = ", ".join(items.areas) or "none"
            expected = f"one of the bank's content areas ({known})"
            raise InputError(expected, repr(name), column="selection.content")


def area_masks(shares: Shares, items: ItemParameters) -> Bools:
    """Which items belong to each area with a share, shape ``(n_areas, n_items)``."""
    nothing = np.zeros(len(items), dtype=np.bool_)
    masks = [items.areas.get(name, nothing) for name, _ in shares]
    return np.array(masks, dtype=np.bool_).reshape(len(shares), len(items))


def shortfalls(counts: Ints, shares: Shares, n: Ints | int) -> Floats:
    """Target share minus share so far, shape ``(n_persons, n_areas)``.

    Parameters
    ----------
    counts
        Items given by area, shape ``(n_persons, n_areas)``.
    n
        Items given in all, shape ``(n_persons,)`` or one number; before the first the shares so
        far are 0.
    """
    target = np.array([share for _, share in shares])
    short: Floats = target - counts / np.atleast_1d(np.maximum(n, 1))[:, None]
    return short


def needed_area(short: Floats, available: Bools) -> tuple[Ints, Bools]:
    """Area that falls shortest among those with an eligible item.

    Among equals the one named first in the exam.

    Parameters
    ----------
    short
        As from `shortfalls`.
    available
        Whether an eligible item is left in the area, same shape.

    Returns
    -------
    tuple
        The area of each person, -1 when none is available, and the mask of the areas that fell
        shorter but had no item left, shape ``(n_persons, n_areas)``.
    """
    open_ = np.where(available, short, -np.inf)
    chosen = np.where(available.any(axis=1), _first_of_largest(open_), -1)
    level = np.take_along_axis(open_, np.maximum(chosen, 0)[:, None], axis=1)
    skipped = ~available & (short > level + TIE)
    return chosen, skipped


def violations(counts: Ints, lengths: Ints, shares: Sequence[float]) -> Bools:
    """Whether a finished test misses its blueprint by a whole item or more in some area.

    Parameters
    ----------
    counts
        Shape ``(n_persons, n_areas)``.
    lengths
        Shape ``(n_persons,)``.
    """
    off = np.abs(counts - lengths[:, None] * np.asarray(shares))
    missed: Bools = (off >= 1.0 - TIE).any(axis=1)
    return missed


def _first_of_largest(values: Floats) -> Ints:
    best = values.max(axis=1, keepdims=True)
    first: Ints = (values >= best - TIE).argmax(axis=1)
    return first
