"""Mixed integer programs with many columns, of which few can matter, solved exactly.

The linear relaxation is solved on a few promising columns, and others are priced in until none
can improve it. Its bound and reduced costs then say which columns may stand in a solution within a
width of the bound (reduced-cost fixing; Dantzig, Fulkerson and Johnson, 1954). A tree over these
few is searched; when it has no solution, the width grows. What a tree of some size does not settle
goes to HiGHS' own search. Called by `engine.blueprints.shadow`, `engine.blueprints.forms` and
`engine.multistage`. Imports numpy, scipy and what stands beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.linear import Linear, LinearTroubleError
from engine.blueprints.tree import FINISHED, SLACK, Node, Search, search

CORE = 60
"""So many columns are solved at first, besides those that are always there."""
PRICED_IN = 60
OPEN, WIDER = 30, 3.0
"""The first width leaves so many columns open; each next one is so many times as wide."""
TREE = 600
"""Relaxations that a tree may take before HiGHS searches."""
OPTIMAL, NODES, CLOCK, INFEASIBLE = "optimal", "nodes", "clock", "infeasible"
CLOCK_STATUS = "HiGHS Status 13"
NOTHING: Ints = np.zeros(0, dtype=np.int64)


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
class _Priced:
    """The linear relaxation: its bound, and what each column could add to it, ``(n_columns,)``."""

    bound: float
    reduced: Floats


def solve(
    program: Program, limits: Limits, at_least: float = -np.inf, hint: Ints = NOTHING
) -> Solution:
    """Solve a program to proven optimality, or as far as the limits allow.

    Parameters
    ----------
    at_least
        Gain of some solution that is known.
    hint
        Columns that a good solution is likely to have.

    Returns
    -------
    Solution
        Within 1e-6 of the best gain when its status is ``optimal``. Of solutions that lie closer
        together, the one met first; the arguments alone decide which that is.
    """
    deadline = time.monotonic() + limits.seconds
    try:
        priced = _relaxation(program, hint)
        if priced is None:
            return Solution(None, -np.inf, -np.inf, INFEASIBLE, 0)
        return _within_widths(program, priced, limits, at_least, deadline)
    except LinearTroubleError:
        everything = _Priced(np.inf, np.zeros(len(program.gain)))
        return _by_milp(program, everything, np.inf, limits, deadline)


def _within_widths(
    program: Program, priced: _Priced, limits: Limits, at_least: float, deadline: float
) -> Solution:
    """Search close to the bound first, and farther while there is nothing."""
    known, nodes = priced.bound - at_least + SLACK, 0
    width = min(_first_width(program, priced), known)
    while True:
        left = replace(limits, nodes=limits.nodes - nodes)
        found = _by_tree(program, priced, width, left, deadline)
        nodes += found.nodes
        if found.status == NODES and nodes < limits.nodes:
            return _handed_over(program, priced, known, found, limits, deadline)
        if found.status != INFEASIBLE or np.isinf(width):
            return replace(found, nodes=nodes)
        widest = width >= known or _open(program, priced, width).all()
        width = np.inf if widest else min(WIDER * width, known)


def _handed_over(
    program: Program,
    priced: _Priced,
    known: float,
    before: Solution,
    limits: Limits,
    deadline: float,
) -> Solution:
    """Let HiGHS search what a tree did not settle; the better of both answers."""
    left = replace(limits, nodes=limits.nodes - before.nodes)
    width = known if before.values is None else priced.bound - before.gain + SLACK
    found = _by_milp(program, priced, width, left, deadline)
    nodes = found.nodes + before.nodes
    if before.values is None or found.gain >= before.gain:
        return replace(found, nodes=nodes)
    status = OPTIMAL if found.status in {OPTIMAL, INFEASIBLE} else found.status
    bound = before.gain if status == OPTIMAL else priced.bound
    return Solution(before.values, before.gain, bound, status, nodes)


# --- the linear relaxation ----------------------------------------------------------------------


def _relaxation(program: Program, hint: Ints) -> _Priced | None:
    """Solve the linear relaxation by column generation; None when it is infeasible."""
    core = program.always.copy()
    core[hint] = True
    core[_first(program.gain, ~core, CORE)] = True
    linear, added = Linear(program.lower, program.upper), np.flatnonzero(core)
    while True:
        _add(linear, program, added)
        found = linear.solve()
        if found is None and core.all():
            return None
        if found is None:
            added = np.flatnonzero(~core)
        else:
            reduced = program.gain - np.asarray(program.matrix.T @ found.prices).ravel()
            better = ~core & (reduced > SLACK)
            if not better.any():
                return _Priced(found.gain, reduced)
            added = _first(reduced, better, PRICED_IN)
        core[added] = True


def _add(linear: Linear, program: Program, columns: Ints) -> None:
    matrix = sparse.csc_array(program.matrix[:, columns])
    linear.add(program.gain[columns], program.least[columns], program.most[columns], matrix)


def _first(values: Floats, among: Bools, n: int) -> Ints:
    """Places of the largest values among some, the lower place first where they are equal."""
    places = np.flatnonzero(among)
    order = np.argsort(-values[places], kind="stable")
    return places[order[:n]].astype(np.int64)


# --- which columns matter -----------------------------------------------------------------------


def _first_width(program: Program, priced: _Priced) -> float:
    sizes = np.sort(np.abs(priced.reduced[~program.always]))
    return float(sizes[min(OPEN, len(sizes)) - 1]) if len(sizes) else np.inf


def _open(program: Program, priced: _Priced, width: float) -> Bools:
    """Columns that may differ from the relaxation's in a solution within a width of its bound."""
    open_: Bools = program.always | (np.abs(priced.reduced) <= width + SLACK)
    return open_


