"""One sitting: what was answered so far, in; the next item or the reason to stop, out.

`next_step` is the one place where estimation, stopping, content balancing, selection and exposure
control come together: the live exam, the CAT interface and replay call it, and
`engine.simulation.run` agrees with it. It reads the state, the bank and the design and nothing
else. Imports the engine's own parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import selection
from engine.ability.answers import answers
from engine.ability.estimates import AbilityEstimate, estimate
from engine.ability.priors import Prior
from engine.arrays import Floats, Ints
from engine.blueprints import balance
from engine.blueprints.constraints import Constraints, constraints_of
from engine.criteria.situation import Situation
from engine.exposure import randomesque
from engine.fast.plain_step import SHOWN, is_plain, plain_step
from engine.items import ItemParameters
from engine.models import dispatch
from engine.pools import (
    Choosing,
    Pool,
    enemies_met,
    pool_of,
    scored_rows,
    stage_at_hand,
    weighed_values,
)
from engine.randomness import words
from engine.rules import pretest, stopping
from engine.rules.classification import clear_codes
from engine.rules.designs import (
    RULES_VERSION,
    ExamDesign,
    check_design,
    design_from_mapping,
    design_to_mapping,
)
from engine.rules.starting import starting_thetas
from engine.rules.states import SittingState, Step, check_state, read_usage, record_response
from engine.rules.stopping import REASONS, StopReason

__all__ = [
    "RULES_VERSION",
    "ExamDesign",
    "SittingState",
    "Step",
    "StopReason",
    "check_design",
    "design_from_mapping",
    "design_to_mapping",
    "final_estimate",
    "next_step",
    "record_response",
]


def next_step(state: SittingState, items: ItemParameters, design: ExamDesign) -> Step:
    """Estimate theta, decide whether the test is over, and if not, choose the next item.

    Parameters
    ----------
    state
        The sitting so far.
    items
        The bank release that the sitting is pinned to.
    design
        The exam's rules.

    Returns
    -------
    Step
        The same for the same arguments, always.

    Raises
    ------
    InputError
        For a row or a score that the bank does not have.
    """
    check_state(state, items, design)
    if is_plain(state, items, design):
        return plain_step(state, items, design)
    now = _interim(state, items, design)
    information = dispatch.information(np.array([now.theta]), items)[0]
    standing = _standing(state, now, information, items, design)
    trace = _facts(state, now, float(standing.information[0]), design)
    bound = _bound(items, design)
    code = stopping.stopping_codes(design.stop, standing)
    if bound is not None:
        code = _waiting(bound, code, state, design)
    if code[0] >= 0:
        return _stopped(now, REASONS[code[0]], trace)
    if pretest.is_place(design.pretest, words(state.seed), state.n)[0]:
        row = _tried_out(state, now.theta, items, design, bound, trace)
        if row is not None:
            return Step(now, row, None, trace | stage_at_hand(state, design))
    values = _values(np.array([now.theta]), information, items, state, design)
    choosing = Choosing(state, items, design, bound, now.theta, values, trace)
    pool = pool_of(choosing)
    trace |= {"eligible": int(pool.eligible.sum()), "area": pool.area}
    trace["areas_without_items"] = list(pool.skipped)
    if not pool.eligible.any():
        return _stopped(now, StopReason.BANK_EXHAUSTED, trace)
    best = information[pool.eligible].max(keepdims=True)
    little = np.where(stopping.too_little_left(design.stop, standing.n, best), 0, -1)
    if bound is not None:
        little = _waiting(bound, little, state, design)
    if little[0] >= 0:
        return _stopped(now, StopReason.BEST_INFORMATION, trace)
    values = weighed_values(choosing, pool.eligible)
    return _chosen(now, values, pool, choosing)


def final_estimate(
    state: SittingState, items: ItemParameters, design: ExamDesign
) -> AbilityEstimate:
    """Estimate theta by the final estimator of the exam.

    Returns
    -------
    AbilityEstimate
        Without responses, the prior for EAP and MAP, theta NaN and se infinite for MLE and WLE.
    """
    return _estimated(design.final, *state.scored, items, design)


def _interim(state: SittingState, items: ItemParameters, design: ExamDesign) -> AbilityEstimate:
    rows, scores = state.scored
    if not rows:
        return AbilityEstimate(start_of(state, design), design.prior_sd)
    return _estimated(design.interim, rows, scores, items, design, state.prior_mean)


def start_of(state: SittingState, design: ExamDesign) -> float:
    """Where the first item is selected: the candidate's prior mean, a drawn or the set theta."""
    if state.prior_mean is not None:
        return state.prior_mean
    return float(starting_thetas(design, words(state.seed))[0])


def _estimated(
    method: str,
    rows: tuple[int, ...],
    scores: tuple[int, ...],
    items: ItemParameters,
    design: ExamDesign,
    mean: float | None = None,
) -> AbilityEstimate:
    prior = design.prior if mean is None else Prior(mean, design.prior_sd)
    return estimate(method, rows, scores, items, prior=prior, grid=design.grid)


