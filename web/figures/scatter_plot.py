"""Points in a plane, such as old and new difficulties; marked ones stand out by shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from web.figures.path_plot import Tick

HEIGHT = 340.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 14.0, 14.0, 44.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Point:
    """Where something lies; ``marked`` ones are drawn hollow and larger."""

    x: float
    y: float
    title: str
    marked: bool = False


@dataclass(frozen=True)
class ScatterPlot:
    """Where everything is drawn; ``diagonal`` is the line of equal values, if wanted."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    points: tuple[Point, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    diagonal: str | None
    zero_y: float | None


def scatter_plot(points: Sequence[Point], width: float, *, diagonal: bool = False) -> ScatterPlot:
    """Lay out points in a figure of the given width."""
    xs, ys = [point.x for point in points], [point.y for point in points]
    if diagonal:
        xs = ys = [*xs, *ys]
    x_marks, y_marks = _marks(xs), _marks(ys)
    left, right, top, bottom = LEFT, width - RIGHT, TOP, HEIGHT - BOTTOM

    def x_at(value: float) -> float:
        return _between(value, x_marks, left, right)

    def y_at(value: float) -> float:
        return _between(value, y_marks, bottom, top)

    low, high = x_marks[0], x_marks[-1]
    return ScatterPlot(
        width=width,
        height=HEIGHT,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        points=tuple(Point(x_at(p.x), y_at(p.y), p.title, p.marked) for p in points),
        x_ticks=tuple(Tick(x_at(mark), _label(mark)) for mark in x_marks),
        y_ticks=tuple(Tick(y_at(mark), _label(mark)) for mark in y_marks),
        diagonal=f"M{x_at(low)} {y_at(low)}L{x_at(high)} {y_at(high)}" if diagonal else None,
        zero_y=y_at(0.0) if y_marks[0] < 0 < y_marks[-1] and not diagonal else None,
    )


def _marks(values: Sequence[float]) -> list[float]:
    """Return round values that hold all of some between them, about five."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = max(high - low, 1e-6)
    step = next((one for one in STEPS if span / one <= 6), STEPS[-1])
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * k for k in range(first, max(last, first + 1) + 1)]


def _between(value: float, marks: Sequence[float], start: float, end: float) -> float:
    share = (value - marks[0]) / (marks[-1] - marks[0])
    return round(start + (end - start) * share, 1)


def _label(mark: float) -> str:
    return f"{mark:.4g}".replace("-", "\u2212")
