"""Items that are tried out: given at set or drawn places of a test, and never scored.

Called by `engine.session` and `engine.simulation.run`. Imports numpy, the models and
`engine.randomness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.errors import InputError
from engine.items import ItemParameters
from engine.randomness import uniform, words

CHOICES = ("even", "d_optimal")
PRIOR_PRECISION = (1.0 / 0.25, 1.0 / 4.0)
"""Of a and b before any response to an item: standard deviations 0.5 and 2."""


@dataclass(frozen=True)
class PretestRules:
    """How an exam tries out items.

    Parameters
    ----------
    count
        So many in each sitting; 0 for none.
    positions
        Where, counting all items of a test from 1; empty to draw the places.
    first, last
        Among which positions to draw, both included.
    choice
        ``even``: the item with the fewest responses so far. ``d_optimal``: the one whose a and b
        gain most by a response at the present estimate.
    counts_towards_length
        Whether they count for ``length``, ``min_items`` and ``max_items``.
    """

    count: int = 0
    positions: tuple[int, ...] = ()
    first: int = 1
    last: int | None = None
    choice: str = "even"
    counts_towards_length: bool = False

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            expected = f"one of {', '.join(CHOICES)}"
            raise InputError(expected, repr(self.choice), column="pretest.choice")
        if self.count < 0:
            raise InputError("a whole number from 0", self.count, column="pretest.count")
        if self.positions:
            self._check_positions()
        elif self.count:
            self._check_range()

    def _check_positions(self) -> None:
        ascending = list(self.positions) == sorted(set(self.positions))
        if not ascending or self.positions[0] < 1:
            expected = "ascending positions from 1"
            raise InputError(expected, list(self.positions), column="pretest.positions")
        if len(self.positions) != self.count:
            expected = f"{self.count} positions, one for each item"
            raise InputError(expected, list(self.positions), column="pretest.positions")

    def _check_range(self) -> None:
        if self.last is None:
            raise InputError("positions, or the last one to draw", None, column="pretest.last")
        if self.first < 1 or self.last - self.first + 1 < self.count:
            expected = f"room for {self.count} items from first to last, first at least 1"
            raise InputError(expected, f"{self.first} to {self.last}", column="pretest.first")


def is_place(rules: PretestRules, seeds: Words, n: int) -> Bools:
    """Whether the item after ``n`` others is one to try out, shape ``(n_persons,)``.

    Drawn places are those with the lowest of the sitting's numbers.
    """
    if rules.positions or not rules.count or rules.last is None:
        return np.full(len(seeds), n + 1 in rules.positions, dtype=np.bool_)
    if not rules.first <= n + 1 <= rules.last:
        return np.zeros(len(seeds), dtype=np.bool_)
    places = np.arange(rules.first, rules.last + 1)
    numbers = uniform(seeds[:, None], places[None], "pretest place")
    mine = numbers[:, n + 1 - rules.first]
    lower: Ints = (numbers < mine[:, None]).sum(axis=1)
    return np.asarray(lower < rules.count, dtype=np.bool_)


@lru_cache(maxsize=4096)
def places_of(rules: PretestRules, seed: int) -> frozenset[int]:
    """Return the places, from 1, of a sitting's items to try out; as `is_place` says one by one."""
    last = rules.positions[-1] if rules.positions else rules.last or 0
    return frozenset(n + 1 for n in range(last) if is_place(rules, words(seed), n)[0])


def items_until(
    rules: PretestRules, seed: int, n: int, *, counted: int, target: int, spare: int
) -> int:
    """How many more items it takes until ``target`` items count for the length of a test.

    Parameters
    ----------
    n, counted
        Items so far, and those of them that count.
    spare
        Items that are left to be tried out; at a place without one an item is given that counts.
    """
    more, places = 0, places_of(rules, seed)
    while counted < target:
        tried = spare > 0 and n + more + 1 in places
        spare -= tried
        counted += rules.counts_towards_length or not tried
        more += 1
    return more


def worth(
    rules: PretestRules,
    theta: Floats,
    items: ItemParameters,
    rows: Ints,
    given: Ints,
    knowledge: Floats,
) -> Floats:
    """Value of a response to each item that is tried out; larger is better.

    Parameters
    ----------
    theta
        Interim estimates, shape ``(n_persons,)``.
    rows
        Bank rows to choose from, shape ``(n_rows,)``.
    given, knowledge
        Responses so far and information about a and b, by bank row, as in
        ``engine.exposure.usage.Usage``.

    Returns
    -------
    Floats
        Shape ``(n_persons, n_rows)``. ``even``: minus the responses. ``d_optimal``: gain in the log
        determinant of the information about a and b (van der Linden and Ren, 2015).
    """
    if rules.choice == "even":
        return np.broadcast_to(-given[rows].astype(np.float64), (len(theta), len(rows)))
    known = knowledge[rows] + np.diag(PRIOR_PRECISION)
    more = known[None] + item_knowledge(theta, items, rows)
    gain: Floats = np.log(np.linalg.det(more)) - np.log(np.linalg.det(known))[None]
    return gain


def item_knowledge(theta: Floats, items: ItemParameters, rows: Ints) -> Floats:
    """Fisher information about a and b in one response, asymptotes known.

    ``w [[(theta-b)^2, -a (theta-b)], [-a (theta-b), a^2]]`` with
    ``w = (d-c)^2 L^2 (1-L)^2 / (P Q)``, L the logistic function.

    Returns
    -------
    Floats
        Shape ``(n_persons, n_rows, 2, 2)``.
    """
    a, b, c, d = (values[rows] for values in (items.a, items.b, items.c, items.d))
    away = theta[:, None] - b
    logistic = 1.0 / (1.0 + np.exp(-np.clip(a * away, -700.0, 700.0)))
    chance = c + (d - c) * logistic
    weight = ((d - c) * logistic * (1.0 - logistic)) ** 2
    weight = weight / np.maximum(chance * (1.0 - chance), np.finfo(np.float64).tiny)
    corner = -a * away
    table = np.stack([away**2, corner, corner, np.broadcast_to(a**2, away.shape)], axis=-1)
    return (weight[..., None] * table).reshape(*away.shape, 2, 2)


def pick(worths: Floats, free: Bools, seeds: Words, n: int, rows: Ints) -> Ints:
    """Item to try out with each person; -1 where none is free.

    Among items of equal worth a number of the sitting decides, so that sittings that start
    together do not all take the same one.

    Parameters
    ----------
    worths, free
        Shape ``(n_persons, n_rows)``.
    """
    left = np.where(free, worths, -np.inf)
    best = left.max(axis=1, keepdims=True)
    tied = free & (left >= best - 1e-10 * np.abs(best))
    chance = np.where(tied, uniform(seeds[:, None], n, "pretest", rows[None]), -1.0)
    return np.where(free.any(axis=1), rows[chance.argmax(axis=1)], -1)


def check_pretest(rules: PretestRules, items: ItemParameters, pretest: Bools) -> None:
    """Refuse a bank without enough items to try out, or with some that ``d_optimal`` cannot do."""
    if int(pretest.sum()) < rules.count:
        expected = f"at least {rules.count} items to try out"
        raise InputError(expected, int(pretest.sum()), column="pretest.count")
    several = pretest & ~items.is_dichotomous
    if rules.choice == "d_optimal" and rules.count and several.any():
        found = items.item[int(np.flatnonzero(several)[0])]
        raise InputError("dichotomous items to try out", found, column="pretest.choice")
