"""Choosing the next item for many examinees at once, as `engine.session` would for each.

Called by `engine.simulation`. Imports selection, the models and `engine.lookup`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import selection
from engine.arrays import Bools, Floats, Ints, Words
from engine.content_shares import area_masks
from engine.designs import ExamDesign
from engine.exposure.rules import WEIGHING
from engine.exposure.weighing import weighed
from engine.items import ItemParameters
from engine.lookup import InformationLookup, information_lookup, interval_of
from engine.models import dispatch

SPARE = 12
"""Looked-up items beyond those that the examinee may already have had."""
WORTHWHILE = 0.6
"""Looking up pays while it computes less than this share of the pool."""
DEEPEST = 256
"""So many items are looked up at most, where a test is not longer."""
CLEARLY = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Pool:
    """The items of one content area, or all items where content is not balanced.

    Parameters
    ----------
    rows
        Their bank rows, ascending.
    items
        They alone.
    lookup
        None where looking up does not pay.
    """

    rows: Ints
    items: ItemParameters
    lookup: InformationLookup | None


@dataclass(frozen=True, eq=False)
class Chooser:
    """How a design chooses from a bank, prepared once for a simulation."""

    items: ItemParameters
    design: ExamDesign
    pools: tuple[Pool, ...]

    def choose(
        self, theta: Floats, free: Bools, area: Ints, seeds: Words, n: int, counted: Ints
    ) -> tuple[Ints, Floats]:
        """Candidates for the next item of each examinee.

        Parameters
        ----------
        theta, seeds
            Shape ``(n_persons,)``.
        free
            Items that may be given, shape ``(n_persons, n_items)``.
        area
            The pool of each examinee; -1 where no pool has an item left.
        n
            Position of the step, from 0.
        counted
            Items that count so far, shape ``(n_persons,)``.

        Returns
        -------
        tuple
            Bank rows, best first, shape ``(n_persons, randomesque)``, -1 where there are fewer;
            and the largest information among the eligible items, shape ``(n_persons,)``, minus
            infinity where there is none or where no rule asks for it.
        """
        rows = np.full((len(theta), self.design.randomesque), -1, dtype=np.int64)
        best = np.full(len(theta), -np.inf)
        for code, pool in enumerate(self.pools):
            here = np.flatnonzero(area == code)
            if len(here):
                everyone = len(here) == len(theta)
                some = free if everyone else free[here]
                if self.design.exposure.method in WEIGHING:
                    rows[here], best[here] = self._weighed(
                        pool, theta[here], some, seeds[here], n, counted[here]
                    )
                else:
                    rows[here], best[here] = self._from(pool, theta[here], some, seeds[here], n)
        return rows, best

    def values(self, theta: Floats, seeds: Words, n: int) -> Floats:
        """Criterion values of the whole bank, shape ``(n_persons, n_items)``."""
        return selection.criterion_values(self.design.criterion, theta, self.items, seeds, n)

    def _from(
        self, pool: Pool, theta: Floats, free: Bools, seeds: Words, n: int
    ) -> tuple[Ints, Floats]:
        if self.design.criterion != "max_information":
            return self._by_criterion(pool, theta, free, seeds, n)
        if pool.lookup is None:
            return self._computed(pool, theta, free)
        rows = np.empty((len(theta), self.design.randomesque), dtype=np.int64)
        best, doubtful = np.empty(len(theta)), np.arange(len(theta))
        width = n + SPARE + self.design.randomesque
        while len(doubtful) and width < 2 * pool.lookup.depth:
            some = free if len(doubtful) == len(theta) else free[doubtful]
            leading = self._looked_up(pool.lookup, theta[doubtful], some, width)
            rows[doubtful], best[doubtful], sure = leading
            doubtful, width = doubtful[~sure], 2 * width
        if len(doubtful):
            rows[doubtful], best[doubtful] = self._computed(pool, theta[doubtful], free[doubtful])
        return rows, best

    def _by_criterion(
        self, pool: Pool, theta: Floats, free: Bools, seeds: Words, n: int
    ) -> tuple[Ints, Floats]:
        values = selection.criterion_values(self.design.criterion, theta, self.items, seeds, n)
        eligible = free[:, pool.rows]
        best = np.full(len(theta), -np.inf)
        if self.design.stop.best_information is not None:
            best = _largest(dispatch.information(theta, pool.items), eligible)
        return self._picked(values[:, pool.rows], eligible, pool.rows), best

    def _weighed(
        self, pool: Pool, theta: Floats, free: Bools, seeds: Words, n: int, counted: Ints
    ) -> tuple[Ints, Floats]:
        information, eligible = dispatch.information(theta, pool.items), free[:, pool.rows]
        values = weighed(
            self.design.exposure,
            information,
            eligible,
            seeds,
            step=n,
            counted=counted,
            length=self.design.scored_length,
            rows=pool.rows,
        )
        return self._picked(values, eligible, pool.rows), _largest(information, eligible)

    def _computed(self, pool: Pool, theta: Floats, free: Bools) -> tuple[Ints, Floats]:
        values, eligible = dispatch.information(theta, pool.items), free[:, pool.rows]
        return self._picked(values, eligible, pool.rows), _largest(values, eligible)

    def _looked_up(
        self, lookup: InformationLookup, theta: Floats, free: Bools, width: int
    ) -> tuple[Ints, Floats, Bools]:
        """As `_computed` for the leading items, and whether no other item can be among the best."""
        width = min(lookup.depth, width)
        place, outside = interval_of(theta)
        # Ascending rows, so that the first of tied items is the lowest row.
        rows = np.sort(lookup.rows[place, :width], axis=1)
        values = dispatch.paired("information", theta, rows, self.items)
        eligible = np.take_along_axis(free, rows, axis=1)
        columns, found = selection.pick_items(values, eligible, self.design.randomesque)
        sure = ~outside & (found[:, -1] * CLEARLY > lookup.bound[place, width])
        picked = np.take_along_axis(rows, np.maximum(columns, 0), axis=1)
        return np.where(columns < 0, -1, picked), _largest(values, eligible), sure

    def _picked(self, values: Floats, eligible: Bools, rows: Ints) -> Ints:
        columns, _ = selection.pick_items(values, eligible, self.design.randomesque)
        return np.where(columns < 0, -1, rows[columns])


def chooser(items: ItemParameters, design: ExamDesign) -> Chooser:
    """Prepare the pools of a bank for a design."""
    everything = np.arange(len(items), dtype=np.int64)
    if not design.content_shares:
        return Chooser(items, design, (_pool(everything, items, design),))
    masks = area_masks(design.content_shares, items)
    pools = tuple(_pool(everything[mask], items, design) for mask in masks)
    return Chooser(items, design, pools)


def _pool(rows: Ints, items: ItemParameters, design: ExamDesign) -> Pool:
    needed = (design.longest or len(rows)) + SPARE + design.randomesque
    most = int(WORTHWHILE * len(rows))
    worthwhile = design.criterion == "max_information" and needed < most
    lookup = (
        information_lookup(items, rows, max(needed, min(DEEPEST, most))) if worthwhile else None
    )
    return Pool(rows, items.subset(rows), lookup)


def _largest(values: Floats, eligible: Bools) -> Floats:
    largest: Floats = np.where(eligible, values, -np.inf).max(axis=1)
    return largest
