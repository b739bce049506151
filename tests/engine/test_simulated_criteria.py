"""Every criterion in the session and in the simulator: the same items, for every kind of bank."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import every_model_bank, mixed_bank, reference, reference_bank

from engine.ability.grids import Grid
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.selection import ALL, CRITERIA
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import simulate

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
BANKS = {
    "dichotomous": lambda: reference_bank("3pl").subset(range(60)),
    "polytomous": lambda: mixed_bank().subset(range(60, 140, 2)),
    "all models": lambda: every_model_bank().subset(range(0, 160, 3)),
}
CASES = [
    (name, bank)
    for name, criterion in CRITERIA.items()
    for bank in BANKS
    if bank == "dichotomous"
    or criterion.families == ALL
    or (name == "a_stratified" and bank == "polytomous")
]


def design_of(name, **changes):
    known = {"criterion": name, "stop": StoppingRules(length=8), "a_strata": 3}
    return ExamDesign(**(known | changes))


def assert_alike(found, items, design):
    for person in range(found.n):
        state = SittingState(int(sitting_seeds(found.seed, found.n)[person]))
        step = next_step(state, items, design)
        while step.next_item is not None:
            assert step.next_item == found.rows[person, state.n], step.trace
            json.dumps(step.trace, allow_nan=False)
            state = record_response(state, step.next_item, int(found.scores[person, state.n]))
            step = next_step(state, items, design)
            assert found.theta[person, state.n - 1] == pytest.approx(step.estimate.theta, abs=1e-10)
        assert (state.n, step.stop_reason) == (found.length[person], found.stop_reason(person))


@pytest.mark.parametrize(("name", "bank"), CASES)
def test_the_simulator_agrees_with_the_session(name, bank):
    items = BANKS[bank]()
    theta = np.random.default_rng(4).normal(scale=1.5, size=5)
    found = simulate(items, design_of(name), theta=theta, seed=17)
    assert_alike(found, items, design_of(name))


@pytest.mark.parametrize("name", CRITERIA)
def test_they_agree_with_content_shares_and_several_candidates(name):
    items = reference_bank("3pl").subset(range(60))
    stop = StoppingRules(length=8, best_information=0.05)
    design = design_of(
        name,
        stop=stop,
        content_shares=SHARES,
        randomesque=3,
        interim="map",
        block_by_difficulty=True,
        criterion_grid=Grid(-5, 5, 41),
    )
    found = simulate(items, design, theta=np.array([-2.0, 0.3, 1.8]), seed=5)
    assert_alike(found, items, design)


@settings(deadline=None, max_examples=8)
@given(st.permutations(range(60)), st.sampled_from(sorted(set(CRITERIA) - {"random"})))
def test_permuting_the_bank_permutes_the_choices(order, name):
    items = reference_bank("3pl").subset(range(60))
    mixed, design = items.subset(order), design_of(name, stop=StoppingRules(length=4))
    state, other = SittingState(1), SittingState(1)
    for _ in range(4):
        row = next_step(state, items, design).next_item
        moved = next_step(other, mixed, design).next_item
        assert order[moved] == row
        state = record_response(state, row, row % 2)
        other = record_response(other, moved, row % 2)


@pytest.mark.parametrize("name", ["3pl_mfi_bm", "3pl_mfi_eap", "grm_mfi_bm"])
def test_recorded_answers_give_catrs_trajectories_item_by_item(name):
    """Posterior modes and EAP; the run with content areas is in the tests of the session."""
    runs = reference("catr_trajectories.json")["runs"][name]
    items = reference_bank(name[:3])
    scores = np.zeros((len(runs), len(items)), dtype=np.int64)
    for person, run in enumerate(runs):
        scores[person, np.array(run["items"]) - 1] = run["responses"]
    design = ExamDesign(
        interim="eap" if name.endswith("eap") else "map",
        grid=Grid(-4, 4, 33),
        stop=StoppingRules(length=len(runs[0]["items"])),
    )
    found = simulate(items, design, scores=scores)
    assert (found.rows + 1).tolist() == [run["items"] for run in runs]
    np.testing.assert_allclose(found.theta, [run["theta"] for run in runs], atol=1e-8)
    np.testing.assert_allclose(found.se, [run["se"] for run in runs], atol=1e-8)


def test_looking_ahead_measures_better_than_chance_and_stratification_spares_high_a():
    items, theta = reference_bank("3pl"), np.random.default_rng(8).normal(size=150)
    stop = StoppingRules(length=12)
    error, first = {}, {}
    for name in ("max_information", "mpwi", "mepv", "a_stratified", "random"):
        found = simulate(items, design_of(name, stop=stop), theta=theta)
        error[name] = np.sqrt(((found.final_theta - theta) ** 2).mean())
        first[name] = items.a[found.rows[:, :4]].mean()
    for name in ("mpwi", "mepv"):
        assert error[name] < 0.75 * error["random"]
        assert error[name] < 1.1 * error["max_information"]
    assert first["a_stratified"] < 0.6 * first["max_information"]
