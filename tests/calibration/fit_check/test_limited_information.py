import numpy as np
import pytest
from scipy.stats import ncx2
from support.group_data import drawn

from calibration.fit_check.limited_information import model_fit, rmsea, rmsea_interval
from calibration.matrix import from_dense
from calibration.mml import Settings, fit

# mirt's C2 for the generalised partial credit model (16.34) is not ours (19.04): our moments,
# their covariance and their derivatives are held against enumeration in test_moments.
COMPARED = ["lsat6_2pl", "lsat6_rasch", "lsat6_1pl", "lsat7_2pl", "science_graded"]


@pytest.mark.parametrize("name", COMPARED)
def test_c2_is_that_of_mirt(fitted, facts, name):
    own, theirs = model_fit(*fitted[name], by_category=True), facts[name]["C2"]
    assert own.note == ""
    assert own.statistic == pytest.approx(theirs["M2"], abs=1e-4)
    assert own.df == theirs["df"]
    assert own.p == pytest.approx(theirs["p"], abs=1e-5)
    assert own.rmsea == pytest.approx(theirs["RMSEA"], abs=1e-6)
    assert own.rmsea_low == pytest.approx(theirs["RMSEA_5"], abs=1e-3)
    assert own.rmsea_high == pytest.approx(theirs["RMSEA_95"], abs=1e-3)
    assert own.srmsr == pytest.approx(theirs["SRMSR"], abs=1e-6)
    assert own.cfi == pytest.approx(theirs["CFI"], abs=1e-5)
    assert own.tli == pytest.approx(theirs["TLI"], abs=1e-5)


@pytest.mark.parametrize("name", COMPARED[:4])
def test_m2_of_dichotomous_items_is_that_of_mirt(fitted, facts, name):
    own, theirs = model_fit(*fitted[name], by_category=False), facts[name]["M2"]
    assert own.statistic == pytest.approx(theirs["M2"], abs=1e-4)
    assert own.df == theirs["df"]


def test_srmsr_of_partial_credit_is_that_of_mirt(fitted, facts):
    own = model_fit(*fitted["science_gpcm"], by_category=True)
    assert own.srmsr == pytest.approx(facts["science_gpcm"]["C2"]["SRMSR"], abs=1e-6)


def test_too_few_moments_are_said_where_mirt_refuses(fitted, facts):
    own = model_fit(*fitted["science_graded"], by_category=False)
    assert "too few" in facts["science_graded"]["M2"]["error"]
    assert own.note == "10 moments are too few for 16 free parameters"
    assert np.isnan(own.statistic)


def test_the_interval_ends_where_the_statistic_is_at_its_percentiles():
    low, high = rmsea_interval(30.0, 10, 500)
    assert rmsea(30.0, 10, 500) == pytest.approx(np.sqrt(20 / (10 * 499)))
    assert ncx2.cdf(30.0, 10, low**2 * 10 * 499) == pytest.approx(0.95)
    assert ncx2.cdf(30.0, 10, high**2 * 10 * 499) == pytest.approx(0.05)
    assert rmsea_interval(5.0, 10, 500)[0] == 0.0
    assert rmsea(5.0, 10, 500) == 0.0


def _p_value(rng, n, second=0.0):
    """P of M2 for 8 items; `second` is the weight of another dimension in half of them."""
    a, b = rng.uniform(0.8, 1.8, 8), rng.normal(0, 0.8, 8)
    theta = rng.normal(size=n)
    other = np.outer(rng.normal(size=n), np.arange(8) < 4) * second
    scores = drawn(rng, theta, a, b - other)
    found = fit(from_dense(scores), ("2pl",) * 8, Settings())
    return model_fit(from_dense(scores), found, by_category=False).p


def test_the_right_model_is_rejected_about_once_in_twenty():
    rng = np.random.default_rng(3)
    p = np.array([_p_value(rng, 600) for _ in range(30)])
    assert (p < 0.05).sum() <= 5
    assert 0.3 < p.mean() < 0.7


def test_a_second_dimension_is_seen():
    rng = np.random.default_rng(4)
    assert all(_p_value(rng, 1500, second=1.0) < 1e-3 for _ in range(3))


def test_routed_data_have_neither(fitted):
    matrix, found = fitted["lsat7_2pl"]
    scores, observed = (np.array(part) for part in matrix.dense())
    routed = from_dense(scores, observed, item=matrix.item, routed=True)
    own = model_fit(routed, found, by_category=True)
    assert np.isnan(own.statistic)
    assert "routed" in own.note


def test_persons_with_missing_responses_are_left_out(fitted):
    matrix, found = fitted["lsat7_2pl"]
    scores, observed = (np.array(part) for part in matrix.dense())
    observed[:100, 2] = False
    partly = from_dense(scores, observed, item=matrix.item)
    own = model_fit(partly, found, by_category=True)
    rest = model_fit(matrix.persons(100, 1000), found, by_category=True)
    assert own.n == rest.n == 900
    assert own.statistic == pytest.approx(rest.statistic)
