import numpy as np
import pytest
from support.group_data import drawn

from calibration.fit_check.check import Options, fit_check
from calibration.fit_check.dimensionality import parallel_analysis
from calibration.fit_check.reliability import cronbach_alpha
from calibration.fit_check.residuals import residuals
from calibration.item_fit import item_fit
from calibration.matrix import from_dense
from calibration.mml import Settings, at_parameters
from engine.errors import InputError
from engine.items import item_parameters


def form(rng, n, n_items, second=0.0):
    a, b = rng.uniform(0.9, 1.7, n_items), rng.normal(0, 0.8, n_items)
    other = np.outer(rng.normal(size=n), np.arange(n_items) < n_items // 2) * second
    scores = drawn(rng, rng.normal(size=n), a, b - other)
    names = [f"i{k}" for k in range(n_items)]
    return from_dense(scores, item=names), item_parameters(names, "2pl", a=a, b=b)


def test_one_dimension_is_counted_as_one_and_two_as_two():
    rng = np.random.default_rng(1)
    assert parallel_analysis(form(rng, 800, 12)[0], draws=15).n_dimensions == 1
    two = parallel_analysis(form(rng, 800, 12, second=2.0)[0], draws=15)
    assert two.n_dimensions == 2
    assert sum(two.eigenvalues) == pytest.approx(12)
    assert list(two.eigenvalues) == sorted(two.eigenvalues, reverse=True)


def test_without_any_relation_no_dimension_is_above_chance():
    scores = np.random.default_rng(2).integers(0, 2, (500, 8))
    assert parallel_analysis(from_dense(scores), draws=40).n_dimensions <= 1


def test_the_same_seed_gives_the_same_chance():
    matrix, _items = form(np.random.default_rng(3), 200, 6)
    one, other = (parallel_analysis(matrix, draws=5, seed=4) for _ in range(2))
    assert one.chance_95 == other.chance_95
    assert one.chance_95 != parallel_analysis(matrix, draws=5, seed=5).chance_95


def test_routed_and_trivial_data_have_no_parallel_analysis():
    matrix, _items = form(np.random.default_rng(3), 60, 6)
    scores = matrix.dense()[0]
    assert "routed" in parallel_analysis(from_dense(scores, routed=True)).note
    assert parallel_analysis(matrix, draws=0).note == "not asked for"
    assert "items vary" in parallel_analysis(from_dense(scores[:, :2])).note


def test_alpha_is_worked_by_hand():
    matrix = from_dense([[1, 1, 1], [0, 0, 0], [1, 1, 0], [1, 0, 0]])
    alpha, note = cronbach_alpha(matrix)
    assert alpha == pytest.approx(1.5 * (1 - (1 / 4 + 1 / 3 + 1 / 4) / (5 / 3)))
    assert note == ""
    assert np.isnan(cronbach_alpha(from_dense([[1, 1], [0, 0], [1, 0]], routed=True))[0])


def test_residuals_of_the_true_model_stay_within_their_errors():
    rng = np.random.default_rng(5)
    matrix, items = form(rng, 1500, 15)
    found = at_parameters(matrix, items, Settings())
    own = residuals(matrix, found)
    near = np.abs(found.theta) < 1.5
    assert np.abs(own.standardised[:, near]).mean() < 1.5
    assert np.nanmax(np.abs(own.observed - own.expected)[:, near]) < 0.15


def test_a_wrong_difficulty_is_seen_in_residuals_with_its_direction():
    rng = np.random.default_rng(6)
    matrix, items = form(rng, 1500, 15)
    b = items.b.copy()
    b[3] -= 0.8
    wrong = item_parameters(items.item, "2pl", a=items.a, b=b)
    found = at_parameters(matrix, wrong, Settings())
    value, where = residuals(matrix, found).worst(found.theta)
    assert np.argmax(np.abs(value)) == 3
    assert value[3] < -5
    assert abs(where[3]) < 3


def test_residuals_are_the_sums_over_persons():
    matrix, items = form(np.random.default_rng(7), 60, 4)
    found = at_parameters(matrix, items, Settings())
    own = residuals(matrix, found)
    posterior = _posteriors(matrix, items, found.theta)
    x = matrix.dense()[0][:, 1].astype(float)
    at = 30
    h = posterior[:, at]
    expected = own.expected[1, at]
    assert own.observed[1, at] == pytest.approx(h @ x / h.sum())
    error = np.sqrt(h**2 @ (x - expected) ** 2) / h.sum()
    assert own.standardised[1, at] == pytest.approx((own.observed[1, at] - expected) / error)


def _posteriors(matrix, items, theta):
    p = 1 / (1 + np.exp(-items.a * (theta[:, None] - items.b)))
    x = matrix.dense()[0]
    like = np.exp(x @ np.log(p).T + (1 - x) @ np.log(1 - p).T) * np.exp(-0.5 * theta**2)
    return like / like.sum(axis=1, keepdims=True)


def test_item_fit_is_that_of_the_fit(fitted):
    matrix, own = fitted["lsat7_2pl"]
    checked = fit_check(matrix, own.items, Options(draws=0))
    again = item_fit(matrix, own, checked.theta)
    np.testing.assert_allclose(checked.item_fit.infit, again.infit, atol=1e-9)
    np.testing.assert_allclose(checked.item_fit.rmsd, again.rmsd, atol=1e-9)
    np.testing.assert_allclose(checked.item_fit.s_x2.statistic, again.s_x2.statistic, atol=1e-6)
    np.testing.assert_array_equal(checked.item_fit.s_x2.df, again.s_x2.df)


def test_the_variance_of_theta_is_estimated_for_rasch_items(fitted):
    matrix, own = fitted["lsat6_rasch"]
    checked = fit_check(matrix, own.items, Options(draws=0))
    assert checked.fit.latent_sd[0] == pytest.approx(own.latent_sd[0], abs=1e-3)
    assert checked.fit.n_parameters == own.n_parameters
    assert checked.fit.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-4)


