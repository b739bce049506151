"""A simulated examinee's sitting again, step by step through the session."""

from __future__ import annotations

import numpy as np
import pytest

from engine.items import ItemParameters
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.states import carried
from engine.session import SittingState, Step, final_estimate, next_step, record_response
from engine.simulation.run import Simulated, Surroundings


def sitting_of(
    found: Simulated,
    person: int,
    design: ExamDesign,
    items: ItemParameters,
    surroundings: Surroundings,
) -> tuple[list[SittingState], list[Step]]:
    """The sitting of an examinee step by step: states and steps."""
    pretest = surroundings.pretest
    means, excluded = surroundings.prior_means, surroundings.excluded
    state = SittingState(
        int(sitting_seeds(found.seed, found.n)[person]),
        usage=surroundings.usage,
        excluded=frozenset(() if excluded is None else np.flatnonzero(excluded[person]).tolist()),
        pretest=frozenset(() if pretest is None else np.flatnonzero(pretest).tolist()),
        prior_mean=None if means is None else float(means[person]),
    )
    states, steps = [state], [next_step(state, items, design)]
    while steps[-1].next_item is not None:
        assert steps[-1].next_item == found.rows[person, state.n], steps[-1].trace
        score = int(found.scores[person, state.n])
        state = record_response(state, steps[-1].next_item, score, **carried(steps[-1].trace))
        states.append(state)
        steps.append(next_step(state, items, design))
        now = steps[-1].estimate
        assert found.theta[person, state.n - 1] == pytest.approx(now.theta, abs=1e-10)
        assert found.se[person, state.n - 1] == pytest.approx(now.se, abs=1e-10)
    return states, steps


def assert_agree(
    found: Simulated, design: ExamDesign, items: ItemParameters, surroundings: Surroundings
) -> None:
    """Every examinee: the same items, estimates, reasons and events."""
    for person in range(found.n):
        states, steps = sitting_of(found, person, design, items, surroundings)
        assert states[-1].n == found.length[person]
        assert steps[-1].stop_reason == found.stop_reason(person)
        final = final_estimate(states[-1], items, design)
        assert found.final_theta[person] == pytest.approx(final.theta, abs=1e-10, nan_ok=True)
        events = sum(len(step.trace["events"]) for step in steps)
        of_blueprint = found.blueprint_events[person].sum()
        assert events == found.yielded[person].sum() + found.pretest_missing[person] + of_blueprint
