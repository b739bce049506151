import numpy as np
import pytest
from support.reference_banks import mixed_bank, reference, reference_bank

from engine.ability.grids import Grid
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, final_estimate, next_step, record_response
from engine.simulation.run import PERSONS_AT_ONCE, simulate

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
TWENTY = StoppingRules(length=20)
DESIGNS = {
    "length": ExamDesign(stop=TWENTY),
    "randomesque": ExamDesign(stop=TWENTY, randomesque=5),
    "content": ExamDesign(stop=TWENTY, content_shares=SHARES),
    "content and randomesque": ExamDesign(stop=TWENTY, randomesque=4, content_shares=SHARES),
    "se with map": ExamDesign(
        stop=StoppingRules(se=0.35, max_items=15, min_items=3), interim="map", content_shares=SHARES
    ),
    "information with wle": ExamDesign(
        stop=StoppingRules(information=5.0, max_items=25), interim="wle", final="mle"
    ),
    "best information": ExamDesign(stop=StoppingRules(best_information=0.4, length=25)),
    "random": ExamDesign(stop=TWENTY, criterion="random", randomesque=3, interim="mle"),
    "random and best information": ExamDesign(
        stop=StoppingRules(best_information=0.6, length=25), criterion="random", final="wle"
    ),
    "start far out": ExamDesign(stop=TWENTY, start_theta=8.0, prior_sd=3.0),
}


def assert_steps_agree(found, person, design, items, held=frozenset()):
    state = SittingState(int(sitting_seeds(found.seed, found.n)[person]), held=held)
    step = next_step(state, items, design)
    while step.next_item is not None:
        assert step.next_item == found.rows[person, state.n], step.trace
        state = record_response(state, step.next_item, int(found.scores[person, state.n]))
        step = next_step(state, items, design)
        assert found.theta[person, state.n - 1] == pytest.approx(step.estimate.theta, abs=1e-10)
        assert found.se[person, state.n - 1] == pytest.approx(step.estimate.se, abs=1e-10)
    assert (state.n, step.stop_reason) == (found.length[person], found.stop_reason(person))
    final = final_estimate(state, items, design)
    assert found.final_theta[person] == pytest.approx(final.theta, abs=1e-10, nan_ok=True)
    assert found.final_se[person] == pytest.approx(final.se, abs=1e-10)


@pytest.mark.parametrize("bank", ["3pl", "mixed"])
@pytest.mark.parametrize("name", DESIGNS)
def test_the_simulator_agrees_with_the_session_choice_by_choice(name, bank):
    items = mixed_bank() if bank == "mixed" else reference_bank("3pl")
    theta = np.random.default_rng(4).normal(scale=1.5, size=10)
    found = simulate(items, DESIGNS[name], theta=theta, seed=17)
    for person in range(found.n):
        assert_steps_agree(found, person, DESIGNS[name], items)


@pytest.mark.parametrize("k", [1, 4])
def test_they_agree_where_items_are_tied(k):
    """Every item stands in the bank four times: the lowest row must win, looked up too."""
    items = reference_bank("3pl")
    parts = {name: np.tile(getattr(items, name), 4) for name in ("a", "b", "c")}
    names = [f"t{number}" for number in range(4 * len(items))]
    tied = item_parameters(names, "3pl", **parts)
    design = ExamDesign(stop=StoppingRules(length=30), randomesque=k)
    found = simulate(tied, design, theta=np.linspace(-3, 3, 8), seed=6)
    for person in range(found.n):
        assert_steps_agree(found, person, design, tied)


@pytest.mark.parametrize("design", [ExamDesign(), ExamDesign(content_shares=SHARES, randomesque=3)])
def test_they_agree_until_the_bank_is_exhausted(design):
    items = mixed_bank().subset(np.r_[0:10, 70:80, 110:120])
    found = simulate(items, design, theta=np.array([-1.0, 0.0, 2.0]), seed=3)
    for person in range(3):
        assert_steps_agree(found, person, design, items)
        assert found.stop_reason(person) == "bank_exhausted"


@pytest.mark.parametrize("name", ["length", "content and randomesque", "se with map"])
def test_they_agree_on_recorded_answers_with_gaps(name):
    items = reference_bank("3pl")
    rng = np.random.default_rng(5)
    observed = rng.random((8, 300)) < 0.12
    observed[0] = False
    scores = rng.integers(0, 2, observed.shape)
    found = simulate(items, DESIGNS[name], scores=scores, observed=observed, seed=2)
    for person in range(8):
        held = frozenset(np.flatnonzero(~observed[person]).tolist())
        assert_steps_agree(found, person, DESIGNS[name], items, held)
    assert found.length[0] == 0


