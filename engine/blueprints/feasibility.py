"""Whether a bank can serve a blueprint at all, and which of its constraints collide if not.

Called before an exam opens (`engine.rules.designs.check_design`). Imports
`engine.blueprints.constraints`, `engine.blueprints.programs` and `engine.blueprints.shadow`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Bools
from engine.blueprints.blueprint import Blueprint
from engine.blueprints.constraints import Constraints, constraints_of
from engine.blueprints.programs import INFEASIBLE, Limits, Program, solve
from engine.blueprints.shadow import LENGTH, row_names, whole_program
from engine.errors import InputError
from engine.items import ItemParameters

LIMITS = Limits(nodes=20_000, seconds=20.0)


def check_blueprint(
    items: ItemParameters, blueprint: Blueprint, length: int, pretest: Bools | None = None
) -> None:
    """Refuse a blueprint that no test of this length from this bank can keep.

    Parameters
    ----------
    pretest
        Items that are only tried out, shape ``(n_items,)``: a blueprint may name them, and no test
        consists of them. None where there are none.

    Raises
    ------
    InputError
        For something that the bank does not have, or naming constraints that cannot be kept
        together, of which each is needed for the conflict.
    """
    bound = constraints_of(items, blueprint, length)
    if pretest is not None:
        bound = replace(bound, usable=bound.usable & ~pretest)
    colliding = conflict(bound)
    if colliding:
        said = "; ".join(_described(bound, name) for name in colliding)
        expected = f"a blueprint that {int(bound.usable.sum())} usable items can keep"
        raise InputError(expected, f"a conflict between: {said}", column="blueprint")


def conflict(bound: Constraints) -> tuple[str, ...]:
    """Find constraints that cannot be kept together.

    A deletion filter (Chinneck and Dravnieks, 1991): each constraint in turn is left out for good
    if the rest still collides, so that what remains collides and loses the conflict with any one
    of its members.

    Returns
    -------
    tuple
        Names, empty when a test keeps everything.
    """
    program = whole_program(bound)
    if not _collides(program):
        return ()
    names = np.array(row_names(bound), dtype=object)
    for name in dict.fromkeys([*reversed(names.tolist()), LENGTH]):
        without = _without(program, names == name)
        if _collides(without):
            program = without
    kept = np.isfinite(program.lower) | np.isfinite(program.upper)
    return tuple(dict.fromkeys(names[kept].tolist()))


def _collides(program: Program) -> bool:
    return solve(program, LIMITS).status == INFEASIBLE


def _without(program: Program, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Program:
    return replace(
        program,
        lower=np.where(rows, -np.inf, program.lower),
        upper=np.where(rows, np.inf, program.upper),
    )


def _described(bound: Constraints, name: str) -> str:
    """Name a constraint with its bounds."""
    if name == LENGTH:
        return f"{bound.length} items"
    if name not in bound.names:
        return name
    place = bound.names.index(name)
    low, high = bound.lower[place], bound.upper[place]
    parts = [f"at least {low:g}"] * bool(np.isfinite(low))
    parts += [f"at most {high:g}"] * bool(np.isfinite(high))
    return f"{name} {' and '.join(parts)}"
