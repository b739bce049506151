import numpy as np
import pytest
from scipy import stats

from calibration.priors import (
    C_DEFAULT,
    Density,
    Priors,
    default_priors,
    parse_priors,
    prior_terms,
)
from engine.errors import InputError

ALL = Priors(a=Density(0.1, 0.5), b=Density(0.3, 2.0), c=C_DEFAULT, d=Density(2.9, 0.5))
LOCAL = {
    "logistic": np.array([[1.3, 0.4, -1.1, 2.5], [0.7, -1.0, -2.0, 3.0]]),
    "partial_credit": np.array([[1.3, 0.4, -0.2], [0.7, -1.0, np.nan]]),
    "graded": np.array([[1.3, 0.4, -0.2], [0.7, -1.0, np.nan]]),
}


def terms(family, local):
    free = np.isfinite(local)
    return prior_terms(ALL, family, local, free, np.zeros(len(local), dtype=bool))


def test_densities_are_those_of_scipy():
    value = terms("logistic", LOCAL["logistic"]).value[0]
    a, intercept, low, high = LOCAL["logistic"][0]
    expected = (
        stats.lognorm.logpdf(a, 0.5, scale=np.exp(0.1))
        + stats.norm.logpdf(-intercept / a, 0.3, 2.0)
        + stats.norm.logpdf(low, C_DEFAULT.mean, C_DEFAULT.sd)
        + stats.norm.logpdf(high, 2.9, 0.5)
    )
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("family", LOCAL)
def test_gradients_equal_numeric_differentiation(family):
    local, h = LOCAL[family], 1e-6
    gradient = terms(family, local).gradient
    for p in range(local.shape[1]):
        values = []
        for sign in (1, -1):
            near = local.copy()
            near[:, p] += sign * h
            values.append(terms(family, near).value)
        numeric = (values[0] - values[1]) / (2 * h)
        known = np.isfinite(local[:, p])
        np.testing.assert_allclose(gradient[known, p], numeric[known], atol=1e-6)


@pytest.mark.parametrize("family", LOCAL)
def test_curvatures_are_positive_semidefinite(family):
    for own in terms(family, LOCAL[family]).curvature:
        assert np.linalg.eigvalsh(own).min() > -1e-12


def test_a_common_slope_counts_once():
    local = np.tile([1.4, 0.2, -np.inf, np.inf], (3, 1))
    free = np.tile([True, True, False, False], (3, 1))
    prior = Priors(a=Density(0.0, 0.5))
    together = prior_terms(prior, "logistic", local, free, np.ones(3, dtype=bool))
    assert together.value.sum() == pytest.approx(stats.lognorm.logpdf(1.4, 0.5))


def test_defaults_are_for_asymptotes_only():
    assert default_priors(["2pl", "gpcm"]) == Priors()
    assert default_priors(["2pl", "3pl"]) == Priors(c=C_DEFAULT)
    assert default_priors(["4pl"]).d == Density(2.944, 0.5)


def test_priors_are_read_as_they_are_written():
    texts = ALL.text()
    assert parse_priors(texts, Priors()) == ALL
    assert parse_priors(["none"], ALL) == Priors()
    assert parse_priors([], ALL) == ALL
    assert parse_priors(["c = normal-logit(-1.5, 0.4)"], ALL).c == Density(-1.5, 0.4)


@pytest.mark.parametrize("text", ["a=normal(0,1)", "e=normal(0,1)", "c=normal-logit(0)", "a"])
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match="--prior: expected one of a=lognormal"):
        parse_priors([text], Priors())
