from dataclasses import replace

import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.exposure.rules import ExposureRules
from engine.results.decisions import Level
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate
from engine.simulation.summary import summarise

SHARES = (("A", 0.5), ("B", 0.5))


def simulated(n=200, **changes):
    design = ExamDesign(stop=StoppingRules(length=10), **changes)
    theta = np.random.default_rng(1).normal(size=n)
    return simulate(mixed_bank(), design, theta=theta, seed=1)


def test_accuracy_is_what_its_words_say():
    found = simulated()
    accuracy = summarise(found).accuracy
    error = found.final_theta - found.true_theta
    assert accuracy.bias == pytest.approx(error.mean())
    assert accuracy.rmse == pytest.approx(np.sqrt((error**2).mean()))
    assert accuracy.coverage_95 == pytest.approx(
        (abs(error) <= 1.96 * found.final_se).mean(), abs=0.01
    )
    assert accuracy.mean_length == 10.0


def test_exposure_rates_add_up_to_the_length_of_the_test():
    assert summarise(simulated()).exposure.sum() == pytest.approx(10.0)


def test_overlap_is_the_mean_share_of_common_items_over_pairs():
    found = simulated(n=25)
    shared = [
        len(set(found.rows[i]) & set(found.rows[j])) / 10 for i in range(25) for j in range(i)
    ]
    assert summarise(found).overlap == pytest.approx(np.mean(shared))


def test_one_examinee_overlaps_with_nobody():
    assert summarise(simulated(n=1)).overlap is None


def test_a_balanced_test_violates_no_blueprint_and_an_unbalanced_one_does():
    found = simulated(content_shares=SHARES)
    assert summarise(found).blueprint_violations == 0
    unbalanced = replace(simulated(), design=found.design)
    assert summarise(unbalanced).blueprint_violations > 100


def test_bands_cover_everyone_once():
    bands = summarise(simulated()).bands
    assert sum(band.accuracy.n for band in bands) == 200
    assert [band.theta for band in bands] == sorted(band.theta for band in bands)


def test_few_thetas_are_bands_of_their_own():
    design = ExamDesign(stop=StoppingRules(length=5))
    found = simulate(mixed_bank(), design, theta=np.tile([-1.3, 0.2], 10))
    assert [band.theta for band in summarise(found).bands] == [-1.3, 0.2]


def test_without_true_thetas_the_target_is_compared_and_nothing_is_covered():
    scores = np.zeros((6, 140), dtype=np.int64)
    found = simulate(mixed_bank(), ExamDesign(stop=StoppingRules(length=10)), scores=scores)
    summary = summarise(found, found.final_theta - 0.5)
    assert summary.accuracy.bias == pytest.approx(0.5)
    assert summary.accuracy.coverage_95 is None
    assert summary.bands == ()
    assert summarise(found).accuracy.bias is None


def test_reasons_are_counted():
    assert summarise(simulated()).stop_reasons == {"length": 200}


def test_bands_give_error_of_measurement_exposure_and_overlap_by_theta():
    design = ExamDesign(stop=StoppingRules(length=15), final="wle")
    found = simulate(mixed_bank(), design, theta=np.repeat([-1.0, 0.5], 400), seed=2)
    for band in summarise(found).bands:
        here = found.true_theta == band.theta
        assert band.sem_simulated == pytest.approx(found.final_theta[here].std(ddof=1))
        assert band.sem_simulated == pytest.approx(band.sem_information, rel=0.15)
        met = [(found.rows[here] == row).any(axis=1).mean() for row in range(140)]
        assert band.max_exposure == pytest.approx(max(met))
        assert band.overlap > summarise(found).overlap


def test_decisions_are_summarised_where_there_are_levels():
    levels = (Level("fail", 200.0), Level("pass", 530.0))
    decisions = summarise(simulated(n=1500, levels=levels)).decisions
    assert decisions.cuts == pytest.approx((0.295,))
    assert decisions.simulated.accuracy == pytest.approx(decisions.expected.accuracy, abs=0.03)
    assert decisions.simulated.consistency == pytest.approx(
        decisions.expected.consistency, abs=0.04
    )
    assert summarise(simulated()).decisions is None


def test_limits_that_yield_are_counted_by_name():
    found = simulated(n=150, exposure=ExposureRules(ceiling=0.01))
    assert summarise(found).yielded["ceiling"] > 0
    assert summarise(simulated()).yielded == {}
