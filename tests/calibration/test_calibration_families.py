import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.families import log_probabilities, score_functions
from calibration.parameter_space import local_parameters
from engine.items import FAMILIES, item_parameters
from engine.models import dispatch

THETA = np.linspace(-6, 6, 25)
MODELS = ["rasch", "2pl", "3pl", "4pl", "pcm", "gpcm", "grm"]


def a_bank(model):
    rng = np.random.default_rng(7)
    dichotomous = FAMILIES[model] == "logistic"
    steps = np.sort(rng.normal(size=(5, 3)), axis=1)
    steps[3:, 2] = np.nan
    return item_parameters(
        list("abcde"),
        model,
        a=np.ones(5) if model in {"rasch", "pcm"} else rng.lognormal(0, 0.4, 5),
        b=rng.normal(size=5) if dichotomous else None,
        c=rng.uniform(0.05, 0.3, 5) if model in {"3pl", "4pl"} else None,
        d=rng.uniform(0.9, 0.99, 5) if model == "4pl" else None,
        thresholds=None if dichotomous else steps,
    )


def local_of(items, model):
    return local_parameters(items, np.arange(5), FAMILIES[model], 4)


@pytest.mark.parametrize("model", MODELS)
def test_probabilities_are_those_of_the_engine(model):
    items = a_bank(model)
    own = log_probabilities(FAMILIES[model], local_of(items, model), THETA)
    engine = dispatch.log_probabilities(THETA, items).transpose(1, 2, 0)
    np.testing.assert_allclose(np.exp(own), np.exp(engine), atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_score_functions_equal_numeric_differentiation(model):
    family = FAMILIES[model]
    local = local_of(a_bank(model), model)
    n_local = {"3pl": 3, "4pl": 4}.get(model, 2 if family == "logistic" else local.shape[1])
    scores = score_functions(family, local, THETA, n_local)
    h = 1e-6
    for p in range(n_local):
        moved = []
        for sign in (1, -1):
            near = local.copy()
            near[:, p] += sign * h
            moved.append(log_probabilities(family, near, THETA))
        with np.errstate(invalid="ignore"):
            numeric = (moved[0] - moved[1]) / (2 * h)
        known = np.isfinite(numeric)
        np.testing.assert_allclose(scores[..., p][known], numeric[known], atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_expected_scores_functions_are_0(model):
    family = FAMILIES[model]
    local = local_of(a_bank(model), model)
    n_local = 4
    p = np.exp(log_probabilities(family, local, THETA))[..., None]
    scores = score_functions(family, local, THETA, n_local)
    np.testing.assert_allclose((p * scores).sum(axis=1), 0.0, atol=1e-10)


@given(st.floats(0.01, 30), st.floats(-60, 60), st.floats(-12, 4), st.floats(0.1, 12))
def test_logistic_items_stay_finite_at_the_ends_of_their_range(slope, intercept, low, above):
    local = np.array([[slope, intercept, low, low + above]])
    log_p = log_probabilities("logistic", local, THETA)
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0)
    assert np.isfinite(score_functions("logistic", local, THETA, 4)).all()


@given(st.floats(0.01, 30), st.lists(st.floats(-60, 60), min_size=2, max_size=4, unique=True))
def test_polytomous_items_stay_finite_at_the_ends_of_their_range(slope, intercepts):
    falling = np.array([[slope, *sorted(intercepts, reverse=True)]])
    for family in ("partial_credit", "graded"):
        log_p = log_probabilities(family, falling, THETA)
        assert not np.isnan(log_p).any()
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0, atol=1e-9)
        assert np.isfinite(score_functions(family, falling, THETA, falling.shape[1])).all()
