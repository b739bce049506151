"""Facts of item response theory, catR's values, and limits of floating point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference_banks import every_model_bank, reference, reference_bank

from engine.items import FAMILIES, item_parameters
from engine.models import dispatch, logistic

THETA = np.linspace(-4.0, 4.0, 17)
STEP = 1e-5
asymptotes = (
    st.tuples(st.floats(0, 1 - 1e-9), st.floats(1e-9, 1))
    .map(sorted)
    .filter(lambda ends: ends[1] - ends[0] > 1e-9)
)


def numeric_slope(function, theta):
    return (function(theta + STEP) - function(theta - STEP)) / (2 * STEP)


def one(model, **parameters):
    return item_parameters(["x"], model, **parameters)


@pytest.mark.parametrize("kind", ["3pl", "grm", "gpcm"])
def test_probabilities_information_and_warm_j_equal_catr(kind):
    items = reference_bank(kind).subset(range(20))
    for row in reference("catr_information.json")["values"][kind]:
        found = dispatch.probabilities(row["theta"], items)[0]
        expected = np.array(
            [[0.0 if p is None else p for p in ps] for ps in row["probability"]]
            if kind != "3pl"
            else [[1 - p, p] for p in row["probability"]]
        )
        assert np.abs(found - expected[:, : found.shape[1]]).max() < 1e-10
        information = dispatch.information(row["theta"], items)[0]
        assert np.abs(information - row["information"]).max() < 1e-10
        assert np.abs(dispatch.bias_terms(row["theta"], items)[0] - row["warm_j"]).max() < 1e-10


def test_information_equals_numeric_differentiation():
    """I = sum P'^2 / P, with the slope of P taken numerically; 20 of the items have d < 1."""
    items = every_model_bank()
    chances = dispatch.probabilities(THETA, items)
    slope = numeric_slope(lambda theta: dispatch.probabilities(theta, items), THETA)
    terms = np.divide(slope**2, chances, out=np.zeros_like(slope), where=chances > 0)
    expected = terms.sum(axis=2)
    np.testing.assert_allclose(dispatch.information(THETA, items), expected, rtol=1e-6, atol=1e-12)


EVERY_MODEL = {
    "rasch": {"a": 1.0, "b": 0.4},
    "1pl": {"a": 1.3, "b": -0.6},
    "2pl": {"a": 2.1, "b": 0.8},
    "3pl": {"a": 1.4, "b": 0.3, "c": 0.22},
    "4pl": {"a": 1.6, "b": -0.2, "c": 0.18, "d": 0.87},
    "grm": {"a": 1.7, "thresholds": [[-1.1, 0.2, 0.9]]},
    "pcm": {"a": 1.0, "thresholds": [[0.7, -0.4, 1.2]]},
    "gpcm": {"a": 0.8, "thresholds": [[0.7, -0.4, 1.2]]},
    "nrm": {"slopes": [[-0.7, 0.4, 1.3]], "intercepts": [[0.2, -0.5, 0.1]]},
}


@pytest.mark.parametrize("model", FAMILIES)
def test_information_of_every_model_equals_numeric_differentiation(model):
    """By name; c above 0 and d below 1 where the model has them."""
    item = one(model, **EVERY_MODEL[model])
    chances = dispatch.probabilities(THETA, item)
    slope = numeric_slope(lambda theta: dispatch.probabilities(theta, item), THETA)
    expected = (slope**2 / chances).sum(axis=2)
    np.testing.assert_allclose(dispatch.information(THETA, item), expected, rtol=1e-7, atol=1e-12)


def test_information_of_a_4pl_item_is_not_that_of_its_3pl():
    """At a=1.3, b=0.1, c=0.2, d=0.9, theta=0.5 the wrong formula gives 0.2875."""
    item = one("4pl", a=1.3, b=0.1, c=0.2, d=0.9)
    assert dispatch.information(0.5, item)[0, 0] == pytest.approx(0.1963, abs=5e-5)


def test_slopes_equal_numeric_differentiation():
    items = every_model_bank()
    exists = np.isfinite(dispatch.log_probabilities(0.0, items)[0])
    numeric = numeric_slope(
        lambda theta: dispatch.log_probabilities(theta, items)[:, exists], THETA
    )
    np.testing.assert_allclose(
        dispatch.slopes(THETA, items)[:, exists], numeric, rtol=1e-5, atol=1e-8
    )


def test_curvatures_equal_numeric_differentiation():
    items = every_model_bank()
    numeric = numeric_slope(lambda theta: dispatch.slopes(theta, items), THETA)
    np.testing.assert_allclose(dispatch.curvatures(THETA, items), numeric, rtol=1e-5, atol=1e-7)


