"""Keeping an exam's blueprint, by whichever method it names: one door for session and simulation.

Imports `engine.blueprints.look_ahead`, `engine.blueprints.priority_index` and
`engine.blueprints.shadow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.blueprints import look_ahead
from engine.blueprints.blueprint import PRIORITY_INDEX, SHADOW_TEST, Blueprint
from engine.blueprints.constraints import Constraints, minimums_met
from engine.blueprints.priority_index import priorities
from engine.blueprints.programs import CLOCK, Limits
from engine.blueprints.shadow import PREVIOUS, Form, choices, form_problems, shadow_form

RELAXED, STOPPED, REUSED, WITHOUT = EVENTS = (
    "blueprint_relaxed",
    "shadow_search_stopped",
    "previous_form_used",
    "no_shadow_form",
)
"""What may happen to a blueprint at a step; each is named in its trace."""


Values = Callable[[Ints], Floats]
"""Criterion values of some persons, by place: shape ``(n_some, n_items)``."""


@dataclass(frozen=True, eq=False)
class Balanced:
    """What a blueprint leaves to choose from.

    Parameters
    ----------
    eligible
        Items that may come next, shape ``(n_persons, n_items)``.
    forms
        Shadow tests by person; None where there is none.
    happened
        Which of ``EVENTS`` happened to whom, shape ``(n_persons, n_events)``.
    """

    eligible: Bools
    forms: tuple[Form | None, ...]
    happened: Bools


def packed(rows: Ints, present: Bools) -> Ints:
    """Move the rows that count to the front, -1 behind them, shape ``(n_persons, n)``."""
    order = np.argsort(~present, axis=1, kind="stable")
    moved: Ints = np.take_along_axis(np.where(present, rows, -1), order, axis=1)
    return moved


def balanced(
    blueprint: Blueprint,
    bound: Constraints,
    rows: Ints,
    free: Bools,
    values: Values,
    previous: Sequence[tuple[int, ...]] = (),
) -> Balanced:
    """Narrow the free items to those that keep the blueprint.

    By masks, or by a shadow test: always with ``shadow_test``, and with the other methods for those
    to whom the masks leave nothing.

    Parameters
    ----------
    rows
        Bank rows in the order given, shape ``(n_persons, n)``; -1 after the last.
    free
        Items neither given nor held, shape ``(n_persons, n_items)``.
    values
        Of the criterion.
    previous
        The shadow tests of the step before, by person.
    """
    n = len(rows)
    forms: list[Form | None] = [None] * n
    happened = np.zeros((n, len(EVENTS)), dtype=np.bool_)
    if blueprint.method == SHADOW_TEST:
        eligible = np.zeros_like(free)
    else:
        eligible = look_ahead.eligible(bound, rows, free)
    limits = Limits(blueprint.nodes, blueprint.seconds)
    for person in np.flatnonzero(~eligible.any(axis=1)).tolist():
        given = tuple(row for row in rows[person].tolist() if row >= 0)
        worth = values(np.array([person]))[0]
        before = previous[person] if previous else ()
        form = shadow_form(bound, worth, given, free[person], limits=limits, previous=before)
        forms[person] = form
        if form is None:
            eligible[person] = _without(bound, rows[[person]], free[person])
        else:
            eligible[person] = choices(bound, form, given, free[person])
        happened[person] = _events(form, lost=form is None and bool(eligible[person].any()))
    return Balanced(eligible, tuple(forms), happened)


def weigh(
    blueprint: Blueprint, bound: Constraints, rows: Ints, values: Floats, eligible: Bools
) -> Floats:
    """Weigh criterion values by the priority index, where the blueprint names it."""
    if blueprint.method != PRIORITY_INDEX:
        return values
    return priorities(bound, look_ahead.progress(bound, rows), values, eligible)


def wait_for_minimums(bound: Constraints, rows: Ints, codes: Ints) -> Ints:
    """Let no rule stop a test that still lacks what its blueprint asks for, but its length.

    Parameters
    ----------
    codes
        Places in ``engine.rules.stopping.REASONS`` by person, -1 for none.
    """
    short = (rows >= 0).sum(axis=1) < bound.length
    return np.where(short & ~minimums_met(bound, rows), -1, codes)


def _without(bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Heed only what never gives way."""
    left: Bools = look_ahead.not_barred(bound, rows, free[None], torn=True)[0]
    return left


def replayed(
    bound: Constraints, rows: Ints, free: Bools, values: Values, logged: Mapping[str, Any]
) -> tuple[Balanced, tuple[str, ...]]:
    """Take up the form that was logged at a step whose search the clock had stopped.

    Returns
    -------
    tuple
        As from `balanced` for one person, and what is wrong with the form.
    """
    form = Form(**{**logged, "rows": tuple(logged["rows"]), "relaxed": tuple(logged["relaxed"])})
    given = tuple(rows[0].tolist())
    problems = form_problems(bound, values(np.array([0]))[0], given, free[0], form)
    eligible = choices(bound, form, given, free[0])
    return Balanced(eligible[None], (form,), _events(form, lost=False)[None]), problems


def _events(form: Form | None, *, lost: bool) -> Bools:
    """Which of ``EVENTS`` a form, or the lack of one, stands for."""
    if form is None:
        return np.array([False, False, False, lost])
    stopped, reused = form.stopped_by is not None, form.status == PREVIOUS
    return np.array([bool(form.relaxed), stopped, reused, False])


def logged_form(found: Balanced) -> dict[str, Any] | None:
    """Give the shadow test of a sitting's step as JSON can hold it; None where there is none."""
    form = found.forms[0]
    if form is None:
        return None
    return asdict(form) | {"rows": list(form.rows), "relaxed": list(form.relaxed)}


def names_of_events(happened: Bools) -> list[str]:
    """Names for the trace of a sitting's step."""
    return [name for name, holds in zip(EVENTS, happened.tolist(), strict=True) if holds]


def stopped_by_clock(logged: Mapping[str, Any] | None) -> bool:
    """Whether a logged shadow test is one that only the clock explains."""
    return logged is not None and logged["stopped_by"] == CLOCK
