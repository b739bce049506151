import numpy as np
import pytest
from support.reference_banks import every_model_bank, mixed_bank

from engine.ability.priors import Prior
from engine.ability.sum_scores import total_chances
from engine.curves import characteristic_curve, conditional_sem, form_information, total_sem
from engine.items import item_parameters

THETA = np.linspace(-4, 4, 17)


def test_the_characteristic_curve_is_the_mean_of_the_totals():
    items = every_model_bank().subset(range(0, 160, 5))
    chances = total_chances(THETA, items)
    totals = np.arange(chances.shape[1])
    np.testing.assert_allclose(characteristic_curve(THETA, items), chances @ totals, rtol=1e-10)


def test_the_error_of_totals_is_their_standard_deviation():
    items = every_model_bank().subset(range(0, 160, 5))
    chances = total_chances(THETA, items)
    totals = np.arange(chances.shape[1])
    mean = chances @ totals
    spread = np.sqrt((chances * (totals - mean[:, None]) ** 2).sum(axis=1))
    np.testing.assert_allclose(total_sem(THETA, items), spread, rtol=1e-9)


def test_the_curve_of_right_answers_rises_from_guessing_to_the_upper_asymptotes():
    items = item_parameters(["x", "y"], "4pl", a=1.2, b=[0, 1], c=[0.2, 0.1], d=[0.9, 0.95])
    low, high = characteristic_curve([-200.0, 200.0], items)
    assert [low, high] == pytest.approx([0.3, 1.85])
    assert (np.diff(characteristic_curve(THETA, items)) > 0).all()


def test_the_slope_of_a_2pl_curve_gives_its_information():
    """TCC'^2 <= I var(total), with equality where all a are the same."""
    items = item_parameters(["x", "y", "z"], "2pl", a=1.4, b=[-1.0, 0.2, 0.9])
    rise = characteristic_curve(THETA + 1e-5, items) - characteristic_curve(THETA - 1e-5, items)
    slope = rise / 2e-5
    expected = form_information(THETA, items) * total_sem(THETA, items) ** 2
    np.testing.assert_allclose(slope**2, expected, rtol=1e-6)


def test_conditional_error_is_the_root_of_the_information():
    items = mixed_bank()
    information = form_information(THETA, items)
    np.testing.assert_allclose(conditional_sem(THETA, items), information**-0.5)
    with_prior = conditional_sem(THETA, items, prior=Prior(0.0, 0.5))
    np.testing.assert_allclose(with_prior, (information + 4.0) ** -0.5)


def test_without_information_the_error_is_infinite_or_the_priors():
    far = item_parameters(["x"], "3pl", a=30.0, b=0.0, c=0.2)
    assert np.isinf(conditional_sem(-500.0, far)[0]) or conditional_sem(-500.0, far)[0] > 1e100
    assert conditional_sem(-500.0, far, prior=Prior(0.0, 2.0))[0] == pytest.approx(2.0)
