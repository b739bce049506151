import numpy as np
import pytest
from scipy.stats import kstest
from support.reference_banks import reference_bank

from engine.aberrance.answer_copying import Estimable, all_pairs, omega
from engine.ability.estimates import matrix_scores
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

N_ITEMS = 60


def nominal_bank(n=N_ITEMS):
    """Four options each; the last one is the key."""
    rng = np.random.default_rng(1)
    slopes = np.sort(rng.normal(0, 0.7, (n, 3)), axis=1) + np.array([0.0, 0.0, 0.8])
    return item_parameters(
        [f"n{number}" for number in range(n)],
        "nrm",
        a=np.nan,
        slopes=slopes,
        intercepts=rng.normal(0, 0.6, (n, 3)),
    )


def chosen(items, theta, seed):
    steps = np.cumsum(dispatch.probabilities(theta, items), axis=2)
    draws = np.random.default_rng(seed).random((len(theta), len(items)))
    return np.minimum((draws[..., None] > steps).sum(axis=2), items.n_categories - 1)


def everything(options):
    return np.ones(options.shape, dtype=bool)


def test_omega_is_standard_normal_for_pairs_who_worked_alone():
    items, theta = nominal_bank(), np.random.default_rng(2).normal(size=2000)
    options = chosen(items, theta, 3)
    pairs = [(person, person + 1) for person in range(0, 2000, 2)]
    found = omega(pairs, theta, options, everything(options), items)
    assert found.omega.mean() == pytest.approx(0.0, abs=0.1)
    assert found.omega.std() == pytest.approx(1.0, abs=0.07)
    assert kstest(found.p, "uniform").statistic < 0.06


def test_an_estimated_theta_keeps_the_level():
    items, theta = nominal_bank(), np.random.default_rng(4).normal(size=2000)
    options = chosen(items, theta, 5)
    estimate, _ = matrix_scores("eap", options, everything(options), items)
    pairs = [(person, person + 1) for person in range(0, 2000, 2)]
    found = omega(pairs, estimate, options, everything(options), items)
    assert (found.p < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_copying_a_third_of_the_options_is_found():
    items, theta = nominal_bank(), np.random.default_rng(6).normal(size=400)
    options = chosen(items, theta, 7)
    options[:200, ::3] = options[200:, ::3]
    estimate, _ = matrix_scores("eap", options, everything(options), items)
    pairs = [(person, person + 200) for person in range(200)]
    found = omega(pairs, estimate, options, everything(options), items)
    assert (found.p < 0.05).mean() > 0.7


def test_omega_equals_its_formula_over_the_items_in_common():
    items, theta = nominal_bank(30), np.array([0.3, -0.5])
    options = chosen(items, theta, 8)
    observed = everything(options)
    observed[0, :3] = observed[1, 5:8] = False
    both = observed.all(axis=0)
    chance = dispatch.probabilities(0.3, items)[0][np.arange(30), options[1]][both]
    matches = (options[0] == options[1])[both].sum()
    found = omega([(0, 1)], theta, options, observed, items)
    assert found.common.tolist() == [24]
    assert found.matches.tolist() == [matches]
    assert found.expected[0] == pytest.approx(chance.sum())
    expected = (matches - chance.sum()) / np.sqrt((chance * (1 - chance)).sum())
    assert found.omega[0] == pytest.approx(expected)


def test_too_few_common_items_are_not_estimable():
    items = nominal_bank()
    options = chosen(items, np.zeros(2), 9)
    observed = everything(options)
    observed[0, 19:] = False
    few = omega([(0, 1)], np.zeros(2), options, observed, items)
    assert few.estimable == (Estimable.FEW_COMMON,)
    assert np.isnan(few.omega[0])
    assert np.isnan(few.p[0])
    assert few.common.tolist() == [19]
    enough = omega([(0, 1)], np.zeros(2), options, observed, items, least_common=19)
    assert enough.estimable == (Estimable.YES,)


def test_scored_items_have_no_options():
    items = reference_bank("3pl")
    scores = np.zeros((2, 300), dtype=np.int64)
    found = omega([(0, 1)], np.zeros(2), scores, everything(scores), items)
    assert found.estimable == (Estimable.NO_OPTIONS,)


def test_a_copier_without_theta_is_not_estimable():
    items = nominal_bank()
    options = chosen(items, np.zeros(2), 10)
    found = omega([(0, 1), (1, 0)], np.array([np.nan, 0.0]), options, everything(options), items)
    assert found.estimable == (Estimable.NO_THETA, Estimable.YES)


def test_all_pairs_have_both_orders():
    assert all_pairs(3) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]


@pytest.mark.parametrize(
    ("pairs", "least", "message"),
    [
        ([(1, 1)], 20, "pairs of two persons"),
        ([(0, 2)], 20, "persons from 0 to 1"),
        ([(0, 1)], 0, "at least 1 common item"),
    ],
)
def test_impossible_pairs_are_refused(pairs, least, message):
    items = nominal_bank()
    options = chosen(items, np.zeros(2), 11)
    with pytest.raises(InputError, match=message):
        omega(pairs, np.zeros(2), options, everything(options), items, least_common=least)


def test_as_many_thetas_as_persons_are_needed():
    items = nominal_bank()
    options = chosen(items, np.zeros(2), 12)
    with pytest.raises(InputError, match="2 thetas"):
        omega([(0, 1)], np.zeros(3), options, everything(options), items)
