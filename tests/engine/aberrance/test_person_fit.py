import numpy as np
import pytest
from scipy.stats import kstest
from support.reference_banks import mixed_bank, reference_bank

from engine.aberrance.person_fit import cusum, lz, lz_star, mean_squares, person_fit
from engine.ability.answers import Answers, answers
from engine.ability.estimates import estimates
from engine.ability.grids import Grid
from engine.ability.priors import Prior
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

N = 2000


def drawn(items, theta, rng):
    """Answers of everyone to the whole bank, by the model."""
    steps = np.cumsum(dispatch.probabilities(theta, items), axis=2)
    scores = (rng.random((len(theta), len(items)))[..., None] > steps).sum(axis=2)
    scores = np.minimum(scores, items.n_categories - 1)
    return answers(np.broadcast_to(np.arange(len(items)), scores.shape), scores)


def long_bank(n=120):
    rng = np.random.default_rng(1)
    return item_parameters(
        [f"i{number}" for number in range(n)],
        "3pl",
        a=rng.uniform(0.7, 1.8, n),
        b=np.linspace(-2.5, 2.5, n),
        c=0.15,
    )


def assert_standard_normal(values, spread=0.06):
    assert values.mean() == pytest.approx(0.0, abs=spread)
    assert values.std() == pytest.approx(1.0, abs=spread)


def level(values, limit=-1.6448536):
    return (values < limit).mean()


@pytest.mark.parametrize("kind", ["3pl", "mixed"])
def test_lz_and_lz_star_have_mean_0_and_variance_1_at_the_true_theta(kind):
    items = long_bank() if kind == "3pl" else mixed_bank()
    theta = np.random.default_rng(2).normal(size=N)
    given = drawn(items, theta, np.random.default_rng(3))
    for statistic in (lz, lz_star):
        assert_standard_normal(statistic(theta, given, items))


@pytest.mark.parametrize("method", ["mle", "wle", "map", "eap"])
def test_lz_star_is_standard_normal_at_an_estimate_where_lz_is_not(method):
    items = long_bank()
    theta = np.random.default_rng(4).uniform(-1.5, 1.5, N)
    given = drawn(items, theta, np.random.default_rng(5))
    estimate, _ = estimates(method, given, items, prior=Prior(), grid=Grid())
    corrected, plain = lz_star(estimate, given, items), lz(estimate, given, items)
    assert_standard_normal(corrected, 0.09)
    assert kstest(corrected, "norm").statistic < 0.05
    assert level(corrected) == pytest.approx(0.05, abs=0.018)
    assert plain.std() < corrected.std()


def test_lz_star_is_standard_normal_for_polytomous_items_at_an_estimate():
    items = mixed_bank().subset(range(60, 140))
    theta = np.random.default_rng(6).uniform(-1.5, 1.5, N)
    given = drawn(items, theta, np.random.default_rng(7))
    estimate, _ = estimates("mle", given, items, prior=Prior(), grid=Grid())
    corrected = lz_star(estimate, given, items)
    assert_standard_normal(corrected, 0.09)
    assert level(corrected) == pytest.approx(0.05, abs=0.018)


def test_lz_star_equals_the_formula_of_snijders_for_the_maximum_likelihood():
    items = long_bank(40)
    given = drawn(items, np.linspace(-1, 1, 8), np.random.default_rng(8))
    theta, _ = estimates("mle", given, items, prior=Prior(), grid=Grid())
    right = dispatch.probabilities(theta, items)[..., 1]
    slope = (
        dispatch.expected_score(theta + 1e-6, items) - dispatch.expected_score(theta - 1e-6, items)
    ) / 2e-6
    w, r = np.log(right / (1 - right)), slope / (right * (1 - right))
    c = (slope * w).sum(axis=1) / (slope * r).sum(axis=1)
    centred = w - c[:, None] * r
    expected = ((given.scores - right) * w).sum(axis=1) / np.sqrt(
        (centred**2 * right * (1 - right)).sum(axis=1)
    )
    np.testing.assert_allclose(lz_star(theta, given, items), expected, atol=1e-4)


