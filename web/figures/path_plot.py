"""The path of a sitting: the estimate and its SE after each item, the items at their difficulty.

Three panels over one axis of questions: theta with its ribbon, cuts and items; what each answer
told (information); the time that each took. Between the first two stand rows that say where a rule
of the exam was binding.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAIN_HEIGHT = 300.0
LEFT, RIGHT, TOP = 48.0, 14.0, 14.0
ROW, GAP, PANEL, AXIS = 30.0, 18.0, 56.0, 42.0
BAR = 0.55
"""Share of a question's width that its bars take."""
TIMES = (5, 10, 20, 30, 60, 90, 120, 180, 300, 600, 900, 1800, 3600)
"""Seconds at which the axis of times may end."""
Binding = Mapping[str, Collection[int]]
"""What was binding, by its name, and at which positions."""


@dataclass(frozen=True)
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """An item at its difficulty; `kind` is right, part, wrong or unscored.

    ``left`` and ``width`` are those of its question's column.
    """

    x: float
    y: float
    kind: str
    title: str
    position: int
    left: float
    width: float


@dataclass(frozen=True)
class Cut:
    """A cut score as a line on the theta axis."""

    y: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One question's bar in a panel."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Panel:
    """A row of bars: what it shows, where it stands, and the value at its top."""

    label: str
    top: float
    bottom: float
    most: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class BindingRow:
    """Where one rule was binding: places along the axis."""

    label: str
    y: float
    places: tuple[float, ...]


@dataclass(frozen=True)
class PathPlot:
    """Where everything is drawn; ``top`` and ``bottom`` are those of the first panel."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    cuts: tuple[Cut, ...]
    ribbon: str
    line: str
    marks: tuple[Mark, ...]
    rows: tuple[BindingRow, ...]
    panels: tuple[Panel, ...]
    axis_y: float


def path_plot(result: dict[str, Any], width: float, binding: Binding | None = None) -> PathPlot:
    """Lay out the path of a result in a figure of the given width.

    Parameters
    ----------
    binding
        What was binding where; None for what the result itself says.
    """
    path = result["path"]
    estimates = [step for step in path if step["theta"] is not None]
    low, high = _range(path, estimates)
    last = max((step["position"] for step in path), default=1)  # items tried out leave gaps
    x_of = _Axis(0.5, last + 0.5, LEFT, width - RIGHT)
    y_of = _Axis(low, high, MAIN_HEIGHT, TOP)
    rows = _rows(binding_of(result) if binding is None else binding, x_of)
    panels = _panels(path, x_of, MAIN_HEIGHT + ROW * len(rows))
    axis_y = panels[-1].bottom
    return PathPlot(
        width=width,
        height=axis_y + AXIS,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        bottom=MAIN_HEIGHT,
        x_ticks=_x_ticks(last, x_of),
        y_ticks=tuple(Tick(y_of(v), f"{v:d}".replace("-", "\u2212")) for v in range(low, high + 1)),
        cuts=_cuts(result, low, high, y_of),
        ribbon=_ribbon(estimates, x_of, y_of),
        line=" ".join(f"{x_of(s['position'])},{y_of(s['theta'])}" for s in estimates),
        marks=tuple(_mark(step, x_of, y_of) for step in path),
        rows=rows,
        panels=panels,
        axis_y=axis_y,
    )


def binding_of(result: dict[str, Any]) -> Binding:
    """What a result says of rules that were binding."""
    path = result["path"]
    return {
        "area in turn": [step["position"] for step in path if step.get("area_in_turn")],
        "gave way": [step["position"] for step in path if step.get("gave_way")],
    }


@dataclass(frozen=True)
class _Axis:
    """A straight scale from values to places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * share, 1)


def _range(path: list[dict[str, Any]], estimates: list[dict[str, Any]]) -> tuple[int, int]:
    ends = [step["theta"] + side * step["se"] for step in estimates for side in (-1, 1)]
    values = [*ends, *(step["difficulty"] for step in path), -2.0, 2.0]
    return math.floor(min(values)), math.ceil(max(values))


