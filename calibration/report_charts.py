"""The charts of a calibration report: test information, Wright map.

Called by ``report``. Imports altair, which is slow: import this module only to draw.
"""

from __future__ import annotations

import altair as alt
import numpy as np

from calibration.mml import MmlFit
from calibration.report_page import LAPIS, NEUTRAL, SAFFRON
from engine.arrays import Floats
from engine.models import dispatch


def information_curve(fit: MmlFit) -> alt.TopLevelMixin:
    """Information of all items together, and the standard error that follows from it."""
    theta = np.linspace(-4.0, 4.0, 81)
    information = dispatch.information(theta, fit.items).sum(axis=1)
    values = [
        {"theta": float(x), "information": float(i), "se": float(1.0 / np.sqrt(i))}
        for x, i in zip(theta, information, strict=True)
        if i > 0
    ]
    base = alt.Chart(alt.InlineData(values=values)).encode(x=alt.X("theta:Q", title="theta"))
    lines = base.mark_line(color=LAPIS).encode(
        y=alt.Y("information:Q", title="test information", axis=alt.Axis(titleColor=LAPIS))
    )
    errors = base.mark_line(color=NEUTRAL, strokeDash=[5, 3]).encode(
        y=alt.Y("se:Q", title="standard error (dashed)", scale=alt.Scale(domainMin=0))
    )
    both = alt.layer(lines, errors).properties(width=620, height=220)
    independent: alt.TopLevelMixin = both.resolve_scale(y="independent")
    return independent


def wright_map(fit: MmlFit, theta: Floats) -> alt.TopLevelMixin:
    """Persons above, items below, on one scale of theta.

    Parameters
    ----------
    fit
        The fit.
    theta
        EAP of the persons, without NaN.
    """
    x = alt.X("theta:Q", title="theta", scale=alt.Scale(domain=[-5, 5]))
    counts, edges = np.histogram(np.clip(theta, -5, 5), bins=40, range=(-5, 5))
    bars = [
        {"theta": float(low), "end": float(high), "persons": int(n)}
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    persons = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(color=LAPIS)
        .encode(
            x=alt.X(
                "theta:Q", title=None, axis=alt.Axis(labels=False), scale=alt.Scale(domain=[-5, 5])
            ),
            x2="end:Q",
            y=alt.Y("persons:Q", title="persons"),
            y2=alt.datum(0),
        )
        .properties(width=620, height=140)
    )
    steps = fit.items.thresholds
    several = steps.shape[1] > 1
    marks = [
        {"theta": float(np.clip(value, -5, 5)), "step": f"step {k + 1}" if several else "items"}
        for row in steps
        for k, value in enumerate(row)
        if not np.isnan(value)
    ]
    items = (
        alt.Chart(alt.InlineData(values=marks))
        .mark_tick(color=SAFFRON, thickness=2)
        .encode(x=x, y=alt.Y("step:N", title="difficulty" if several else None))
        .properties(width=620)
    )
    return alt.vconcat(persons, items, spacing=4)
