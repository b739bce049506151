"""Accuracy and consistency: against simulation, and against the shortcut that understates."""

import numpy as np
import pytest
from support.reference_banks import reference_bank

from engine.ability.priors import Prior
from engine.models import dispatch
from engine.results.classification_accuracy import (
    conditional_sem,
    expected_estimate,
    level_chances,
    levels_at,
    rudner_rates,
    simulated_rates,
)
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate

CUTS = (-0.5, 0.7)
PRIOR = Prior()


def normal_estimates(n, se, seed):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    return theta, theta + rng.normal(scale=se, size=n), theta + rng.normal(scale=se, size=n)


def test_rudners_rates_are_those_of_normal_estimates():
    theta, first, second = normal_estimates(200_000, 0.35, 1)
    found = rudner_rates(theta, np.full(len(theta), 0.35), CUTS)
    decided = [levels_at(values, CUTS) for values in (first, second)]
    true = levels_at(theta, CUTS)
    assert found.accuracy == pytest.approx((decided[0] == true).mean(), abs=0.004)
    assert found.consistency == pytest.approx((decided[0] == decided[1]).mean(), abs=0.004)
    assert found.too_high == pytest.approx((decided[0] > true).mean(), abs=0.004)
    assert found.too_low == pytest.approx((decided[0] < true).mean(), abs=0.004)
    assert found.accuracy + found.too_high + found.too_low == pytest.approx(1.0)


def test_neighbours_are_as_good_as_a_second_test():
    theta, first, second = normal_estimates(20_000, 0.35, 2)
    found = simulated_rates(theta, first, CUTS)
    again = (levels_at(first, CUTS) == levels_at(second, CUTS)).mean()
    assert found.consistency == pytest.approx(again, abs=0.012)
    assert found.accuracy == pytest.approx(
        (levels_at(first, CUTS) == levels_at(theta, CUTS)).mean()
    )


def test_without_estimates_there_are_no_rates():
    assert simulated_rates(np.zeros(3), np.full(3, np.nan), CUTS) is None


@pytest.mark.parametrize("estimator", ["eap", "map", "mle", "wle"])
def test_rates_and_errors_from_information_agree_with_a_simulated_test(estimator):
    items, n = reference_bank("3pl"), 2500
    theta = np.random.default_rng(3).normal(size=n)
    design = ExamDesign(interim="eap", final=estimator, stop=StoppingRules(length=25))
    found = simulate(items, design, theta=theta, seed=4)
    information = dispatch.paired("information", theta, found.rows, items).sum(axis=1)
    se = conditional_sem(estimator, information, PRIOR)
    center = expected_estimate(estimator, theta, information, PRIOR)
    expected = rudner_rates(theta, se, (0.0,), center=center)
    actual = simulated_rates(theta, found.final_theta, (0.0,))
    assert expected.accuracy == pytest.approx(actual.accuracy, abs=0.02)
    assert expected.consistency == pytest.approx(actual.consistency, abs=0.03)
    middle = abs(theta) < 1
    spread = (found.final_theta - center)[middle].std()
    assert spread == pytest.approx(se[middle].mean(), rel=0.12)


def test_the_posterior_shortcut_understates_consistency():
    """P^2 + (1 - P)^2 from EAP and its posterior standard deviation, against a second test."""
    items, n = reference_bank("3pl"), 4000
    theta = np.random.default_rng(5).normal(size=n)
    design = ExamDesign(stop=StoppingRules(length=8))
    first, second = (simulate(items, design, theta=theta, seed=seed) for seed in (6, 7))
    chance = level_chances(first.final_theta, first.final_se, (1.0,))
    shortcut = (chance**2).sum(axis=1).mean()
    again = (levels_at(first.final_theta, (1.0,)) == levels_at(second.final_theta, (1.0,))).mean()
    assert shortcut < again - 0.02
    neighbours = simulated_rates(theta, first.final_theta, (1.0,)).consistency
    assert neighbours == pytest.approx(again, abs=0.02)


def test_no_information_leaves_the_prior_mean_without_error_and_mle_without_bound():
    nothing = np.zeros(1)
    assert conditional_sem("eap", nothing, PRIOR).tolist() == [0.0]
    assert expected_estimate("eap", np.ones(1), nothing, Prior(0.3, 1.0)).tolist() == [0.3]
    assert np.isinf(conditional_sem("mle", nothing, PRIOR)).all()


def test_weights_count_thetas():
    theta, se = np.array([-1.0, 1.0]), np.array([0.5, 0.2])
    doubled = rudner_rates(np.repeat(theta, (1, 3)), np.repeat(se, (1, 3)), (0.0,))
    weighted = rudner_rates(theta, se, (0.0,), weights=np.array([1.0, 3.0]))
    assert weighted.accuracy == pytest.approx(doubled.accuracy)
    assert weighted.consistency == pytest.approx(doubled.consistency)