def _narrowed(program: Program, priced: _Priced, width: float) -> tuple[Program, Ints, Floats]:
    """The program of the open columns, their places, and a solution's values at the others."""
    open_ = _open(program, priced, width)
    others = np.where(priced.reduced > 0, program.most, program.least)
    others[open_] = 0.0
    held = np.flatnonzero(others)
    behind = np.asarray(program.matrix[:, held] @ others[held]).ravel()
    columns = np.flatnonzero(open_)
    narrowed = Program(
        gain=program.gain[columns],
        least=program.least[columns],
        most=program.most[columns],
        matrix=sparse.csc_array(program.matrix[:, columns]),
        lower=program.lower - behind,
        upper=program.upper - behind,
        whole=program.whole[columns],
        always=program.always[columns],
    )
    return narrowed, columns, others


# --- the two ways to search ---------------------------------------------------------------------


def _by_tree(
    program: Program, priced: _Priced, width: float, limits: Limits, deadline: float
) -> Solution:
    """Search a tree over the columns that are open within a width of the bound."""
    part, columns, values = _narrowed(program, priced, width)
    linear = Linear(part.lower, part.upper)
    linear.add(part.gain, part.least, part.most, part.matrix)
    behind = float(program.gain @ values)
    above = priced.bound - width - behind - 3.0 * SLACK
    found = Search(linear, part.gain, above, min(limits.nodes, TREE), deadline)
    relaxed = linear.solve()
    stopped = FINISHED
    if relaxed is not None:
        stopped = search(found, Node(part.least, part.most, relaxed))
    if found.values is None:
        status = INFEASIBLE if stopped == FINISHED else stopped
        return Solution(None, -np.inf, priced.bound, status, found.nodes)
    values[columns] = found.values
    gain = float(program.gain @ values)
    if stopped == FINISHED:
        return Solution(values, gain, gain, OPTIMAL, found.nodes)
    return Solution(values, gain, priced.bound, stopped, found.nodes)


def _by_milp(
    program: Program, priced: _Priced, width: float, limits: Limits, deadline: float
) -> Solution:
    """Let HiGHS search over the columns that are open within a width of the bound."""
    seconds = deadline - time.monotonic()
    if seconds <= 0.0:
        return Solution(None, -np.inf, priced.bound, CLOCK, 0)
    part, columns, values = _narrowed(program, priced, width)
    options: Any = {"node_limit": limits.nodes, "time_limit": seconds, "mip_rel_gap": 0.0}
    found = milp(
        -part.gain,
        integrality=part.whole.astype(np.int64),
        bounds=Bounds(part.least, part.most),
        constraints=LinearConstraint(part.matrix, part.lower, part.upper),
        options=options,
    )
    status = _status(found)
    nodes = int(found.mip_node_count or 0)
    if found.x is None:
        return Solution(None, -np.inf, priced.bound, status, nodes)
    values[columns] = np.where(part.whole, np.round(found.x), found.x)
    gain = float(program.gain @ values)
    return Solution(values, gain, gain if status == OPTIMAL else priced.bound, status, nodes)


def _status(found: OptimizeResult) -> str:
    if found.status == 0:
        return OPTIMAL
    if found.status == 1:
        return CLOCK if CLOCK_STATUS in found.message else NODES
    return INFEASIBLE
