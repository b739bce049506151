"""Exposure control: session and simulator agree, ceilings hold, replay needs the log only."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import mixed_bank, reference_bank
from support.stepwise import assert_agree, sitting_of

from engine.errors import InputError
from engine.exposure.barriers import narrowed
from engine.exposure.parameters import sympson_hetter_parameters
from engine.exposure.prices import exposure_prices
from engine.exposure.rules import WEIGHING, ExposureRules
from engine.exposure.usage import (
    Readings,
    Usage,
    eligibility_chances,
    logged_usage,
    no_usage,
    readings,
)
from engine.exposure.weighing import progress, weighed
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import Surroundings, simulate

FIFTEEN = StoppingRules(length=15)
STRATA = (-0.5, 0.5)
SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))


def some_k(items, n_strata=1):
    """Low probabilities for the items that everybody would get."""
    chances = np.random.default_rng(3).uniform(0.1, 1.0, (len(items), n_strata))
    return tuple((name, tuple(row)) for name, row in zip(items.item, chances.tolist(), strict=True))


def some_prices(items):
    """Prices for every other item."""
    prices = np.random.default_rng(3).uniform(0.0, 0.5, len(items)).tolist()
    return tuple((items.item[row], (prices[row],)) for row in range(0, len(items), 2))


def some_usage(items, n_strata=1):
    """Counters as after 60 sittings, with items below and above every ceiling."""
    rng = np.random.default_rng(4)
    shape = (n_strata, len(items))
    visits = np.full(n_strata, 60)
    return Usage(
        sittings=60,
        given=rng.integers(0, 30, len(items)),
        visits=visits,
        feasible=visits - np.arange(n_strata),
        taken=rng.integers(0, 40, shape),
        eligible=rng.integers(20, 61, shape),
        open=rng.integers(40, 61, len(items)),
        knowledge=np.zeros((len(items), 2, 2)),
    )


def designs(items):
    rules = {
        "progressive": ExposureRules("progressive"),
        "progressive and accelerated": ExposureRules("progressive", acceleration=2.0),
        "progressive and restricted": ExposureRules("progressive", ceiling=0.3),
        "proportional": ExposureRules("proportional"),
        "priced": ExposureRules("priced", prices=some_prices(items)),
        "priced and restricted": ExposureRules("priced", ceiling=0.3, prices=some_prices(items)),
        "ceiling": ExposureRules(ceiling=0.25),
        "ceiling that must yield": ExposureRules(ceiling=0.01),
        "sympson-hetter": ExposureRules("sympson_hetter", k=some_k(items)),
        "sympson-hetter by strata": ExposureRules(
            "sympson_hetter", strata=STRATA, k=some_k(items, 3)
        ),
        "eligibility": ExposureRules("eligibility", max_rate=0.2),
        "eligibility by strata": ExposureRules(
            "eligibility", max_rate=0.2, strata=STRATA, ceiling=0.4
        ),
    }
    made = {name: ExamDesign(stop=FIFTEEN, exposure=one) for name, one in rules.items()}
    with_content = {
        f"{name} with content": replace(one, content_shares=SHARES, randomesque=3)
        for name, one in made.items()
        if one.exposure.method not in WEIGHING
    }
    return made | with_content


NAMES = tuple(designs(mixed_bank()))


def around(items, design, n=8):
    excluded = np.random.default_rng(9).random((n, len(items))) < 0.3
    return Surroundings(usage=some_usage(items, design.exposure.n_strata), excluded=excluded)


@pytest.mark.parametrize("bank", ["3pl", "mixed"])
@pytest.mark.parametrize("name", NAMES)
def test_session_and_simulation_choose_alike_under_every_control(name, bank):
    items = mixed_bank() if bank == "mixed" else reference_bank("3pl")
    design = designs(items)[name]
    surroundings = around(items, design)
    theta = np.random.default_rng(6).normal(scale=1.5, size=8)
    found = simulate(items, design, theta=theta, seed=21, surroundings=surroundings)
    assert_agree(found, design, items, surroundings)
    if name.startswith("ceiling that must yield"):
        assert found.yielded.sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_sitting_replays_from_its_traces_alone(name):
    """Replay has the log: what was given, the scores, and what each step wrote down."""
    items = reference_bank("3pl")
    design = designs(items)[name]
    surroundings = around(items, design, n=1)
    found = simulate(items, design, theta=np.zeros(1), seed=5, surroundings=surroundings)
    states, steps = sitting_of(found, 0, design, items, surroundings)
    rejected = frozenset()
    for state, step in zip(states, steps, strict=True):
        trace = json.loads(json.dumps(step.trace, allow_nan=False))
        again = SittingState(
            state.seed,
            state.administered,
            state.scores,
            excluded=frozenset(trace.get("excluded", ())),
            rejected=rejected,
            usage=logged_usage(trace, len(items), design.exposure.n_strata),
        )
        replayed = next_step(again, items, design)
        assert (replayed.next_item, replayed.stop_reason) == (step.next_item, step.stop_reason)
        assert replayed.estimate == step.estimate
        rejected |= step.rejected


# --- each method ---------------------------------------------------------------------------------


def test_weights_of_progress_are_catrs():
    """catR 3.17: one item given, a length of 20, acceleration 1."""
    assert progress(np.array([1]), 20, 1.0)[0] == pytest.approx(0.00526315789473684, abs=1e-15)
    assert progress(np.array([0, 19, 25]), 20, 1.0).tolist() == [0.0, 1.0, 1.0]
    assert progress(np.array([0]), 1, 1.0).tolist() == [1.0]


def test_the_last_item_of_a_progressive_test_is_the_most_informative():
    items = reference_bank("3pl")
    design = ExamDesign(stop=StoppingRules(length=2), exposure=ExposureRules("progressive"))
    state = record_response(SittingState(3), 10, 1)
    plain = next_step(state, items, ExamDesign(stop=StoppingRules(length=2)))
    assert next_step(state, items, design).next_item == plain.next_item


def test_the_first_item_of_a_progressive_test_is_any():
    items = reference_bank("3pl")
    design = ExamDesign(stop=FIFTEEN, exposure=ExposureRules("progressive"))
    found = simulate(items, design, theta=np.zeros(3000), seed=2)
    counts = np.bincount(found.rows[:, 0], minlength=300)
    assert counts.max() < 10 + 6 * np.sqrt(10)


def test_proportional_selection_draws_in_proportion():
    """P(item) = I^H / sum I^H with H = weight times length."""
    values, n = np.array([[0.2, 1.0, 0.6]]), 40_000
    rules = ExposureRules("proportional")
    seeds = sitting_seeds(8, n)
    drawn = weighed(
        rules,
        np.repeat(values, n, axis=0),
        np.ones((n, 3), dtype=bool),
        seeds,
        step=4,
        counted=np.full(n, 4),
        length=20,
        rows=np.arange(3),
        items=reference_bank("3pl"),
    ).argmax(axis=1)
    power = values[0] ** (20 * progress(np.array([4]), 20, 1.0)[0])
    expected = power / power.sum()
    np.testing.assert_allclose(np.bincount(drawn) / n, expected, atol=0.01)


@pytest.mark.parametrize("method", ["progressive", "proportional"])
def test_mixing_in_chance_spreads_exposure_and_costs_little(method):
    items, theta = reference_bank("3pl"), np.random.default_rng(1).normal(size=600)
    plain = simulate(items, ExamDesign(stop=FIFTEEN), theta=theta)
    mixed = simulate(items, ExamDesign(stop=FIFTEEN, exposure=ExposureRules(method)), theta=theta)
    assert mixed.usage.given.max() < 0.85 * plain.usage.given.max()
    assert (mixed.usage.given == 0).sum() < 0.1 * (plain.usage.given == 0).sum()
    error = [np.sqrt(((run.final_theta - theta) ** 2).mean()) for run in (plain, mixed)]
    assert error[1] < 1.4 * error[0]


def test_prices_keep_rates_at_their_target_and_cost_less_precision_than_drawing_lots():
    items, theta = reference_bank("3pl"), np.random.default_rng(2).normal(size=700)
    plain = ExamDesign(stop=StoppingRules(length=20))
    found = exposure_prices(items, plain, 0.3, theta=theta, seed=3)
    assert found.converged
    assert found.highest[0] > 0.9
    assert found.highest[-1] < 0.3 + 3.6 * np.sqrt(0.3 * 0.7 / 700)
    lots = sympson_hetter_parameters(items, plain, 0.3, theta=theta, seed=3)
    means = [
        simulate(items, replace(plain, exposure=rules), theta=theta, seed=99).final_se.mean()
        for rules in (
            ExposureRules("priced", max_rate=0.3, prices=found.prices),
            ExposureRules("sympson_hetter", max_rate=0.3, k=lots.k),
        )
    ]
    assert means[0] < 0.98 * means[1]


def test_a_priced_item_is_given_where_it_is_worth_its_price():
    """The best item stays first without a price, and does not at one above all information."""
    items = reference_bank("3pl")
    first = next_step(SittingState(1), items, ExamDesign(stop=FIFTEEN)).next_item
    for price, stays in ((0.0, True), (5.0, False)):
        rules = ExposureRules("priced", prices=((items.item[first], (price,)),))
        design = ExamDesign(stop=FIFTEEN, exposure=rules)
        found = simulate(items, design, theta=np.zeros(300), seed=4)
        assert (found.rows[:, :5] == first).any() == stays


def test_the_ceiling_holds_and_costs_items_their_place():
    items, theta = reference_bank("3pl"), np.random.default_rng(2).normal(size=800)
    design = ExamDesign(stop=FIFTEEN, exposure=ExposureRules(ceiling=0.25))
    found = simulate(items, design, theta=theta)
    # A block of a tenth of those before it does not see itself.
    assert found.usage.given.max() / 800 <= 0.25 * 1.1
    assert found.yielded.sum() <= 10 * 15
    assert simulate(items, ExamDesign(stop=FIFTEEN), theta=theta).usage.given.max() == 800


def test_a_ceiling_that_no_bank_can_keep_yields_by_name():
    items = reference_bank("3pl")
    usage = replace(no_usage(300), sittings=10, given=np.full(300, 9))
    design = ExamDesign(exposure=ExposureRules(ceiling=0.5), stop=FIFTEEN)
    step = next_step(SittingState(1, usage=usage), items, design)
    assert step.trace["events"] == ["ceiling_yielded"]
    assert step.next_item is not None


def test_items_of_earlier_sittings_are_avoided_while_others_are_left():
    items = reference_bank("3pl").subset(range(20))
    design = ExamDesign(stop=StoppingRules(length=18))
    state = SittingState(1, excluded=frozenset(range(15)))
    for position in range(18):
        step = next_step(state, items, design)
        early = step.next_item < 15
        assert early == (position >= 5)
        assert step.trace["events"] == (["overlap_yielded"] if early else [])
        state = record_response(state, step.next_item, 1)


def test_sympson_hetter_lets_an_item_through_with_its_probability():
    items = reference_bank("3pl")
    first = next_step(SittingState(1), items, ExamDesign(stop=FIFTEEN)).next_item
    rules = ExposureRules("sympson_hetter", k=((items.item[first], (0.3,)),))
    found = simulate(items, ExamDesign(stop=FIFTEEN, exposure=rules), theta=np.zeros(4000))
    share = (found.rows == first).any(axis=1).mean()
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))


def test_a_rejected_item_leaves_the_sitting_in_every_stratum():
    items = reference_bank("3pl")
    design = designs(items)["sympson-hetter by strata"]
    for seed in range(10):
        state, gone = SittingState(seed), set()
        for position in range(12):
            step = next_step(state, items, design)
            assert step.next_item not in gone
            gone |= step.rejected
            state = record_response(
                state, step.next_item, (position + seed) % 2, rejected=step.rejected
            )
        assert gone


@pytest.mark.parametrize("strata", [(), (0.0,)])
def test_sympson_hetter_parameters_keep_rates_at_the_target(strata):
    items = reference_bank("3pl")
    design = ExamDesign(stop=FIFTEEN)
    theta = np.random.default_rng(3).normal(size=1500)
    found = sympson_hetter_parameters(items, design, 0.2, theta=theta, strata=strata)
    assert found.highest[0] == 1.0
    assert found.converged
    rules = ExposureRules("sympson_hetter", max_rate=0.2, strata=strata, k=found.k)
    fresh = np.random.default_rng(4).normal(size=3000)
    checked = simulate(items, replace(design, exposure=rules), theta=fresh, seed=99)
    # Over 300 items, sampling and the parameters' own error.
    assert checked.usage.given.max() / 3000 < 0.2 + 5 * np.sqrt(0.2 * 0.8 / 1500)
    assert checked.yielded.sum() == 0


def test_a_target_below_length_over_bank_size_is_refused():
    with pytest.raises(InputError, match=r"exposure.max_rate: expected a rate above 0.05"):
        sympson_hetter_parameters(
            reference_bank("3pl"), ExamDesign(stop=FIFTEEN), 0.05, theta=np.zeros(3)
        )


def test_eligibility_probabilities_follow_their_formula():
    usage = Usage(
        sittings=100,
        given=np.array([50, 0, 10]),
        visits=np.array([100]),
        feasible=np.array([80]),
        taken=np.array([[50, 0, 10]]),
        eligible=np.array([[100, 100, 100]]),
        open=np.array([100, 100, 100]),
        knowledge=np.zeros((3, 2, 2)),
    )
    # 1 - 1/P(F) + r P(E or not F) / (P(A) P(F)), halved as the rate is twice the target.
    first = 0.5 * (1 - 1 / 0.8 + 0.25 * 1.0 / (0.5 * 0.8))
    assert eligibility_chances(usage, 0.25)[0].tolist() == pytest.approx([first, 1.0, 1.0])


@pytest.mark.parametrize("strata", [(), (-0.7, 0.7)])
def test_eligibility_keeps_rates_at_the_target_within_sampling_error(strata):
    items, n = reference_bank("3pl"), 2000
    theta = np.random.default_rng(7).normal(size=n)
    rules = ExposureRules("eligibility", max_rate=0.25, strata=strata)
    found = simulate(items, ExamDesign(stop=FIFTEEN, exposure=rules), theta=theta, seed=3)
    late = found.rows[n // 4 :]
    rate = np.bincount(late[late >= 0], minlength=300).max() / len(late)
    assert rate < 0.25 + 5 * np.sqrt(0.25 * 0.75 / len(late))
    assert found.usage.given.max() / n < 0.25 + 5 * np.sqrt(0.25 * 0.75 / n)


def test_control_conditional_on_theta_holds_in_every_stratum():
    items, n = reference_bank("3pl"), 3000
    theta = np.random.default_rng(7).normal(size=n)
    rules = ExposureRules("eligibility", max_rate=0.3, strata=(-0.7, 0.7))
    found = simulate(items, ExamDesign(stop=FIFTEEN, exposure=rules), theta=theta, seed=3)
    rates = found.usage.taken / found.usage.visits[:, None]
    margin = 5 * np.sqrt(0.3 * 0.7 / found.usage.visits)
    assert (rates.max(axis=1) < 0.3 + margin).all()


# --- counters and rules --------------------------------------------------------------------------


def test_an_exam_that_needs_counters_refuses_to_go_without():
    design = ExamDesign(exposure=ExposureRules(ceiling=0.2))
    with pytest.raises(InputError, match="usage: expected counters"):
        next_step(SittingState(1), reference_bank("3pl"), design)


def test_counters_of_another_shape_are_refused():
    rules = ExposureRules("eligibility", max_rate=0.2, strata=(0.0,))
    with pytest.raises(InputError, match="counters for 2 strata"):
        readings(no_usage(300), rules)


def test_counters_add_up():
    items = reference_bank("3pl")
    theta = np.random.default_rng(1).normal(size=30)
    found = simulate(items, ExamDesign(stop=FIFTEEN), theta=theta)
    assert found.usage.sittings == 30
    assert found.usage.given.sum() == 30 * 15
    both = found.usage + found.usage
    assert (both.sittings, both.given.sum()) == (60, 60 * 15)


def test_readings_are_restored_from_a_trace():
    trace = {"usage": {"full": [1], "chances": {"2": 0.5}, "pretest_given": {"0": 7}}}
    found = logged_usage(trace, 3, 2)
    assert isinstance(found, Readings)
    assert found.full.tolist() == [False, True, False]
    assert found.chances.tolist() == [[1.0, 1.0, 0.5]] * 2
    assert found.given.tolist() == [7, 0, 0]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"method": "lottery"}, "exposure.method: expected one of none"),
        ({"ceiling": 0.0}, "exposure.ceiling: expected a rate above 0"),
        ({"method": "eligibility"}, "exposure.max_rate: expected a rate for eligibility"),
        ({"method": "eligibility", "max_rate": 1.5}, "exposure.max_rate"),
        ({"method": "sympson_hetter"}, "exposure.k: expected parameters"),
        ({"method": "sympson_hetter", "k": (("a", (0.5, 0.5)),)}, "k.a: expected 1 parameters"),
        ({"method": "sympson_hetter", "k": (("a", (0.0,)),)}, "probabilities above 0"),
        ({"method": "none", "max_rate": 0.2}, "exposure.max_rate: expected no max_rate with none"),
        ({"method": "progressive", "strata": (0.0,)}, "exposure.strata"),
        ({"method": "eligibility", "max_rate": 0.2, "strata": (1.0, 0.0)}, "ascending cuts"),
        ({"method": "progressive", "acceleration": -1.0}, "exposure.acceleration"),
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(InputError, match=message):
        ExposureRules(**rules)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stop": StoppingRules(se=0.3)}, "length or max_items"),
        ({"criterion": "random"}, "max_information, which progressive"),
    ],
)
def test_mixing_needs_a_length_and_information(changes, message):
    made = {"stop": FIFTEEN, "exposure": ExposureRules("progressive")} | changes
    with pytest.raises(InputError, match=message):
        ExamDesign(**made)


def test_parameters_for_an_unknown_item_are_refused():
    rules = ExposureRules("sympson_hetter", k=(("nobody", (0.5,)),))
    with pytest.raises(InputError, match=r"exposure\.k: expected one of the 300 items"):
        simulate(reference_bank("3pl"), ExamDesign(stop=FIFTEEN, exposure=rules), theta=np.zeros(1))


# --- properties ----------------------------------------------------------------------------------

MASKS = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=3)


@given(st.lists(st.booleans(), min_size=6, max_size=6), MASKS)
def test_limits_never_empty_a_sitting_and_hold_unless_they_say_so(free, masks):
    eligible = np.array([free])
    limits = {name: np.array([mask]) for name, mask in zip("abc", masks, strict=False)}
    kept, yielded = narrowed(eligible, limits)
    assert not (kept & ~eligible).any()
    assert kept.any() == eligible.any()
    for (name, mask), did in zip(limits.items(), yielded[0], strict=True):
        if not did:
            assert not (kept & ~mask).any(), name
    assert eligible.any() or not yielded.any()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**63), st.sampled_from(NAMES), st.floats(-3, 3))
def test_every_control_gives_each_item_once_and_the_same_step_again(seed, name, theta):
    items = mixed_bank()
    design = designs(items)[name]
    state = SittingState(seed, usage=some_usage(items, design.exposure.n_strata))
    for _ in range(6):
        step = next_step(state, items, design)
        assert next_step(state, items, design) == step
        assert step.next_item not in state.administered
        score = int(items.n_categories[step.next_item] - 1) if theta > 0 else 0
        state = record_response(state, step.next_item, score, rejected=step.rejected)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000), st.floats(0.2, 0.6))
def test_a_ceiling_holds_in_any_simulation(seed, ceiling):
    items = reference_bank("3pl")
    design = ExamDesign(stop=StoppingRules(length=8), exposure=ExposureRules(ceiling=ceiling))
    found = simulate(items, design, theta=np.linspace(-2, 2, 300), seed=seed)
    # A block of ten cannot see itself.
    assert found.usage.given.max() <= ceiling * 300 + 10
    assert not found.yielded.any()
