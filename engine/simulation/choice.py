"""Choosing the next item for many examinees at once, as `engine.session` would for each.

Called by `engine.simulation.run`. Imports selection, the models and `engine.fast.lookup`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import selection
from engine.arrays import Bools, Floats, Ints
from engine.blueprints import balance
from engine.blueprints.blueprint import PRIORITY_INDEX, Blueprint
from engine.blueprints.constraints import constraints_of
from engine.criteria.situation import Situation
from engine.exposure.rules import WEIGHING
from engine.exposure.weighing import weighed
from engine.fast.leading import leading, lookup_depth
from engine.fast.lookup import InformationLookup, information_lookup
from engine.items import ItemParameters
from engine.models import dispatch
from engine.rules.designs import ExamDesign


@dataclass(frozen=True, eq=False)
class Chooser:
    """How a design chooses from a bank, prepared once for a simulation."""

    items: ItemParameters
    design: ExamDesign
    pools: tuple[InformationLookup, ...]

    def choose(self, now: Situation, free: Bools, area: Ints) -> tuple[Ints, Floats]:
        """Candidates for the next item of each examinee.

        Parameters
        ----------
        now
            Where the examinees stand.
        free
            Items that may be given, shape ``(n_persons, n_items)``.
        area
            The pool of each examinee; -1 where no pool has an item left.

        Returns
        -------
        tuple
            Bank rows, best first, shape ``(n_persons, randomesque)``, -1 where there are fewer;
            and the largest information among the eligible items, shape ``(n_persons,)``, minus
            infinity where there is none or where no rule asks for it.
        """
        n = len(now.theta)
        rows = np.full((n, self.design.randomesque), -1, dtype=np.int64)
        best = np.full(n, -np.inf)
        for code, pool in enumerate(self.pools):
            here = np.flatnonzero(area == code)
            if len(here):
                some, open_ = (now, free) if len(here) == n else (now.only(here), free[here])
                rows[here], best[here] = self._from(pool, some, open_)
        return rows, best

    def values(self, now: Situation) -> Floats:
        """Criterion values of the whole bank, shape ``(n_persons, n_items)``."""
        return selection.criterion_values(self.design.criterion_rules, now, self.items)

    def worth(self, now: Situation, free: Bools) -> Floats:
        """Values by which a shadow test is assembled, shape ``(n_persons, n_items)``."""
        if self.design.exposure.method not in WEIGHING:
            return self.values(now)
        information = dispatch.information(now.theta, self.items)
        everything = np.arange(len(self.items), dtype=np.int64)
        return self._by_exposure(information, now, free, everything)

    def _from(self, pool: InformationLookup, now: Situation, free: Bools) -> tuple[Ints, Floats]:
        theta, n = now.theta, now.position
        if self.design.exposure.method in WEIGHING:
            return self._weighed(pool, now, free)
        if self.design.blueprint is not None and self.design.blueprint.method == PRIORITY_INDEX:
            return self._by_priority(self.design.blueprint, now, free)
        if self.design.criterion != "max_information":
            return self._by_criterion(pool, now, free)
        found = leading(pool, theta, free, self.items, self.design.randomesque, n)
        return found.rows, found.largest

    def _by_criterion(
        self, pool: InformationLookup, now: Situation, free: Bools
    ) -> tuple[Ints, Floats]:
        rules, eligible = self.design.criterion_rules, free[:, pool.rows]
        values = selection.criterion_values(rules, now, self.items, pool.rows)
        best = np.full(len(now.theta), -np.inf)
        if self.design.stop.best_information is not None:
            best = _largest(dispatch.information(now.theta, pool.items), eligible)
        return self._picked(values, eligible, pool.rows), best

    def _by_priority(
        self, blueprint: Blueprint, now: Situation, free: Bools
    ) -> tuple[Ints, Floats]:
        information = dispatch.information(now.theta, self.items)
        bound = constraints_of(self.items, blueprint, self.design.scored_length)
        rows = balance.packed(now.given.rows, now.given.present)
        values = balance.weigh(blueprint, bound, rows, information, free)
        everything = np.arange(len(self.items), dtype=np.int64)
        return self._picked(values, free, everything), _largest(information, free)

    def _weighed(self, pool: InformationLookup, now: Situation, free: Bools) -> tuple[Ints, Floats]:
        information, eligible = dispatch.information(now.theta, pool.items), free[:, pool.rows]
        values = self._by_exposure(information, now, eligible, pool.rows)
        return self._picked(values, eligible, pool.rows), _largest(information, eligible)

    def _by_exposure(self, values: Floats, now: Situation, eligible: Bools, rows: Ints) -> Floats:
        return weighed(
            self.design.exposure,
            values,
            eligible,
            now.seeds,
            step=now.position,
            counted=now.counted,
            length=self.design.scored_length,
            rows=rows,
            items=self.items,
        )

    def _picked(self, values: Floats, eligible: Bools, rows: Ints) -> Ints:
        columns, _ = selection.pick_items(values, eligible, self.design.randomesque)
        return np.where(columns < 0, -1, rows[columns])


def chooser(items: ItemParameters, design: ExamDesign) -> Chooser:
    """Prepare the pools of a bank for a design."""
    depth = lookup_depth(design, items)
    areas: list[str | None] = [name for name, _ in design.content_shares]
    pools = tuple(information_lookup(items, area, depth) for area in areas or [None])
    return Chooser(items, design, pools)


def _largest(values: Floats, eligible: Bools) -> Floats:
    largest: Floats = np.where(eligible, values, -np.inf).max(axis=1)
    return largest
