"""Linear tests on the fly: parallel forms that keep a blueprint, alike in information.

Each form is drawn at random among all those that keep the blueprint, lie within a band of
information, and share few items with the forms before it: a random worth for each item is
maximised under these constraints (the idea of van der Linden, 2005, chapter 6, with the program of
`engine.blueprints.shadow`). Imports `engine.blueprints.constraints`, `engine.blueprints.programs`
and `engine.blueprints.shadow`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from engine.arrays import Floats, Ints
from engine.blueprints.blueprint import Blueprint
from engine.blueprints.constraints import Constraints, constraints_of
from engine.blueprints.feasibility import check_blueprint
from engine.blueprints.programs import Limits, Program, solve
from engine.blueprints.shadow import whole_program
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import uniform

LIMITS = Limits(nodes=20_000, seconds=30.0)


@dataclass(frozen=True, eq=False)
class Band:
    """What the information of every form keeps within.

    Parameters
    ----------
    theta
        Points, shape ``(n_points,)``.
    lower, upper
        Information of a form at each, same shape.
    """

    theta: Floats
    lower: Floats
    upper: Floats

    def __post_init__(self) -> None:
        shapes = {np.shape(self.theta), np.shape(self.lower), np.shape(self.upper)}
        if len(shapes) > 1 or np.any(np.asarray(self.lower) > np.asarray(self.upper)):
            raise InputError("a lower and an upper end for each theta, in order", shapes)


@dataclass(frozen=True, eq=False)
class Forms:
    """Parallel forms.

    Parameters
    ----------
    rows
        Bank rows of each form, items of a stimulus together, shape ``(n_forms, length)``.
    information
        Of each form at the points of the band, shape ``(n_forms, n_points)``.
    shared
        Items that two forms have in common, shape ``(n_forms, n_forms)``.
    """

    rows: Ints
    information: Floats
    shared: Ints


def assemble_forms(
    items: ItemParameters,
    blueprint: Blueprint,
    *,
    length: int,
    n_forms: int,
    band: Band,
    most_shared: int,
    seed: int = 0,
    advance: Callable[[int], object] | None = None,
) -> Forms:
    """Assemble parallel forms.

    Parameters
    ----------
    most_shared
        Items that two forms may have in common at most.
    seed
        Of the random worths; the same forms for the same seed.
    advance
        Called with 1 after each form.

    Raises
    ------
    InputError
        For a blueprint that the bank cannot serve.
    AnswerIsNo
        When no further form keeps the band and the limit of shared items.
    """
    check_blueprint(items, blueprint, length)
    bound = constraints_of(items, blueprint, length)
    columns = np.flatnonzero(bound.usable)
    inside = dispatch.information(band.theta, items)
    base = _with_rows(whole_program(bound), inside[:, columns], band.lower, band.upper)
    given = np.zeros((0, len(items)))
    for form in range(n_forms):
        worth = uniform(seed, form, "forms", columns)
        program = _with_rows(
            replace(base, gain=_widened(worth, base)),
            given[:, columns],
            np.full(form, -np.inf),
            np.full(form, float(most_shared)),
        )
        found = solve(program, LIMITS)
        if found.values is None:
            wanted = f"form {form + 1} of {n_forms}"
            raise AnswerIsNo(
                f"no {wanted}: search ended {found.status}; widen the band or share more items"
            )
        chosen = np.zeros((1, len(items)))
        chosen[0, columns] = found.values[: len(columns)] > 0.5
        given = np.concatenate([given, chosen])
        if advance is not None:
            advance(1)
    return _forms(bound, given, inside)


def _forms(bound: Constraints, given: Floats, information: Floats) -> Forms:
    rows = [
        sorted(np.flatnonzero(form), key=lambda row: (bound.set_of[row], row)) for form in given
    ]
    return Forms(
        rows=np.array(rows, dtype=np.int64),
        information=given @ information.T,
        shared=(given @ given.T).astype(np.int64),
    )


def _widened(worth: Floats, program: Program) -> Floats:
    return np.concatenate([worth, np.zeros(len(program.gain) - len(worth))])


def _with_rows(program: Program, rows: Floats, lower: Floats, upper: Floats) -> Program:
    """Add constraints on the items of a program."""
    nothing = np.zeros((len(rows), len(program.gain) - rows.shape[1]))
    more = sparse.csc_array(np.concatenate([rows, nothing], axis=1))
    matrix = sparse.vstack([program.matrix, more], format="csc")
    return replace(
        program,
        matrix=sparse.csc_array(matrix),
        lower=np.concatenate([program.lower, lower]),
        upper=np.concatenate([program.upper, upper]),
    )
