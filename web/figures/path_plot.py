"""The path of a sitting: the estimate and its SE after each item, the items at their difficulty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

HEIGHT = 340.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 14.0, 14.0, 42.0


@dataclass(frozen=True)
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """An item at its difficulty; `kind` is right, part, wrong or unscored."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True)
class Cut:
    """A cut score as a line on the theta axis."""

    y: float
    label: str


@dataclass(frozen=True)
class PathPlot:
    """Where everything is drawn."""

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


def path_plot(result: dict[str, Any], width: float) -> PathPlot:
    """Lay out the path of a result in a figure of the given width."""
    path = result["path"]
    estimates = [step for step in path if step["theta"] is not None]
    low, high = _range(path, estimates)
    last = max((step["position"] for step in path), default=1)  # items tried out leave gaps
    x_of = _Axis(0.5, last + 0.5, LEFT, width - RIGHT)
    y_of = _Axis(low, high, HEIGHT - BOTTOM, TOP)
    return PathPlot(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        x_ticks=_x_ticks(last, x_of),
        y_ticks=tuple(Tick(y_of(v), f"{v:d}".replace("-", "\u2212")) for v in range(low, high + 1)),
        cuts=_cuts(result, low, high, y_of),
        ribbon=_ribbon(estimates, x_of, y_of),
        line=" ".join(f"{x_of(s['position'])},{y_of(s['theta'])}" for s in estimates),
        marks=tuple(_mark(step, x_of, y_of) for step in path),
    )


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
    kind = _kind(step)
    words = {"right": "right", "wrong": "wrong", "part": "partly right", "unscored": "not scored"}
    title = f"{step['position']}. {step['item']}, difficulty {difficulty}, {words[kind]}"
    return Mark(x_of(step["position"]), y_of(step["difficulty"]), kind, title)


def _kind(step: dict[str, Any]) -> str:
    if step["score"] is None:
        return "unscored"
    if step["score"] >= step["max_score"]:
        return "right"
    return "part" if step["score"] > 0 else "wrong"
