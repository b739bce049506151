"""Standard setting: judges' cuts round by round, and the share that would reach a cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web.figures.path_plot import Tick
from web.figures.plots import round_numbers
from web.formats import number

LEFT, RIGHT, TOP, BOTTOM = 72.0, 16.0, 12.0, 44.0
ROW, DOT = 76.0, 5.0
SHARE_HEIGHT = 280.0


@dataclass(frozen=True)
class RoundCuts:
    """A round in points of the scale: the panel's cut with its error, and each judge's."""

    label: str
    cut: float
    se: float | None
    judges: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class JudgeDot:
    """A judge as drawn."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class RoundRow:
    """A round as drawn; the band is two standard errors to each side."""

    label: str
    y: float
    top: float
    bottom: float
    cut_x: float
    band_x: float
    band_width: float
    title: str
    dots: tuple[JudgeDot, ...]


@dataclass(frozen=True)
class JudgesPlot:
    """Where everything is drawn."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    ticks: tuple[Tick, ...]
    rows: tuple[RoundRow, ...]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * min(max(share, 0.0), 1.0), 1)


def judges_plot(rounds: Sequence[RoundCuts], width: float) -> JudgesPlot:
    """Lay out rounds below each other in a figure of the given width."""
    values = [score for one in rounds for _, score in one.judges]
    values += [one.cut + k * 2 * (one.se or 0.0) for one in rounds for k in (-1, 1)]
    ticks = _ticks(min(values), max(values), 9 if width > 500 else 4)
    axis = _Axis(ticks[0], ticks[-1], LEFT, width - RIGHT)
    bottom = TOP + ROW * len(rounds)
    return JudgesPlot(
        width,
        bottom + BOTTOM,
        LEFT,
        width - RIGHT,
        bottom,
        tuple(Tick(axis(at), number(at)) for at in ticks),
        tuple(_round_row(one, TOP + ROW * place, axis) for place, one in enumerate(rounds)),
    )


def _ticks(low: float, high: float, n: int) -> list[float]:
    """Whole numbers that enclose a range of at least some points."""
    low, high = (low, high) if high - low >= n else (low - n / 2, high + n / 2)
    return round_numbers(low, high, n)


def _round_row(one: RoundCuts, top: float, axis: _Axis) -> RoundRow:
    middle, se = top + ROW / 2, one.se or 0.0
    left, right = axis(one.cut - 2 * se), axis(one.cut + 2 * se)
    error = "" if one.se is None else f", standard error {number(one.se, 1)}"
    return RoundRow(
        one.label,
        middle,
        top + 6,
        top + ROW - 6,
        axis(one.cut),
        left,
        round(right - left, 1),
        f"{one.label}: {number(one.cut, 1)}{error}",
        _dots(one.judges, middle, axis),
    )


def _dots(judges: Sequence[tuple[str, float]], middle: float, axis: _Axis) -> tuple[JudgeDot, ...]:
    """Judges at one place stand above and below each other."""
    found: list[JudgeDot] = []
    for name, score in sorted(judges, key=lambda one: one[1]):
        x = axis(score)
        beside = sum(1 for dot in found if abs(dot.x - x) < 2 * DOT)
        step = (beside + 1) // 2 * (1 if beside % 2 else -1)
        y = round(middle + step * 2 * DOT, 1)
        found.append(JudgeDot(x, y, f"{name}: {number(score, 1)}"))
    return tuple(found)


@dataclass(frozen=True)
class SharePlot:
    """Where the share that would reach a cut is drawn, with the panel's cut and its band."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    line: str
    cut_x: float
    cut_anchor: str
    band_x: float
    band_width: float


def share_plot(
    curve: Sequence[tuple[float, float]], cut: float, band: tuple[float, float], width: float
) -> SharePlot:
    """Lay out a falling curve of (minimum, share) in a figure of the given width.

    Parameters
    ----------
    band
        Two standard errors below and above the cut.
    """
    lowest = min(curve[0][0], band[0])
    ticks = _ticks(lowest, max(curve[-1][0], band[1]), 9 if width > 500 else 4)
    x_of = _Axis(ticks[0], ticks[-1], LEFT, width - RIGHT)
    top, bottom = TOP + 18, SHARE_HEIGHT - BOTTOM
    y_of = _Axis(0.0, 1.0, bottom, top)
    left, right = x_of(band[0]), x_of(band[1])
    return SharePlot(
        width,
        SHARE_HEIGHT,
        LEFT,
        width - RIGHT,
        top,
        bottom,
        tuple(Tick(x_of(at), number(at)) for at in ticks),
        tuple(Tick(y_of(part / 4), f"{25 * part} %") for part in range(5)),
        " ".join(f"{x_of(x)},{y_of(y)}" for x, y in curve),
        x_of(cut),
        "end" if x_of(cut) > width * 0.6 else "start",
        left,
        round(right - left, 1),
    )
