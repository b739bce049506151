"""Plots of cohorts: bars, lines, dots and cuts on two axes; and intervals of shares by group.

What a plot shows is given in its own units; here it becomes places in a drawing of a given width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from web.figures.path_plot import Tick
from web.formats import number

HEIGHT = 300.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 12.0, 34.0, 46.0
LETTER = 7.0
ROW, NAMES = 26.0, 0.3
MOST_ROWS = 25
BACKGROUND = 0.6
"""How much of the height bars take that stand behind lines, on a scale of their own."""


@dataclass(frozen=True)
class Span:
    """A bar in the units of the plot: from, to, how high, and its words."""

    low: float
    high: float
    value: float
    title: str


@dataclass(frozen=True)
class Dot:
    """A point in the units of the plot, and its words."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class CutLine:
    """Where a level begins, in the units of the plot."""

    at: float
    label: str


@dataclass(frozen=True)
class Shown:
    """What a plot is to show; ``first`` and ``second`` are lines."""

    x_label: str
    y_label: str
    bars: Sequence[Span] = ()
    first: Sequence[tuple[float, float]] = ()
    second: Sequence[tuple[float, float]] = ()
    dots: Sequence[Dot] = ()
    cuts: Sequence[CutLine] = ()
    names: Sequence[tuple[float, str]] = ()  # what stands on the x axis instead of numbers
    from_zero: bool = True
    decimals: int = 0


@dataclass(frozen=True)
class Rectangle:
    """A bar as it is drawn."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Upright:
    """A cut as it is drawn, its label in a row of its own."""

    x: float
    label: str
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True)
class Plot:
    """Where everything is drawn; ``behind`` says that bars have no axis."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bars: tuple[Rectangle, ...]
    behind: bool
    first: str
    second: str
    dots: tuple[Dot, ...]
    cuts: tuple[Upright, ...]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * share, 1)


def plot(shown: Shown, width: float) -> Plot:
    """Lay out a plot in a figure of the given width."""
    rows = len(shown.cuts)
    top, bottom = TOP if rows < 2 else TOP + 16 * (rows - 1), HEIGHT - BOTTOM
    x_of = _Axis(*_x_range(shown), LEFT, width - RIGHT)
    heights = _heights(shown)
    y_ticks = round_numbers(*_range(heights, from_zero=shown.from_zero), 5)
    y_of = _Axis(y_ticks[0], y_ticks[-1], bottom, top)
    behind = bool(shown.first or shown.second or shown.dots)
    bar_of = _bar_axis(shown, bottom, top) if behind else y_of
    return Plot(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=width - RIGHT,
        top=top,
        bottom=bottom,
        x_label=shown.x_label,
        y_label=shown.y_label,
        x_ticks=_x_ticks(shown, x_of, width),
        y_ticks=tuple(Tick(y_of(at), _written(at, y_ticks)) for at in y_ticks),
        bars=tuple(_rectangle(bar, x_of, bar_of, bottom) for bar in shown.bars),
        behind=behind,
        first=_points(shown.first, x_of, y_of),
        second=_points(shown.second, x_of, y_of),
        dots=tuple(Dot(x_of(one.x), y_of(one.y), one.title) for one in shown.dots),
        cuts=_uprights(shown, x_of, width),
    )


def _x_range(shown: Shown) -> tuple[float, float]:
    values = [end for bar in shown.bars for end in (bar.low, bar.high)]
    values += [x for x, _ in (*shown.first, *shown.second)] + [dot.x for dot in shown.dots]
    return _range(values, from_zero=False)


def _heights(shown: Shown) -> list[float]:
    lines = [y for _, y in (*shown.first, *shown.second)] + [dot.y for dot in shown.dots]
    return lines or [bar.value for bar in shown.bars]


