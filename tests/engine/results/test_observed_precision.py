from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.ability.priors import Prior
from engine.items import item_parameters
from engine.results.classification_accuracy import levels_at
from engine.results.observed_precision import (
    POINTS,
    BinnedEstimates,
    empirical_reliability,
    information_behind,
    observed_rates,
    population_behind,
)
from engine.rules.stopping import StoppingRules
from engine.session import ExamDesign
from engine.simulation.run import simulate

N = 6000
CUTS = (-0.2, 1.2)


def bank(n=150):
    rng = np.random.default_rng(4)
    names = [f"I{i:03d}" for i in range(n)]
    return item_parameters(names, ["2pl"] * n, a=rng.uniform(0.8, 1.8, n), b=rng.normal(0, 1.2, n))


def binned(theta, se, width=0.1):
    _places, index = np.unique(np.floor(theta / width), return_inverse=True)
    n = np.bincount(index).astype(float)
    mean = np.bincount(index, theta) / n
    return BinnedEstimates(n, mean, np.bincount(index, se**2) / n)


def two_sittings(estimator, mean, sd):
    design = ExamDesign(final=estimator, stop=StoppingRules(length=18), randomesque=3)
    theta = np.random.default_rng(9).normal(mean, sd, N)
    return design, theta, [simulate(bank(), design, theta=theta, seed=seed) for seed in (1, 2)]


@pytest.mark.parametrize(
    ("estimator", "mean", "sd"), [("eap", 0.0, 1.0), ("eap", 0.6, 0.8), ("wle", 0.0, 1.0)]
)
def test_rates_from_one_cohort_agree_with_two_simulated_sittings_within_two_points(
    estimator, mean, sd
):
    design, theta, (first, second) = two_sittings(estimator, mean, sd)
    decided, again = (levels_at(one.final_theta, CUTS) for one in (first, second))
    true = levels_at(theta, CUTS)

    prior = Prior(design.prior_mean, design.prior_sd)
    rates = observed_rates(estimator, binned(first.final_theta, first.final_se), CUTS, prior)

    assert rates.accuracy == pytest.approx((decided == true).mean(), abs=0.02)
    assert rates.consistency == pytest.approx((decided == again).mean(), abs=0.02)
    assert rates.too_high == pytest.approx((decided > true).mean(), abs=0.02)
    assert rates.too_low == pytest.approx((decided < true).mean(), abs=0.02)


@pytest.mark.parametrize("estimator", ["eap", "wle"])
def test_reliability_is_the_correlation_of_two_sittings(estimator):
    _, _, (first, second) = two_sittings(estimator, 0.0, 1.0)

    found = empirical_reliability(
        estimator, float(first.final_theta.var()), float((first.final_se**2).mean())
    )

    both = np.corrcoef(first.final_theta, second.final_theta)[0, 1]
    assert found == pytest.approx(both, abs=0.02)


@pytest.mark.parametrize("estimator", ["eap", "wle"])
def test_the_population_behind_estimates_has_the_moments_of_the_abilities(estimator):
    _, theta, (first, _) = two_sittings(estimator, 0.0, 1.0)

    shares = population_behind(estimator, binned(first.final_theta, first.final_se))

    mean = shares @ POINTS
    assert shares.sum() == pytest.approx(1)
    assert mean == pytest.approx(theta.mean(), abs=0.05)
    assert np.sqrt(shares @ (POINTS - mean) ** 2) == pytest.approx(theta.std(), abs=0.05)


def test_information_and_standard_error_lead_back_to_each_other():
    information = np.array([0.5, 4.0, 25.0])
    prior = Prior(0.0, 0.8)

    np.testing.assert_allclose(information_behind("mle", 1 / information, prior), information)
    posterior = 1 / (information + prior.sd**-2)
    np.testing.assert_allclose(information_behind("eap", posterior, prior), information)


def test_where_nothing_varies_or_nobody_sat_there_is_no_figure():
    one = BinnedEstimates(np.array([1.0]), np.array([0.0]), np.array([0.1]))

    assert empirical_reliability("eap", 0.0, 0.1) is None
    assert observed_rates("eap", one, CUTS, Prior(0, 1)) is None
    assert observed_rates("eap", replace(one, n=np.array([2.0])), CUTS, Prior(0, 1)) is not None
