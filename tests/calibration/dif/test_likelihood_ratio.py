from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from calibration.dif.likelihood_ratio import (
    apart,
    areas,
    common_model,
    likelihood_ratio,
    split_columns,
    unobserved,
)
from calibration.dif.study import pair_of
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from calibration.priors import default_priors
from engine.items import item_parameters


@pytest.fixture(scope="module")
def pair(simulated):
    return pair_of(simulated, "A", "B")


@pytest.fixture(scope="module")
def common(pair):
    return common_model(pair, ("2pl",) * 20, Settings())


def test_the_model_without_dif_is_that_of_mirt(common, facts):
    scalar, baseline = facts["scalar"], common.baseline
    assert baseline.log_likelihood == pytest.approx(scalar["log_likelihood"], abs=1e-4)
    assert baseline.latent_mean[1] == pytest.approx(scalar["mean_B"], abs=1e-3)
    assert baseline.latent_sd[1] ** 2 == pytest.approx(scalar["var_B"], abs=1e-3)


@pytest.mark.parametrize("item", ["i01", "i03", "i09", "i14", "i20"])
def test_statistics_are_those_of_mirt_with_all_others_as_anchors(common, facts, item):
    statistic, df, p = facts["lr"][item]
    found = likelihood_ratio(common, facts["items"].index(item), frozenset())
    assert found.statistic == pytest.approx(statistic, abs=1e-3)
    assert found.df == df
    assert found.p == pytest.approx(p, rel=1e-3)


def test_the_signed_area_has_the_sign_of_the_simulated_shift(common):
    harder = likelihood_ratio(common, 2, frozenset())
    easier = likelihood_ratio(common, 8, frozenset())
    crossing = likelihood_ratio(common, 13, frozenset())
    assert harder.more["signed_area"] == pytest.approx(-harder.effect)
    assert easier.more["signed_area"] == pytest.approx(easier.effect)
    assert abs(crossing.more["signed_area"]) < 0.7 * crossing.effect


def test_the_area_is_the_integral_between_the_curves(common):
    wide = apart(common, [2])
    unsigned, _signed = areas(wide, 2, "i03")
    theta = np.linspace(-8, 8, 4001)
    rows = [2, 20]
    curves = 1 / (1 + np.exp(-wide.items.a[rows] * (theta[:, None] - wide.items.b[rows])))
    gap = np.abs(curves[:, 1] - curves[:, 0]) * norm.pdf(theta)
    assert unsigned == pytest.approx(np.trapezoid(gap, theta), abs=1e-4)


def test_a_split_column_loses_nothing(pair):
    split = split_columns(pair, [4, 7])
    assert split.n_responses == pair.n_responses
    assert split.n_items == 22
    counts = split.item_counts()
    assert counts[4] == counts[20] == counts[7] == counts[21] == 1500
    assert np.all(np.diff(split.column)[np.diff(split.rows()) == 0] > 0)
    assert split.score.sum() == pair.score.sum()


def test_flagged_items_are_no_anchors(common):
    alone = likelihood_ratio(common, 0, frozenset())
    purified = likelihood_ratio(common, 0, frozenset({2, 8, 13}))
    assert purified.statistic != pytest.approx(alone.statistic, abs=1e-3)
    assert purified.df == 2


def test_given_parameters_are_held_and_only_the_item_is_estimated(pair, common):
    held = common_model(pair, common.models, Settings(), common.baseline.items)
    found = likelihood_ratio(held, 2, frozenset())
    assert found.df == 2
    assert found.statistic == pytest.approx(41.4, abs=4)
    assert held.baseline.n_parameters == 4


def test_rasch_items_are_tested_on_one_parameter(pair):
    part = pair.items(range(8))
    common = common_model(part, ("rasch",) * 8, Settings())
    found = likelihood_ratio(common, 2, frozenset())
    assert found.df == 1
    assert found.p < 1e-4


def test_lower_asymptotes_are_held_at_their_common_estimate(pair):
    part = pair.items(range(6))
    models = ("3pl",) * 6
    settings = Settings(default_priors(models))
    common = common_model(part, models, settings)
    free = fit(part, models, settings)
    assert common.items.c == pytest.approx(free.items.c, abs=1e-4)
    wide = apart(common, [2])
    assert wide.items.c[6] == pytest.approx(common.items.c[2])
    found = likelihood_ratio(common, 2, frozenset())
    assert found.df == 2
    assert found.statistic >= 0


@pytest.mark.parametrize("model", ["grm", "gpcm"])
def test_polytomous_items_are_tested_on_all_their_parameters(model):
    rng = np.random.default_rng(8)
    n = 800
    focal = np.arange(n) % 2 == 1
    theta = rng.normal(size=n)
    cuts = np.array([-0.8, 0.7]) + 0.7 * focal[:, None] * 1.0
    studied = (rng.random((n, 1)) < 1 / (1 + np.exp(-1.5 * (theta[:, None] - cuts)))).sum(axis=1)
    easy = np.array([[-0.8, 0.7]])
    others = [
        (rng.random((n, 1)) < 1 / (1 + np.exp(-1.5 * (theta[:, None] - easy)))).sum(axis=1)
        for _ in range(5)
    ]
    u = np.column_stack([studied, *others])
    matrix = from_dense(u, group=np.where(focal, "1", "0").tolist())
    common = common_model(matrix, (model,) * 6, Settings())
    found = likelihood_ratio(common, 0, frozenset())
    assert found.df == 3
    assert found.p < 1e-4
    assert found.more["signed_area"] < 0


def test_a_score_that_a_group_never_has_is_named(pair):
    score = pair.score.copy()
    focal = np.repeat(np.array(pair.group) == "1", pair.person_counts())
    score[focal & (pair.column == 0)] = 1
    changed = replace(pair, score=score)
    assert unobserved(changed, 0) == "no score of 0 in the focal group"
    assert unobserved(changed, 1) == ""


def test_a_score_of_given_parameters_that_nobody_had_is_named(pair):
    bank = item_parameters(
        pair.item, "grm", a=1.0, thresholds=np.tile([-1.0, 0.5], (pair.n_items, 1))
    )
    assert unobserved(pair, 1) == ""
    assert unobserved(pair, 1, bank) == "no score of 2 in the reference group"
