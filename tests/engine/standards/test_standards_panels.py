"""Panels of judges: standard errors, clusters, movement between rounds, and impact."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.results.decisions import ReportingScale, scaled
from engine.standards.impact import cut_score, impact, reported, share_reaching
from engine.standards.panels import (
    JudgeCut,
    NoCut,
    intraclass_correlation,
    jackknife_se,
    movement,
    panel_cut,
)

SCALE = ReportingScale(100.0, 500.0, 200.0, 800.0)


def cuts(*thetas):
    return [JudgeCut(None, NoCut.UNRATED) if t is None else JudgeCut(t) for t in thetas]


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.array([0.1, 0.5, 0.3, 0.9])
    means = [np.delete(values, i).mean() for i in range(4)]

    assert jackknife_se(means) == pytest.approx(panel_cut(cuts(*values)).se)


@pytest.mark.parametrize("too_little", [[], [0.3], [0.1, np.nan]])
def test_a_jackknife_that_is_not_estimable_is_none(too_little):
    assert jackknife_se(too_little) is None


def test_a_panel_of_one_has_a_cut_and_no_error():
    alone = panel_cut(cuts(0.4))

    assert (alone.mean, alone.sd, alone.se) == (0.4, None, None)


def test_intraclass_correlation_by_hand():
    # Means 1 and 3, within (0.5)^2 four times: MSB = 4, MSW = 0.5, m = 2.
    values = np.array([0.5, 1.5, 2.5, 3.5])

    found = intraclass_correlation(values, ["a", "a", "b", "b"])

    assert found == pytest.approx((4 - 0.5) / (4 + 0.5))


@pytest.mark.parametrize("tables", [["a"] * 4, ["a", "b", "c", "d"]])
def test_without_tables_to_compare_there_is_no_correlation(tables):
    assert intraclass_correlation(np.array([0.5, 1.5, 2.5, 3.5]), tables) is None


def test_every_judge_sits_somewhere():
    with pytest.raises(InputError, match="2 clusters"):
        intraclass_correlation(np.array([0.5, 1.5]), ["a"])


def test_a_round_that_brings_judges_together_shows():
    found = movement(cuts(0.0, 1.0, 2.0, None), cuts(0.5, 1.0, 1.5, 1.0))

    assert (found.judges, found.moved) == (3, 2)
    assert found.shift == pytest.approx(0.0)
    assert found.sd_ratio == pytest.approx(0.5)
    assert movement(cuts(None), cuts(0.1)).shift is None


@pytest.mark.parametrize(("theta", "minimum"), [(0.2, 520), (0.201, 521), (5, 800), (-5, 200)])
def test_a_cut_is_rounded_up_and_kept_within_the_scale(theta, minimum):
    assert cut_score(theta, SCALE) == minimum


def test_a_scale_with_decimals_rounds_in_its_own_unit():
    scale = ReportingScale(10.0, 50.0, 0.0, 100.0, decimals=1)

    assert cut_score(0.2341, scale) == 52.4
    assert cut_score(0.23, scale) == 52.3


def test_the_minimum_is_the_first_score_that_is_not_below_the_cut():
    for theta in np.linspace(-2.9, 2.9, 401):
        exact = SCALE.slope * theta + SCALE.intercept
        assert -1e-6 <= cut_score(theta, SCALE) - exact < 1


def test_reported_scores_are_those_of_the_decisions():
    theta = np.linspace(-4, 4, 333)

    assert reported(theta, SCALE).tolist() == [scaled(float(t), SCALE) for t in theta]


def test_impact_by_hand():
    scores = [400, 500, 520, 540, 600]

    rows = impact(scores, 0.2, 0.2, SCALE)

    assert [row.minimum for row in rows] == [480, 500, 520, 540, 560]
    assert [row.share for row in rows] == [0.8, 0.8, 0.6, 0.4, 0.2]
    assert [row.errors for row in impact(scores, 0.2, None, SCALE)] == [0]
    assert share_reaching([], 500) is None
