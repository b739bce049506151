"""Where sittings start: drawn from a range, or at what is assumed about a candidate."""

import numpy as np
import pytest
from support.reference_banks import reference_bank
from support.stepwise import assert_agree

from engine.errors import InputError
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, final_estimate, next_step, record_response
from engine.simulation.run import Surroundings, simulate

EIGHT = StoppingRules(length=8)


def test_drawn_starts_fill_the_range_and_belong_to_the_sitting():
    items = reference_bank("3pl")
    design = ExamDesign(start_range=(-1.0, 1.0), stop=EIGHT)
    starts = [next_step(SittingState(seed), items, design).estimate.theta for seed in range(300)]
    assert -1 <= min(starts) < -0.95
    assert 0.95 < max(starts) <= 1
    assert np.mean(starts) == pytest.approx(0.0, abs=0.12)
    assert next_step(SittingState(5), items, design).estimate.theta == starts[5]


def test_drawn_starts_spread_the_first_item():
    items, theta = reference_bank("3pl"), np.zeros(200)
    spread = simulate(items, ExamDesign(start_range=(-2.0, 2.0), stop=EIGHT), theta=theta)
    assert len(set(spread.rows[:, 0].tolist())) >= 4


@pytest.mark.parametrize("interim", ["eap", "map", "wle"])
def test_session_and_simulation_agree_with_prior_means(interim):
    items = reference_bank("3pl")
    design = ExamDesign(candidate_prior=True, interim=interim, final="eap", stop=EIGHT)
    around = Surroundings(prior_means=np.array([-1.0, 0.0, 0.7, -1.0]))
    found = simulate(items, design, theta=np.zeros(4), seed=3, surroundings=around)
    assert_agree(found, design, items, around)


def test_a_prior_mean_moves_start_and_interim_estimates_but_not_the_final_one():
    items = reference_bank("3pl")
    design = ExamDesign(candidate_prior=True, stop=EIGHT)
    mine, usual = SittingState(1, prior_mean=1.5), SittingState(1)
    first = next_step(mine, items, design)
    assert (first.estimate.theta, first.trace["prior_mean"]) == (1.5, 1.5)
    for row in (10, 20, 30):
        mine, usual = record_response(mine, row, 1), record_response(usual, row, 1)
    assert next_step(mine, items, design).estimate.theta > (
        next_step(usual, items, design).estimate.theta + 0.2
    )
    assert final_estimate(mine, items, design) == final_estimate(usual, items, design)


@pytest.mark.parametrize(
    ("allowed", "mean", "message"),
    [(False, 0.5, "no prior mean of a candidate"), (True, 7.0, "a prior mean from -6 to 6")],
)
def test_a_prior_mean_that_the_exam_does_not_take_is_refused(allowed, mean, message):
    design = ExamDesign(candidate_prior=allowed, stop=EIGHT)
    with pytest.raises(InputError, match=message):
        next_step(SittingState(1, prior_mean=mean), reference_bank("3pl"), design)


def test_prior_means_that_the_exam_does_not_take_are_refused_in_simulation():
    with pytest.raises(InputError, match="prior_means"):
        simulate(
            reference_bank("3pl"),
            ExamDesign(stop=EIGHT),
            theta=np.zeros(1),
            surroundings=Surroundings(prior_means=np.zeros(1)),
        )


@pytest.mark.parametrize("ends", [(1.0, -1.0), (0.0,), (-11.0, 0.0)])
def test_a_range_that_is_none_is_refused(ends):
    with pytest.raises(InputError, match=r"selection\.start"):
        ExamDesign(start_range=ends)
