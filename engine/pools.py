"""Which items may come next in one sitting: free, within limits, keeping blueprint and shares.

Called by `engine.session`; `engine.simulation.limits` makes the same decisions on arrays. Imports
the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.blueprints import balance, content_shares
from engine.blueprints.constraints import Constraints, enemies_of
from engine.blueprints.stages import place_of, within
from engine.exposure.barriers import barriers, come_up, names_of, narrowed
from engine.exposure.rules import WEIGHING, stratum_of
from engine.exposure.usage import trace_of
from engine.exposure.weighing import weighed
from engine.items import ItemParameters
from engine.randomness import words
from engine.rules.designs import ExamDesign
from engine.rules.states import SittingState, read_usage


@dataclass(frozen=True, eq=False)
class Choosing:
    """One step of a sitting while its item is being chosen.

    Parameters
    ----------
    bound
        The blueprint bound to the bank; None without one.
    theta
        The interim estimate.
    values
        Of all items by the criterion, shape ``(1, n_items)``.
    trace
        Written to.
    """

    state: SittingState
    items: ItemParameters
    design: ExamDesign
    bound: Constraints | None
    theta: float
    values: Floats
    trace: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Pool:
    """The items that may come next, how content balancing narrowed them, and what was turned away.

    ``turned`` holds the items that Sympson-Hetter does not let through; None without it.
    """

    eligible: Bools
    area: str | None
    skipped: tuple[str, ...]
    turned: Bools | None = None


def pool_of(step: Choosing) -> Pool:
    """Narrow the free items; what was read, and which limits had to yield, goes into the trace."""
    free = _free(step)
    limits = _limits(step)
    left, yielded = free, np.zeros(len(limits), dtype=np.bool_)
    if step.bound is not None:
        left, yielded = _balanced(step, step.bound, free, limits)
    area, skipped = _area(step, left)
    inside = left & _of_area(step, area)
    eligible, gave_way = narrowed(inside[None], limits)
    step.trace["events"] += names_of(tuple(limits), yielded | gave_way[0])
    return Pool(eligible[0], area, skipped, _turned(step, free, limits, area))


def weighed_values(step: Choosing, eligible: Bools) -> Floats:
    """Criterion values as blueprint or exposure control weigh them, shape ``(1, n_items)``."""
    values = step.values
    if step.bound is not None and step.design.blueprint is not None:
        rows = scored_rows(step.state)
        values = balance.weigh(step.design.blueprint, step.bound, rows, values, eligible[None])
    return _weighed(step, values, eligible)


def scored_rows(state: SittingState) -> Ints:
    """Bank rows of the items that count, shape ``(1, n)``."""
    return np.array([state.scored[0]], dtype=np.int64).reshape(1, -1)


def stage_at_hand(state: SittingState, design: ExamDesign) -> dict[str, Any]:
    """What the trace of an item that is tried out hands on of the stage around it."""
    stages = () if design.blueprint is None else design.blueprint.stages
    inside = within(stages, np.array(len(state.scored[0])))
    return {"stage": _stage(state.stage, state, stages)} if inside else {}


def enemies_met(state: SittingState, bound: Constraints | None) -> frozenset[int]:
    """Enemies of the items given, of those tried out as well."""
    if bound is None or not state.administered:
        return frozenset()
    return frozenset(np.flatnonzero(enemies_of(bound, np.array([state.administered]))[0]).tolist())


def _free(step: Choosing) -> Bools:
    state = step.state
    free = np.ones(len(step.items), dtype=np.bool_)
    taken = (*state.administered, *state.held, *state.pretest, *enemies_met(state, step.bound))
    free[list(taken)] = False
    return free


def _mask(rows: frozenset[int], items: ItemParameters) -> Bools:
    mask = np.zeros(len(items), dtype=np.bool_)
    mask[list(rows)] = True
    return mask


# --- limits of exposure -------------------------------------------------------------------------


def _limits(step: Choosing) -> dict[str, Bools]:
    """What each limit lets through that may have to yield, shape ``(1, n_items)``."""
    state, items, rules = step.state, step.items, step.design.exposure
    found, where = read_usage(state, step.design), np.array([step.theta])
    if rules.needs_usage and found is not None:
        step.trace["usage"] = trace_of(found, rules, int(stratum_of(where, rules)[0]))
    if state.excluded:
        step.trace["excluded"] = sorted(state.excluded)
    return barriers(
        rules,
        items,
        where,
        words(state.seed),
        found,
        rejected=_mask(state.rejected, items)[None],
        excluded=_mask(state.excluded, items)[None] if state.excluded else None,
    )


def _turned(
    step: Choosing, free: Bools, limits: dict[str, Bools], area: str | None
) -> Bools | None:
    """Items that only Sympson-Hetter's draw keeps from being given; None without it."""
    if "sympson_hetter" not in limits:
        return None
    some = come_up(free[None], limits)
    if step.bound is not None:
        some = balance.come_up(step.bound, scored_rows(step.state), some)
    turned: Bools = (some & ~limits["sympson_hetter"])[0] & _of_area(step, area)
    return turned


