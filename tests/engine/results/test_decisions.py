import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.results.decisions import (
    Level,
    ReportingScale,
    check_levels,
    level_of,
    probability_at_least,
    probability_of_levels,
    scaled,
    score_band,
    score_se,
    theta_cuts,
)

SCALE = ReportingScale(slope=100.0, intercept=500.0, minimum=200.0, maximum=800.0)
LEVELS = (Level("basic", 200.0), Level("pass", 500.0), Level("merit", 600.0))


def test_a_score_is_rounded_half_up():
    assert scaled(0.005, SCALE) == 501.0
    assert scaled(0.0049, SCALE) == 500.0
    assert scaled(0.015, SCALE) == 502.0


def test_decimals_are_those_of_the_scale():
    scale = ReportingScale(slope=1.0, intercept=5.0, minimum=0.0, maximum=10.0, decimals=1)
    assert scaled(0.25, scale) == pytest.approx(5.3)


def test_a_score_stays_on_the_scale():
    assert scaled(-9.0, SCALE) == 200.0
    assert scaled(9.0, SCALE) == 800.0


def test_the_standard_error_is_scaled_and_not_rounded():
    assert score_se(0.3127, SCALE) == pytest.approx(31.27)


def test_the_ends_of_the_band_are_truncated_to_the_scale():
    assert score_band(2.5, 0.5, SCALE, width=1.0) == (700.0, 800.0)


def test_the_level_is_decided_on_the_reported_score():
    """499.6 is reported as 500, and 500 passes."""
    assert level_of(scaled(-0.004, SCALE), LEVELS) == LEVELS[1]
    assert level_of(scaled(-0.006, SCALE), LEVELS) == LEVELS[0]


def test_levels_may_be_given_in_any_order():
    assert level_of(650.0, LEVELS[::-1]) == LEVELS[2]


def test_a_score_below_every_level_has_none():
    assert level_of(300.0, LEVELS[1:]) is None


@given(st.floats(-4, 4), st.floats(0.05, 1.5))
def test_probabilities_of_levels_that_cover_the_scale_add_up_to_1(theta, se):
    chances = probability_of_levels(theta, se, SCALE, LEVELS)
    assert sum(chances) == pytest.approx(1.0)
    assert min(chances) >= 0.0


def test_probabilities_count_the_rounding():
    """By simulation: the share of true scores that would be reported at each level."""
    coarse = ReportingScale(slope=2.0, intercept=10.0, minimum=0.0, maximum=20.0)
    levels = (Level("low", 0.0), Level("middle", 10.0), Level("high", 12.0))
    draws = 0.3 + 0.8 * np.random.default_rng(1).normal(size=100_000)
    reported = [level_of(scaled(float(theta), coarse), levels).name for theta in draws]
    expected = probability_of_levels(0.3, 0.8, coarse, levels)
    for level, chance in zip(levels, expected, strict=True):
        assert reported.count(level.name) / len(draws) == pytest.approx(chance, abs=0.006)


def test_without_levels_there_are_no_probabilities_and_no_cuts():
    assert probability_of_levels(0.3, 0.4, SCALE, ()) == ()
    assert theta_cuts((), SCALE) == ()


@given(st.floats(-2.9, 2.9))
def test_a_level_is_reached_exactly_from_its_cut_on_theta(theta):
    cuts = theta_cuts(LEVELS, SCALE)
    assert cuts == pytest.approx((-0.005, 0.995))
    if min(abs(theta - cut) for cut in cuts) > 1e-9:
        reached = level_of(scaled(theta, SCALE), LEVELS)
        assert reached == LEVELS[sum(theta >= cut for cut in cuts)]


def test_what_the_scale_settles_is_certain():
    assert probability_at_least(-3.0, 0.1, SCALE, 200.0) == 1.0
    assert probability_at_least(3.0, 0.1, SCALE, 801.0) == 0.0


def test_a_cut_between_two_scores_is_reached_by_the_upper_one():
    assert probability_at_least(0.0, 0.3, SCALE, 500.5) == probability_at_least(
        0.0, 0.3, SCALE, 501.0
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slope": 0.0}, "a slope above 0"),
        ({"minimum": 800.0}, "a minimum below the maximum"),
        ({"decimals": 7}, "0 to 6 decimals"),
        ({"intercept": float("nan")}, "finite numbers"),
    ],
)
def test_wrong_scales_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        ReportingScale(**changes)


@pytest.mark.parametrize(
    "levels",
    [
        (Level("a", 300.0), Level("a", 400.0)),
        (Level("a", 300.0), Level("b", 300.0)),
        (Level("a", 900.0),),
    ],
)
def test_levels_that_cannot_be_told_apart_or_reached_are_refused(levels):
    with pytest.raises(InputError, match="levels"):
        check_levels(levels, SCALE)
