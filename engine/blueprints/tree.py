"""Branch and bound over linear relaxations, each of which starts from the basis before.

Follows the better branch until a first solution is known, then always takes the node of the highest
bound (Land and Doig, 1960; Dakin, 1965). Columns whose reduced costs exceed what is still to be won
are fixed at each node. The same program gives the same search. Called by
`engine.blueprints.programs`. Imports numpy and `engine.blueprints.linear`.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Floats
from engine.blueprints.linear import Linear, Optimum

WHOLE = 1e-6
"""So close to a whole number is whole."""
SLACK = 1e-7
"""A node is left aside that could not gain more than this."""
FINISHED, NODES, CLOCK = "finished", "nodes", "clock"


@dataclass(frozen=True, eq=False)
class Node:
    """A part of the solutions: bounds of the columns, and its relaxation."""

    least: Floats
    most: Floats
    relaxed: Optimum


@dataclass(eq=False)
class Search:
    """A search for whole numbers, while it goes on.

    Parameters
    ----------
    linear
        The program.
    gain
        Shape ``(n_columns,)``.
    best
        Gain that a solution must exceed; then that of the best one found.
    most_nodes
        Relaxations that may be solved.
    deadline
        By the clock of `time.monotonic`.
    values
        The best solution found.
    nodes
        Relaxations solved.
    """

    linear: Linear
    gain: Floats
    best: float
    most_nodes: int
    deadline: float
    values: Floats | None = None
    nodes: int = 0
    waiting: list[tuple[float, int, Node]] = field(default_factory=list)


def search(found: Search, root: Node) -> str:
    """Search below a node; say whether to the end, or what stopped it."""
    if time.monotonic() > found.deadline:
        return CLOCK
    node: Node | None = root if _may_win(found, root) else None
    while node is not None:
        if found.nodes >= found.most_nodes:
            return NODES
        if time.monotonic() > found.deadline:
            return CLOCK
        branches = [one for one in _branches(found, node) if _may_win(found, one)]
        branches.sort(key=lambda one: -one.relaxed.gain)
        dive = found.values is None and bool(branches)
        for place, branch in enumerate(branches[dive:]):
            order = 2 * found.nodes + place
            heapq.heappush(found.waiting, (-branch.relaxed.gain, order, branch))
        node = branches[0] if dive else _next(found)
    return FINISHED


def _next(found: Search) -> Node | None:
    """Take the waiting node of the highest bound; None when no other can win."""
    if not found.waiting or -found.waiting[0][0] <= found.best + SLACK:
        return None
    return heapq.heappop(found.waiting)[2]


def _may_win(found: Search, node: Node) -> bool:
    """Whether to go on below a node; if its relaxation is whole, it is a solution itself."""
    if node.relaxed.gain <= found.best + SLACK:
        return False
    values = np.round(node.relaxed.values)
    if np.abs(node.relaxed.values - values).max() > WHOLE:
        return True
    gain = float(found.gain @ values)
    if gain > found.best:
        found.best, found.values = gain, values
    return False


def _branches(found: Search, node: Node) -> list[Node]:
    """Solve the two parts of a node: one column's value rounded up, and rounded down."""
    values = node.relaxed.values
    part = values - np.floor(values)
    away = np.minimum(part, 1.0 - part)
    worth = away * (1.0 + np.abs(found.gain))
    column = int(np.where(away > WHOLE, worth, -1.0).argmax())
    if away[column] <= WHOLE:
        return []
    least, most = _fixed(found, node)
    down, up = most.copy(), least.copy()
    down[column], up[column] = np.floor(values[column]), np.ceil(values[column])
    parts = ((up, most), (least, down))
    solved = [(low, high, found.linear.solve(low, high)) for low, high in parts]
    found.nodes += len(parts)
    return [Node(low, high, relaxed) for low, high, relaxed in solved if relaxed is not None]


def _fixed(found: Search, node: Node) -> tuple[Floats, Floats]:
    """Bounds of a node in which columns stay where leaving would cost more than is to be won."""
    room = node.relaxed.gain - found.best - SLACK
    reduced, values = node.relaxed.reduced, node.relaxed.values
    at_least, at_most = values <= node.least + WHOLE, values >= node.most - WHOLE
    most = np.where((reduced < -room) & at_least, node.least, node.most)
    least = np.where((reduced > room) & at_most, node.most, node.least)
    return least, most