def test_lz_equals_the_sum_over_all_patterns():
    """Mean and variance of the log likelihood by enumeration of every pattern of four items."""
    items = mixed_bank().subset([0, 30, 60, 100])
    theta = 0.3
    logs = dispatch.log_probabilities(theta, items)[0]
    patterns = np.stack(np.meshgrid(*(range(m) for m in items.n_categories)), -1).reshape(-1, 4)
    heights = logs[np.arange(4), patterns].sum(axis=1)
    chances = np.exp(heights)
    mean = (chances * heights).sum()
    spread = np.sqrt((chances * (heights - mean) ** 2).sum())
    given = answers(np.broadcast_to(np.arange(4), patterns.shape), patterns)
    found = lz(np.full(len(patterns), theta), given, items)
    np.testing.assert_allclose(found, (heights - mean) / spread, atol=1e-10)


def test_random_guessing_is_found():
    items = long_bank()
    rng = np.random.default_rng(9)
    given = drawn(items, np.full(500, 0.5), rng)
    guessed = rng.random(given.scores.shape) < 0.25
    half = np.arange(len(items)) % 2 == 0
    given = answers(given.rows, np.where(half, guessed, given.scores))
    theta, _ = estimates("wle", given, items, prior=Prior(), grid=Grid())
    fit = person_fit(theta, given, items)
    assert level(fit.lz_star) > 0.6
    assert (fit.outfit > 1.0).mean() > 0.8


def test_infit_and_outfit_are_1_for_persons_who_fit():
    items = mixed_bank()
    theta = np.random.default_rng(10).normal(size=N)
    infit, outfit = mean_squares(theta, drawn(items, theta, np.random.default_rng(11)), items)
    assert infit.mean() == pytest.approx(1.0, abs=0.01)
    assert outfit.mean() == pytest.approx(1.0, abs=0.03)


def test_cusum_follows_its_definition_and_a_run_of_wrong_answers():
    items = long_bank(10)
    scores = np.array([[1, 1, 1, 0, 0, 0, 0, 0, 0, 0]])
    given = answers(np.arange(10)[None], scores)
    upper, lower = cusum(np.array([0.5]), given, items)
    steps = (scores[0] - dispatch.expected_score(0.5, items)[0]) / 10
    high = low = 0.0
    for place, step in enumerate(steps):
        high, low = max(0.0, high + step), min(0.0, low + step)
        assert upper[0, place] == pytest.approx(high, abs=1e-15)
        assert lower[0, place] == pytest.approx(low, abs=1e-15)
    assert lower[0, -1] < -0.2


def test_cusum_takes_the_estimates_at_which_items_were_chosen():
    items = long_bank(10)
    given = answers(np.arange(10)[None], np.ones((1, 10), dtype=np.int64))
    same = cusum(np.full((1, 10), 0.7), given, items)
    np.testing.assert_array_equal(same, cusum(np.array([0.7]), given, items))


def test_padding_changes_nothing():
    items, rng = long_bank(), np.random.default_rng(12)
    given = drawn(items, np.zeros(3), rng)
    short = answers(given.rows[:, :20], given.scores[:, :20])
    present = np.broadcast_to(np.arange(len(items)) < 20, given.rows.shape)
    padded = Answers(given.rows, given.scores, present)
    theta = np.array([-1.0, 0.0, 1.0])
    alone, with_padding = person_fit(theta, short, items), person_fit(theta, padded, items)
    for name, values in vars(alone).items():
        np.testing.assert_allclose(getattr(with_padding, name), values, atol=1e-12, err_msg=name)


def test_nothing_is_estimable_without_answers_or_without_theta():
    items = reference_bank("3pl")
    rows = np.zeros((2, 3), dtype=np.int64)
    nobody = Answers(rows, rows, np.array([[False] * 3, [True] * 3]))
    fit = person_fit(np.array([0.0, np.nan]), nobody, items)
    assert fit.n_answers.tolist() == [0, 3]
    for name in ("lz", "lz_star", "infit", "outfit", "cusum_upper", "cusum_lower"):
        assert np.isnan(getattr(fit, name)).all(), name


def test_lz_star_of_one_item_says_nothing():
    """One answer determines theta: nothing is left to be surprised by."""
    items = long_bank(1)
    one = answers(np.zeros((1, 1), dtype=np.int64), np.ones((1, 1), dtype=np.int64))
    assert np.isnan(lz_star(np.array([0.0]), one, items)).all()


def test_thetas_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"thetas of shape \(1,\)"):
        lz(
            np.zeros(2),
            answers(np.zeros((1, 3), dtype=int), np.zeros((1, 3), dtype=int)),
            reference_bank("3pl"),
        )
