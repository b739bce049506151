"""The choice of items for a panel's modules, written as a mixed integer program.

Columns come in blocks. A block stands for one panel in whole numbers, or for several panels at once
in fractions: the relaxation that says what parallel panels can have, and keeps enough in reserve
for those still to come (the big-shadow-test method; van der Linden and Adema, 1998; van der
Linden, 2005, chapter 6). Called by `engine.multistage.assembly`. Imports scipy and the bound
blueprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.constraints import Constraints
from engine.multistage.plans import PanelPlan

NODES, SECONDS = 5_000, 240.0
"""When a search ends; the seconds are a last resort, since no other machine can repeat them."""
SLIGHT = 1e-6
OPTIMAL = "optimal"


@dataclass(frozen=True, eq=False)
class Solved:
    """What a program came to; ``values`` is None without an answer."""

    values: Floats | None
    status: str


@dataclass(eq=False)
class Sheet:
    """A program that grows by columns and rows; rows may be named by what they stand for."""

    cost: list[Floats] = field(default_factory=list)
    least: list[Floats] = field(default_factory=list)
    most: list[Floats] = field(default_factory=list)
    whole: list[Bools] = field(default_factory=list)
    rows: list[sparse.coo_array] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    width: int = 0

    def columns(
        self,
        n: int,
        *,
        cost: Any = 0.0,
        most: Any = np.inf,
        least: float = 0.0,
        whole: bool = False,
    ) -> Ints:
        """Add columns and return their places."""
        for parts, value in ((self.cost, cost), (self.least, least), (self.most, most)):
            parts.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)))
        self.whole.append(np.full(n, whole))
        self.width += n
        return np.arange(self.width - n, self.width, dtype=np.int64)

    def bound(
        self,
        entries: Sequence[tuple[Ints, Ints, Any]],
        lower: Any,
        upper: Any,
        names: Sequence[str],
    ) -> None:
        """Add rows ``lower <= row <= upper`` from entries of row, column and value.

        A row without a name is a definition, which can never give way.
        """
        n = len(names)
        if not n:
            return
        parts = [
            np.broadcast_arrays(row, column, np.asarray(value, dtype=np.float64))
            for row, column, value in entries
        ]
        row, column, value = (np.concatenate([part[k].ravel() for part in parts]) for k in range(3))
        self.rows.append(sparse.coo_array((value, (row, column)), shape=(n, self.width)))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (n,)))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (n,)))
        self.names += names

    def matrix(self) -> sparse.csc_array:
        """All rows over all columns."""
        wide = [
            sparse.coo_array((rows.data, rows.coords), shape=(rows.shape[0], self.width))
            for rows in self.rows
        ]
        return sparse.csc_array(sparse.vstack(wide, format="csc"))

    def solve(self, gap: float = 1e-6) -> Solved:
        """Minimise the cost: within a share of the best, or as far as nodes and seconds allow."""
        found = milp(
            np.concatenate(self.cost),
            integrality=np.concatenate(self.whole).astype(np.int64),
            bounds=Bounds(np.concatenate(self.least), np.concatenate(self.most)),
            constraints=LinearConstraint(
                self.matrix(), np.concatenate(self.lower), np.concatenate(self.upper)
            ),
            options={"node_limit": NODES, "time_limit": SECONDS, "mip_rel_gap": gap},
        )
        return Solved(None if found.x is None else np.asarray(found.x), _status(found.status))

    def missed(self) -> dict[str, float]:
        """By how much named rows must be missed, where not all can be kept: least in sum."""
        matrix, n = self.matrix(), len(self.names)
        slack = sparse.hstack([matrix, sparse.eye_array(n), -sparse.eye_array(n)], format="csc")
        scale = np.maximum(1.0, np.abs(np.nan_to_num(np.concatenate(self.upper), posinf=0.0)))
        most = np.tile([np.inf if name else 0.0 for name in self.names], 2)
        free = np.concatenate([np.zeros(self.width), 1.0 / scale, 1.0 / scale])
        found = milp(
            free,
            bounds=Bounds(
                np.concatenate([*self.least, np.zeros(2 * n)]),
                np.concatenate([*self.most, most]),
            ),
            constraints=LinearConstraint(
                sparse.csc_array(slack), np.concatenate(self.lower), np.concatenate(self.upper)
            ),
        )
        if found.x is None:
            return {}
        amounts = found.x[self.width : self.width + n] + found.x[self.width + n :]
        missed: dict[str, float] = {}
        for name, amount in zip(self.names, amounts.tolist(), strict=True):
            if amount > SLIGHT:
                missed[name] = missed.get(name, 0.0) + amount
        return missed


def _status(code: int) -> str:
    return {0: OPTIMAL, 1: "limit", 2: "infeasible"}.get(code, "trouble")


@dataclass(frozen=True)
class Kind:
    """What a block stands for.

    Parameters
    ----------
    panels
        How many panels.
    whole, whole_sets
        Whether items, and stimuli, are chosen in whole numbers.
    where
        Put before the names of rows.
    """

    panels: int
    whole: bool = False
    whole_sets: bool = False
    where: str = ""


@dataclass(frozen=True, eq=False)
class Block:
    """Columns of one panel, or of several in one.

    Parameters
    ----------
    items
        Columns by module and bank row, shape ``(n_modules, n_items)``; -1 for items that may not
        be used.
    panels
        How many panels the block stands for.
    """

    items: Ints
    panels: int


def add_block(
    sheet: Sheet,
    plan: PanelPlan,
    bound: Constraints,
    open_: Bools,
    kind: Kind,
    cost: Any = 0.0,
) -> Block:
    """Add the columns and rows by which panels keep lengths and blueprint.

    Parameters
    ----------
    open_
        Items that may be used in each module, shape ``(n_modules, n_items)``.
    cost
        Of each item, in any module.
    """
    panels, where = kind.panels, kind.where
    n = len(plan.modules)
    items = np.full((n, bound.n_items), -1, dtype=np.int64)
    module, row = np.nonzero(open_)
    price = np.broadcast_to(cost, (bound.n_items,))[row]
    items[module, row] = sheet.columns(len(row), cost=price, most=1.0 * panels, whole=kind.whole)
    block = Block(items, panels)
    lengths = np.array([module.length for module in plan.modules], dtype=np.float64) * panels
    names = [f"{where}module {module.name}: {module.length} items" for module in plan.modules]
    columns = items[module, row]
    sheet.bound([(module, columns, 1.0)], lengths, lengths, names)
    sheet.bound([(row, columns, 1.0)], -np.inf, 1.0 * panels, [""] * bound.n_items)
    _add_bounds(sheet, plan, bound, block, where)
    _add_enemies(sheet, plan, bound, block, where)
    whole = kind.whole or kind.whole_sets
    _add_sets(sheet, plan, bound, block, whole=whole, where=where)
    return block


def _add_bounds(
    sheet: Sheet, plan: PanelPlan, bound: Constraints, block: Block, where: str
) -> None:
    """Bounds of the blueprint on every path, by what each module adds up to."""
    n, n_bounds = len(plan.modules), len(bound.names)
    held = sheet.columns(n * n_bounds, least=-np.inf).reshape(n, n_bounds)
    for module in range(n):
        place, row = np.nonzero(bound.weights * (block.items[module] >= 0))
        entries = [
            (place, block.items[module, row], bound.weights[place, row]),
            (np.arange(n_bounds), held[module], -1.0),
        ]
        sheet.bound(entries, 0.0, 0.0, [""] * n_bounds)
    for path in plan.paths:
        on_path = [plan.at(stage, place) for stage, place in enumerate(path)]
        entries = [(np.arange(n_bounds)[None], held[on_path], 1.0)]
        names = [f"{where}path {plan.name_of(path)}: {name}" for name in bound.names]
        low, high = bound.lower * block.panels, bound.upper * block.panels
        sheet.bound(entries, low, high, names)


def _add_enemies(
    sheet: Sheet, plan: PanelPlan, bound: Constraints, block: Block, where: str
) -> None:
    """At most one of the items that exclude each other on every path."""
    for path in plan.paths if bound.cliques else ():
        on_path = [plan.at(stage, place) for stage, place in enumerate(path)]
        entries = []
        for place, clique in enumerate(bound.cliques):
            columns = block.items[np.ix_(on_path, list(clique))].ravel()
            columns = columns[columns >= 0]
            entries.append((np.full(len(columns), place), columns, 1.0))
        names = [f"{where}path {plan.name_of(path)}: enemies"] * len(bound.cliques)
        sheet.bound(entries, -np.inf, 1.0 * block.panels, names)


def _add_sets(
    sheet: Sheet, plan: PanelPlan, bound: Constraints, block: Block, *, whole: bool, where: str
) -> None:
    """A stimulus stands in one module of a panel, with as many items as it must have."""
    n, n_sets = len(plan.modules), len(bound.set_names)
    if not n_sets:
        return
    chosen = sheet.columns(n * n_sets, most=1.0 * block.panels, whole=whole).reshape(n, n_sets)
    for module in range(n):
        rows = np.flatnonzero((bound.set_of >= 0) & (block.items[module] >= 0))
        members = (bound.set_of[rows], block.items[module, rows], 1.0)
        every = np.arange(n_sets)
        names = [f"{where}module {plan.modules[module].name}: sets"] * n_sets
        least, most = -1.0 * bound.least, -1.0 * min(bound.most, bound.n_items)
        sheet.bound([members, (every, chosen[module], least)], 0.0, np.inf, names)
        sheet.bound([members, (every, chosen[module], most)], -np.inf, 0.0, names)
        one = np.arange(len(rows))
        whole_set = (one, chosen[module, bound.set_of[rows]], -1.0)
        own = [(one, block.items[module, rows], 1.0), whole_set]
        sheet.bound(own, -np.inf, 0.0, [""] * len(rows))
    names = [f"{where}stimulus {name} in one module" for name in bound.set_names]
    sheet.bound([(np.arange(n_sets)[None], chosen, 1.0)], -np.inf, 1.0 * block.panels, names)
