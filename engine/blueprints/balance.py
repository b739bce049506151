"""Keeping an exam's blueprint, by whichever method it names: one door for session and simulation.

Soft limits of exposure hold while a test within them can keep the blueprint; then they yield, and
only when no test of all free items can keep it does the blueprint itself give way. Imports
`engine.blueprints.look_ahead`, `engine.blueprints.priority_index`, `engine.blueprints.shadow`,
`engine.blueprints.stages` and `engine.exposure.barriers`.
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
from engine.blueprints.shadow import (
    LOOSENED,
    PREVIOUS,
    STRICT,
    Form,
    choices,
    form_problems,
    searched_form,
)
from engine.blueprints.stages import items_of_stage, next_of, place_of, within
from engine.exposure.barriers import kept

RELAXED, STOPPED, REUSED, WITHOUT, RENEWED = EVENTS = (
    "blueprint_relaxed",
    "shadow_search_stopped",
    "previous_form_used",
    "no_shadow_form",
    "stage_renewed",
)
"""What may happen to a blueprint at a step; each is named in its trace."""
KEPT = "kept for the stage"
"""The status of a form inside a stage, where none is assembled."""


NOTHING = np.zeros(len(EVENTS), dtype=np.bool_)

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
    stages
        By person the items of the stage at hand in their order, those given included; empty in a
        stage of one item, which any item of the form may fill, and without stages.
    yielded
        Which soft limits had to yield for whom, shape ``(n_persons, n_limits)``.
    """

    eligible: Bools
    forms: tuple[Form | None, ...]
    happened: Bools
    stages: tuple[tuple[int, ...], ...]
    yielded: Bools


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
    stages: Sequence[tuple[int, ...]] = (),
    soft: Sequence[Bools] = (),
) -> Balanced:
    """Narrow the free items to those that keep the blueprint.

    By masks, or by a shadow test: always with ``shadow_test``, and with the other methods for those
    to whom the masks leave nothing. Within the soft limits, each as long as the blueprint can be
    kept under it; where the blueprint gives way, its test is made without them.

    Parameters
    ----------
    rows
        Bank rows in the order given, shape ``(n_persons, n)``; -1 after the last.
    free
        Items neither given nor held, shape ``(n_persons, n_items)``.
    values
        Of the criterion.
    previous, stages
        The shadow tests of the step before and the items of the stage at hand, by person.
    soft
        What each soft limit lets through, in the order of ``engine.exposure.barriers.BARRIERS``,
        shape ``(n_persons, n_items)`` or broadcast to it.
    """
    n, soft = len(rows), [np.broadcast_to(mask, free.shape) for mask in soft]
    found: dict[int, _Found] = {}
    happened = np.zeros((n, len(EVENTS)), dtype=np.bool_)
    yielded = np.zeros((n, len(soft)), dtype=np.bool_)
    eligible = _by_masks(blueprint, bound, rows, np.logical_and.reduce([free, *soft]))
    for person in np.flatnonzero(~eligible.any(axis=1)).tolist():
        given = tuple(row for row in rows[person].tolist() if row >= 0)
        before = previous[person] if previous else ()
        one = _kept(blueprint, given, free[person], before, stages[person] if stages else ())
        if one is None:
            worth = values(np.array([person]))[0]
            mine = [mask[person] for mask in soft]
            one, yielded[person] = _assembled(
                blueprint, bound, worth, given, free[person], before, mine
            )
        eligible[person], happened[person], found[person] = one.eligible, one.happened, one
    return Balanced(
        eligible,
        tuple(found[person].form if person in found else None for person in range(n)),
        happened,
        tuple(found[person].stage if person in found else () for person in range(n)),
        yielded,
    )