def test_expected_score_is_the_mean_of_the_scores():
    items = every_model_bank()
    scores = np.arange(items.max_categories)
    expected = dispatch.probabilities(THETA, items) @ scores
    np.testing.assert_allclose(dispatch.expected_score(THETA, items), expected, atol=1e-12)


def test_log_probabilities_are_the_logs_of_the_probabilities():
    items = every_model_bank()
    found = np.exp(dispatch.log_probabilities(THETA, items))
    np.testing.assert_allclose(found, dispatch.probabilities(THETA, items), rtol=1e-12)


def test_at_its_difficulty_a_4pl_item_is_halfway_between_its_asymptotes():
    item = one("4pl", a=1.7, b=0.4, c=0.2, d=0.9)
    assert dispatch.expected_score(0.4, item)[0, 0] == pytest.approx((0.2 + 0.9) / 2)


def test_information_of_a_2pl_item_peaks_at_its_difficulty_with_a_squared_over_4():
    item = one("2pl", a=1.6, b=-0.3)
    values = dispatch.information(np.linspace(-3, 3, 601), item)[:, 0]
    assert values.max() == pytest.approx(1.6**2 / 4)
    assert np.linspace(-3, 3, 601)[values.argmax()] == pytest.approx(-0.3)


def test_models_coincide_where_theory_says_so():
    """A 4PL with c=0, d=1, and graded, partial credit and nominal items of one step are 2PLs."""
    two = dispatch.log_probabilities(THETA, one("2pl", a=1.3, b=0.4))
    four = dispatch.log_probabilities(THETA, one("4pl", a=1.3, b=0.4, c=0.0, d=1.0))
    graded = dispatch.log_probabilities(THETA, one("grm", a=1.3, thresholds=[[0.4]]))
    partial = dispatch.log_probabilities(THETA, one("gpcm", a=1.3, thresholds=[[0.4]]))
    nominal = dispatch.log_probabilities(
        THETA, one("nrm", slopes=[[1.3]], intercepts=[[-1.3 * 0.4]])
    )
    for other in (four, graded, partial, nominal):
        np.testing.assert_allclose(other, two, rtol=1e-12, atol=1e-14)


def test_a_partial_credit_item_is_a_nominal_one_with_slopes_in_proportion():
    steps, a = np.array([-0.4, 0.9, 0.2]), 1.3
    partial = one("gpcm", a=a, thresholds=[steps])
    nominal = one("nrm", slopes=[a * np.arange(1, 4)], intercepts=[-a * np.cumsum(steps)])
    for verb in ("log_probabilities", "slopes", "curvatures", "information", "expected_score"):
        function = getattr(dispatch, verb)
        np.testing.assert_allclose(function(THETA, nominal), function(THETA, partial), atol=1e-12)


def test_information_is_the_mean_of_the_observed_information():
    items = every_model_bank()
    mean = (dispatch.probabilities(THETA, items) * dispatch.observed_information(THETA, items)).sum(
        axis=2
    )
    np.testing.assert_allclose(mean, dispatch.information(THETA, items), rtol=1e-9, atol=1e-14)


def test_observed_information_of_a_wrong_answer_to_a_3pl_item_can_be_negative():
    """Of a right one, below its difficulty: guessing makes the likelihood convex there."""
    item = one("3pl", a=1.5, b=0.0, c=0.25)
    assert dispatch.observed_information(-2.0, item)[0, 0, 1] < 0
    assert dispatch.observed_information(-2.0, item)[0, 0, 0] > 0


@pytest.mark.parametrize("theta", [-500.0, -40.0, 40.0, 500.0])
def test_nothing_is_lost_hundreds_of_logits_away(theta):
    items = every_model_bank()
    with np.errstate(all="raise", under="ignore", divide="ignore"):
        logs = dispatch.log_probabilities(theta, items)
        exists = np.arange(items.max_categories) < items.n_categories[:, None]
        assert np.isfinite(logs[0][exists]).all()
        assert np.isneginf(logs[0][~exists]).all()
        assert np.isfinite(dispatch.information(theta, items)).all()
        assert np.isfinite(dispatch.slopes(theta, items)).all()
        assert np.isfinite(dispatch.curvatures(theta, items)).all()
        assert np.isfinite(dispatch.bias_terms(theta, items)).all()


