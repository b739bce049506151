"""Items that are tried out: their places, their choice, and that they never count."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint
from support.reference_banks import mixed_bank, reference_bank
from support.stepwise import assert_agree, sitting_of

from engine.blueprints.constraints import constraints_of
from engine.blueprints.content_shares import area_masks
from engine.errors import InputError
from engine.exposure.rules import ExposureRules
from engine.exposure.usage import logged_usage, no_usage
from engine.models import dispatch
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign, check_design
from engine.rules.pretest import PretestRules, is_place, item_knowledge, items_until, worth
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, final_estimate, next_step, record_response
from engine.simulation.run import Surroundings, simulate

TWELVE = StoppingRules(length=12)
SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
PLACES = {
    "set places": PretestRules(count=3, positions=(1, 5, 14)),
    "drawn places": PretestRules(count=3, first=3, last=12),
    "counting": PretestRules(count=2, first=1, last=8, counts_towards_length=True),
    "d-optimal": PretestRules(count=3, first=2, last=12, choice="d_optimal"),
    "more places than items": PretestRules(count=8, first=1, last=12),
}
DESIGNS = {name: ExamDesign(stop=TWELVE, pretest=rules) for name, rules in PLACES.items()} | {
    "with content": ExamDesign(
        stop=TWELVE, pretest=PLACES["drawn places"], content_shares=SHARES, randomesque=3
    ),
    "with map": ExamDesign(stop=TWELVE, pretest=PLACES["drawn places"], interim="map", final="mle"),
    "with precision": ExamDesign(
        stop=StoppingRules(se=0.45, theta_change=0.02, min_items=4, max_items=12),
        pretest=PLACES["drawn places"],
    ),
    "with exposure": ExamDesign(
        stop=TWELVE, pretest=PLACES["drawn places"], exposure=ExposureRules("progressive")
    ),
    "with a ceiling": ExamDesign(
        stop=TWELVE, pretest=PLACES["drawn places"], exposure=ExposureRules(ceiling=0.4)
    ),
}
TRIED = np.isin(np.arange(300), [5, 50, 100, 150, 151, 152, 200, 250])


def tried_in(items):
    """Dichotomous items to try out, eight of them."""
    return TRIED if len(items) == 300 else np.isin(np.arange(140), [3, 8, 14, 21, 30, 33, 44, 58])


@pytest.mark.parametrize("bank", ["3pl", "mixed"])
@pytest.mark.parametrize("name", DESIGNS)
def test_session_and_simulation_try_out_alike(name, bank):
    items = mixed_bank() if bank == "mixed" else reference_bank("3pl")
    tried = tried_in(items)
    if name == "more places than items":
        tried &= np.cumsum(tried) <= 8
    around = Surroundings(pretest=tried, usage=no_usage(len(items)))
    found = simulate(items, DESIGNS[name], theta=np.linspace(-2, 2, 8), seed=4, surroundings=around)
    assert_agree(found, DESIGNS[name], items, around)
    assert np.array_equal(found.tried_out, (found.rows >= 0) & tried[found.rows])


def test_items_that_are_tried_out_change_nothing_that_counts():
    """The scored items, their estimates and the final one are those of the test without them."""
    items, theta = reference_bank("3pl"), np.linspace(-2, 2, 20)
    around = Surroundings(pretest=TRIED)
    plain = simulate(
        items,
        ExamDesign(stop=TWELVE),
        scores=np.zeros((20, 300), dtype=np.int64),
        observed=np.broadcast_to(~TRIED, (20, 300)),
    )
    design = ExamDesign(stop=TWELVE, pretest=PLACES["drawn places"])
    scores = np.where(TRIED, 1, np.zeros((20, 300), dtype=np.int64))
    found = simulate(items, design, scores=scores, surroundings=around)
    assert found.length.tolist() == [15] * 20
    for person in range(len(theta)):
        counts = ~found.tried_out[person]
        assert found.rows[person, counts].tolist() == plain.rows[person].tolist()
        assert found.theta[person, counts] == pytest.approx(plain.theta[person])
    assert found.final_theta == pytest.approx(plain.final_theta)


def test_a_step_says_whether_its_item_counts():
    items, design = reference_bank("3pl"), DESIGNS["set places"]
    state = SittingState(1, pretest=frozenset(np.flatnonzero(TRIED).tolist()), usage=no_usage(300))
    step = next_step(state, items, design)
    assert (step.is_scored, TRIED[step.next_item]) == (False, True)
    state = record_response(state, step.next_item, 1)
    step = next_step(state, items, design)
    assert step.is_scored
    assert step.estimate.theta == 0.0
    assert final_estimate(state, items, design).theta == pytest.approx(0.0)


def test_a_sitting_with_items_tried_out_replays_from_its_traces():
    items = reference_bank("3pl")
    for name in ("drawn places", "d-optimal"):
        usage = replace(no_usage(300), given=np.arange(300) % 7)
        around = Surroundings(pretest=TRIED, usage=usage)
        found = simulate(items, DESIGNS[name], theta=np.ones(1), seed=5, surroundings=around)
        states, steps = sitting_of(found, 0, DESIGNS[name], items, around)
        for state, step in zip(states, steps, strict=True):
            trace = json.loads(json.dumps(step.trace, allow_nan=False))
            again = replace(state, usage=logged_usage(trace, 300))
            assert next_step(again, items, DESIGNS[name]).next_item == step.next_item


def test_a_place_without_an_item_is_named_and_an_item_that_counts_serves():
    items, design = reference_bank("3pl"), DESIGNS["set places"]
    step = next_step(SittingState(1, usage=no_usage(300)), items, design)
    assert step.trace["events"] == ["pretest_missing"]
    assert step.is_scored


def test_held_items_are_not_tried_out():
    items, design = reference_bank("3pl"), DESIGNS["set places"]
    rows = frozenset(np.flatnonzero(TRIED).tolist())
    state = SittingState(1, pretest=rows, held=rows - {150}, usage=no_usage(300))
    assert next_step(state, items, design).next_item == 150


def test_items_of_earlier_sittings_are_not_tried_out_again():
    items, design = reference_bank("3pl"), DESIGNS["set places"]
    rows = frozenset(np.flatnonzero(TRIED).tolist())
    state = SittingState(1, pretest=rows, excluded=rows - {150}, usage=no_usage(300))
    step = next_step(state, items, design)
    assert (step.next_item, step.trace["excluded"]) == (150, sorted(rows - {150}))
    step = next_step(replace(state, excluded=rows), items, design)
    assert step.trace["events"] == ["pretest_missing"]


def test_sittings_with_earlier_ones_try_out_alike_in_session_and_simulation():
    items, excluded = reference_bank("3pl"), np.zeros((4, 300), dtype=np.bool_)
    excluded[:2, np.flatnonzero(TRIED)[:6]] = True
    excluded[2:] = np.arange(300) % 2 == 0
    around = Surroundings(pretest=TRIED, usage=no_usage(300), excluded=excluded)
    design = DESIGNS["drawn places"]
    found = simulate(items, design, theta=np.linspace(-1, 1, 4), seed=4, surroundings=around)
    assert_agree(found, design, items, around)
    assert found.pretest_missing[:2].tolist() == [1, 1]


@pytest.mark.parametrize("spare", [0, 1, 8])
@pytest.mark.parametrize("name", ["set places", "drawn places", "counting"])
def test_the_number_of_items_to_go_is_what_the_sitting_then_takes(name, spare):
    items, design = reference_bank("3pl"), DESIGNS[name]
    rows = frozenset(np.flatnonzero(TRIED).tolist()[:spare])
    held = frozenset(np.flatnonzero(TRIED).tolist()) - rows
    for seed in range(3):
        state = SittingState(seed, pretest=rows, held=held, usage=no_usage(300))
        told = items_until(design.pretest, seed, 0, counted=0, target=12, spare=spare)
        step = next_step(state, items, design)
        while step.next_item is not None:
            state = record_response(state, step.next_item, 1)
            step = next_step(state, items, design)
        assert state.n == told


def test_items_to_try_out_do_not_make_a_bank_long_enough():
    items = reference_bank("3pl")
    with pytest.raises(InputError, match="at least 12 items to choose from, found 8"):
        check_design(DESIGNS["set places"], items, np.arange(300) >= 8)
    check_design(DESIGNS["set places"], items, np.arange(300) >= 12)


def test_drawn_places_are_as_many_as_asked_and_equally_likely():
    rules, seeds = PLACES["drawn places"], sitting_seeds(3, 4000)
    places = np.array([is_place(rules, seeds, n) for n in range(20)])
    assert (places.sum(axis=0) == 3).all()
    assert not places[[0, 1, *range(12, 20)]].any()
    np.testing.assert_allclose(places[2:12].mean(axis=1), 0.3, atol=0.035)


def test_even_choice_evens_out_the_responses():
    items = reference_bank("3pl")
    around = Surroundings(pretest=TRIED)
    found = simulate(
        items, DESIGNS["drawn places"], theta=np.zeros(400), seed=1, surroundings=around
    )
    counts = found.usage.given[TRIED]
    assert counts.sum() == 1200
    assert counts.max() - counts.min() <= 25


def test_the_item_with_the_fewest_responses_is_tried_out():
    items, usage = reference_bank("3pl"), no_usage(300)
    usage.given[TRIED] = [4, 4, 4, 3, 4, 4, 4, 4]
    state = SittingState(7, pretest=frozenset(np.flatnonzero(TRIED).tolist()), usage=usage)
    assert next_step(state, items, DESIGNS["set places"]).next_item == 150


def test_knowledge_of_a_and_b_is_their_fisher_information():
    """E of the outer product of the numeric score vector in a and b."""
    items = reference_bank("3pl")
    rows, theta, step = np.array([7, 90]), np.array([0.4]), 1e-5
    for row, table in zip(rows, item_knowledge(theta, items, rows)[0], strict=True):
        expected = np.zeros((2, 2))
        chance = dispatch.probabilities(theta, items)[0, row]
        slopes = []
        for name in ("a", "b"):
            logs = []
            for side in (step, -step):
                values = {key: getattr(items, key)[row] for key in "abcd"}
                values[name] += side
                logistic = 1 / (1 + np.exp(-values["a"] * (theta[0] - values["b"])))
                right = values["c"] + (values["d"] - values["c"]) * logistic
                logs.append(np.log([1 - right, right]))
            slopes.append((logs[0] - logs[1]) / (2 * step))
        for score in (0, 1):
            vector = np.array([slopes[0][score], slopes[1][score]])
            expected += chance[score] * np.outer(vector, vector)
        np.testing.assert_allclose(table, expected, rtol=1e-6, atol=1e-9)


def test_d_optimality_tries_out_where_most_is_learnt():
    """Of two items of which one is known well already, the other gains more."""
    items, rules = reference_bank("3pl"), PLACES["d-optimal"]
    knowledge = np.zeros((300, 2, 2))
    rows = np.array([5, 5])
    knowledge_known = knowledge.copy()
    knowledge_known[5] = np.diag([200.0, 200.0])
    unknown = worth(rules, np.zeros(1), items, rows, np.zeros(300, int), knowledge)
    known = worth(rules, np.zeros(1), items, rows, np.zeros(300, int), knowledge_known)
    assert (unknown > 5 * known).all()


def test_content_shares_are_those_of_the_items_that_count():
    items = mixed_bank()
    around = Surroundings(pretest=tried_in(items))
    found = simulate(items, DESIGNS["with content"], theta=np.zeros(5), seed=2, surroundings=around)
    masks = area_masks(SHARES, items)
    for person in range(5):
        rows = found.rows[person, ~found.tried_out[person]]
        assert masks[:, rows].sum(axis=1).tolist() == [6, 4, 2]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"count": 2, "positions": (3,)}, "pretest.positions: expected 2 positions"),
        ({"count": 2, "positions": (3, 1)}, "ascending positions from 1"),
        ({"count": 1, "positions": (0,)}, "ascending positions from 1"),
        ({"count": 3}, "pretest.last: expected positions"),
        ({"count": 3, "first": 5, "last": 6}, "room for 3 items"),
        ({"count": -1}, "pretest.count"),
        ({"choice": "best"}, "pretest.choice: expected one of even"),
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(InputError, match=message):
        PretestRules(**rules)


def test_a_bank_that_cannot_serve_the_rules_is_refused():
    with pytest.raises(InputError, match="at least 3 items to try out, found 0"):
        simulate(reference_bank("3pl"), DESIGNS["set places"], theta=np.zeros(1))
    graded = np.arange(140) >= 100
    with pytest.raises(InputError, match="dichotomous items to try out"):
        simulate(
            mixed_bank(),
            DESIGNS["d-optimal"],
            theta=np.zeros(1),
            surroundings=Surroundings(pretest=graded),
        )


@pytest.mark.parametrize("method", ["masks", "shadow_test"])
def test_an_item_that_is_tried_out_never_meets_its_enemies(method):
    items = rich_bank()
    tried = np.array([row % 17 == 0 and row > 50 for row in range(len(items))])
    design = ExamDesign(
        stop=StoppingRules(length=30),
        blueprint=rich_blueprint(method=method),
        pretest=PretestRules(count=6, first=1, last=12),
    )
    around = Surroundings(pretest=tried, usage=no_usage(len(items)))
    found = simulate(items, design, theta=np.linspace(-1.5, 1.5, 6), seed=4, surroundings=around)
    enemies = constraints_of(items, design.blueprint, 30).enemies.toarray()
    for rows in found.rows:
        assert not enemies[np.ix_(rows, rows)].any()
    assert found.tried_out.sum() == 6 * 6
    assert_agree(found, design, items, around)
