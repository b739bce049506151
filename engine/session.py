"""One sitting: what was answered so far, in; the next item or the reason to stop, out.

`next_step` is the one place where estimation, stopping, content balancing, selection and exposure
control come together: the live exam, the CAT interface and replay call it, and
`engine.simulation` agrees with it. It reads the state, the bank and the design and nothing else.
Imports the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import content_shares, selection, stopping
from engine.ability import AbilityEstimate, estimate
from engine.arrays import Bools, Floats, Ints
from engine.designs import (
    RULES_VERSION,
    ExamDesign,
    check_design,
    design_from_mapping,
    design_to_mapping,
)
from engine.errors import InputError
from engine.exposure import randomesque
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import words
from engine.stopping import REASONS, StopReason

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

SHOWN = 5
"""So many of the best items are written into the trace of a step."""


@dataclass(frozen=True)
class SittingState:
    """One candidate's attempt, as far as it has come.

    Parameters
    ----------
    seed
        Of everything that is random in this sitting.
    administered, scores
        Bank rows in the order given, and the score of each from 0.
    held
        Rows that may not be chosen any more, as of the next step.
    """

    seed: int
    administered: tuple[int, ...] = ()
    scores: tuple[int, ...] = ()
    held: frozenset[int] = frozenset()

    @property
    def n(self) -> int:
        """How many items were answered; also the position of the next step, from 0."""
        return len(self.administered)


@dataclass(frozen=True)
class Step:
    """What to do next, and why.

    Parameters
    ----------
    estimate
        By the interim estimator; before the first response the starting theta and the prior's
        standard deviation.
    next_item
        Bank row of the next item; None when the test is over.
    stop_reason
        Why it is over; None when it is not. Exactly one of the two is None.
    trace
        What the decision rested on, as JSON can hold it.
    """

    estimate: AbilityEstimate
    next_item: int | None
    stop_reason: StopReason | None
    trace: dict[str, Any]


@dataclass(frozen=True)
class _Pool:
    """The items that may come next, and how content balancing narrowed them."""

    eligible: Bools
    area: str | None
    skipped: tuple[str, ...]


def record_response(state: SittingState, row: int, score: int) -> SittingState:
    """Add a scored response; `InputError` for an item already answered or a negative score."""
    if row in state.administered:
        raise InputError("an item that was not answered yet", f"row {row} again", column="item")
    if row < 0 or score < 0:
        raise InputError("a row and a score from 0", f"row {row}, score {score}", column="score")
    return replace(state, administered=(*state.administered, row), scores=(*state.scores, score))


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
    now = _interim(state, items, design)
    theta = np.array([now.theta])
    information = dispatch.information(theta, items)[0]
    collected = float(information[list(state.administered)].sum())
    trace = _facts(state, now, collected, design)
    code = stopping.stopping_codes(design.stop, state.n, np.array([now.se]), np.array([collected]))
    if code[0] >= 0:
        return _stopped(now, REASONS[code[0]], trace)
    pool = _pool(state, items, design)
    trace |= {"eligible": int(pool.eligible.sum()), "area": pool.area}
    trace["areas_without_items"] = list(pool.skipped)
    if not pool.eligible.any():
        return _stopped(now, StopReason.BANK_EXHAUSTED, trace)
    best = information[pool.eligible].max(keepdims=True)
    if stopping.too_little_left(design.stop, state.n, best)[0]:
        return _stopped(now, StopReason.BEST_INFORMATION, trace)
    values = _values(theta, information, items, state, design)
    return _chosen(now, values, pool, state, design, trace)


def final_estimate(
    state: SittingState, items: ItemParameters, design: ExamDesign
) -> AbilityEstimate:
    """Estimate theta by the final estimator of the exam.

    Returns
    -------
    AbilityEstimate
        Without responses, the prior for EAP and MAP, theta NaN and se infinite for MLE and WLE.
    """
    return _estimated(design.final, state, items, design)


def _interim(state: SittingState, items: ItemParameters, design: ExamDesign) -> AbilityEstimate:
    if not state.administered:
        return AbilityEstimate(design.start_theta, design.prior_sd)
    return _estimated(design.interim, state, items, design)


def _estimated(
    method: str, state: SittingState, items: ItemParameters, design: ExamDesign
) -> AbilityEstimate:
    return estimate(
        method, state.administered, state.scores, items, prior=design.prior, grid=design.grid
    )


def _pool(state: SittingState, items: ItemParameters, design: ExamDesign) -> _Pool:
    free = np.ones(len(items), dtype=np.bool_)
    _check_held(state.held, items)
    free[[*state.administered, *state.held]] = False
    if not design.content_shares:
        return _Pool(free, None, ())
    masks = content_shares.area_masks(design.content_shares, items)
    counts = masks[:, list(state.administered)].sum(axis=1, dtype=np.int64)[None]
    short = content_shares.shortfalls(counts, design.content_shares, state.n)
    chosen, skipped = content_shares.needed_area(short, (masks & free).sum(axis=1)[None] > 0)
    names = [name for name, _ in design.content_shares]
    without = tuple(name for name, skip in zip(names, skipped[0], strict=True) if skip)
    if chosen[0] < 0:
        return _Pool(np.zeros_like(free), None, without)
    return _Pool(free & masks[chosen[0]], names[chosen[0]], without)


def _check_held(held: frozenset[int], items: ItemParameters) -> None:
    if held and not 0 <= min(held) <= max(held) < len(items):
        raise InputError(f"held rows from 0 to {len(items) - 1}", sorted(held), column="held")


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
    seeds = words(state.seed)
    return selection.criterion_values(design.criterion, theta, items, seeds, state.n)


def _chosen(
    now: AbilityEstimate,
    values: Floats,
    pool: _Pool,
    state: SittingState,
    design: ExamDesign,
    trace: dict[str, Any],
) -> Step:
    shown = max(SHOWN, design.randomesque)
    rows, found = selection.pick_items(values, pool.eligible[None], shown)
    candidates = rows[:, : design.randomesque]
    row = int(randomesque.draw(candidates, words(state.seed), state.n)[0])
    trace["best"] = _best(rows[0], found[0])
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
        "estimator": design.interim if state.administered else "start",
        "theta": now.theta,
        "se": _finite(now.se),
        "information": collected,
        "held": sorted(state.held),
    }


def _finite(number: float) -> float | None:
    """None for infinity and NaN, which JSON does not have."""
    return number if np.isfinite(number) else None


def _best(rows: Ints, values: Floats) -> list[dict[str, Any]]:
    pairs = zip(rows.tolist(), values.tolist(), strict=True)
    return [{"row": row, "value": value} for row, value in pairs if row >= 0]
