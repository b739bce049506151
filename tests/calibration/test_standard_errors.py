import numpy as np
import pytest

from calibration.expectation import expect, make_tables
from calibration.matrix import from_dense
from calibration.maximisation import log_prior
from calibration.mml import Settings, fit
from calibration.moving_posteriors import change_by_person, change_by_point
from calibration.observed_information import observed_information
from calibration.parameter_space import from_vector, to_vector
from calibration.priors import RECALIBRATION, default_priors
from calibration.standard_errors import standard_errors

CASES = [
    ("lsat7_2pl", "lsat7", "2pl"),
    ("lsat7_3pl_normprior", "lsat7", "3pl"),
    ("lsat6_2pl", "lsat6", "2pl"),
    ("lsat6_1pl", "lsat6", "1pl"),
    ("science_gpcm", "science", "gpcm"),
    ("science_graded", "science", "grm"),
]


@pytest.mark.parametrize(("fact", "data", "model"), CASES)
def test_errors_agree_with_mirt(fact, data, model, mirt, request):
    matrix = request.getfixturevalue(data)
    found = fit(matrix, [model] * matrix.n_items, Settings(default_priors([model])))
    estimate = standard_errors(found)
    assert estimate.positive_definite
    own = {"a": estimate.se.a, "b": estimate.se.b, "g": estimate.se.c}
    own |= {f"b{k + 1}": column for k, column in enumerate(estimate.se.thresholds.T)}
    compared = 0
    for row, item in enumerate(found.items.item):
        for name, value in mirt["fits"][fact]["items"][item]["se"].items():
            assert own[name][row] == pytest.approx(value, rel=5e-5)
            compared += 1
    assert compared >= 10


def test_rasch_errors_agree_with_direct_maximisation(lsat6, mirt):
    facts = mirt["rasch_by_direct_maximisation"]["lsat6"]
    found = fit(lsat6, ["rasch"] * 5)
    estimate = standard_errors(found)
    variance_error = 2 * found.latent_sd[0] * estimate.latent_sd[0]
    np.testing.assert_allclose([variance_error, *estimate.se.b], facts["se"], rtol=1e-5)
    assert np.isnan(estimate.se.a).all()


def test_the_covariance_of_gpcm_parameters_agrees_with_mirt(science, mirt):
    found = fit(science, ["gpcm"] * 4)
    facts = np.array(mirt["fits"]["science_gpcm"]["vcov_slope_intercept"])
    np.testing.assert_allclose(standard_errors(found).covariance, facts, rtol=1e-4, atol=1e-5)


def test_the_error_of_b1_in_gpcm_is_that_of_mirts_own_covariance(science, mirt):
    # The SE that mirt 1.45.1 prints for b1 of gpcm does not follow from its covariance matrix (it
    # prints 1.111 for Comfort, the delta method gives another); those of b2 and b3 do.
    found = fit(science, ["gpcm"] * 4)
    covariance = np.array(mirt["fits"]["science_gpcm"]["vcov_slope_intercept"])
    own = standard_errors(found).se.thresholds[:, 0]
    for row in range(4):
        part = covariance[4 * row : 4 * row + 2, 4 * row : 4 * row + 2]
        a, b1 = found.items.a[row], found.items.thresholds[row, 0]
        slope = np.array([-b1 / a, -1 / a])
        assert own[row] == pytest.approx(np.sqrt(slope @ part @ slope), rel=1e-4)
    assert abs(own[0] - 1.111) > 0.05


def log_posterior(found, vector):
    state = from_vector(found.space, vector, found.state)
    tables = make_tables(found.space, state, found.design, found.theta)
    prior = log_prior(found.space, state, found.priors)
    return expect(found.design, tables).log_likelihood + prior


def test_information_equals_minus_the_numeric_hessian_of_the_log_posterior(lsat6):
    models = ["2pl", "3pl", "1pl", "1pl", "rasch"]
    found = fit(lsat6, models, Settings(RECALIBRATION))
    centre, h = to_vector(found.space, found.state), 1e-3
    n = centre.size
    steps = np.eye(n) * h
    numeric = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            corners = [
                log_posterior(found, centre + s * steps[i] + t * steps[j])
                for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            numeric[i, j] = -(corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
    np.testing.assert_allclose(observed_information(found), numeric, rtol=1e-3, atol=2e-2)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_the_two_routes_to_the_change_of_posteriors_agree(lsat7, science, share):
    rng = np.random.default_rng(1)
    scores, _all = lsat7.dense()
    other, _all = science.dense()
    both = np.concatenate((scores[:392], other), axis=1)
    groups = ["a"] * 200 + ["b"] * 192
    matrix = from_dense(both, rng.random(both.shape) < share, group=groups)
    models = ["3pl", "1pl", "1pl", "2pl", "2pl", "gpcm", "pcm", "gpcm", "grm"]
    settings = Settings(default_priors(models), max_iterations=15)
    found = fit(matrix, models, settings)
    np.testing.assert_allclose(change_by_point(found), change_by_person(found), atol=1e-8)


def test_errors_shrink_with_the_root_of_the_sample(lsat7):
    scores, _all = lsat7.dense()
    one = standard_errors(fit(lsat7, ["2pl"] * 5))
    four = standard_errors(fit(from_dense(np.tile(scores, (4, 1))), ["2pl"] * 5))
    np.testing.assert_allclose(four.se.b, one.se.b / 2, rtol=1e-4)


def test_held_items_have_no_errors(lsat7):
    whole = fit(lsat7, ["2pl"] * 5)
    fixed = whole.items.subset([0, 1, 2])
    found = fit(lsat7, ["2pl"] * 5, fixed=fixed)
    estimate = standard_errors(found)
    assert np.isnan(estimate.se.b[:3]).all()
    assert (estimate.se.b[3:] > 0).all()
    assert estimate.latent_mean[0] > 0
