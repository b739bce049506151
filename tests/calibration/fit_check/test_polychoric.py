import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from calibration.fit_check.local_dependence import pair_tables
from calibration.fit_check.polychoric import bivariate_normal, polychoric, polychoric_matrix
from calibration.matrix import from_dense

MEDIAN = np.array([[-8.0, 0.0, 8.0]])


@settings(deadline=None, max_examples=50)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.99, 0.99))
def test_the_bivariate_normal_is_that_of_scipy(h, k, rho):
    own = bivariate_normal(np.array([h]), np.array([k]), np.array([rho]))[0]
    theirs = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
    assert own == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5, 0.95])
def test_halves_have_the_correlation_of_sheppards_formula(rho):
    both = 0.25 + np.arcsin(rho) / (2 * np.pi)
    table = 1000 * np.array([[both, 0.5 - both], [0.5 - both, both]])
    assert polychoric(table[None], MEDIAN, MEDIAN)[0] == pytest.approx(rho, abs=1e-7)


def test_lsat6_is_as_published(lsat6):
    found = polychoric_matrix(*pair_tables(lsat6, [2] * 5))
    expected = [0.17, 0.23, 0.11, 0.07, 0.19, 0.11, 0.17, 0.19, 0.11, 0.20]
    np.testing.assert_allclose(found[np.triu_indices(5, 1)], expected, atol=0.005)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 1.0)


def test_correlations_of_cut_normals_are_recovered():
    rng = np.random.default_rng(2)
    true = np.array([[1, 0.6, -0.4], [0.6, 1, 0.2], [-0.4, 0.2, 1]])
    z = rng.multivariate_normal(np.zeros(3), true, 20_000)
    scores = np.column_stack(
        [(z[:, 0] > 0.8), np.digitize(z[:, 1], [-1.0, 0.3]), np.digitize(z[:, 2], [-0.5, 0.5, 1.2])]
    ).astype(int)
    found = polychoric_matrix(*pair_tables(from_dense(scores), [4, 4, 4]))
    np.testing.assert_allclose(found, true, atol=0.03)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 50), min_size=9, max_size=9))
def test_turning_an_item_round_turns_the_sign(counts):
    table = np.array(counts, float).reshape(1, 3, 3)
    rows = np.array([[-8, -0.5, 0.4, 8.0]])
    columns = np.array([[-8, -0.2, 0.9, 8.0]])
    one = polychoric(table, rows, columns)
    other = polychoric(table[:, ::-1], -rows[:, ::-1], columns)
    assert one[0] == pytest.approx(-other[0], abs=1e-6)


def test_items_that_do_not_vary_and_pairs_that_never_meet_have_none():
    scores = np.array([[1, 0, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]])
    found = polychoric_matrix(*pair_tables(from_dense(scores), [2, 2, 2]))
    assert np.isnan(found[0, 1])
    assert not np.isnan(found[1, 2])
    empty = polychoric(np.zeros((1, 2, 2)), MEDIAN, MEDIAN)
    assert np.isnan(empty[0])


def test_perfect_agreement_ends_at_the_largest_value():
    table = np.array([[[50.0, 0.0], [0.0, 50.0]]])
    assert polychoric(table, MEDIAN, MEDIAN)[0] == pytest.approx(0.999, abs=1e-6)
