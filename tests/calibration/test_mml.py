import numpy as np
import pytest

from calibration.expectation import person_estimates
from calibration.fit_inputs import category_numbers
from calibration.matrix import from_dense, numbered, response_matrix_from_codes
from calibration.mml import Settings, fit
from calibration.priors import Density, Priors, default_priors
from engine.ability.estimates import Prior, eap_scores
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

CASES = [
    ("lsat7_2pl", "lsat7", "2pl"),
    ("lsat7_3pl_normprior", "lsat7", "3pl"),
    ("lsat6_2pl", "lsat6", "2pl"),
    ("lsat6_1pl", "lsat6", "1pl"),
    ("lsat6_rasch", "lsat6", "rasch"),
    ("science_gpcm", "science", "gpcm"),
    ("science_graded", "science", "grm"),
]


def fitted(matrix, model, **settings):
    settings.setdefault("priors", default_priors([model]))
    return fit(matrix, [model] * matrix.n_items, Settings(**settings))


def largest_difference(found, facts):
    own = {"a": found.items.a, "b": found.items.b, "g": found.items.c}
    own |= {f"b{k + 1}": column for k, column in enumerate(found.items.thresholds.T)}
    return max(
        abs(own[name][row] - value)
        for row, item in enumerate(found.items.item)
        for name, value in facts["items"][item]["par"].items()
        if name in own and not (name == "b1" and "b" in facts["items"][item]["par"])
    )


@pytest.mark.parametrize(("fact", "data", "model"), CASES)
def test_fits_agree_with_mirt(fact, data, model, mirt, request):
    facts = mirt["fits"][fact]
    found = fitted(request.getfixturevalue(data), model)
    assert found.converged
    assert found.log_likelihood == pytest.approx(facts["log_likelihood"], abs=1e-5)
    assert found.log_posterior - found.log_likelihood == pytest.approx(facts["log_prior"], abs=1e-4)
    assert largest_difference(found, facts) < 2e-5
    assert found.n_parameters == facts["n_parameters"]


def test_rasch_agrees_with_direct_maximisation(lsat6, lsat7, mirt):
    for name, matrix in (("lsat6", lsat6), ("lsat7", lsat7)):
        facts = mirt["rasch_by_direct_maximisation"][name]
        found = fitted(matrix, "rasch")
        np.testing.assert_allclose(found.items.b, facts["b"], atol=2e-6)
        assert found.latent_sd[0] ** 2 == pytest.approx(facts["variance"], abs=2e-6)


def test_acceleration_needs_few_expectation_steps(lsat7):
    assert fitted(lsat7, "2pl").iterations < 40


def test_the_log_posterior_never_falls_between_accepted_points(science):
    seen = []
    fit(science, ["gpcm"] * 4, progress=lambda _n, log_l: seen.append(log_l))
    assert min(np.diff(seen)) > -1e-6


def test_a_fit_that_may_not_go_on_says_that_it_did_not_converge(lsat7):
    found = fitted(lsat7, "2pl", max_iterations=2)
    assert not found.converged
    assert found.iterations == 2


def test_a_scale_and_a_common_slope_are_two_forms_of_the_rasch_model(lsat6):
    rasch, one_slope = fitted(lsat6, "rasch"), fitted(lsat6, "1pl")
    assert rasch.log_likelihood == pytest.approx(one_slope.log_likelihood, abs=1e-5)
    assert one_slope.items.a == pytest.approx(rasch.latent_sd[0], abs=1e-5)
    np.testing.assert_allclose(one_slope.items.b * rasch.latent_sd[0], rasch.items.b, atol=1e-4)


def test_two_categories_make_gpcm_grm_and_2pl_the_same_model(lsat7):
    logistic = fitted(lsat7, "2pl")
    for model in ("gpcm", "grm"):
        found = fitted(lsat7, model)
        assert found.log_likelihood == pytest.approx(logistic.log_likelihood, abs=1e-6)
        np.testing.assert_allclose(found.items.thresholds[:, 0], logistic.items.b, atol=1e-5)


def test_a_3pl_with_c_at_0_is_a_2pl(lsat7):
    tight = Priors(c=Density(-30.0, 0.1))
    found = fit(lsat7, ["3pl"] * 5, Settings(tight))
    assert found.items.c.max() < 1e-4
    np.testing.assert_allclose(found.items.a, fitted(lsat7, "2pl").items.a, atol=1e-3)


@pytest.fixture(scope="module")
def mixed_bank():
    rng = np.random.default_rng(5)
    n = 24
    models = ["2pl"] * 8 + ["3pl"] * 4 + ["gpcm"] * 6 + ["grm"] * 6
    b = rng.normal(size=n)
    steps = np.full((n, 3), np.nan)
    steps[:12, 0] = b[:12]
    steps[12:] = np.sort(rng.normal(size=(12, 3)), axis=1) + np.array([-0.3, 0.0, 0.3])
    return item_parameters(
        [f"i{k}" for k in range(n)],
        models,
        a=rng.lognormal(0.1, 0.25, n),
        b=np.where(np.arange(n) < 12, b, np.nan),
        c=np.where(np.array(models) == "3pl", 0.2, 0.0),
        thresholds=steps,
    )


def drawn(items, theta, rng):
    chances = np.cumsum(dispatch.probabilities(theta, items), axis=2)
    scores = (rng.random(chances.shape[:2])[:, :, None] > chances).sum(axis=2)
    return np.minimum(scores, items.n_categories - 1)


