"""Nominal items wherever theta is estimated, bounded or reported."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import every_model_bank, nominal_bank

from engine.ability.estimates import ESTIMATORS, eap_scores, estimate, matrix_scores
from engine.ability.grids import Grid
from engine.models import dispatch

FINE = np.linspace(-4, 4, 8001)


def answered(items, n, seed):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(items))[:n]
    return rows.tolist(), (rng.integers(0, 99, n) % items.n_categories[rows]).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_estimates_are_the_tops_and_means_of_the_likelihood(seed):
    items = nominal_bank()
    rows, scores = answered(items, 12, seed)
    logs = dispatch.log_probabilities(FINE, items)[:, rows, scores].sum(axis=1)
    assert estimate("mle", rows, scores, items).theta == pytest.approx(
        FINE[logs.argmax()], abs=1e-3
    )
    posterior = logs - 0.5 * FINE**2
    within = Grid(-4, 4, 161)
    found = estimate("map", rows, scores, items, grid=within)
    assert found.theta == pytest.approx(FINE[posterior.argmax()], abs=1e-3)
    weights = np.exp(posterior - posterior.max())
    mean = weights @ FINE / weights.sum()
    assert estimate("eap", rows, scores, items, grid=within).theta == pytest.approx(mean, abs=1e-5)
    information = dispatch.information(FINE, items)[:, rows].sum(axis=1)
    # For an exponential family Warm's estimate is the top of log L + log I / 2.
    warm = FINE[(logs + 0.5 * np.log(information)).argmax()]
    assert estimate("wle", rows, scores, items).theta == pytest.approx(warm, abs=1e-3)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_a_matrix_with_all_models_is_scored_as_its_rows_are(method):
    items = every_model_bank()
    rng = np.random.default_rng(5)
    observed = rng.random((12, len(items))) < 0.15
    scores = rng.integers(0, 100, observed.shape) % items.n_categories
    theta, se = matrix_scores(method, scores, observed, items)
    for person in range(len(scores)):
        rows = np.flatnonzero(observed[person])
        one = estimate(method, rows.tolist(), scores[person, rows].tolist(), items)
        assert [theta[person], se[person]] == pytest.approx([one.theta, one.se], abs=1e-9)


def test_ability_is_recovered_from_nominal_answers():
    items = nominal_bank()
    rng = np.random.default_rng(7)
    truth = rng.normal(size=1500)
    chances = dispatch.probabilities(truth, items)
    drawn = rng.random(chances.shape[:2])
    scores = (drawn[..., None] >= np.cumsum(chances, axis=2)).sum(axis=2)
    scores = np.minimum(scores, items.n_categories - 1)
    theta, se = eap_scores(scores, np.ones(scores.shape, bool), items)
    z = (theta - truth) / se
    assert abs(z.mean()) < 0.1
    assert z.std() == pytest.approx(1.0, abs=0.06)


@settings(deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6))
def test_information_of_a_nominal_item_changes_no_faster_than_its_slopes_allow(theta, other):
    """The bound on which looking up the best items rests: the range of the slopes."""
    items = nominal_bank()
    steepness = np.nan_to_num(items.slopes)
    fastest = np.maximum(steepness.max(axis=1), 0) - np.minimum(steepness.min(axis=1), 0)
    log = np.log(dispatch.information([theta, other], items))
    assert (np.abs(log[1] - log[0]) <= fastest * abs(theta - other) + 1e-9).all()
