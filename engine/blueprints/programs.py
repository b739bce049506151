"""Mixed integer programs with many columns, of which few can matter: solved by HiGHS on a core.

The linear relaxation is solved on a few promising columns, and others are priced in until none
can improve it. Its bound and reduced costs then say which columns may stand in a better solution
than the one found on the core: usually none, which proves that solution best for all columns
(reduced-cost fixing; Dantzig, Fulkerson and Johnson, 1954). Called by `engine.blueprints.shadow`,
`engine.blueprints.forms` and `engine.multistage`. Imports numpy and scipy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from engine.arrays import Bools, Floats, Ints

CORE = 60
"""So many columns are solved at first, besides those that are always there."""
PRICED_IN = 60
SLACK = 1e-7
OPTIMAL, NODES, CLOCK, INFEASIBLE = "optimal", "nodes", "clock", "infeasible"
LINEAR_INFEASIBLE = 2
CLOCK_STATUS = "HiGHS Status 13"


@dataclass(frozen=True)
class Limits:
    """When to stop searching: nodes of the search tree first, seconds as a last resort."""

    nodes: int = 2000
    seconds: float = 5.0


@dataclass(frozen=True, eq=False)
class Program:
    """Maximise ``gain @ x`` with ``lower <= matrix @ x <= upper`` and ``0 <= x <= most``.

    Parameters
    ----------
    gain, most
        Shape ``(n_columns,)``.
    least
        Lower bound of each column, same shape.
    matrix
        Shape ``(n_rows, n_columns)``, by column.
    lower, upper
        Shape ``(n_rows,)``.
    whole
        Columns that take whole numbers.
    always
        Columns that are in every core.
    """

    gain: Floats
    least: Floats
    most: Floats
    matrix: sparse.csc_array
    lower: Floats
    upper: Floats
    whole: Bools
    always: Bools


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found.

    Parameters
    ----------
    values
        Shape ``(n_columns,)``; None without an answer.
    gain
        Of the values; minus infinity without an answer.
    bound
        No solution gains more.
    status
        ``optimal``, ``infeasible``, or ``nodes`` or ``clock`` for what stopped the search.
    nodes
        Of the search tree, in all.
    """

    values: Floats | None
    gain: float
    bound: float
    status: str
    nodes: int


@dataclass(frozen=True, eq=False)
class _Relaxed:
    """The linear relaxation: its bound, and what each column could add to it, ``(n_columns,)``."""

    bound: float
    reduced: Floats


def solve(program: Program, limits: Limits, at_least: float = -np.inf) -> Solution:
    """Solve a program to proven optimality, or as far as the limits allow.

    Parameters
    ----------
    at_least
        Gain of some solution that is known; it saves time and changes no result.

    Returns
    -------
    Solution
        Within 1e-6 of the best gain when its status is ``optimal``.
    """
    deadline = time.monotonic() + limits.seconds
    relaxed = _relaxation(program)
    if relaxed is None:
        return Solution(None, -np.inf, -np.inf, INFEASIBLE, 0)
    nodes, best = 0, Solution(None, at_least, np.inf, INFEASIBLE, 0)
    core = _best_columns(program, relaxed, CORE)
    while True:
        open_ = program.always | (relaxed.reduced >= best.gain - relaxed.bound - SLACK)
        last = best.values is not None or (open_ & ~program.always).sum() <= CORE or core.all()
        core = open_ if last else core
        left = Limits(max(limits.nodes - nodes, 1), deadline - time.monotonic())
        found = _on_core(_with_sure(program, relaxed, best.gain), core, left)
        nodes += found.nodes
        if found.status in {NODES, CLOCK}:
            better = found if found.gain >= best.gain or best.values is None else best
            return Solution(better.values, better.gain, relaxed.bound, found.status, nodes)
        if last or (found.values is not None and not _promising(relaxed, found, core).any()):
            return replace(found, bound=found.gain, nodes=nodes)
        if found.values is None:
            core = np.ones_like(core)
            best = replace(best, gain=-np.inf)
        else:
            best = replace(found, gain=max(found.gain, best.gain))


