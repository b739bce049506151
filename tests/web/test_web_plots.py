"""Plots of cohorts: what is drawn where."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

from web.cohorts.technical.parts import picture
from web.figures.plots import (
    CutLine,
    Dot,
    Interval,
    Shown,
    Span,
    interval_plot,
    plot,
    round_numbers,
)

BARS = [Span(400, 410, 4, "a"), Span(410, 420, 8, "b"), Span(420, 430, 0, "c")]


def test_bars_stand_on_the_axis_side_by_side_and_as_high_as_they_count():
    found = plot(Shown("Score", "Sittings", bars=BARS), 1000)

    first, second, third = found.bars
    assert first.x == found.left
    assert first.x + first.width <= second.x
    assert first.y + first.height == pytest.approx(found.bottom)
    assert second.height == pytest.approx(2 * first.height, abs=0.2)
    assert third.height == 0
    assert [tick.label for tick in found.y_ticks] == ["0", "2", "4", "6", "8"]
    assert not found.behind


def test_a_line_has_the_axis_and_bars_stand_behind_on_a_scale_of_their_own():
    shown = Shown("x", "y", bars=BARS, first=[(400, 10.0), (430, 20.0)], dots=[Dot(410, 15, "d")])

    found = plot(shown, 1000)

    assert found.behind
    assert found.y_ticks[-1].label == "20"
    assert found.first.split()[0].startswith(f"{found.left},")
    assert max(bar.height for bar in found.bars) < 0.61 * (found.bottom - found.top)


def test_labels_of_cuts_stay_inside_one_below_the_other():
    cuts = [CutLine(405, "405 First"), CutLine(428, "428 The second of them"), CutLine(999, "no")]

    found = plot(Shown("x", "y", bars=BARS, cuts=cuts), 340)

    assert [one.label.split()[0] for one in found.cuts] == ["405", "428"]
    assert found.cuts[0].text_y < found.cuts[1].text_y < found.top
    assert found.cuts[0].anchor == "start"
    assert found.cuts[1].anchor == "end"


@pytest.mark.parametrize(
    ("low", "high", "n"), [(0, 1, 5), (-0.3, 7.2, 5), (393, 651, 10), (0, 123456, 5), (0, 0.004, 4)]
)
def test_round_numbers_enclose_a_range_evenly(low, high, n):
    found = round_numbers(low, high, n)

    assert found[0] <= low
    assert found[-1] >= high
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
    assert len(found) <= 2 * n + 2


def test_ticks_say_all_the_digits_of_their_step():
    found = plot(Shown("x", "y", bars=[Span(0, 25, 1, "")]), 1000)

    assert [tick.label for tick in found.x_ticks][:3] == ["0.0", "2.5", "5.0"]


def test_names_on_the_axis_are_thinned_where_there_is_no_room():
    names = [(float(k), f"2026-{k:02d}") for k in range(1, 13)]
    line = [(x, 1.0) for x, _ in names]

    wide, narrow = (plot(Shown("m", "y", first=line, names=names), w) for w in (1030, 340))

    assert len(wide.x_ticks) == 12
    assert 2 <= len(narrow.x_ticks) < 12


@pytest.mark.parametrize(
    "shown", [Shown("x", "y"), Shown("x", "y", first=[(1.0, 5.0)], from_zero=False)]
)
def test_nothing_and_a_single_point_can_be_drawn(shown):
    found = plot(shown, 340)

    assert len(found.y_ticks) > 1


def test_intervals_hold_their_share_and_long_names_are_cut():
    rows = [Interval("A name that is much too long for the room", 0.5, 0.4, 0.6, "t")] * 30

    found = interval_plot(rows, 0.55, 340)

    assert len(found.rows) == 25
    one = found.rows[0]
    assert one.low_x < one.x < one.high_x
    assert one.name.endswith("…")
    assert found.mean_x > one.x
    assert found.height > found.bottom


def test_a_picture_of_a_document_stands_by_itself():
    found = picture(Shown("Score < 5", "Sittings", bars=BARS), "Words & more", "Reading.")

    root = ET.fromstring(found.svg)
    assert root.attrib["aria-label"] == "Words & more"
    assert root[0].tag.endswith("style")
    assert "Score < 5" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