def come_up(bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Free items that might come next by the blueprint, to tell which of them a draw turned away.

    By masks, whatever the method: the item of a form that is not assembled is not known.
    """
    return look_ahead.eligible(bound, rows, free)


def _by_masks(blueprint: Blueprint, bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Items that the masks let through; none where they are not asked."""
    if blueprint.method == SHADOW_TEST:
        return np.zeros_like(free)
    return look_ahead.eligible(bound, rows, free)


@dataclass(frozen=True, eq=False)
class _Found:
    """What a form leaves one person to choose from; shaped as in `Balanced`, without persons."""

    form: Form | None
    eligible: Bools
    happened: Bools
    stage: tuple[int, ...]


def _kept(
    blueprint: Blueprint,
    given: tuple[int, ...],
    free: Bools,
    form: tuple[int, ...],
    stage: tuple[int, ...],
) -> _Found | None:
    """Go on in the stage at hand; None where a form is to be assembled."""
    place = place_of(blueprint.stages, len(given))
    row = None if place is None else next_of(place, stage, given, free)
    if row is None:
        return None
    eligible = np.zeros_like(free)
    eligible[row] = True
    return _Found(Form(form, None, None, KEPT), eligible, NOTHING, stage)


def _assembled(
    blueprint: Blueprint,
    bound: Constraints,
    values: Floats,
    given: tuple[int, ...],
    free: Bools,
    previous: tuple[int, ...],
    soft: Sequence[Bools],
) -> tuple[_Found, Bools]:
    """Find what may come next within the soft limits, and which of them had to yield."""
    limits = Limits(blueprint.nodes, blueprint.seconds)
    rows = np.array([given], dtype=np.int64).reshape(1, -1)

    answered = True

    def form_of(some: Bools, levels: Sequence[int]) -> Form | None:
        nonlocal answered
        form, answered = searched_form(
            bound, values, given, some, limits=limits, previous=previous, levels=levels
        )
        return form

    def attempt(some: Bools) -> _Found | None:
        masked = _by_masks(blueprint, bound, rows, some[None])[0]
        if masked.any():
            return _Found(None, masked, NOTHING, ())
        form = form_of(some, STRICT)
        return None if form is None else _opened(blueprint, bound, values, given, free, form)

    found, yielded = kept(attempt, free, soft)
    if found is None:  # the last attempt was among all free items
        form = form_of(free, LOOSENED) if answered else None
        found = _opened(blueprint, bound, values, given, free, form)
    return found, yielded


def _opened(
    blueprint: Blueprint,
    bound: Constraints,
    values: Floats,
    given: tuple[int, ...],
    free: Bools,
    form: Form | None,
) -> _Found:
    """Begin a stage, or what is left of one, with a form assembled for it."""
    if form is None:
        eligible = _without(bound, np.array([given], dtype=np.int64).reshape(1, -1), free)
    else:
        eligible = choices(bound, form, given, free)
    happened = _events(form, lost=form is None and bool(eligible.any()))
    place = place_of(blueprint.stages, len(given))
    if place is None or place.size == 1:
        return _Found(form, eligible, happened, ())
    happened[EVENTS.index(RENEWED)] = len(given) > place.first
    if form is None or not eligible.any():
        return _Found(form, eligible, happened, ())
    among = np.zeros_like(free)
    among[[row for row in form.rows if row not in given]] = True
    done = given[place.first :]
    more = items_of_stage(bound, values, among & free, given, place.size - len(done))
    eligible = np.zeros_like(free)
    eligible[more[0]] = True
    return _Found(form, eligible, happened, (*done, *more))


def weigh(
    blueprint: Blueprint, bound: Constraints, rows: Ints, values: Floats, eligible: Bools
) -> Floats:
    """Weigh criterion values by the priority index, where the blueprint names it."""
    if blueprint.method != PRIORITY_INDEX:
        return values
    return priorities(bound, look_ahead.progress(bound, rows), values, eligible)


def wait_for_minimums(
    bound: Constraints, rows: Ints, codes: Ints, stages: Sequence[int] = ()
) -> Ints:
    """Let no rule but the length stop a test that lacks what its blueprint asks for, or in a stage.

    Parameters
    ----------
    codes
        Places in ``engine.rules.stopping.REASONS`` by person, -1 for none.
    stages
        Items of each stage.
    """
    if (codes < 0).all():
        return codes
    n = (rows >= 0).sum(axis=1)
    waits = ~minimums_met(bound, rows) | within(stages, n)
    return np.where((n < bound.length) & waits, -1, codes)


def _without(bound: Constraints, rows: Ints, free: Bools) -> Bools:
    """Heed only what never gives way."""
    left: Bools = look_ahead.not_barred(bound, rows, free[None], torn=True)[0]
    return left


def replayed(
    blueprint: Blueprint,
    bound: Constraints,
    rows: Ints,
    free: Bools,
    values: Values,
    logged: Mapping[str, Any],
    n_limits: int = 0,
) -> tuple[Balanced, tuple[str, ...]]:
    """Take up the form that was logged at a step whose search the clock had stopped.

    Returns
    -------
    tuple
        As from `balanced` for one person, and what is wrong with the form.
    """
    form = Form(**{**logged, "rows": tuple(logged["rows"]), "relaxed": tuple(logged["relaxed"])})
    given, worth = tuple(rows[0].tolist()), values(np.array([0]))[0]
    problems = form_problems(bound, worth, given, free[0], form)
    one = _opened(blueprint, bound, worth, given, free[0], form)
    yielded = np.zeros((1, n_limits), dtype=np.bool_)
    found = Balanced(one.eligible[None], (form,), one.happened[None], (one.stage,), yielded)
    return found, problems


def _events(form: Form | None, *, lost: bool) -> Bools:
    """Which of ``EVENTS`` a form, or the lack of one, stands for."""
    if form is None:
        return np.array([False, False, False, lost, False])
    stopped, reused = form.stopped_by is not None, form.status == PREVIOUS
    return np.array([bool(form.relaxed), stopped, reused, False, False])


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
