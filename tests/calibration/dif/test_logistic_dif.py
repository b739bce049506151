import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from calibration.dif.cumulative_logit import fit_cumulative
from calibration.dif.logistic import jodoin_gierl_class, logistic
from calibration.dif.study import study
from calibration.dif.ways import Options


def test_two_categories_maximise_the_logistic_likelihood():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2))
    y = (rng.random(400) < expit(0.3 + x @ [1.0, -0.5])).astype(int)
    found = fit_cumulative(x, np.column_stack((1 - y, y)).astype(float))

    def minus(beta):
        eta = beta[0] + x @ beta[1:]
        return -(y * eta - np.logaddexp(0, eta)).sum()

    best = minimize(minus, np.zeros(3), tol=1e-12)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-8)
    assert found.beta == pytest.approx(best.x[1:], abs=1e-4)


def test_more_categories_maximise_the_cumulative_likelihood():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 1))
    cuts = np.array([1.0, -0.2, -1.5])
    y = (rng.random((500, 1)) < expit(cuts + 0.8 * x)).sum(axis=1) * 0
    u = rng.random((500, 1))
    y = (u < expit(cuts + 0.8 * x)).sum(axis=1)
    counts = np.eye(4)[y]
    found = fit_cumulative(x, counts)

    def minus(point):
        alpha = point[0] - np.cumsum(np.concatenate(([0.0], np.exp(point[1:3]))))
        above = expit(alpha + point[3] * x)
        p = -np.diff(np.hstack((np.ones((500, 1)), above, np.zeros((500, 1)))), axis=1)
        return -np.log(p[np.arange(500), y]).sum()

    best = minimize(minus, [1.0, 0.0, 0.0, 0.0], tol=1e-12)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-7)
    assert found.beta[0] == pytest.approx(best.x[3], abs=1e-3)


def test_separated_scores_have_no_maximum():
    x = np.array([[-1.0], [1.0]])
    found = fit_cumulative(x, np.array([[10.0, 0.0], [0.0, 10.0]]))
    assert np.isnan(found.log_likelihood)
    focal = np.arange(20) % 2 > 0
    said = logistic(focal.astype(int), focal, np.arange(20.0) // 4, 2)
    assert np.isnan(said.statistic)
    assert "separate" in said.note


def test_uniform_and_non_uniform_steps_add_to_the_statistic(simulated):
    (found,) = study(simulated, Options(method="logistic", purify=False))
    by_item = {result.item: result.first for result in found.results}
    for own in by_item.values():
        assert own.df == 2
        assert own.statistic == pytest.approx(own.more["uniform"] + own.more["nonuniform"])
        assert own.effect >= -1e-12
    assert by_item["i14"].more["nonuniform_p"] < 1e-6
    assert by_item["i09"].more["uniform_p"] < 1e-4
    assert by_item["i09"].more["nonuniform_p"] > 0.01
    assert by_item["i03"].more["log_odds"] < 0 < by_item["i09"].more["log_odds"]


@pytest.mark.parametrize(
    ("change", "p", "letter"),
    [(0.03, 0.001, "A"), (0.035, 0.001, "B"), (0.07, 0.001, "C"), (0.2, 0.06, "A")],
)
def test_classes_of_jodoin_and_gierl(change, p, letter):
    assert jodoin_gierl_class(change, p) == letter


def test_an_item_that_does_not_vary_is_blank():
    found = logistic(np.zeros(10, int), np.arange(10) % 2 > 0, np.arange(10.0), 2)
    assert np.isnan(found.p)
    assert "does not vary" in found.note
