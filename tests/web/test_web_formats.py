"""Numbers, times and chances as people read them."""

from __future__ import annotations

import pytest

from item_bank.store.clock import SECOND
from web import formats

AT = 1_795_446_067 * SECOND


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.999, "more than 49 in 50"),
        (0.95, "19 in 20"),
        (0.9, "9 in 10"),
        (0.55, "6 in 10"),
        (0.06, "1 in 10"),
        (0.01, "less than 1 in 20"),
    ],
)
def test_a_chance_is_put_into_words(app, probability, words):
    with app.test_request_context():
        assert formats.chance(probability) == words


def test_words_for_chances_never_go_down_when_the_chance_goes_up(app):
    order = ["less than 1 in 20", *(f"{n} in 10" for n in range(1, 10)), "19 in 20"]
    order.append("more than 49 in 50")
    with app.test_request_context():
        places = [order.index(formats.chance(n / 1000)) for n in range(1001)]

    assert places == sorted(places)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (7.4, "7 s"), (61, "1 min 1 s"), (3 * 3600 + 60, "3 h 1 min")],
)
def test_a_length_of_time_has_the_units_that_matter(app, seconds, words):
    with app.test_request_context():
        assert formats.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.00"), (-0.001, "0.00"), (0.3, "+0.30"), (-1.5, "\u22121.50")]
)
def test_signs_are_true_and_zero_has_none(value, text):
    assert formats.signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (None, "–")]
)
def test_a_small_share_is_not_written_as_nothing(value, text):
    assert formats.percent(value) == text


def test_times_name_their_zone(app):
    with app.test_request_context():
        assert formats.moment(AT) == "23 Nov 2026, 15:01 UTC"
        assert formats.clock(AT) == "15:01:07 UTC"
    assert formats.iso(AT) == "2026-11-23T15:01:07Z"
