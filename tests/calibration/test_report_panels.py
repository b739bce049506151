import re

import numpy as np
import pytest

from calibration.fitting import Options, calibrate
from calibration.matrix import from_dense
from calibration.report_panels import empirical_marks, item_panels


@pytest.fixture(scope="module")
def fitted():
    """Fifty items with two categories, and one with four."""
    rng = np.random.default_rng(8)
    theta = rng.normal(size=800)
    p = 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1, 1, 50))))
    two = (rng.random(p.shape) < p).astype(int)
    four = (theta[:, None] + rng.normal(size=(800, 1)) > np.array([-1, 0, 1])).sum(axis=1)
    names = [f"i{k}" for k in range(50)] + ["four"]
    matrix = from_dense(np.column_stack([two, four]), item=names)
    return calibrate(matrix, Options(model="auto", errors=False)).fit


def test_every_item_is_drawn_and_those_past_the_fortieth_are_folded(fitted):
    drawn = item_panels(fitted, range(51))
    open_part, _, folded = drawn.partition("<details>")
    assert (open_part.count("<svg"), folded.count("<svg")) == (40, 11)
    assert "Items 41 to 51 of 51" in folded


def test_categories_are_drawn_only_where_there_are_more_than_two(fitted):
    assert 'class="category"' not in item_panels(fitted, range(50))
    assert item_panels(fitted, [50]).count('class="category"') == 4


def test_marks_lie_near_the_curve_of_a_model_that_holds_and_count_everybody(fitted):
    marks = empirical_marks(fitted)
    for row in range(50):
        assert sum(mark.n for mark in marks[row]) == pytest.approx(800, rel=0.02)
        for mark in marks[row]:
            p = 1 / (1 + np.exp(-fitted.items.a[row] * (mark.theta - fitted.items.b[row])))
            assert abs(mark.share - p) < 5 / np.sqrt(mark.n) / 2


def test_nothing_is_drawn_outside_of_its_panel(fitted):
    drawn = item_panels(fitted, range(51))
    for points in re.findall(r'points="([^"]+)"', drawn):
        x, y = np.array([pair.split(",") for pair in points.split()], dtype=float).T
        assert x.min() >= 0
        assert x.max() <= 240
        assert y.min() >= 0
        assert y.max() <= 158
