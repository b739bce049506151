"""The charts of a fit check. Imports altair, which is slow: import this only to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from calibration.fit_check.check import FitCheck
from calibration.report_page import INK, LAPIS, NEUTRAL, SAFFRON

_COLUMNS = 4
_LIMIT = 6.0


def residual_panels(found: FitCheck, rows: Sequence[int]) -> alt.TopLevelMixin:
    """Standardised residuals of some items along theta, with lines at -2 and 2."""
    panels = [_residual_panel(found, row) for row in rows]
    return alt.concat(*panels, columns=_COLUMNS, spacing=18)


def _residual_panel(found: FitCheck, row: int) -> alt.LayerChart | alt.FacetChart:
    own, theta = found.residuals, found.fit.theta
    marks = [
        {"theta": float(x), "residual": float(np.clip(y, -_LIMIT, _LIMIT)), "n": float(n)}
        for x, y, n in zip(theta, own.standardised[row], own.persons[row], strict=True)
        if not np.isnan(y) and abs(x) <= 4
    ]
    x = alt.X("theta:Q", title=None, scale=alt.Scale(domain=[-4, 4]))
    y = alt.Y("residual:Q", title=None, scale=alt.Scale(domain=[-_LIMIT, _LIMIT]))
    size = alt.Size("n:Q", legend=None, scale=alt.Scale(range=[6, 70]))
    points = alt.Chart(alt.InlineData(values=marks)).mark_circle(color=SAFFRON, opacity=0.85)
    levels = [{"residual": value} for value in (-2.0, 2.0)]
    lines = alt.Chart(alt.InlineData(values=levels)).mark_rule(color=NEUTRAL, strokeDash=[4, 3])
    layered = alt.layer(lines.encode(y=y), points.encode(x=x, y=y, size=size))
    return layered.properties(width=190, height=120, title=found.matrix.item[row])


def scree(found: FitCheck, most: int = 20) -> alt.TopLevelMixin:
    """Eigenvalues of the data and the 95th percentile of chance, the first ones."""
    own = found.parallel
    values: list[dict[str, Any]] = []
    for label, numbers in (("data", own.eigenvalues), ("chance, 95 %", own.chance_95)):
        for k, value in enumerate(numbers[:most], start=1):
            values.append({"dimension": k, "eigenvalue": value, "series": label})
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(domain=["data", "chance, 95 %"], range=[LAPIS, NEUTRAL]),
        legend=alt.Legend(orient="top"),
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("dimension:O", title="dimension", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("eigenvalue:Q", title="eigenvalue"),
        color=colour,
    )
    both = alt.layer(base.mark_line(), base.mark_point(filled=True, size=45))
    return both.properties(width=520, height=220)


def dependence_map(found: FitCheck) -> alt.TopLevelMixin:
    """Corrected Q3 of every pair as a map, the first item across and the second down."""
    own, names = found.pairs, found.matrix.item
    cells = [
        {"first": names[i], "second": names[j], "q3": float(value)}
        for i, j, value in zip(own.first, own.second, own.q3_corrected, strict=True)
        if not np.isnan(value)
    ]
    order = list(names)
    colour = alt.Color(
        "q3:Q",
        title="corrected Q3",
        scale=alt.Scale(domain=[-0.4, 0, 0.4], range=[LAPIS, "#ffffff", SAFFRON], clamp=True),
    )
    side = max(240, min(14 * len(names), 620))
    drawn: alt.TopLevelMixin = (
        alt.Chart(alt.InlineData(values=cells))
        .mark_rect(stroke="#ece8de", strokeWidth=0.5)
        .encode(
            x=alt.X("first:N", title=None, sort=order, axis=alt.Axis(labelColor=INK)),
            y=alt.Y("second:N", title=None, sort=order),
            color=colour,
        )
        .properties(width=side, height=side)
    )
    return drawn
