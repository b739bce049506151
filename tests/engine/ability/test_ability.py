import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import mixed_bank, reference, reference_bank

from engine.ability.answers import answers, log_likelihood
from engine.ability.estimates import (
    ESTIMATORS,
    Prior,
    eap_of,
    eap_scores,
    estimate,
    estimate_eap,
    estimate_map,
    estimate_mle,
    estimate_wle,
    matrix_scores,
)
from engine.ability.grids import USUAL_GRID, Grid
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

CATR_GRID = Grid(-4, 4, 33)
CASES = {
    "eap": ("eap", {"grid": CATR_GRID}),
    "eap_fine": ("eap", {"grid": Grid(-6, 6, 601)}),
    "map": ("map", {"grid": CATR_GRID}),
    "map_m1_s2": ("map", {"grid": CATR_GRID, "prior": Prior(1.0, 2.0)}),
    "mle": ("mle", {}),
    "wle": ("wle", {}),
}


def rasch(n):
    return item_parameters([str(k) for k in range(n)], "rasch", a=1.0, b=np.linspace(-2, 2, n))


def two_tops(kind, row, case):
    """One answer in the middle category leaves two WLEs of equal height; catR takes the upper."""
    return (kind, case, row["items"], row["scores"]) == ("gpcm", "wle", [41], [1])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["3pl", "grm", "gpcm"])
def test_estimates_and_standard_errors_equal_catr(kind, case):
    method, options = CASES[case]
    for row in reference("catr_estimates.json")["values"][kind]:
        rows = [number - 1 for number in row["items"]]
        found = estimate(method, rows, row["scores"], reference_bank(kind), **options)
        if not two_tops(kind, row, case):
            assert [found.theta, found.se] == pytest.approx(row[case], abs=1e-8)


def test_of_two_equal_tops_the_lower_is_the_estimate():
    """Item 41 of the GPCM bank, answered in the middle: two roots with the same information."""
    item = reference_bank("gpcm").subset([40])
    found = estimate_wle([0], [1], item)
    upper = [
        row
        for row in reference("catr_estimates.json")["values"]["gpcm"]
        if two_tops("gpcm", row, "wle")
    ]
    information = dispatch.information(found.theta, item)[0, 0]
    pull = dispatch.bias_terms(found.theta, item)[0, 0] / (2 * information)
    assert found.theta < upper[0]["wle"][0] - 1
    assert found.se == pytest.approx(upper[0]["wle"][1], abs=1e-9)
    assert dispatch.slopes(found.theta, item)[0, 0, 1] + pull == pytest.approx(0.0, abs=1e-9)


def test_without_answers_eap_and_map_are_the_prior():
    for method in ("eap", "map"):
        found = estimate(method, [], [], rasch(3), prior=Prior(0.5, 0.8))
        assert [found.theta, found.se] == pytest.approx([0.5, 0.8], abs=1e-6)


def test_without_answers_mle_and_wle_are_not_estimable():
    for function in (estimate_mle, estimate_wle):
        found = function([], [], rasch(3))
        assert np.isnan(found.theta)
        assert np.isinf(found.se)


def test_a_monotone_likelihood_puts_mle_at_an_end_of_the_range():
    assert estimate_mle([0, 1, 2], [1, 1, 1], rasch(3)).theta == 4.0
    assert estimate_mle([0, 1, 2], [0, 0, 0], rasch(3)).theta == -4.0


def test_wle_is_finite_where_mle_is_not():
    assert abs(estimate_wle([0, 1, 2], [1, 1, 1], rasch(3)).theta) < 4.0


def test_se_of_map_is_that_of_information_and_prior():
    items = mixed_bank()
    found = estimate_map([0, 70, 120], [1, 2, 1], items, prior=Prior(0.0, 0.5))
    information = dispatch.information(found.theta, items)[0, [0, 70, 120]].sum()
    assert found.se == pytest.approx(1 / np.sqrt(information + 4.0))


def test_map_is_where_the_slope_of_the_posterior_vanishes():
    items = mixed_bank()
    rows, scores = [3, 25, 64, 101, 139], [1, 0, 2, 1, 0]
    theta = estimate_map(rows, scores, items).theta
    slope = dispatch.slopes(theta, items)[0][rows, scores].sum() - theta
    assert slope == pytest.approx(0.0, abs=1e-9)


def test_map_with_a_flat_prior_is_mle():
    rows, scores = list(range(20)), [1, 0, 1, 1] * 5
    items = reference_bank("3pl")
    flat = estimate_map(rows, scores, items, prior=Prior(0.0, 1e6), grid=CATR_GRID)
    assert flat.theta == pytest.approx(estimate_mle(rows, scores, items).theta, abs=1e-6)


