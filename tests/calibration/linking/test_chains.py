import numpy as np
import pytest

from calibration.linking.chains import chain_link, scale_error, theta_error
from calibration.linking.sampling_errors import ConstantErrors
from calibration.linking.scales import Link

FIRST = Link("stocking-lord", 0.9, 0.2, 40), ConstantErrors(0.03, 0.04, 0.0005, 200)
SECOND = Link("stocking-lord", 1.2, -0.3, 40), ConstantErrors(0.02, 0.05, -0.0004, 200)


def covariance(row):
    return np.array([[row["se_A"] ** 2, row["covariance"]], [row["covariance"], row["se_B"] ** 2]])


def test_the_first_link_of_a_chain_has_its_own_errors():
    chain = chain_link(None, 1, *FIRST)
    assert (chain["base_release"], chain["n_links"]) == (1, 1)
    assert (chain["A"], chain["B"]) == (0.9, 0.2)
    assert (chain["se_A"], chain["se_B"]) == (pytest.approx(0.03), pytest.approx(0.04))


def test_errors_along_a_chain_are_those_of_simulated_chains():
    rng = np.random.default_rng(1)
    draws = []
    for link, errors in (FIRST, SECOND):
        spread = [[errors.A**2, errors.covariance], [errors.covariance, errors.B**2]]
        draws.append(rng.multivariate_normal([link.A, link.B], spread, size=200_000))
    (a1, b1), (a2, b2) = (draw.T for draw in draws)
    # The first release's true constants differ from the estimates by the draws.
    scale_a, scale_b = a1 / 0.9, b1 - a1 / 0.9 * 0.2
    total_a, total_b = scale_a * a2, scale_a * b2 + scale_b
    chain = chain_link(chain_link(None, 1, *FIRST), 2, *SECOND)
    assert (chain["base_release"], chain["n_links"]) == (1, 2)
    assert chain["se_A"] == pytest.approx(total_a.std(), rel=0.02)
    assert chain["se_B"] == pytest.approx(total_b.std(), rel=0.02)
    theta = total_a * (1.0 - -0.3) / 1.2 + total_b  # theta 1 of the second release
    assert theta_error(covariance(chain["scale"]), 1.0) == pytest.approx(theta.std(), rel=0.02)


def test_errors_add_up_and_fixed_items_add_none():
    one = chain_link(None, 1, *FIRST)
    held = chain_link(one, 2, None, None)
    two = chain_link(held, 3, *SECOND)
    assert held["n_links"] == 1
    assert held["scale"] == pytest.approx(one["scale"])
    assert (held["A"], held["B"]) == (1.0, 0.0)
    assert two["n_links"] == 2
    expected = covariance(one["scale"]) + scale_error(*SECOND)
    np.testing.assert_allclose(covariance(two["scale"]), expected)
    assert two["se_at"]["0"] > one["se_at"]["0"]


def test_a_chain_of_held_items_alone_has_no_error():
    chain = chain_link(None, 4, None, None)
    assert (chain["base_release"], chain["n_links"], chain["se_A"]) == (4, 0, 0.0)
    assert set(chain["se_at"].values()) == {0.0}