def _weighed(step: Choosing, values: Floats, eligible: Bools) -> Floats:
    """Values as exposure control weighs them, ``(1, n_items)``."""
    if step.design.exposure.method not in WEIGHING:
        return values
    return weighed(
        step.design.exposure,
        values,
        eligible[None],
        words(step.state.seed),
        step=step.state.n,
        counted=np.array([len(step.state.scored[0])]),
        length=step.design.scored_length,
        rows=np.arange(len(step.items), dtype=np.int64),
        items=step.items,
    )


# --- blueprint and shares -----------------------------------------------------------------------


def _balanced(
    step: Choosing, bound: Constraints, free: Bools, limits: dict[str, Bools]
) -> tuple[Bools, Bools]:
    """Free items that keep the blueprint, and limits that had to yield to it."""
    state, blueprint = step.state, step.design.blueprint
    assert blueprint is not None
    rows, worth = scored_rows(state), _weighed(step, step.values, free).__getitem__
    if state.logged_form is not None:
        found, problems = balance.replayed(
            blueprint, bound, rows, free[None], worth, state.logged_form, len(limits)
        )
        step.trace["form_problems"] = list(problems)
    else:
        before, stage, soft = (state.form,), (state.stage,), tuple(limits.values())
        found = balance.balanced(blueprint, bound, rows, free[None], worth, before, stage, soft)
    step.trace["form"] = balance.logged_form(found)
    if blueprint.stages:
        step.trace["stage"] = _stage(found.stages[0], state, blueprint.stages)
    step.trace["events"] += balance.names_of_events(found.happened[0])
    return found.eligible[0], found.yielded[0]


def _stage(
    items: tuple[int, ...], state: SittingState, stages: tuple[int, ...]
) -> dict[str, Any] | None:
    """The stage of the next item, and its place there; None past the last."""
    n = len(state.scored[0])
    place = place_of(stages, n)
    if place is None:
        return None
    return {"number": place.number, "place": n - place.first + 1, "items": list(items)}


def _area(step: Choosing, free: Bools) -> tuple[str | None, tuple[str, ...]]:
    """Content area of the next item by the shares, and those that are due but have none left."""
    shares = step.design.content_shares
    if not shares:
        return None, ()
    masks = content_shares.area_masks(shares, step.items)
    rows = list(step.state.scored[0])
    counts = masks[:, rows].sum(axis=1, dtype=np.int64)[None]
    short = content_shares.shortfalls(counts, shares, np.array([len(rows)]))
    chosen, skipped = content_shares.needed_area(short, (masks & free).sum(axis=1)[None] > 0)
    names = [name for name, _ in shares]
    without = tuple(name for name, skip in zip(names, skipped[0], strict=True) if skip)
    return None if chosen[0] < 0 else names[chosen[0]], without


def _of_area(step: Choosing, area: str | None) -> Bools:
    """Items of the area that is due; all where there are no shares, none where none is left."""
    if area is not None:
        return step.items.areas[area]
    return np.full(len(step.items), not step.design.content_shares)
