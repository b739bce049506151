import json

import numpy as np
import pytest
from support.response_files import wide_file

from calibration.expectation import person_estimates
from calibration.histogram import moments_of, with_moments
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from calibration.standard_errors import standard_errors


@pytest.fixture(scope="module")
def skewed():
    """A population with a long right tail, mean 0 and standard deviation 1."""
    rng = np.random.default_rng(1)
    theta = (rng.gamma(1.5, size=4000) - 1.5) / 1.5**0.5
    a, b = rng.lognormal(0.2, 0.2, 30), rng.normal(size=30)
    chance = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    return from_dense((rng.random(chance.shape) < chance).astype(int)), theta, a, b


@pytest.fixture(scope="module")
def both(skewed):
    models = ["2pl"] * 30
    return fit(skewed[0], models), fit(skewed[0], models, Settings(histogram=True))


def rmse(x, y):
    return float(np.sqrt(np.mean((x - y) ** 2)))


def test_items_are_recovered_from_a_skewed_population(skewed, both):
    _matrix, _theta, a, b = skewed
    normal, found = both
    assert found.converged
    assert rmse(found.items.b, b) < 0.7 * rmse(normal.items.b, b)
    assert rmse(found.items.a, a) < 0.7 * rmse(normal.items.a, a)
    assert found.log_likelihood > normal.log_likelihood + 100


def test_the_histogram_is_standard_and_has_the_shape_of_the_population(skewed, both):
    theta, found = skewed[1], both[1]
    weights = found.state.density[0]
    assert weights.sum() == pytest.approx(1)
    assert (found.latent_mean[0], found.latent_sd[0]) == pytest.approx((0, 1), abs=1e-10)
    skewness = float(weights @ found.theta**3)
    # Where the population ends on the left, thirty items do not tell; the prior smooths it.
    assert 1 < skewness < np.mean(theta**3) + 0.1


def test_persons_are_estimated_under_the_histogram(skewed, both):
    theta = skewed[1]
    own = [person_estimates(f.design, f.tables, f.theta)[0] for f in both]
    assert rmse(own[1], theta) < rmse(own[0], theta)
    assert own[1].min() > own[0].min()


def test_a_normal_population_is_found_to_be_one():
    rng = np.random.default_rng(5)
    chance = 1 / (1 + np.exp(-(rng.normal(size=(3000, 1)) - np.linspace(-2, 2, 20))))
    matrix = from_dense((rng.random(chance.shape) < chance).astype(int))
    normal = fit(matrix, ["2pl"] * 20)
    found = fit(matrix, ["2pl"] * 20, Settings(histogram=True))
    assert found.converged
    assert np.abs(found.items.b - normal.items.b).max() < 0.15


def test_with_fixed_items_the_histogram_has_its_own_mean_and_deviation(skewed, both):
    fixed = both[1].items.subset(np.arange(15))
    found = fit(skewed[0], ["2pl"] * 30, Settings(histogram=True), fixed=fixed)
    assert found.converged
    assert found.latent_mean[0] == pytest.approx(0, abs=0.05)
    assert found.latent_sd[0] == pytest.approx(1, abs=0.1)


def test_errors_are_those_of_items_with_the_histogram_as_known(both):
    estimate = standard_errors(both[1])
    assert estimate.positive_definite
    assert np.isnan(estimate.latent_mean).all()
    assert 0.02 < np.median(estimate.se.b) < 0.1


def test_weights_with_given_moments_are_the_nearest():
    theta = np.linspace(-6, 6, 61)
    persons = np.exp(-0.5 * ((theta - 0.3) / 1.3) ** 2)
    weights = with_moments(persons, theta, np.array([True, True]))
    mean, sd = moments_of(weights[None], theta)
    assert (mean[0], sd[0]) == pytest.approx((0, 1), abs=1e-12)
    free = with_moments(persons, theta, np.array([False, False]))
    np.testing.assert_allclose(free, persons / persons.sum(), atol=1e-15)


def test_the_command_fits_a_histogram_and_says_what_it_is(run_command, tmp_path, lsat7):
    path, out = wide_file(lsat7, tmp_path / "data.csv"), tmp_path / "out"
    command = ("calibrate", "fit", path, "--density", "histogram", "--out", out)
    status, _said, err = run_command(*command)
    summary = json.loads((out / "summary.json").read_text())
    assert status == 0
    assert summary["settings"]["density"] == "histogram"
    assert len(summary["latent_density"]["weights"][0]) == 61
    assert "take the latent histogram as known" in err
    assert run_command(*command, "--backend", "girth")[0] == 2
