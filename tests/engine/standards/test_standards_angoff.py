"""Modified Angoff: cuts by hand, cuts that do not exist, and true cuts that are recovered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.items import item_parameters
from engine.models.dispatch import expected_score
from engine.standards.angoff import angoff
from engine.standards.panels import NoCut

RASCH = item_parameters(["i1", "i2", "i3"], "rasch", a=1.0, b=[-1.0, 0.0, 1.0])


def test_a_judge_who_rates_as_the_model_does_at_theta_cuts_there():
    ratings = expected_score([0.7, -0.4], RASCH)

    found = angoff(ratings, RASCH)

    assert [cut.theta for cut in found.judges] == pytest.approx([0.7, -0.4], abs=1e-9)
    assert found.panel.mean == pytest.approx(0.15)
    assert found.panel.median == pytest.approx(0.15)
    assert found.panel.sd == pytest.approx(1.1 / 2**0.5)
    assert found.panel.se == pytest.approx(0.55)
    for judge in found.consistency:
        assert judge.correlation == pytest.approx(1.0)
        assert judge.rmse == pytest.approx(0.0, abs=1e-9)


def test_one_item_by_hand():
    one = item_parameters(["i"], "2pl", a=2.0, b=0.5)

    found = angoff([[0.8], [0.5], [0.2]], one)

    log_odds = np.log([4.0, 1.0, 0.25])
    assert [cut.theta for cut in found.judges] == pytest.approx(0.5 + log_odds / 2, abs=1e-9)
    assert found.panel.mean == pytest.approx(0.5)


def test_only_the_items_that_a_judge_rated_count():
    ratings = expected_score([0.7], RASCH)
    ratings[0, 2] = np.nan

    assert angoff(ratings, RASCH).judges[0].theta == pytest.approx(0.7, abs=1e-9)


def test_the_expected_score_of_an_item_with_more_scores_is_rated_in_points():
    mixed = item_parameters(
        ["right", "partly"],
        ["2pl", "gpcm"],
        a=[1.2, 0.8],
        b=[0.0, np.nan],
        thresholds=[[np.nan, np.nan], [-0.5, 1.0]],
    )
    ratings = expected_score([0.6], mixed)
    assert ratings[0, 1] > 1  # more than an item scored right or wrong could have

    found = angoff(ratings, mixed)

    assert found.judges[0].theta == pytest.approx(0.6, abs=1e-9)
    assert found.item_mean[1] == pytest.approx(ratings[0, 1] / 2)


@pytest.mark.parametrize(
    ("rating", "why"), [(0.1, NoCut.BELOW), (1.0, NoCut.ABOVE), (np.nan, NoCut.UNRATED)]
)
def test_ratings_without_a_cut_say_why(rating, why):
    guessed = item_parameters(["i1", "i2"], "3pl", a=1.0, b=[0.0, 1.0], c=0.25)

    found = angoff([[rating, rating], [0.6, 0.5]], guessed)

    assert (found.judges[0].theta, found.judges[0].reason) == (None, why)
    assert (found.panel.n, found.panel.left_out) == (1, 1)
    assert found.panel.se is None


def test_a_curve_that_falls_and_rises_gives_no_single_cut():
    falls = item_parameters(
        ["n"], "nrm", slopes=[[3.0, 1.0]], intercepts=[[3.0, 1.0]]
    )  # the middle score wins as theta grows

    expected = expected_score(np.linspace(-8, 8, 200), falls)[:, 0]
    level = (expected.max() + expected[-1]) / 2
    assert angoff([[level]], falls).judges[0].reason is NoCut.SEVERAL


@pytest.mark.parametrize("rating", [-0.1, 1.1, np.inf])
def test_a_rating_outside_of_the_scores_of_its_item_is_refused(rating):
    with pytest.raises(InputError, match="ratings of i2: expected a number from 0 to 1"):
        angoff([[0.5, rating, 0.5]], RASCH)


def test_the_shape_must_be_judges_by_items():
    with pytest.raises(InputError, match=r"n_panellists, 3"):
        angoff([[0.5, 0.5]], RASCH)


def test_disagreement_on_an_item_is_its_standard_deviation():
    found = angoff([[0.2, 0.5, np.nan], [0.6, 0.5, 0.4]], RASCH)

    assert found.item_mean == pytest.approx([0.4, 0.5, 0.4])
    assert found.item_sd[:2] == pytest.approx([0.4 / 2**0.5, 0.0], abs=1e-12)
    assert np.isnan(found.item_sd[2])


def test_a_judge_who_rates_against_difficulty_correlates_negatively():
    found = angoff([[0.2, 0.5, 0.8]], RASCH)

    assert found.consistency[0].correlation == pytest.approx(-1.0, abs=0.01)
    assert found.consistency[0].rmse > 0.3


def test_without_anybody_nothing_is_estimated():
    found = angoff(np.full((2, 3), np.nan), RASCH)

    assert (found.panel.n, found.panel.mean, found.pooled.theta) == (0, None, None)
    assert np.isnan(found.item_expected).all()


def simulated_panel(rng, items, true_cut, n_judges=12):
    own = rng.normal(true_cut, 0.3, n_judges)
    noisy = expected_score(own, items) + rng.normal(0, 0.08, (n_judges, len(items)))
    return np.clip(noisy, 0.01, 0.99)


def test_simulated_judges_around_a_true_cut_recover_it_within_the_standard_error():
    rng = np.random.default_rng(7)
    items = item_parameters(
        [f"i{n}" for n in range(40)], "2pl", a=rng.lognormal(0, 0.2, 40), b=rng.normal(0, 1, 40)
    )
    found = [angoff(simulated_panel(rng, items, 0.4), items).panel for _ in range(40)]

    z = np.array([(panel.mean - 0.4) / panel.se for panel in found])
    assert abs(z.mean()) < 0.5  # three standard errors of a mean of forty
    assert 0.6 < z.std() < 1.5
    assert (np.abs(z) < 2.2).mean() > 0.85  # t with 11 degrees of freedom: 0.95
    ratio = np.array([panel.se_jackknife / panel.se for panel in found])
    assert ratio.mean() == pytest.approx(1.0, abs=0.1)


@given(st.floats(-3, 3))
def test_higher_ratings_never_lower_the_cut(theta):
    ratings = expected_score([theta], RASCH)
    higher = ratings + (1 - ratings) * 0.1

    assert angoff(higher, RASCH).judges[0].theta > angoff(ratings, RASCH).judges[0].theta
