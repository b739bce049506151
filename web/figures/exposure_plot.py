"""Exposure rates of a bank's items, the most shown first, with the mean as a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web.figures.path_plot import Tick

HEIGHT = 260.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 12.0, 34.0


@dataclass(frozen=True)
class Column:
    """One item's bar."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class ExposurePlot:
    """Where everything is drawn."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    mean_y: float
    mean: float


def exposure_plot(rows: Sequence[tuple[str, float]], width: float) -> ExposurePlot:
    """Lay out items and their rates, in the order given, in a figure of the given width."""
    top_rate = _nice(max((rate for _, rate in rows), default=1.0))
    mean = sum(rate for _, rate in rows) / max(len(rows), 1)
    step = (width - LEFT - RIGHT) / max(len(rows), 1)

    def y(rate: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * rate / top_rate, 1)

    columns = tuple(
        Column(
            x=round(LEFT + i * step, 2),
            y=y(rate),
            width=round(max(step - min(1.5, step / 4), 0.5), 2),
            height=round(HEIGHT - BOTTOM - y(rate), 1),
            title=f"{item}: {100 * rate:.0f} %",
        )
        for i, (item, rate) in enumerate(rows)
    )
    shares = [top_rate * part / 4 for part in range(5)]
    return ExposurePlot(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=width - RIGHT,
        bottom=HEIGHT - BOTTOM,
        columns=columns,
        ticks=tuple(Tick(y(share), f"{100 * share:.0f} %") for share in shares),
        mean_y=y(mean),
        mean=mean,
    )


def _nice(rate: float) -> float:
    return next(top for top in (0.2, 0.4, 0.6, 0.8, 1.0) if rate <= top or top == 1.0)