def test_recorded_answers_give_catrs_trajectories():
    runs = reference("catr_trajectories.json")["runs"]["3pl_mfi_eap"]
    items = reference_bank("3pl")
    scores = np.zeros((len(runs), 300), dtype=np.int64)
    for person, run in enumerate(runs):
        scores[person, np.array(run["items"]) - 1] = run["responses"]
    design = ExamDesign(grid=Grid(-4, 4, 33), stop=StoppingRules(length=30))
    found = simulate(items, design, scores=scores)
    assert (found.rows + 1).tolist() == [run["items"] for run in runs]
    np.testing.assert_allclose(found.theta, [run["theta"] for run in runs], atol=1e-8)
    np.testing.assert_allclose(found.se, [run["se"] for run in runs], atol=1e-8)


def test_results_do_not_depend_on_the_size_of_blocks():
    items, design = reference_bank("3pl"), DESIGNS["randomesque"]
    theta = np.random.default_rng(6).normal(size=PERSONS_AT_ONCE + 40)
    whole = simulate(items, design, theta=theta, seed=1)
    seeds = sitting_seeds(1, len(theta))
    assert np.array_equal(seeds[:40], sitting_seeds(1, 40))
    first = simulate(items, design, theta=theta[:40], seed=1)
    assert np.array_equal(whole.rows[:40], first.rows)
    assert np.array_equal(whole.theta[:40], first.theta)


def test_the_same_seed_gives_the_same_simulation_and_another_one_does_not():
    items, theta = mixed_bank(), np.zeros(20)
    first, again, other = (
        simulate(items, DESIGNS["length"], theta=theta, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.scores, other.scores)


def test_an_examinee_answers_an_item_alike_under_every_design():
    items, theta = mixed_bank(), np.linspace(-2, 2, 30)
    answers = [{} for _ in theta]
    for design in (DESIGNS["length"], DESIGNS["random"]):
        found = simulate(items, design, theta=theta, seed=9)
        for person, known in enumerate(answers):
            for row, score in zip(found.rows[person], found.scores[person], strict=True):
                assert known.setdefault(int(row), int(score)) == score


def test_simulated_scores_follow_the_model():
    """Every examinee answers the whole bank; mean scores match expected scores."""
    items = mixed_bank()
    found = simulate(items, ExamDesign(grid=Grid(-4, 4, 9)), theta=np.full(500, 0.5), seed=4)
    total = np.zeros(len(items))
    np.add.at(total, found.rows.ravel(), found.scores.ravel())
    expected = dispatch.expected_score(0.5, items)[0]
    chances = dispatch.probabilities(0.5, items)[0]
    spread = np.sqrt((chances * np.arange(items.max_categories) ** 2).sum(1) - expected**2)
    z = (total / 500 - expected) / (spread / np.sqrt(500))
    assert abs(z).max() < 4.0
    assert z.std() == pytest.approx(1.0, abs=0.2)


def test_an_adaptive_test_measures_better_than_a_random_one():
    items, theta = reference_bank("3pl"), np.random.default_rng(8).normal(size=400)
    adaptive = simulate(items, ExamDesign(stop=TWENTY), theta=theta)
    random = simulate(items, ExamDesign(stop=TWENTY, criterion="random"), theta=theta)
    error = [np.sqrt(((run.final_theta - theta) ** 2).mean()) for run in (adaptive, random)]
    assert error[0] < 0.75 * error[1]
    assert adaptive.final_se.mean() == pytest.approx(error[0], rel=0.15)


def test_progress_counts_every_examinee_once():
    counted = []
    simulate(mixed_bank(), DESIGNS["length"], theta=np.zeros(600), advance=counted.append)
    assert sum(counted) == 600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either true thetas or recorded scores"),
        ({"theta": np.zeros(2), "scores": np.zeros((2, 140), int)}, "both or neither"),
        ({"theta": np.array([np.nan])}, "finite true thetas"),
        ({"scores": np.full((1, 140), 9)}, "a score from 0 to"),
    ],
)
def test_wrong_examinees_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate(mixed_bank(), DESIGNS["length"], **arguments)
