"""Stopping on the side of a cut: the ratios, the error rates, and agreement of both composers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import mixed_bank, reference_bank
from support.stepwise import assert_agree

from engine.ability.answers import answers
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch
from engine.results.decisions import Level
from engine.rules.classification import ClassificationRules, glr_ratios, sprt_ratios
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules, StopReason
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import Surroundings, simulate

FIFTY = StoppingRules(max_items=50)
NOTHING = Surroundings()


def design(method, **rules):
    stop = rules.pop("stop", FIFTY)
    return ExamDesign(stop=stop, classification=ClassificationRules(method, **rules))


DESIGNS = {
    "confidence": design("confidence", cuts=(0.0,), stop=StoppingRules(min_items=5, max_items=40)),
    "sprt": design("sprt", cuts=(0.3,), delta=0.5),
    "glr": design("glr", cuts=(0.3,), delta=0.25),
    "two cuts": design("glr", cuts=(-0.8, 0.8), delta=0.4),
    "beyond the grid": design("glr", cuts=(3.9,), delta=0.4, stop=StoppingRules(max_items=10)),
    "levels": ExamDesign(
        stop=FIFTY,
        classification=ClassificationRules("confidence", confidence=0.9),
        levels=(Level("below", 200.0), Level("pass", 520.0)),
        interim="wle",
    ),
    "with se": ExamDesign(
        stop=StoppingRules(se=0.5, max_items=30, theta_change=0.01),
        classification=ClassificationRules("sprt", cuts=(0.0,), delta=0.3),
        interim="mle",
    ),
    "drawn start": ExamDesign(stop=StoppingRules(length=6), start_range=(-2.0, 2.0)),
}


@pytest.mark.parametrize("bank", ["3pl", "mixed"])
@pytest.mark.parametrize("name", DESIGNS)
def test_session_and_simulation_stop_alike(name, bank):
    items = mixed_bank() if bank == "mixed" else reference_bank("3pl")
    theta = np.linspace(-2.5, 2.5, 8)
    found = simulate(items, DESIGNS[name], theta=theta, seed=7)
    assert_agree(found, DESIGNS[name], items, NOTHING)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=12), st.floats(-2, 2), st.floats(0.1, 1))
def test_the_ratio_is_that_of_the_likelihoods(scores, cut, delta):
    items = reference_bank("3pl")
    rows = list(range(len(scores)))
    chances = dispatch.probabilities(np.array([cut + delta, cut - delta]), items)
    likelihood = [np.prod([table[row, x] for row, x in zip(rows, scores, strict=True)])
                  for table in chances]  # fmt: skip
    found = sprt_ratios(
        np.array([cut]), delta, answers(np.array([rows]), np.array([scores])), items
    )
    assert found[0, 0] == pytest.approx(np.log(likelihood[0] / likelihood[1]))


@pytest.mark.parametrize("cut", [-1.0, 0.0, 1.7, 3.9])
def test_answers_all_alike_decide_sooner_by_the_generalised_ratio(cut):
    """The likelihood rises all the way, so its top lies beyond the end of the indifference."""
    items = reference_bank("3pl")
    for score in (0, 1):
        one = answers(np.arange(8)[None], np.full((1, 8), score))
        plain = sprt_ratios(np.array([cut]), 0.3, one, items)[0, 0]
        general = glr_ratios(np.array([cut]), 0.3, one, items)[0, 0]
        assert (general >= plain - 1e-9) if score else (general <= plain + 1e-9)


def rasch_bank(n=1500):
    """Items enough that no test ever runs out, all at the cut: equal steps of the ratio."""
    return item_parameters([f"r{row}" for row in range(n)], "rasch", a=1.0, b=0.0)


@pytest.mark.parametrize(("theta", "above"), [(0.5, False), (-0.5, True)])
def test_error_rates_of_the_sprt_are_at_most_nominal_and_near(theta, above):
    """Wald: at the ends of the region of indifference, errors near alpha and beta."""
    rules = design(
        "sprt", cuts=(0.0,), delta=0.5, alpha=0.1, beta=0.1, stop=StoppingRules(max_items=400)
    )
    items = rasch_bank(400)
    found = simulate(items, rules, theta=np.full(1500, theta), seed=11)
    assert (found.stop_code == found.stop_code[0]).mean() > 0.999
    right = found.scores == 1
    gained = np.where(found.rows >= 0, np.where(right, 1, -1), 0).sum(axis=1)
    wrong = (gained > 0) if above else (gained < 0)
    # Steps are large (log odds 0.5 each), so the bounds are overshot and errors fall below 0.1.
    assert 0.05 < wrong.mean() < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 1500)


def test_far_from_the_cut_few_items_decide():
    items = reference_bank("3pl")
    theta = np.repeat([-2.0, 0.0, 2.0], 100)
    for name in ("confidence", "sprt", "glr"):
        rules = design(name, cuts=(0.0,), delta=0.3)
        found = simulate(items, rules, theta=theta, seed=2)
        lengths = found.length.reshape(3, 100).mean(axis=1)
        assert lengths[1] > 1.8 * max(lengths[0], lengths[2])


def test_the_generalised_ratio_needs_fewer_items_and_decides_as_well():
    """Thompson (2011): GLR is more efficient than the SPRT at equal accuracy."""
    items, theta = reference_bank("3pl"), np.random.default_rng(5).normal(size=500)
    runs = {}
    for name in ("sprt", "glr"):
        found = simulate(items, design(name, cuts=(0.0,), delta=0.3), theta=theta, seed=3)
        right = (found.final_theta >= 0) == (theta >= 0)
        runs[name] = (found.length.mean(), right.mean())
    assert runs["glr"][0] < runs["sprt"][0]
    assert runs["glr"][1] > runs["sprt"][1] - 0.03


def test_the_reason_is_the_name_of_the_rule():
    items = reference_bank("3pl")
    for name in ("confidence", "sprt", "glr"):
        rules, state = design(name, cuts=(-1.0,), delta=0.5), SittingState(1)
        step = next_step(state, items, rules)
        while step.next_item is not None:
            state = record_response(state, step.next_item, 1)
            step = next_step(state, items, rules)
        assert step.stop_reason is StopReason(name)


def test_the_minimum_of_items_comes_first_and_the_maximum_last():
    items, theta = reference_bank("3pl"), np.array([3.0, 0.0])
    rules = design("sprt", cuts=(0.0,), delta=0.1, stop=StoppingRules(min_items=9, max_items=12))
    found = simulate(items, rules, theta=theta)
    assert found.length.min() >= 9
    assert found.stop_reason(1) is StopReason.MAX_ITEMS


def test_cuts_are_the_lower_ends_of_the_levels_where_none_are_given():
    """499.5 is reported as 500; a level at the lowest score has no cut."""
    made = DESIGNS["levels"]
    assert made.cuts == pytest.approx((0.195,))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"method": "guess"}, "classification.method: expected one of confidence"),
        ({"method": "sprt", "delta": 0.0}, "classification.delta"),
        ({"method": "sprt", "alpha": 0.5}, "classification.alpha: expected an error rate"),
        ({"method": "sprt", "beta": 0.0}, "classification.beta"),
        ({"method": "confidence", "confidence": 1.0}, "classification.confidence"),
        ({"cuts": (1.0, 0.0)}, "classification.cuts: expected ascending"),
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(InputError, match=message):
        ClassificationRules(**rules)


def test_a_rule_without_a_cut_is_refused():
    with pytest.raises(InputError, match=r"classification\.cuts: expected cuts, or levels"):
        ExamDesign(classification=ClassificationRules("sprt"), stop=FIFTY)