def test_held_parameters_cost_no_degrees_of_freedom():
    rng = np.random.default_rng(9)
    matrix, items = form(rng, 1200, 8)
    checked = fit_check(matrix, items, Options(held=True, draws=0))
    assert checked.fit.n_parameters == 2
    assert checked.m2.df == 8 + 28 - 2
    assert checked.m2.p > 0.001
    assert any("Theta has mean" in text for text in checked.remarks)


def test_routed_data_keep_what_they_allow(adaptive):
    rng = np.random.default_rng(10)
    _matrix, bank = form(rng, 2, 24)
    matrix = adaptive(bank, 22, rng.normal(0.5, 1, 300), rng, length=10, n_new=1)
    checked = fit_check(matrix, bank, Options(held=True))
    own = checked.item_fit
    assert np.isnan(own.s_x2.statistic).all()
    assert np.isnan(own.point_biserial).all()
    assert all("routed" in note for note in own.notes)
    assert np.isfinite(own.infit).all()
    assert np.isfinite(own.rmsd).all()
    assert "routed" in checked.m2.note
    assert "routed" in checked.c2.note
    assert "routed" in checked.parallel.note
    assert "routed" in checked.reliability.note
    assert checked.fit.latent_mean[0] == pytest.approx(0.5, abs=0.25)


def test_items_without_parameters_or_responses_are_named():
    rng = np.random.default_rng(11)
    matrix, items = form(rng, 100, 5)
    scores, observed = (np.array(part) for part in matrix.dense())
    observed[:, 2] = False
    partly = from_dense(scores, observed, item=[*matrix.item[:4], "other"])
    checked = fit_check(partly, items, Options(draws=0))
    assert checked.left_out == {"other": "no parameters", "i2": "no responses"}
    assert checked.matrix.item == ("i0", "i1", "i3")


def test_nothing_in_common_is_refused():
    matrix, _items = form(np.random.default_rng(12), 30, 3)
    bank = item_parameters(["x", "y"], "2pl", a=[1, 1], b=[0, 0])
    with pytest.raises(InputError, match="at least 2 items with parameters and responses"):
        fit_check(matrix, bank)


def test_a_handful_of_persons_gives_reasons_not_errors():
    matrix, items = form(np.random.default_rng(13), 6, 4)
    checked = fit_check(matrix, items, Options(draws=2))
    assert checked.m2.note == "only 6 persons answered all items"
    assert np.isnan(checked.pairs.q3).all()
    assert np.isfinite(checked.reliability.marginal)
