"""Charts that the sections of a simulation's report share: lines along theta in one hand.

Called by the report and its sections. Imports altair, which is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from calibration.report_page import INK, LAPIS, NEUTRAL, SAFFRON

WIDTH, HEIGHT = 920, 260
COLOURS = (LAPIS, INK, SAFFRON)
DASHES = ([1, 0], [6, 3], [2, 2])


def sized(chart: Any) -> Any:
    """Give a chart the size of all charts of the report."""
    return chart.properties(width=WIDTH, height=HEIGHT)


def lines_along_theta(
    theta: Sequence[float],
    lines: Mapping[str, Sequence[float | None]],
    unit: str,
    *,
    cuts: Sequence[float] = (),
    share: bool = False,
    title: str = "true theta",
    points: bool = True,
) -> Any:
    """Draw up to three lines along theta, told apart by colour and by dashes.

    Parameters
    ----------
    theta, lines
        Points, and by name the values there; None where a value is not known.
    unit
        Title of the vertical axis.
    cuts
        Thetas to mark.
    share
        Whether the values are shares, shown in per cent.
    """
    rows = [
        {"theta": at, "value": value, "what": name}
        for name, values in lines.items()
        for at, value in zip(theta, values, strict=True)
        if value is not None
    ]
    names = list(lines)
    legend = (
        alt.Legend(orient="top", symbolType="stroke", symbolSize=500) if len(names) > 1 else None
    )
    colour = alt.Scale(domain=names, range=list(COLOURS[: len(names)]))
    dash = alt.Scale(domain=names, range=list(DASHES[: len(names)]))
    axis = alt.Axis(format="%") if share else alt.Axis()
    chart = sized(alt.Chart(alt.InlineData(values=rows)).mark_line(point=points)).encode(
        x=alt.X("theta:Q", title=title, axis=alt.Axis(tickCount=13)),
        y=alt.Y("value:Q", title=unit, axis=axis),
        color=alt.Color("what:N", scale=colour, title=None, legend=legend),
        strokeDash=alt.StrokeDash("what:N", scale=dash, title=None, legend=legend),
    )
    return alt.layer(_cut_lines(cuts), chart) if cuts else chart


def _cut_lines(cuts: Sequence[float]) -> Any:
    rows = [{"theta": cut, "name": f"cut {cut:.2f}".replace("-", "\u2212")} for cut in cuts]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x="theta:Q")
    rules = base.mark_rule(color=NEUTRAL, strokeDash=[4, 3])
    names = base.mark_text(align="left", dx=4, y=8, color=NEUTRAL, fontSize=11).encode(
        text="name:N"
    )
    return sized(alt.layer(rules, names))