def test_parameters_of_a_mixed_test_are_recovered(mixed_bank):
    rng = np.random.default_rng(1)
    scores = drawn(mixed_bank, rng.normal(size=4000), rng)
    found = fit(
        from_dense(scores, item=mixed_bank.item),
        mixed_bank.model,
        Settings(default_priors(mixed_bank.model)),
    )
    assert found.converged
    assert np.sqrt(np.mean((found.items.a - mixed_bank.a) ** 2)) < 0.1
    easy = ~np.isnan(mixed_bank.thresholds)
    difference = (found.items.thresholds - mixed_bank.thresholds)[easy]
    assert np.sqrt(np.mean(difference**2)) < 0.15


def test_new_items_are_recovered_from_routed_data_with_the_others_fixed(adaptive):
    rng = np.random.default_rng(3)
    bank = item_parameters(
        [f"i{k:03d}" for k in range(120)],
        "2pl",
        a=rng.lognormal(0.1, 0.2, 120),
        b=rng.normal(size=120),
    )
    theta = rng.normal(0.7, 1.3, 6000)
    matrix = adaptive(bank, 100, theta, rng, length=12, n_new=4)
    old = bank.subset(np.arange(100))
    found = fit(matrix, ["2pl"] * 120, fixed=old)
    assert found.converged
    assert found.latent_mean[0] == pytest.approx(0.7, abs=0.06)
    assert found.latent_sd[0] == pytest.approx(1.3, abs=0.06)
    rows = [found.items.row(name) for name in bank.item[100:]]
    assert np.sqrt(np.mean((found.items.b[rows] - bank.b[100:]) ** 2)) < 0.15
    assert np.sqrt(np.mean((found.items.a[rows] - bank.a[100:]) ** 2)) < 0.15
    held = [found.items.row(name) for name in old.item]
    np.testing.assert_array_equal(found.items.b[held], old.b)


def test_sparse_and_dense_arithmetic_agree(lsat7, monkeypatch):
    rng = np.random.default_rng(2)
    scores, _all = lsat7.dense()
    observed = rng.random(scores.shape) < 0.7
    matrix = from_dense(scores, observed)
    dense = fitted(matrix, "2pl")
    monkeypatch.setattr("calibration.design._DENSE_SHARE", 2.0)
    sparse = fitted(matrix, "2pl")
    assert sparse.log_likelihood == pytest.approx(dense.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(sparse.items.a, dense.items.a, atol=1e-8)


def test_groups_differ_in_their_latent_densities_only():
    rng = np.random.default_rng(8)
    bank = item_parameters(
        numbered(20), "2pl", a=rng.lognormal(0.2, 0.2, 20), b=rng.normal(size=20)
    )
    theta = np.concatenate((rng.normal(0, 1, 3000), rng.normal(-0.5, 1.4, 3000)))
    matrix = from_dense(drawn(bank, theta, rng), group=["a"] * 3000 + ["b"] * 3000)
    found = fit(matrix, ["2pl"] * 20)
    assert found.converged
    assert (found.latent_mean[0], found.latent_sd[0]) == (0.0, 1.0)
    assert found.latent_mean[1] == pytest.approx(-0.5, abs=0.08)
    assert found.latent_sd[1] == pytest.approx(1.4, abs=0.1)
    np.testing.assert_allclose(found.items.b, bank.b, atol=0.2)


def test_persons_have_the_eap_of_the_engine(lsat7, mirt):
    found = fitted(lsat7, "2pl")
    theta, se, log_l = person_estimates(found.design, found.tables, found.theta)
    scores, observed = lsat7.dense()
    prior = Prior(found.latent_mean[0], found.latent_sd[0])
    own = eap_scores(scores.astype(np.int64), observed, found.items, prior=prior)
    np.testing.assert_allclose(theta, own[0], atol=1e-6)
    np.testing.assert_allclose(se, own[1], atol=1e-6)
    assert log_l.sum() == pytest.approx(found.log_likelihood)
    facts = {tuple(pattern): (eap, sd) for pattern, _n, eap, sd in mirt["fits"]["lsat7_2pl"]["eap"]}
    for row, pattern in enumerate(map(tuple, scores.tolist())):
        assert (theta[row], se[row]) == pytest.approx(facts[pattern], abs=1e-5)


def test_an_item_that_goes_against_the_rest_ends_at_the_lowest_discrimination():
    rng = np.random.default_rng(4)
    theta = rng.normal(size=1500)
    bank = item_parameters(numbered(6), "2pl", a=1.5, b=np.linspace(-1, 1, 6))
    scores = drawn(bank, theta, rng)
    scores[:, 2] = 1 - scores[:, 2]
    found = fit(from_dense(scores, item=bank.item), ["2pl"] * 6)
    assert found.converged
    assert found.at_bound == ("3",)


def test_a_score_that_a_model_cannot_have_is_named(science):
    with pytest.raises(InputError, match="Comfort: expected scores from 0 to 1"):
        fitted(science, "2pl")


def test_an_empty_category_is_named():
    scores = np.array([[0, 0], [2, 1], [0, 1], [2, 0]])
    with pytest.raises(InputError, match="1: expected an item of which every score occurs"):
        fitted(from_dense(scores), "gpcm")


def test_an_item_that_nobody_met_has_no_score_too_high_when_others_have_more_points(mixed_bank):
    poly = next(k for k, n in enumerate(mixed_bank.n_categories) if n > 2)
    flat = next(k for k, n in enumerate(mixed_bank.n_categories) if n == 2)
    pair = mixed_bank.subset([flat, poly])
    top = int(mixed_bank.n_categories[poly]) - 1
    codes = (np.arange(4), np.ones(4, dtype=np.int64), np.array([0, 1, top, top]))
    matrix = response_matrix_from_codes(numbered(4), pair.item, codes, routed=True)

    numbers = category_numbers(matrix, pair.model, pair, np.arange(2), np.ones(2, dtype=bool))

    assert numbers.tolist() == [2, top + 1]
