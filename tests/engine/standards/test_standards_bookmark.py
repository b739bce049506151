"""Bookmark: where items stand in the booklet, what a mark means, and panels by table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.items import item_parameters
from engine.models.dispatch import probabilities
from engine.standards.bookmark import AT_ITEM, BETWEEN, Place, booklet, bookmark_cut, bookmarks
from engine.standards.panels import NoCut

BANK = item_parameters(
    ["hard", "easy", "guessed", "stepped"],
    ["2pl", "rasch", "3pl", "grm"],
    a=[2.0, 1.0, 1.0, 1.5],
    b=[1.0, -1.0, 0.0, np.nan],
    c=[np.nan, np.nan, 0.2, np.nan],
    thresholds=[[np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [-2.0, 0.8]],
)


def test_items_stand_where_the_chance_is_the_response_probability():
    places = booklet(BANK).places

    for place in places:
        chances = probabilities(place.theta, BANK)[0, place.row]
        assert chances[place.step :].sum() == pytest.approx(0.67, abs=1e-9)
    assert [place.theta for place in places] == sorted(place.theta for place in places)


def test_locations_by_hand():
    log_odds = np.log(0.67 / 0.33)
    by_hand = {
        (0, 1): 1 + log_odds / 2,
        (1, 1): -1 + log_odds,
        (2, 1): np.log(0.47 / 0.33),
        (3, 1): -2 + log_odds / 1.5,
        (3, 2): 0.8 + log_odds / 1.5,
    }

    found = {(place.row, place.step): place.theta for place in booklet(BANK).places}

    assert found == pytest.approx(by_hand, abs=1e-9)


def test_without_guessing_a_3pl_item_stands_where_its_2pl_would():
    places = booklet(BANK, guessing_adjusted=True).places

    guessed = next(place for place in places if place.row == 2)
    assert guessed.theta == pytest.approx(np.log(0.67 / 0.33), abs=1e-9)


def test_an_item_that_guessing_alone_masters_is_left_out_and_named():
    lucky = item_parameters(["i", "j"], "3pl", a=1.0, b=0.0, c=[0.7, 0.2])

    assert booklet(lucky).left_out == ((0, 1),)
    assert booklet(lucky, guessing_adjusted=True).left_out == ()


@pytest.mark.parametrize("wrong", [0.0, 1.0, 67])
def test_a_response_probability_lies_between_0_and_1(wrong):
    with pytest.raises(InputError, match="above 0 and below 1"):
        booklet(BANK, response_probability=wrong)


PLACES = (Place(0, 1, -1.0), Place(1, 1, 0.0), Place(2, 1, 0.5))


def test_a_mark_cuts_at_the_first_place_not_mastered_or_half_way_to_it():
    assert bookmark_cut(PLACES, 2, AT_ITEM).theta == 0.0
    assert bookmark_cut(PLACES, 2, BETWEEN).theta == -0.5
    assert bookmark_cut(PLACES, 1, AT_ITEM).theta == -1.0


def test_marks_at_the_ends_of_the_booklet_say_why_there_is_no_cut():
    assert bookmark_cut(PLACES, 1, BETWEEN).reason is NoCut.BELOW
    assert bookmark_cut(PLACES, 4, AT_ITEM).reason is NoCut.ABOVE


@pytest.mark.parametrize("mark", [0, 5])
def test_a_mark_outside_of_the_booklet_is_refused(mark):
    with pytest.raises(InputError, match="a bookmark from 1 to 4"):
        bookmark_cut(PLACES, mark)


def test_the_panel_of_bookmarks_by_hand():
    found = bookmarks([2, 3, 3, None], PLACES, rule=AT_ITEM)

    assert found.panel.mean == pytest.approx(1 / 3)
    assert found.panel.median == 0.5
    assert found.panel.se == pytest.approx(np.std([0, 0.5, 0.5], ddof=1) / 3**0.5)
    assert found.panel.se_jackknife == pytest.approx(found.panel.se)
    assert found.panel.left_out == 1


def test_judges_who_agree_at_their_tables_count_for_less():
    places = tuple(Place(n, 1, n / 10) for n in range(20))
    tables = ["a", "a", "a", "b", "b", "b"]

    alone = bookmarks([3, 3, 4, 12, 12, 13], places, rule=AT_ITEM)
    seated = bookmarks([3, 3, 4, 12, 12, 13], places, rule=AT_ITEM, tables=tables)

    assert seated.panel.intraclass > 0.95
    factor = (1 + 2 * seated.panel.intraclass) ** 0.5
    assert seated.panel.se == pytest.approx(alone.panel.se * factor)


def test_simulated_bookmarks_recover_the_true_cut_within_the_standard_error():
    rng = np.random.default_rng(3)
    bank = item_parameters([f"i{n}" for n in range(60)], "2pl", a=1.2, b=rng.normal(0, 1.2, 60))
    places = booklet(bank).places
    theta = np.array([place.theta for place in places])
    found = []
    for _ in range(60):
        own = rng.normal(0.5, 0.35, 12)
        marks = (np.searchsorted(theta, own) + 1).tolist()
        found.append(bookmarks(marks, places).panel)

    z = np.array([(panel.mean - 0.5) / panel.se for panel in found])
    assert abs(z.mean()) < 0.5
    assert (np.abs(z) < 2.2).mean() > 0.85


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8), st.data())
def test_a_later_mark_never_lowers_the_cut(difficulties, data):
    bank = item_parameters(
        [f"i{n}" for n in range(len(difficulties))], "rasch", a=1, b=difficulties
    )
    places = booklet(bank).places
    mark = data.draw(st.integers(2, len(places)))

    lower = bookmark_cut(places, mark - 1, AT_ITEM).theta
    assert bookmark_cut(places, mark, AT_ITEM).theta >= lower
