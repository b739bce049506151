import numpy as np
import pytest

from engine.aberrance.rapid_guessing import (
    common_threshold,
    mixture_thresholds,
    normative_thresholds,
    rapid_guesses,
    response_time_effort,
)
from engine.aberrance.response_times import times
from engine.errors import InputError


def two_groups(seed=1, n=800, share=0.1):
    """Ten items; a share of the answers takes about 2 seconds, the others about 40."""
    rng = np.random.default_rng(seed)
    person, row = np.repeat(np.arange(n), 10), np.tile(np.arange(10), n)
    guessed = rng.random(len(row)) < share
    logs = np.where(
        guessed, rng.normal(np.log(2), 0.3, len(row)), rng.normal(np.log(40), 0.4, len(row))
    )
    return times(person, row, np.exp(logs), n_persons=n, n_items=10), guessed


def test_the_normative_threshold_is_a_tenth_of_the_mean_and_at_most_ten_seconds():
    given, _ = two_groups()
    means = [np.exp(given.logs[given.row == row]).mean() for row in range(10)]
    np.testing.assert_allclose(normative_thresholds(given), 0.1 * np.array(means))
    assert (normative_thresholds(given, longest=2.0) == 2.0).all()


def test_the_common_threshold_is_common():
    assert (common_threshold(two_groups()[0], 5.0) == np.full(10, 5.0)).all()


def test_the_mixture_finds_the_valley_and_the_guesses():
    given, guessed = two_groups()
    thresholds = mixture_thresholds(given)
    assert (thresholds > 4).all()
    assert (thresholds < 14).all()
    assert (rapid_guesses(given, thresholds) == guessed).mean() > 0.99


def test_times_of_one_group_have_no_valley():
    given, _ = two_groups(share=0.0)
    assert np.isnan(mixture_thresholds(given)).all()


def test_effort_is_the_share_of_answers_that_were_not_guessed():
    given, guessed = two_groups(n=50)
    thresholds = common_threshold(given, 8.0)
    effort = response_time_effort(given, rapid_guesses(given, thresholds), thresholds)
    expected = 1 - np.bincount(given.person, guessed, 50) / 10
    np.testing.assert_allclose(effort, expected)


def test_an_item_with_few_times_has_no_threshold_and_does_not_count():
    given, _ = two_groups()
    few = given.only((given.row != 4) | (given.person < 10))
    few = few.only((few.row == 4) | (few.person != 3))
    for thresholds in (normative_thresholds(few), mixture_thresholds(few)):
        assert np.flatnonzero(np.isnan(thresholds)).tolist() == [4]
        rapid = rapid_guesses(few, thresholds)
        assert not rapid[few.row == 4].any()
        effort = response_time_effort(few, rapid, thresholds)
        assert np.flatnonzero(np.isnan(effort)).tolist() == [3]


def test_impossible_settings_are_refused():
    given, _ = two_groups(n=20)
    with pytest.raises(InputError, match="a share between 0 and 1"):
        normative_thresholds(given, share=1.5)
    with pytest.raises(InputError, match="seconds above 0"):
        common_threshold(given, 0.0)