def _range(values: Sequence[float], *, from_zero: bool) -> tuple[float, float]:
    """Ends of a range that is never empty."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if from_zero:
        low = min(low, 0.0)
    return (low, high) if high > low else (low - (not from_zero), high + 1.0)


def _bar_axis(shown: Shown, bottom: float, top: float) -> _Axis:
    most = max((bar.value for bar in shown.bars), default=1.0) or 1.0
    return _Axis(0.0, most, bottom, bottom + (top - bottom) * BACKGROUND)


def round_numbers(low: float, high: float, n: int) -> list[float]:
    """Return about n round numbers, evenly apart, that enclose a range."""
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def _written(value: float, among: Sequence[float]) -> str:
    step = among[1] - among[0] if len(among) > 1 else 1.0
    exact = (k for k in range(6) if abs(step * 10**k - round(step * 10**k)) < 1e-6)
    return number(value, next(exact, 6))


def _x_ticks(shown: Shown, x_of: _Axis, width: float) -> tuple[Tick, ...]:
    if shown.names:
        longest = max(len(name) for _, name in shown.names)
        fit = max(1, int((width - LEFT - RIGHT) / (LETTER * (longest + 2))))
        step = math.ceil(len(shown.names) / fit)
        return tuple(Tick(x_of(at), name) for at, name in shown.names[::step])
    low, high = x_of.low, x_of.high
    among = round_numbers(low, high, 10 if width > 500 else 5)
    return tuple(Tick(x_of(at), _written(at, among)) for at in among if low <= at <= high)


def _rectangle(bar: Span, x_of: _Axis, y_of: _Axis, bottom: float) -> Rectangle:
    left, right, top = x_of(bar.low), x_of(bar.high), y_of(bar.value)
    gap = min(1.5, (right - left) / 4)
    return Rectangle(
        left, top, round(max(right - left - gap, 0.5), 2), round(bottom - top, 1), bar.title
    )


def _points(line: Sequence[tuple[float, float]], x_of: _Axis, y_of: _Axis) -> str:
    return " ".join(f"{x_of(x)},{y_of(y)}" for x, y in line)


def _uprights(shown: Shown, x_of: _Axis, width: float) -> tuple[Upright, ...]:
    inside = [cut for cut in shown.cuts if x_of.low <= cut.at <= x_of.high]
    found = []
    for row, cut in enumerate(inside):
        x, room = x_of(cut.at), LETTER * len(cut.label) + 8
        anchor = "start" if x + room <= width else "end"
        label = cut.label if anchor == "start" or x >= room else cut.label.split()[0]
        text_x = x + (5 if anchor == "start" else -5)
        found.append(Upright(x, label, round(text_x, 1), 18.0 + 16 * row, anchor))
    return tuple(found)


@dataclass(frozen=True)
class Interval:
    """A share with an interval, by name."""

    name: str
    share: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class Whiskers:
    """An interval as it is drawn."""

    name: str
    y: float
    x: float
    low_x: float
    high_x: float
    title: str


@dataclass(frozen=True)
class IntervalPlot:
    """Where everything is drawn; ``mean_x`` is the whole cohort's share, None without it."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    ticks: tuple[Tick, ...]
    rows: tuple[Whiskers, ...]
    mean_x: float | None


def interval_plot(rows: Sequence[Interval], mean: float | None, width: float) -> IntervalPlot:
    """Lay out shares from 0 to 1, one below the other."""
    rows = rows[:MOST_ROWS]
    left = round(width * NAMES)
    x_of = _Axis(0.0, 1.0, left, width - 24)
    fit = max(4, int(left / LETTER) - 1)
    bottom = 8 + ROW * len(rows)
    return IntervalPlot(
        width=width,
        height=bottom + 26,
        left=left,
        right=width - 24,
        bottom=bottom,
        ticks=tuple(Tick(x_of(k / 4), f"{25 * k} %") for k in range(5)),
        rows=tuple(
            Whiskers(
                one.name if len(one.name) <= fit else one.name[: fit - 1] + "…",
                8 + ROW * (at + 0.5),
                x_of(one.share),
                x_of(one.low),
                x_of(one.high),
                one.title,
            )
            for at, one in enumerate(rows)
        ),
        mean_x=None if mean is None else x_of(mean),
    )
