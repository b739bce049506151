from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from calibration.expectation import make_tables
from calibration.fit_check.moments import (
    category_curves,
    covariance,
    curves_of,
    derivatives,
    expected_moments,
    observed_moments,
    pairs,
)
from calibration.matrix import from_dense
from calibration.mml import Settings, at_parameters
from calibration.parameter_space import from_vector, to_vector
from engine.items import item_parameters

NAN = np.nan


@pytest.fixture(scope="module")
def mixed():
    """A fit of five items of five models at given parameters; the data do not matter."""
    items = item_parameters(
        list("vwxyz"),
        ["2pl", "3pl", "rasch", "grm", "gpcm"],
        a=[1.2, 1.5, 1.0, 1.3, 0.8],
        b=[-0.3, 0.4, 0.1, NAN, NAN],
        c=[0, 0.2, 0, 0, 0],
        thresholds=[[-0.3, NAN], [0.4, NAN], [0.1, NAN], [-0.7, 0.9], [0.2, -0.4]],
    )
    rng = np.random.default_rng(1)
    scores = np.column_stack([rng.integers(0, 2, (40, 3)), rng.integers(0, 3, (40, 2))])
    matrix = from_dense(scores, item=list("vwxyz"))
    return matrix, at_parameters(matrix, items, Settings(), mean=0.0, sd=1.1)


@pytest.mark.parametrize("by_category", [False, True])
def test_expectations_and_covariances_are_those_of_all_patterns(mixed, by_category):
    _matrix, found = mixed
    curves = curves_of(found, by_category=by_category)
    shapes = category_curves(found)
    patterns = np.array(list(product(*[range(len(p)) for p in shapes])))
    chance = np.ones((len(patterns), found.theta.size))
    for k, p in enumerate(shapes):
        chance *= p[patterns[:, k]]
    share = chance @ curves.weights
    own = patterns[:, curves.item]
    single = np.where(curves.value > 0, own == curves.value, own)
    first, second = pairs(5)
    values = np.hstack((single, patterns[:, first] * patterns[:, second])).astype(float)
    mean = share @ values
    spread = (values * share[:, None]).T @ values - np.outer(mean, mean)
    np.testing.assert_allclose(expected_moments(curves), mean, atol=1e-12)
    np.testing.assert_allclose(covariance(curves), spread, atol=1e-12)


@pytest.mark.parametrize("by_category", [False, True])
def test_derivatives_are_those_of_numeric_differentiation(mixed, by_category):
    _matrix, found = mixed
    vector = to_vector(found.space, found.state)

    def moments(point):
        state = from_vector(found.space, point, found.state)
        tables = make_tables(found.space, state, found.design, found.theta)
        moved = replace(found, state=state, tables=tables)
        return expected_moments(curves_of(moved, by_category=by_category))

    exact = derivatives(found, curves_of(found, by_category=by_category))
    assert exact.shape[1] == found.space.n_free
    for k in range(vector.size):
        step = np.zeros(vector.size)
        step[k] = 1e-5
        numeric = (moments(vector + step) - moments(vector - step)) / 2e-5
        np.testing.assert_allclose(exact[:, k], numeric, atol=1e-8)


def test_observed_moments_are_shares_and_mean_products(mixed):
    matrix, found = mixed
    scores = matrix.dense()[0].astype(np.int64)
    by_category = observed_moments(scores, curves_of(found, by_category=True))
    by_score = observed_moments(scores, curves_of(found, by_category=False))
    np.testing.assert_allclose(by_score[:5], scores.mean(axis=0))
    np.testing.assert_allclose(by_category[4], (scores[:, 3] == 2).mean())
    np.testing.assert_allclose(by_score[-1], (scores[:, 3] * scores[:, 4]).mean())