def test_long_tests_do_not_underflow():
    items = item_parameters([str(k) for k in range(2000)], "2pl", a=2.5, b=0.0)
    scores = [k % 2 for k in range(2000)]
    for method in ESTIMATORS:
        found = estimate(method, range(2000), scores, items)
        assert found.theta == pytest.approx(0.0, abs=1e-9)
        assert np.isfinite(found.se)


def test_61_points_on_6_match_a_fine_grid_for_100_items():
    items = reference_bank("3pl")
    scores = [k % 3 > 0 for k in range(100)]
    coarse = estimate_eap(range(100), scores, items)
    fine = estimate_eap(range(100), scores, items, grid=Grid(-6, 6, 2401))
    assert coarse.theta == pytest.approx(fine.theta, abs=1e-4)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(12)), st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_the_order_of_the_answers_does_not_matter(order, scores):
    items = mixed_bank()
    rows = [0, 10, 20, 30, 40, 50, 60, 70, 80, 100, 110, 130]
    for method in ESTIMATORS:
        found = estimate(method, rows, scores, items)
        other = estimate(method, [rows[k] for k in order], [scores[k] for k in order], items)
        assert other.theta == pytest.approx(found.theta, abs=1e-9)


def responses(items, n=60, seed=3):
    rng = np.random.default_rng(seed)
    observed = rng.random((n, len(items))) < 0.3
    scores = rng.integers(0, 100, observed.shape) % items.n_categories
    observed[0] = False
    return scores, observed


@pytest.mark.parametrize("method", ESTIMATORS)
def test_a_matrix_is_scored_as_its_rows_are(method):
    items = mixed_bank()
    scores, observed = responses(items)
    theta, se = matrix_scores(method, scores, observed, items)
    for person in range(len(scores)):
        rows = np.flatnonzero(observed[person])
        one = estimate(method, rows.tolist(), scores[person, rows].tolist(), items)
        assert theta[person] == pytest.approx(one.theta, abs=1e-9, nan_ok=True)
        assert se[person] == pytest.approx(one.se, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 7, 60])
def test_eap_of_one_person_is_that_of_many_to_the_last_bit(n):
    rng, items = np.random.default_rng(n), mixed_bank()
    rows = rng.permutation(len(items))[:n]
    scores = rng.integers(0, items.n_categories[rows])
    logs = log_likelihood(answers(rows[None], scores[None]), items, USUAL_GRID)
    theta, se = eap_of(logs, prior=Prior(0.3, 1.2), grid=USUAL_GRID)
    found = estimate_eap(rows.tolist(), scores.tolist(), items, prior=Prior(0.3, 1.2))
    assert (found.theta, found.se) == (theta[0], se[0])


def test_a_score_that_an_item_lacks_is_refused_by_name():
    items = mixed_bank()
    scores, observed = responses(items)
    scores[4, 2], observed[4, 2] = 2, True
    with pytest.raises(InputError, match="item m002: expected a score from 0 to 1, found 2"):
        eap_scores(scores, observed, items)
    with pytest.raises(InputError, match="item m002"):
        estimate_eap([2], [2], items)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate_eap([999], [0], rasch(3)), "a row from 0 to 2"),
        (lambda: estimate_eap([0, 1], [0], rasch(3)), "2 scores"),
        (lambda: estimate("best", [0], [0], rasch(3)), "one of eap, map, mle, wle"),
        (lambda: Prior(0.0, 0.0), "standard deviation above 0"),
        (lambda: Prior(np.inf, 1.0), "finite prior mean"),
        (lambda: Grid(1.0, 1.0, 5), "a grid from low to high"),
        (lambda: Grid(-1.0, 1.0, 1), "at least 2 points"),
        (lambda: eap_scores(np.zeros((2, 2), int), np.ones((2, 2), bool), rasch(3)), "shape"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_true_ability_is_recovered():
    """300 items each: the error of EAP is about its standard error, and centred."""
    items = reference_bank("3pl")
    rng = np.random.default_rng(7)
    truth = rng.normal(size=400)
    chances = dispatch.expected_score(truth, items)
    scores = (rng.random(chances.shape) < chances).astype(np.int64)
    theta, se = eap_scores(scores, np.ones(scores.shape, bool), items)
    z = (theta - truth) / se
    assert abs(z.mean()) < 0.15
    assert z.std() == pytest.approx(1.0, abs=0.12)
