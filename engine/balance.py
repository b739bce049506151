"""Keeping an exam's blueprint, by whichever method it names: one door for session and simulation.

Imports `engine.look_ahead`, `engine.priority_index` and `engine.shadow`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine import look_ahead
from engine.arrays import Bools, Floats, Ints
from engine.blueprint import PRIORITY_INDEX, SHADOW_TEST, Blueprint
from engine.constraints import Constraints
from engine.priority_index import priorities
from engine.programs import CLOCK, Limits
from engine.shadow import PREVIOUS, Form, choices, form_problems, shadow_form

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
    values
        Of the criterion, weighed by the priority index, same shape; None by the other methods.
    forms
        Shadow tests by person; None where there is none.
    lost
        Whether neither masks nor a shadow test could say what keeps the blueprint, so that nothing
        but enemies and excluded items was heeded, shape ``(n_persons,)``.
    """

    eligible: Bools
    values: Floats | None
    forms: tuple[Form | None, ...]
    lost: Bools

    @property
    def relaxed(self) -> Bools:
        """Whether a constraint had to give way, shape ``(n_persons,)``."""
        forms = np.array([form is not None and bool(form.relaxed) for form in self.forms])
        return np.asarray(forms | self.lost, dtype=np.bool_)


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
        Bank rows in the order given, shape ``(n_persons, n)``.
    free
        Items neither given nor held, shape ``(n_persons, n_items)``.
    values
        Of the criterion.
    previous
        The shadow tests of the step before, by person.
    """
    n = len(rows)
    forms: list[Form | None] = [None] * n
    lost, weighed = np.zeros(n, dtype=np.bool_), None
    if blueprint.method == SHADOW_TEST:
        eligible = np.zeros_like(free)
    else:
        eligible = look_ahead.eligible(bound, rows, free)
    limits = Limits(blueprint.nodes, blueprint.seconds)
    for person in np.flatnonzero(~eligible.any(axis=1)).tolist():
        given, some = tuple(rows[person].tolist()), free[person]
        worth = values(np.array([person]))[0]
        before = previous[person] if previous else ()
        form = shadow_form(bound, worth, given, some, limits=limits, previous=before)
        forms[person], lost[person] = form, form is None
        eligible[person] = _without(bound, rows[[person]], some)
        if form is not None:
            eligible[person] &= choices(bound, form, given, some)
    if blueprint.method == PRIORITY_INDEX:
        now = look_ahead.progress(bound, rows)
        weighed = priorities(bound, now, values(np.arange(n)), eligible)
    return Balanced(eligible, weighed, tuple(forms), lost & eligible.any(axis=1))


def _without(bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Heed only what never gives way."""
    left: Bools = look_ahead.not_barred(bound, rows, free[None], torn=True)[0]
    return left


def replayed(
    bound: Constraints, rows: Ints, free: Bools, values: Values, logged: dict[str, Any]
) -> tuple[Balanced, tuple[str, ...]]:
    """Take up the form that was logged at a step whose search the clock had stopped.

    Returns
    -------
    tuple
        As from `balanced` for one person, and what is wrong with the form.
    """
    form = Form(**{**logged, "rows": tuple(logged["rows"]), "relaxed": tuple(logged["relaxed"])})
    given = tuple(rows[0].tolist())
    worth = values(np.array([0]))[0]
    problems = form_problems(bound, worth, given, free[0], form)
    eligible = choices(bound, form, given, free[0])
    return Balanced(eligible[None], None, (form,), np.zeros(1, dtype=np.bool_)), problems


def facts(found: Balanced) -> tuple[dict[str, Any] | None, list[str]]:
    """Shadow test for the trace of a sitting's step, and the events of the step."""
    form = found.forms[0]
    if form is None:
        return None, [WITHOUT] if found.lost[0] else []
    happened = {
        RELAXED: bool(form.relaxed),
        STOPPED: form.stopped_by is not None,
        REUSED: form.status == PREVIOUS,
    }
    logged = asdict(form) | {"rows": list(form.rows), "relaxed": list(form.relaxed)}
    return logged, [name for name, holds in happened.items() if holds]


def stopped_by_clock(logged: dict[str, Any] | None) -> bool:
    """Whether a logged shadow test is one that only the clock explains."""
    return logged is not None and logged["stopped_by"] == CLOCK
