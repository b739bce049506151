import numpy as np
import pytest

from calibration.expectation import person_estimates
from calibration.item_fit import item_fit, point_biserial, residual_fit, rmsd
from calibration.matrix import from_dense
from calibration.mml import fit
from engine.models import dispatch


def fitted(matrix, model):
    found = fit(matrix, [model] * matrix.n_items)
    theta, _se, _log_l = person_estimates(found.design, found.tables, found.theta)
    return found, theta


@pytest.mark.parametrize(
    ("fact", "data", "model"),
    [("lsat7_2pl", "lsat7", "2pl"), ("lsat6_rasch", "lsat6", "rasch"),
     ("science_gpcm", "science", "gpcm"), ("science_graded", "science", "grm")],
)  # fmt: skip
def test_infit_and_outfit_agree_with_mirt(fact, data, model, mirt, request):
    matrix = request.getfixturevalue(data)
    found, theta = fitted(matrix, model)
    infit, outfit = residual_fit(matrix, found, theta)
    for k, item in enumerate(matrix.item):
        facts = mirt["fits"][fact]["item_fit"][item]
        assert infit[k] == pytest.approx(facts["infit"], abs=5e-6)
        assert outfit[k] == pytest.approx(facts["outfit"], abs=5e-6)


def test_infit_and_outfit_are_what_their_formulas_say(science):
    rng = np.random.default_rng(1)
    scores, _all = science.dense()
    observed = rng.random(scores.shape) < 0.8
    matrix = from_dense(scores, observed)
    found, theta = fitted(matrix, "gpcm")
    p = dispatch.probabilities(theta, found.items)
    steps = np.arange(4)
    expected = (p * steps).sum(axis=2)
    variance = (p * (steps - expected[:, :, None]) ** 2).sum(axis=2)
    squares = (scores - expected) ** 2
    infit, outfit = residual_fit(matrix, found, theta)
    for k in range(4):
        seen = observed[:, k]
        assert infit[k] == pytest.approx(squares[seen, k].sum() / variance[seen, k].sum())
        assert outfit[k] == pytest.approx((squares / variance)[seen, k].mean())


@pytest.mark.parametrize(("fact", "data"), [("lsat7_2pl", "lsat7"), ("lsat6_2pl", "lsat6")])
def test_s_x2_agrees_with_mirt(fact, data, mirt, request):
    matrix = request.getfixturevalue(data)
    found, theta = fitted(matrix, "2pl")
    scores = item_fit(matrix, found, theta).s_x2
    for k, item in enumerate(matrix.item):
        facts = mirt["fits"][fact]["item_fit"][item]
        assert scores.statistic[k] == pytest.approx(facts["s_x2"], abs=1e-3)
        assert scores.df[k] == facts["df"]
        assert scores.p[k] == pytest.approx(facts["p"], abs=1e-3)


def test_s_x2_of_a_true_model_is_distributed_as_chi_square():
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        theta = rng.normal(size=1500)
        a, b = rng.lognormal(0, 0.2, 12), np.linspace(-1.5, 1.5, 12)
        scores = (rng.random((1500, 12)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(int)
        matrix = from_dense(scores)
        found, eap = fitted(matrix, "2pl")
        own = item_fit(matrix, found, eap).s_x2
        ratios.append(own.statistic / own.df)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.25)


def test_rmsd_is_small_for_a_true_model_and_large_for_a_guessing_item():
    rng = np.random.default_rng(3)
    theta = rng.normal(size=4000)
    b = np.linspace(-1, 1, 15)
    p = 1 / (1 + np.exp(-1.4 * (theta[:, None] - b)))
    p[:, 14] = np.where(theta < 0, 0.9, 0.15)
    matrix = from_dense((rng.random(p.shape) < p).astype(int))
    found, _theta = fitted(matrix, "rasch")
    values = rmsd(found)
    assert np.argmax(values) == 14
    assert values[14] > 0.1


def test_point_biserial_is_the_correlation_with_the_total_score(lsat7):
    scores, _all = lsat7.dense()
    found, reason = point_biserial(lsat7)
    total = scores.sum(axis=1)
    expected = [np.corrcoef(scores[:, k], total)[0, 1] for k in range(5)]
    np.testing.assert_allclose(found, expected)
    assert reason == ""


def test_point_biserial_leaves_persons_with_missing_responses_out_and_says_so(lsat7):
    scores, observed = lsat7.dense()
    observed[:100, 2] = False
    found, reason = point_biserial(from_dense(scores, observed))
    np.testing.assert_allclose(found, point_biserial(from_dense(scores[100:]))[0])
    assert "without 100 persons" in reason


def test_notes_give_the_reason_for_what_is_blank():
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 2, (200, 6))
    observed = np.ones(scores.shape, dtype=bool)
    observed[np.arange(200), rng.integers(0, 6, 200)] = False
    matrix = from_dense(scores, observed)
    found, theta = fitted(matrix, "rasch")
    notes = item_fit(matrix, found, theta).notes
    assert "fewer than 3 persons answered all items" in notes[0]
