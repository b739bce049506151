"""The recursion against enumeration, and facts of sum scores."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import every_model_bank, mixed_bank, reference_bank

from engine.ability.estimates import Prior, estimate_eap
from engine.ability.grids import Grid
from engine.ability.sum_scores import (
    estimate_from_sum,
    log_total_chances,
    sum_score_table,
    sum_scores,
    total_chances,
)
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

THETA = np.array([-1.5, 0.0, 0.7, 2.0])


def every_answer(items):
    return itertools.product(*(range(n) for n in items.n_categories.tolist()))


def test_chances_of_totals_are_those_of_all_answers_that_add_up_to_them():
    """Dichotomous, graded, partial credit and nominal items mixed: 4PL, 3PL, GRM, GPCM, NRM."""
    items = every_model_bank().subset([2, 40, 70, 110, 143])
    logs = dispatch.log_probabilities(THETA, items)
    found = total_chances(THETA, items)
    expected = np.zeros_like(found)
    for scores in every_answer(items):
        expected[:, sum(scores)] += np.exp(logs[:, range(5), scores].sum(axis=1))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_theta_of_a_total_is_the_mean_over_the_answers_that_give_it():
    items = mixed_bank().subset([2, 40, 70, 110])
    table = sum_score_table(items)
    points = Grid().points
    weights = Prior().log_density(points) + Grid().log_weights
    logs = dispatch.log_probabilities(points, items)
    posterior = np.zeros((len(table.total), len(points)))
    for scores in every_answer(items):
        posterior[sum(scores)] += np.exp(logs[:, range(4), scores].sum(axis=1) + weights)
    chance = posterior.sum(axis=1)
    mean = posterior @ points / chance
    variance = posterior @ points**2 / chance - mean**2
    np.testing.assert_allclose(table.theta, mean, atol=1e-12)
    np.testing.assert_allclose(table.se, np.sqrt(variance), atol=1e-9)
    np.testing.assert_allclose(table.chance, chance / chance.sum(), rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_for_rasch_items_the_total_says_all_that_the_answers_say(scores):
    items = item_parameters([f"r{k}" for k in range(12)], "rasch", a=1.0, b=np.linspace(-2, 2, 12))
    found = estimate_from_sum(sum(scores), items)
    expected = estimate_eap(range(12), scores, items)
    assert [found.theta, found.se] == pytest.approx([expected.theta, expected.se], abs=1e-10)


def test_a_matrix_is_scored_form_by_form():
    items = mixed_bank().subset([2, 40, 70, 110, 30])
    observed = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [0] * 5], dtype=bool)
    scores = np.array([[1, 0, 2, 1, 1], [1, 9, 0, 9, 0], [0, 9, 3, 9, 1], [9] * 5])
    theta, se = sum_scores(scores, observed, items, prior=Prior(0.2, 0.9))
    for person in range(3):
        total = int(scores[person, observed[person]].sum())
        some = items.subset(observed[person])
        one = estimate_from_sum(total, some, prior=Prior(0.2, 0.9))
        assert [theta[person], se[person]] == [one.theta, one.se]
    assert [theta[3], se[3]] == pytest.approx([0.2, 0.9], abs=1e-5)


def test_chances_add_up_to_1_and_theta_rises_with_the_total():
    items = mixed_bank()
    table = sum_score_table(items)
    assert len(table.total) == int((items.n_categories - 1).sum()) + 1
    assert table.chance.sum() == pytest.approx(1.0)
    assert (np.diff(table.theta) > 0).all()
    np.testing.assert_allclose(np.exp(log_total_chances(THETA, items)).sum(axis=1), 1.0)


def test_the_mean_of_the_estimates_is_that_of_the_prior():
    """And their variance with the mean posterior variance is the prior's."""
    table = sum_score_table(reference_bank("3pl").subset(range(40)), prior=Prior(0.3, 0.8))
    mean = table.chance @ table.theta
    assert mean == pytest.approx(0.3, abs=1e-6)
    variance = table.chance @ ((table.theta - mean) ** 2 + table.se**2)
    assert variance == pytest.approx(0.64, abs=1e-6)


def test_the_order_of_the_items_does_not_matter():
    items = mixed_bank()
    one = sum_score_table(items)
    other = sum_score_table(items.subset(np.arange(140)[::-1]))
    np.testing.assert_allclose(other.theta, one.theta, atol=1e-10)
    np.testing.assert_allclose(other.se, one.se, atol=1e-10)


def test_long_forms_do_not_underflow():
    items = item_parameters([f"i{k}" for k in range(600)], "2pl", a=2.5, b=1.0)
    table = sum_score_table(items)
    assert np.isfinite(table.theta).all()
    assert np.isfinite(table.se).all()


def test_a_total_that_the_form_cannot_have_is_refused():
    items = mixed_bank().subset([2, 70])
    top = int((items.n_categories - 1).sum())
    for total in (-1, top + 1):
        with pytest.raises(InputError, match=f"total: expected a total from 0 to {top}"):
            estimate_from_sum(total, items)
