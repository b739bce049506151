import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal

from engine.aberrance.response_times import fit_times, speeds, time_residuals, times, too_fast
from engine.errors import InputError

N_PERSONS, N_ITEMS = 1500, 80


def simulated(seed=1, n_persons=N_PERSONS, each=25, sd=0.35):
    """Everyone meets 25 of 80 items."""
    rng = np.random.default_rng(seed)
    beta, alpha = rng.normal(4, 0.5, N_ITEMS), rng.uniform(1.2, 3.0, N_ITEMS)
    tau = rng.normal(0, sd, n_persons)
    row = np.argsort(rng.random((n_persons, N_ITEMS)), axis=1)[:, :each].ravel()
    person = np.repeat(np.arange(n_persons), each)
    logs = beta[row] - tau[person] + rng.normal(size=len(row)) / alpha[row]
    given = times(person, row, np.exp(logs), n_persons=n_persons, n_items=N_ITEMS)
    return given, beta, alpha, tau


def test_known_parameters_are_recovered():
    given, beta, alpha, tau = simulated()
    fit = fit_times(given)
    assert fit.converged
    assert np.sqrt(((fit.intensity - beta) ** 2).mean()) < 0.04
    assert np.sqrt((((fit.discrimination - alpha) / alpha) ** 2).mean()) < 0.05
    assert (fit.discrimination / alpha).mean() == pytest.approx(1.0, abs=0.01)
    assert fit.speed_sd == pytest.approx(0.35, abs=0.02)
    found = speeds(given, fit)
    z = (found.tau - tau) / found.se
    assert z.mean() == pytest.approx(0.0, abs=0.2)
    assert z.std() == pytest.approx(1.0, abs=0.06)
    assert np.corrcoef(found.eap, tau)[0, 1] > 0.95


def test_discrimination_is_not_inflated_by_few_times_for_each_person():
    given, _, alpha, _ = simulated(seed=2, n_persons=6000, each=4)
    fit = fit_times(given)
    assert (fit.discrimination / alpha).mean() == pytest.approx(1.0, abs=0.02)


def test_the_fit_is_a_maximum_of_the_marginal_likelihood():
    """A dense table: the log likelihood is that of a multivariate normal, and flat at the fit."""
    rng = np.random.default_rng(3)
    n, k = 200, 5
    logs = rng.normal(3, 0.4, (n, 1)) + rng.normal(0, 0.5, (n, k)) + np.arange(k) / 5
    person, row = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    given = times(person, row, np.exp(logs).ravel(), n_persons=n, n_items=k)
    fit = fit_times(given, tolerance=1e-12, max_cycles=5000)
    assert fit.converged

    def height(beta, alpha, sd):
        covariance = np.diag(alpha**-2.0) + sd**2
        return multivariate_normal(beta, covariance).logpdf(logs).sum()

    top = height(fit.intensity, fit.discrimination, fit.speed_sd)
    assert fit.log_likelihood == pytest.approx(top, abs=1e-6)
    for step in (-0.01, 0.01):
        for place in range(k):
            moved = np.eye(k)[place] * step
            assert height(fit.intensity + moved, fit.discrimination, fit.speed_sd) < top
            assert height(fit.intensity, fit.discrimination + moved, fit.speed_sd) < top
        assert height(fit.intensity, fit.discrimination, fit.speed_sd + step) < top


def test_residuals_are_standard_normal_and_too_fast_keeps_its_level():
    given, *_ = simulated(seed=4)
    residuals = time_residuals(given, fit_times(given))
    assert kstest(residuals, "norm").statistic < 0.01
    assert too_fast(residuals, 0.01).mean() == pytest.approx(0.01, abs=0.002)


def test_misfit_is_uniform_for_those_who_fit_and_small_for_uneven_times():
    given, *_ = simulated(seed=5)
    fit = fit_times(given)
    assert kstest(speeds(given, fit).misfit_p, "uniform").statistic < 0.05
    rushed = (given.person < 100) & (np.arange(len(given.person)) % 2 == 0)
    uneven = times(
        given.person,
        given.row,
        np.exp(given.logs - 1.5 * rushed),
        n_persons=given.n_persons,
        n_items=given.n_items,
    )
    assert (speeds(uneven, fit).misfit_p[:100] < 0.05).mean() > 0.9


def test_knowing_some_items_beforehand_shows():
    given, *_ = simulated(seed=6)
    fit = fit_times(given)
    known = (given.person < 60) & (given.row < 15)
    leaked = times(
        given.person,
        given.row,
        np.exp(given.logs - 1.6 * known),
        n_persons=given.n_persons,
        n_items=given.n_items,
    )
    flags = too_fast(time_residuals(leaked, fit), 0.01)
    assert flags[known].mean() > 0.5
    assert flags[given.person >= 60].mean() < 0.015


def test_what_cannot_be_estimated_is_said_to():
    given, *_ = simulated(seed=7, n_persons=200)
    few = given.only((given.row != 3) & (given.person != 8))
    fit = fit_times(few)
    assert np.flatnonzero(np.isnan(fit.intensity)).tolist() == [3]
    assert np.isnan(fit.discrimination[3])
    found = speeds(few, fit)
    assert np.isnan(found.tau[8])
    assert np.isinf(found.se[8])
    assert np.isnan(found.misfit_p[8])
    assert found.eap[8] == 0.0
    assert found.sd[8] == pytest.approx(fit.speed_sd)
    residuals = time_residuals(given, fit)
    assert np.isnan(residuals[given.row == 3]).all()
    assert not too_fast(residuals)[given.row == 3].any()


def test_without_enough_times_nothing_is_fitted():
    fit = fit_times(times(np.arange(3), np.zeros(3, int), np.ones(3), n_persons=3, n_items=2))
    assert not fit.converged
    assert np.isnan(fit.intensity).all()
    assert np.isnan(fit.speed_sd)


@pytest.mark.parametrize(
    ("person", "row", "seconds", "message"),
    [
        ([0], [0], [0.0], "1: expected seconds above 0, found 0.0"),
        ([0], [0], [np.nan], "seconds above 0"),
        ([2], [0], [1.0], "person: expected from 0 to 1"),
        ([0], [-1], [1.0], "row: expected from 0 to 2"),
        ([0, 1], [0], [1.0], "as many persons as rows"),
    ],
)
def test_impossible_times_are_refused(person, row, seconds, message):
    with pytest.raises(InputError, match=message):
        times(np.array(person), np.array(row), np.array(seconds), n_persons=2, n_items=3)


def test_a_level_out_of_range_is_refused():
    with pytest.raises(InputError, match="between 0 and 1"):
        too_fast(np.zeros(2), 1.0)