def test_the_log_of_a_hopeless_answer_is_its_logit():
    """log P(wrong) at a(theta - b) = 400 is -400, where 1 - P rounds to 0."""
    item = one("2pl", a=4.0, b=0.0)
    assert dispatch.log_probabilities(100.0, item)[0, 0].tolist() == pytest.approx([-400.0, 0.0])
    graded = one("grm", a=4.0, thresholds=[[0.0, 1.0]])
    assert dispatch.log_probabilities(100.0, graded)[0, 0, 0] == pytest.approx(-400.0)
    partial = one("gpcm", a=4.0, thresholds=[[0.0, 0.0]])
    assert dispatch.log_probabilities(100.0, partial)[0, 0, 0] == pytest.approx(-800.0)


@given(st.floats(-8, 8), st.floats(0.1, 4), st.floats(-4, 4), st.floats(0, 0.4), st.floats(0.6, 1))
def test_probabilities_of_a_4pl_item_add_up_to_1_between_the_asymptotes(theta, a, b, c, d):
    wrong, right = dispatch.probabilities(theta, one("4pl", a=a, b=b, c=c, d=d))[0, 0]
    assert wrong + right == pytest.approx(1.0)
    assert c - 1e-12 <= right <= d + 1e-12


@given(st.floats(-8, 8), st.floats(0.1, 4), st.lists(st.floats(-4, 4), min_size=1, max_size=6))
def test_probabilities_of_polytomous_items_add_up_to_1(theta, a, steps):
    ascending = [step + 0.01 * place for place, step in enumerate(sorted(steps))]
    for model in ("grm", "gpcm"):
        item = one(model, a=a, thresholds=[ascending])
        assert dispatch.probabilities(theta, item).sum() == pytest.approx(1.0)


@given(st.floats(-800, 800), st.floats(0.01, 40), st.floats(-20, 20), asymptotes, st.booleans())
def test_everything_is_finite_whatever_the_asymptotes(theta, a, b, ends, upper):
    """c = 0, c just below d, d = 1, d a hair above 0; hundreds of logits away."""
    c, d = ends if upper else (ends[0], 1.0)
    assert_finite(theta, one("4pl", a=a, b=b, c=c, d=d))


@given(st.floats(-800, 800), st.floats(0.01, 40), st.lists(st.floats(-20, 20), min_size=1))
def test_everything_is_finite_for_polytomous_items(theta, a, steps):
    ascending = [step + 0.01 * place for place, step in enumerate(sorted(steps))]
    assert_finite(theta, one("grm", a=a, thresholds=[ascending]))
    assert_finite(theta, one("gpcm", a=a, thresholds=[steps]))
    if any(steps):
        assert_finite(theta, one("nrm", slopes=[steps], intercepts=[steps[::-1]]))


def assert_finite(theta, item):
    with np.errstate(all="raise", under="ignore", divide="ignore"):
        chances = dispatch.probabilities(theta, item)
        assert chances.sum() == pytest.approx(1.0)
        assert (chances >= 0).all()
        assert (dispatch.information(theta, item) >= 0).all()
        for verb in ("log_probabilities", "information", "slopes", "curvatures", "bias_terms"):
            assert np.isfinite(getattr(dispatch, verb)(theta, item)).all(), verb


@given(st.permutations(range(160)))
def test_permuting_items_permutes_results(order):
    items = every_model_bank()
    shuffled = items.subset(order)
    for verb in ("information", "expected_score", "log_probabilities", "slopes"):
        function = getattr(dispatch, verb)
        assert np.array_equal(function(0.3, shuffled), function(0.3, items)[:, order])


@pytest.mark.parametrize("verb", ["information", "expected_score", "slopes", "log_probabilities"])
def test_pairs_equal_the_table(verb):
    items = every_model_bank()
    rows = np.array([[0, 70, 139], [25, 99, 5]])
    theta = np.array([-0.7, 1.1])
    table = getattr(dispatch, verb)(theta, items)
    found = dispatch.paired(verb, theta, rows, items)
    np.testing.assert_allclose(found, table[np.arange(2)[:, None], rows], rtol=1e-13)


def test_derivatives_of_one_score_are_those_of_the_tables():
    rng = np.random.default_rng(1)
    n = 400
    theta, b = rng.uniform(-8, 8, n), rng.uniform(-4, 4, n)
    curve = (rng.uniform(0.2, 12.0, n), b, rng.choice([0.0, 0.2], n), rng.choice([1.0, 0.95], n))
    right = rng.random(n) < 0.5
    slope, bend = logistic.slope_and_bend(theta, right, *curve)
    place = (np.arange(n), right.astype(int))
    np.testing.assert_allclose(slope, logistic.slopes(theta, *curve)[place], rtol=1e-12)
    expected = logistic.curvatures(theta, *curve)[place]
    np.testing.assert_allclose(bend, expected, rtol=1e-9, atol=1e-12)