def _x_ticks(n: int, x_of: _Axis) -> tuple[Tick, ...]:
    step = 1 if n <= 12 else 5
    places = [1, *range(step, n + 1, step)] if step > 1 else range(1, n + 1)
    return tuple(Tick(x_of(place), str(place)) for place in dict.fromkeys(places))


def _cuts(result: dict[str, Any], low: int, high: int, y_of: _Axis) -> tuple[Cut, ...]:
    scale = result["scale"]
    cuts = [
        ((level["minimum"] - scale["intercept"]) / scale["slope"], level)
        for level in result["levels"]
        if level["minimum"] > scale["minimum"]
    ]
    return tuple(
        Cut(y_of(theta), f"{level['minimum']:g} {level['name'].get('en', level['code'])}")
        for theta, level in cuts
        if low <= theta <= high
    )


def _ribbon(estimates: list[dict[str, Any]], x_of: _Axis, y_of: _Axis) -> str:
    upper = [(step["position"], step["theta"] + step["se"]) for step in estimates]
    lower = [(step["position"], step["theta"] - step["se"]) for step in reversed(estimates)]
    return " ".join(f"{x_of(at)},{y_of(theta)}" for at, theta in upper + lower)


def _mark(step: dict[str, Any], x_of: _Axis, y_of: _Axis) -> Mark:
    difficulty = f"{step['difficulty']:.2f}".replace("-", "\u2212")
    kind, position = kind_of(step), step["position"]
    words = {"right": "right", "wrong": "wrong", "part": "partly right", "unscored": "not scored"}
    left = x_of(position - 0.5)
    return Mark(
        x=x_of(position),
        y=y_of(step["difficulty"]),
        kind=kind,
        title=f"{position}. {step['item']}, difficulty {difficulty}, {words[kind]}",
        position=position,
        left=left,
        width=round(x_of(position + 0.5) - left, 1),
    )


def kind_of(step: dict[str, Any]) -> str:
    """Return how a question ended: right, part, wrong or unscored."""
    if step["score"] is None:
        return "unscored"
    if step["score"] >= step["max_score"]:
        return "right"
    return "part" if step["score"] > 0 else "wrong"


# --- below the first panel ---------------------------------------------------------------------


def _rows(binding: Binding, x_of: _Axis) -> tuple[BindingRow, ...]:
    found = [(label, sorted(places)) for label, places in binding.items() if places]
    return tuple(
        BindingRow(label, MAIN_HEIGHT + ROW * (line + 1), tuple(x_of(place) for place in places))
        for line, (label, places) in enumerate(found)
    )


def _panels(path: list[dict[str, Any]], x_of: _Axis, top: float) -> tuple[Panel, ...]:
    told = {step["position"]: step.get("information") for step in path}
    took = {step["position"]: step.get("seconds") for step in path}
    most = max((value for value in told.values() if value is not None), default=1.0)
    longest = _end_of_times(value for value in took.values() if value is not None)
    first = top + GAP
    second = first + PANEL + GAP
    return (
        _panel("information", told, (first, math.ceil(2 * most) / 2), x_of, "{:.1f}"),
        _panel("time, s", took, (second, longest), x_of, "{:.0f}"),
    )


def _end_of_times(values: Iterable[float]) -> float:
    longest = max(values, default=0.0)
    return next((end for end in TIMES if longest <= end), math.ceil(longest))


def _panel(
    label: str,
    values: Mapping[int, float | None],
    place: tuple[float, float],
    x_of: _Axis,
    form: str,
) -> Panel:
    top, most = place
    bottom, most = top + PANEL, max(most, 1e-9)
    wide = BAR * (x_of(1.5) - x_of(0.5))
    bars = []
    for position, value in values.items():
        if value is not None:
            high = round(PANEL * min(value / most, 1.0), 1)
            left = round(x_of(position) - wide / 2, 1)
            title = f"{position}. {label}: {form.format(value)}"
            bars.append(Bar(left, round(bottom - high, 1), round(wide, 1), high, title))
    return Panel(label, top, bottom, form.format(most), tuple(bars))
