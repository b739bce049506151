"""One step of a sitting, the quick way, where the exam and the sitting ask for nothing special.

The same step as `engine.session.next_step` takes, trace and all, but the information of the whole
bank is not computed: `engine.fast.leading` looks the best items up, exactly. Called by
`engine.session`. Imports the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from engine.ability.estimates import AbilityEstimate, estimate
from engine.arrays import Bools, Floats, Ints
from engine.blueprints import content_shares
from engine.exposure import randomesque
from engine.fast.leading import LeadingOfOne, leading_of_one, lookup_depth
from engine.fast.lookup import InformationLookup, information_lookup
from engine.items import ItemParameters
from engine.randomness import words
from engine.rules import stopping
from engine.rules.designs import RULES_VERSION, ExamDesign
from engine.rules.starting import starting_thetas
from engine.rules.states import SittingState, Step
from engine.rules.stopping import REASONS, StopReason

SHOWN = 5
"""So many of the best items are written into the trace of a step."""
LEAST_ITEMS = 200
"""In a smaller bank it is quicker to compute them all."""
BY_DEFAULT = tuple(
    (part.name, part.default)
    for part in fields(SittingState)
    if part.name not in {"seed", "administered", "scores", "held"}
)


def is_plain(state: SittingState, items: ItemParameters, design: ExamDesign) -> bool:
    """Whether the quick way serves this step."""
    if len(items) < LEAST_ITEMS or not design.is_plain:
        return False
    return all(getattr(state, name) == usual for name, usual in BY_DEFAULT)


@dataclass(frozen=True, eq=False)
class _Pool:
    """Where the next item comes from, what of it is free, and how content balancing chose it."""

    lookup: InformationLookup
    free: Bools
    area: str | None
    without: tuple[str, ...]


def plain_step(state: SittingState, items: ItemParameters, design: ExamDesign) -> Step:
    """The step of a plain exam and sitting; see `engine.session.next_step`."""
    rows = np.array(state.administered, dtype=np.int64)
    now = _interim(state, items, design)
    pool = _pool(state, rows, items, design)
    shown = max(SHOWN, design.randomesque)
    found = leading_of_one(pool.lookup, now.theta, pool.free, rows, items, shown)
    collected = found.answered.sum(keepdims=True)
    trace = _facts(state, now, float(collected[0]), design)
    code = stopping.stopping_codes(design.stop, _standing(state, now, collected, items, design))[0]
    if code >= 0:
        return Step(now, None, REASONS[code], trace)
    trace["eligible"], trace["area"] = int(np.count_nonzero(pool.free)), pool.area
    trace["areas_without_items"] = list(pool.without)
    if not trace["eligible"]:
        return Step(now, None, StopReason.BANK_EXHAUSTED, trace)
    if _too_little_left(state, found, design):
        return Step(now, None, StopReason.BEST_INFORMATION, trace)
    return _chosen(now, found, state, design, trace)


def _interim(state: SittingState, items: ItemParameters, design: ExamDesign) -> AbilityEstimate:
    if not state.administered:
        start = starting_thetas(design, words(state.seed))[0]
        return AbilityEstimate(float(start), design.prior_sd)
    return _estimated(state.administered, state.scores, items, design)


def _estimated(
    rows: tuple[int, ...], scores: tuple[int, ...], items: ItemParameters, design: ExamDesign
) -> AbilityEstimate:
    return estimate("eap", rows, scores, items, prior=design.prior, grid=design.grid)


def _standing(
    state: SittingState,
    now: AbilityEstimate,
    collected: Floats,
    items: ItemParameters,
    design: ExamDesign,
) -> stopping.Standing:
    change = np.inf
    if design.stop.theta_change is not None and state.n > 1:
        before = _estimated(state.administered[:-1], state.scores[:-1], items, design)
        change = abs(now.theta - before.theta)
    n, unclear = np.array([state.n]), np.array([-1])
    return stopping.Standing(n, np.array([now.se]), collected, np.array([change]), unclear)


def _too_little_left(state: SittingState, found: LeadingOfOne, design: ExamDesign) -> bool:
    if design.stop.best_information is None:
        return False
    n, best = np.array([state.n]), np.array([found.largest])
    return bool(stopping.too_little_left(design.stop, n, best)[0])


def _pool(state: SittingState, rows: Ints, items: ItemParameters, design: ExamDesign) -> _Pool:
    taken = rows
    if state.held:
        taken = np.array([*{*state.administered, *state.held}], dtype=np.int64)
    depth = lookup_depth(design, items)
    if not design.content_shares:
        lookup = information_lookup(items, None, depth)
        return _Pool(lookup, _without(lookup.mask, taken), None, ())
    names = [name for name, _ in design.content_shares]
    lookups = [information_lookup(items, name, depth) for name in names]
    counts = np.array([[np.count_nonzero(lookup.mask[rows]) for lookup in lookups]])
    gone = [np.count_nonzero(lookup.mask[taken]) for lookup in lookups]
    left = np.array([[len(one.rows) - n for one, n in zip(lookups, gone, strict=True)]])
    short = content_shares.shortfalls(counts, design.content_shares, state.n)
    chosen, skipped = content_shares.needed_area(short, left > 0)
    without = tuple(name for name, skip in zip(names, skipped[0], strict=True) if skip)
    if chosen[0] < 0:
        return _Pool(lookups[0], np.zeros(len(items), dtype=np.bool_), None, without)
    lookup = lookups[chosen[0]]
    return _Pool(lookup, _without(lookup.mask, taken), names[chosen[0]], without)


def _without(mask: Bools, taken: Ints) -> Bools:
    free = mask.copy()
    free[taken] = False
    return free


def _chosen(
    now: AbilityEstimate,
    found: LeadingOfOne,
    state: SittingState,
    design: ExamDesign,
    trace: dict[str, Any],
) -> Step:
    candidates = found.rows[: design.randomesque]
    row = candidates[0]
    if len(candidates) > 1:
        row = int(randomesque.draw(np.array([candidates]), words(state.seed), state.n)[0])
    trace["best"] = [
        {"row": row, "value": value} for row, value in zip(found.rows, found.values, strict=True)
    ]
    trace["drawn_from"] = candidates
    return Step(now, row, None, trace)


def _facts(
    state: SittingState, now: AbilityEstimate, collected: float, design: ExamDesign
) -> dict[str, Any]:
    return {
        "rules_version": RULES_VERSION,
        "position": state.n,
        "criterion": design.criterion,
        "estimator": design.interim if state.administered else "start",
        "theta": now.theta,
        "se": now.se,
        "information": collected,
        "held": sorted(state.held),
        "events": [],
    }
