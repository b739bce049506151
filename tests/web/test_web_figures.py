"""The geometry of figures: what is drawn where."""

from __future__ import annotations

import pytest

from web.figures.exposure_plot import exposure_plot
from web.figures.path_plot import path_plot
from web.figures.progress import progress_bar
from web.figures.score_scale import score_scale


def result(**changes):
    levels = [
        {"code": "below", "name": {"en": "Below"}, "minimum": 300, "passed": False},
        {"code": "passed", "name": {"en": "Passed"}, "minimum": 500, "passed": True},
    ]
    path = [step(1, 1, 0.5, 0.8), step(2, 0, 0.1, 0.6), step(3, None, None, None)]
    return {
        "scale": {"minimum": 300, "maximum": 700, "decimals": 0, "slope": 50, "intercept": 500},
        "score": 520,
        "band": [480, 560],
        "levels": levels,
        "level": levels[1],
        "path": path,
    } | changes


def step(position, score, theta, se):
    return {
        "position": position,
        "item": f"I{position}",
        "score": score,
        "max_score": 1,
        "theta": theta,
        "se": se,
        "difficulty": position - 2.0,
    }


def test_a_score_stands_at_its_place_within_its_band(app):
    with app.test_request_context():
        scale = score_scale(result(), 700)
    start, end = scale.segments[0].x, scale.segments[-1].x + scale.segments[-1].width

    assert (scale.score_x - start) / (end - start) == pytest.approx((520 - 300) / 400, abs=1e-3)
    assert scale.low_x < scale.score_x < scale.high_x
    assert [segment.reached for segment in scale.segments] == [False, True]


def test_a_score_beyond_the_scale_stays_on_it(app):
    with app.test_request_context():
        scale = score_scale(result(score=900, band=[100, 900]), 700)

    assert 0 < scale.low_x < scale.high_x < 700


@pytest.mark.parametrize(
    ("name", "named"),
    [("Passed", True), ("A name far too long " * 3, False), ("p" * 12, True), ("合" * 12, False)],
)
def test_levels_are_named_in_the_figure_only_where_there_is_room(app, name, named):
    given = result()
    given["levels"][1]["name"] = {"en": name}
    with app.test_request_context():
        assert score_scale(given, 330).named is named


def test_the_path_marks_items_right_wrong_and_not_scored():
    plot = path_plot(result(), 1000)

    assert [mark.kind for mark in plot.marks] == ["right", "wrong", "unscored"]
    assert plot.marks[0].y > plot.marks[1].y > plot.marks[2].y
    assert len(plot.line.split()) == 2
    assert len(plot.ribbon.split()) == 4


def test_every_mark_and_cut_lies_inside_the_frame():
    plot = path_plot(result(), 340)
    places = [mark.y for mark in plot.marks] + [cut.y for cut in plot.cuts]

    assert all(plot.top <= y <= plot.bottom for y in places)
    assert all(plot.left <= mark.x <= plot.right for mark in plot.marks)


def test_a_path_without_an_answer_can_be_drawn():
    plot = path_plot(result(path=[step(1, None, None, None)]), 340)

    assert plot.line == ""
    assert len(plot.marks) == 1


def test_progress_never_promises_more_than_the_bar():
    bar = progress_bar(answered=4, at_least=2, at_most=6)

    assert bar.done == pytest.approx(0.4 * bar.width)
    assert bar.least == pytest.approx(0.6 * bar.width)
    assert progress_bar(0, 0, 0).done == 0


def test_columns_are_as_high_as_their_rates():
    plot = exposure_plot([("A", 0.8), ("B", 0.4), ("C", 0.0)], 700)
    heights = [column.height for column in plot.columns]

    assert heights[0] == pytest.approx(2 * heights[1])
    assert heights[2] == 0
    assert plot.mean == pytest.approx(0.4)
    assert exposure_plot([], 700).columns == ()