def _standing(
    state: SittingState,
    now: AbilityEstimate,
    information: Floats,
    items: ItemParameters,
    design: ExamDesign,
) -> stopping.Standing:
    rows, scores = state.scored
    n = state.n if design.pretest.counts_towards_length else len(rows)
    theta, se, change = np.array([now.theta]), np.array([now.se]), np.inf
    if design.stop.theta_change is not None and len(rows) > 1:
        before = _estimated(design.interim, rows[:-1], scores[:-1], items, design, state.prior_mean)
        change = abs(now.theta - before.theta)
    clear = np.array([-1])
    if rows and design.classification.method is not None:
        given = answers(np.array([rows]), np.array([scores]))
        clear = clear_codes(design.classification, design.cuts, theta, se, given, items)
    collected = np.array([information[list(rows)].sum()])
    return stopping.Standing(np.array([n]), se, collected, np.array([change]), clear)


def _tried_out(
    state: SittingState,
    theta: float,
    items: ItemParameters,
    design: ExamDesign,
    bound: Constraints | None,
    trace: dict[str, Any],
) -> int | None:
    """Item to try out now; None, and an event in the trace, where none is free."""
    found = read_usage(state, design)
    gone = state.held | state.excluded | {*state.administered} | enemies_met(state, bound)
    free = sorted(state.pretest - gone)
    if state.excluded:
        trace["excluded"] = sorted(state.excluded)
    if found is None or not free:
        trace["events"].append("pretest_missing")
        return None
    rows = np.array(free)
    worth = pretest.worth(
        design.pretest, np.array([theta]), items, rows, found.given, found.knowledge
    )
    everything = np.ones(worth.shape, dtype=np.bool_)
    row = int(pretest.pick(worth, everything, words(state.seed), state.n, rows)[0])
    read = {str(one): int(found.given[one]) for one in free}
    trace |= {"pretest": True, "eligible": len(free), "area": None, "areas_without_items": []}
    trace["usage"] = {"pretest_given": read}
    if design.pretest.choice == "d_optimal":
        tables = {str(one): found.knowledge[one].tolist() for one in free}
        trace["usage"]["pretest_knowledge"] = tables
    return row


def _waiting(bound: Constraints, codes: Ints, state: SittingState, design: ExamDesign) -> Ints:
    """Reasons to stop, without those that must wait for the blueprint."""
    assert design.blueprint is not None
    stages = design.blueprint.stages
    return balance.wait_for_minimums(bound, scored_rows(state), codes, stages)


def _bound(items: ItemParameters, design: ExamDesign) -> Constraints | None:
    if design.blueprint is None:
        return None
    return constraints_of(items, design.blueprint, design.scored_length)


def _values(
    theta: Floats,
    information: Floats,
    items: ItemParameters,
    state: SittingState,
    design: ExamDesign,
) -> Floats:
    """Criterion values, shape ``(1, n_items)``; the information at hand is not computed twice."""
    if design.criterion == "max_information":
        return information[None]
    rows, scores = state.scored
    given = answers(np.array([rows], dtype=np.int64), np.array([scores], dtype=np.int64))
    now = Situation(theta, given, words(state.seed), state.n)
    return selection.criterion_values(design.criterion_rules, now, items)


def _chosen(
    now: AbilityEstimate,
    values: Floats,
    pool: Pool,
    choosing: Choosing,
) -> Step:
    state, design, trace = choosing.state, choosing.design, choosing.trace
    shown = max(SHOWN, design.randomesque)
    rows, found = selection.pick_items(values, pool.eligible[None], shown)
    candidates = rows[:, : design.randomesque]
    row = int(randomesque.draw(candidates, words(state.seed), state.n)[0])
    trace["best"] = _best(rows[0], found[0])
    if pool.turned is not None:
        worth = choosing.values[0]
        last = worth[candidates[0, max(0, (candidates[0] >= 0).sum() - 1)]]
        trace["rejected"] = np.flatnonzero(pool.turned & (worth >= last)).tolist()
    trace["drawn_from"] = [int(candidate) for candidate in candidates[0] if candidate >= 0]
    return Step(now, row, None, trace)


def _stopped(now: AbilityEstimate, reason: StopReason, trace: dict[str, Any]) -> Step:
    return Step(now, None, reason, trace)


def _facts(
    state: SittingState, now: AbilityEstimate, collected: float, design: ExamDesign
) -> dict[str, Any]:
    return {
        "rules_version": RULES_VERSION,
        "position": state.n,
        "criterion": design.criterion,
        "estimator": design.interim if state.scored[0] else "start",
        "theta": now.theta,
        "se": _finite(now.se),
        "information": collected,
        "held": sorted(state.held),
        "events": [],
    } | ({} if state.prior_mean is None else {"prior_mean": state.prior_mean})


def _finite(number: float) -> float | None:
    """None for infinity and NaN, which JSON does not have."""
    return number if np.isfinite(number) else None


def _best(rows: Ints, values: Floats) -> list[dict[str, Any]]:
    pairs = zip(rows.tolist(), values.tolist(), strict=True)
    return [{"row": row, "value": value} for row, value in pairs if row >= 0]
