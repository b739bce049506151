"""One candidate's attempt as a value: what was given and answered, and what may not be given.

Read by `engine.session`, which also gives these names to everybody else. Imports the engine's
errors, estimates and counters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.ability.estimates import AbilityEstimate
from engine.errors import InputError
from engine.exposure.usage import Readings, Usage, readings
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StopReason


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
    pretest
        Rows that are tried out: given at places for that only, and never scored.
    excluded
        Rows of the candidate's earlier sittings, avoided while others are left; never tried out
        again.
    rejected
        Rows that Sympson-Hetter turned away at earlier steps; those of `Step.rejected`.
    prior_mean
        What is assumed about this candidate, where the exam allows it; not for the final estimate.
    usage
        Counters over other sittings, or in replay what was read from them.
    form
        Shadow test of the step before, ``trace["form"]["rows"]``: stands in when a search ends
        without an answer.
    stage
        Items of the stage at hand in their order, ``trace["stage"]["items"]``; empty without
        stages.
    logged_form
        In replay of a step whose search the clock stopped: ``trace["form"]`` as it was logged. It
        is checked and used, since no search can be counted on to end alike.
    """

    seed: int
    administered: tuple[int, ...] = ()
    scores: tuple[int, ...] = ()
    held: frozenset[int] = frozenset()
    pretest: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    prior_mean: float | None = None
    usage: Usage | Readings | None = None
    form: tuple[int, ...] = ()
    stage: tuple[int, ...] = ()
    logged_form: Mapping[str, Any] | None = None

    @property
    def n(self) -> int:
        """How many items were answered; also the position of the next step, from 0."""
        return len(self.administered)

    @cached_property
    def scored(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Rows and scores that count, in the order given."""
        pairs = zip(self.administered, self.scores, strict=True)
        kept = [(row, score) for row, score in pairs if row not in self.pretest]
        return tuple(row for row, _ in kept), tuple(score for _, score in kept)


@dataclass(frozen=True)
class Step:
    """What to do next, and why.

    Parameters
    ----------
    estimate
        By the interim estimator; before the first response that counts, the starting theta and the
        prior's standard deviation.
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

    @property
    def is_scored(self) -> bool:
        """Whether the next item counts; False for one that is tried out."""
        return not self.trace.get("pretest", False)

    @property
    def rejected(self) -> frozenset[int]:
        """Rows that left the sitting at this step; to be kept in the state."""
        rows: frozenset[int] = carried(self.trace)["rejected"]
        return rows

    @property
    def form(self) -> tuple[int, ...]:
        """Bank rows of the shadow test of this step, none without; to be kept in the state."""
        rows: tuple[int, ...] = carried(self.trace)["form"]
        return rows

    @property
    def stage(self) -> tuple[int, ...]:
        """Bank rows of the stage at hand, none without; to be kept in the state."""
        rows: tuple[int, ...] = carried(self.trace)["stage"]
        return rows


def carried(trace: Mapping[str, Any]) -> dict[str, Any]:
    """What the trace of a step hands on to the state after it, as `record_response` takes it."""
    return {
        "rejected": frozenset(trace.get("rejected", ())),
        "form": tuple((trace.get("form") or {}).get("rows", ())),
        "stage": tuple((trace.get("stage") or {}).get("items", ())),
    }


def record_response(
    state: SittingState,
    row: int,
    score: int,
    *,
    rejected: frozenset[int] = frozenset(),
    form: tuple[int, ...] = (),
    stage: tuple[int, ...] = (),
) -> SittingState:
    """Add a scored response.

    Parameters
    ----------
    rejected, form, stage
        `Step.rejected`, `Step.form` and `Step.stage` of the step that chose the item; from its
        logged trace by `carried`.

    Raises
    ------
    InputError
        For an item already answered or a negative score.
    """
    if row in state.administered:
        raise InputError("an item that was not answered yet", f"row {row} again", column="item")
    if row < 0 or score < 0:
        raise InputError("a row and a score from 0", f"row {row}, score {score}", column="score")
    return replace(
        state,
        administered=(*state.administered, row),
        scores=(*state.scores, score),
        rejected=state.rejected | rejected,
        form=form,
        stage=stage,
        logged_form=None,
    )


def read_usage(state: SittingState, design: ExamDesign) -> Readings | None:
    """What the counters say to this exam; None where it asks for nothing."""
    if not (design.exposure.needs_usage or design.pretest.count):
        return None
    if state.usage is None:
        raise InputError("counters over other sittings, as this exam needs", None, column="usage")
    if isinstance(state.usage, Readings):
        return state.usage
    return readings(state.usage, design.exposure)


def check_state(state: SittingState, items: ItemParameters, design: ExamDesign) -> None:
    """Refuse rows that the bank lacks, and a prior mean that the exam does not allow."""
    for name in ("held", "pretest", "excluded", "rejected"):
        rows = getattr(state, name)
        if rows and not 0 <= min(rows) <= max(rows) < len(items):
            expected = f"{name} rows from 0 to {len(items) - 1}"
            raise InputError(expected, sorted(rows), column=name)
    mean = state.prior_mean
    if mean is None:
        return
    if not design.candidate_prior:
        raise InputError("no prior mean of a candidate, by this exam", mean, column="prior_mean")
    if not (np.isfinite(mean) and design.grid.low <= mean <= design.grid.high):
        expected = f"a prior mean from {design.grid.low:g} to {design.grid.high:g}"
        raise InputError(expected, mean, column="prior_mean")