def _promising(relaxed: _Relaxed, found: Solution, core: Bools) -> Bools:
    """Columns outside the core that a better solution might have."""
    promising: Bools = ~core & (relaxed.reduced > found.gain - relaxed.bound - SLACK)
    return promising


def _with_sure(program: Program, relaxed: _Relaxed, at_least: float) -> Program:
    """Fix the columns without which no solution gains as much as is known to be possible."""
    sure = ~program.always & (relaxed.reduced > relaxed.bound - at_least + SLACK)
    return replace(program, least=np.where(sure, program.most, program.least))


def _relaxation(program: Program) -> _Relaxed | None:
    """Solve the linear relaxation by column generation; None when it is infeasible."""
    core = program.always.copy()
    core[_first(program.gain, ~core, CORE)] = True
    while True:
        columns = np.flatnonzero(core)
        found = _linear(program, columns)
        if found is None and core.all():
            return None
        if found is None:
            core[:] = True
            continue
        bound, prices = found
        if not np.isfinite(bound):
            return _Relaxed(bound, program.gain)
        reduced = program.gain - np.asarray(program.matrix.T @ prices).ravel()
        better = ~core & (reduced > SLACK)
        if not better.any():
            return _Relaxed(bound, reduced)
        core[_first(reduced, better, PRICED_IN)] = True


def _linear(program: Program, columns: Ints) -> tuple[float, Floats] | None:
    """Bound and row prices of the relaxation on some columns; None when that is infeasible."""
    rows: Floats = program.matrix[:, columns].toarray()
    low, high = program.lower, program.upper
    equal = low == high
    above, below = ~equal & np.isfinite(high), ~equal & np.isfinite(low)
    limits: Any = np.stack([program.least[columns], program.most[columns]], axis=1)
    found = linprog(
        -program.gain[columns],
        A_ub=np.concatenate([rows[above], -rows[below]]),
        b_ub=np.concatenate([high[above], -low[below]]),
        A_eq=rows[equal],
        b_eq=low[equal],
        bounds=limits,
        method="highs",
    )
    if found.status == LINEAR_INFEASIBLE:
        return None
    if found.status != 0:
        # Numerical trouble: no bound and no prices, so that every column stays in play.
        return np.inf, np.zeros(len(low))
    prices, n_above = np.zeros(len(low)), int(above.sum())
    prices[above] = -found.ineqlin.marginals[:n_above]
    prices[below] += found.ineqlin.marginals[n_above:]
    prices[equal] = -found.eqlin.marginals
    return float(program.gain[columns] @ np.asarray(found.x)), prices


def _first(values: Floats, among: Bools, n: int) -> Ints:
    """Places of the largest values among some, the lower place first where they are equal."""
    places = np.flatnonzero(among)
    order = np.argsort(-values[places], kind="stable")
    return places[order[:n]].astype(np.int64)


def _best_columns(program: Program, relaxed: _Relaxed, size: int) -> Bools:
    core = program.always.copy()
    core[_first(relaxed.reduced, ~core, size)] = True
    return core


def _on_core(program: Program, core: Bools, limits: Limits) -> Solution:
    """Solve with the columns of the core only; all others must be allowed to be 0."""
    if limits.seconds <= 0.0:
        return Solution(None, -np.inf, np.inf, CLOCK, 0)
    columns = np.flatnonzero(core)
    options: Any = {"node_limit": limits.nodes, "time_limit": limits.seconds, "mip_rel_gap": 0.0}
    found = milp(
        -program.gain[columns],
        integrality=program.whole[columns].astype(np.int64),
        bounds=Bounds(program.least[columns], program.most[columns]),
        constraints=LinearConstraint(program.matrix[:, columns], program.lower, program.upper),
        options=options,
    )
    status = _status(found)
    nodes = int(found.mip_node_count or 0)
    if found.x is None:
        return Solution(None, -np.inf, np.inf, status, nodes)
    values = np.zeros(len(program.gain))
    values[columns] = np.where(program.whole[columns], np.round(found.x), found.x)
    return Solution(values, float(program.gain @ values), np.inf, status, nodes)


def _status(found: OptimizeResult) -> str:
    if found.status == 0:
        return OPTIMAL
    if found.status == 1:
        return CLOCK if CLOCK_STATUS in found.message else NODES
    return INFEASIBLE
