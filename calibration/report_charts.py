"""The charts of a calibration report: item curves, test information, Wright map.

Called by ``report``. Imports altair, which is slow: import this module only to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np

from calibration.expectation import category_counts
from calibration.mml import MmlFit
from calibration.report_page import LAPIS, NEUTRAL, SAFFRON
from engine.arrays import Floats
from engine.models import dispatch

_BINS = 12
_FEWEST = 5.0
_COLUMNS = 4


def item_curves(fit: MmlFit, rows: Sequence[int]) -> alt.TopLevelMixin:
    """Expected score of each item by theta, with what the posteriors say was observed.

    Parameters
    ----------
    fit
        The fit.
    rows
        Items to draw.
    """
    theta = np.linspace(-4.0, 4.0, 41)
    curves = dispatch.expected_score(theta, fit.items) / (fit.items.n_categories - 1)
    names = [fit.items.item[row] for row in rows]
    lines = [
        {"item": name, "theta": float(x), "share": float(y)}
        for name, row in zip(names, rows, strict=True)
        for x, y in zip(theta, curves[:, row], strict=True)
    ]
    points = _empirical_points(fit, rows)
    panels = [
        _panel(
            name,
            [line for line in lines if line["item"] == name],
            [point for point in points if point["item"] == name],
        )
        for name in names
    ]
    return alt.concat(*panels, columns=_COLUMNS, spacing=18)


def _panel(
    name: str, line: list[dict[str, Any]], points: list[dict[str, Any]]
) -> alt.LayerChart | alt.FacetChart:
    x = alt.X("theta:Q", title=None, scale=alt.Scale(domain=[-4, 4]))
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]))
    size = alt.Size("n:Q", legend=None, scale=alt.Scale(range=[6, 90]))
    model = alt.Chart(alt.InlineData(values=line)).mark_line(color=LAPIS).encode(x=x, y=y)
    observed = alt.Chart(alt.InlineData(values=points)).mark_circle(color=SAFFRON, opacity=0.85)
    chart = alt.layer(model, observed.encode(x=x, y=y, size=size))
    return chart.properties(width=190, height=120, title=name)


def _empirical_points(fit: MmlFit, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Posterior-expected mean score in bins of theta, where at least 5 persons are expected."""
    wanted = set(rows)
    edges = np.linspace(-4.0, 4.0, _BINS + 1)
    points = []
    counts = category_counts(fit.space, fit.design, fit.expectation.totals, fit.expectation.mass)
    for family, own in zip(fit.space.families, counts, strict=True):
        share = np.arange(own.shape[1])[:, None] * own
        for k, row in enumerate(family.rows):
            if int(row) in wanted:
                people, score = own[k].sum(axis=0), share[k].sum(axis=0)
                top = float(family.n_categories[k] - 1)
                points += _binned(fit.items.item[row], fit.theta, people, score / top, edges)
    return points


def _binned(
    name: str, theta: Floats, people: Floats, score: Floats, edges: Floats
) -> list[dict[str, Any]]:
    found = []
    for low, high in pairwise(edges):
        inside = (theta >= low) & (theta < high)
        n = float(people[inside].sum())
        if n >= _FEWEST:
            centre = float((people * theta)[inside].sum() / n)
            found.append(
                {"item": name, "theta": centre, "share": float(score[inside].sum() / n), "n": n}
            )
    return found


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
            x=alt.X("theta:Q", title=None, scale=alt.Scale(domain=[-5, 5])),
            x2="end:Q",
            y=alt.Y("persons:Q", title="persons"),
            y2=alt.datum(0),
        )
        .properties(width=620, height=140)
    )
    steps = fit.items.thresholds
    marks = [
        {"theta": float(np.clip(value, -5, 5)), "step": f"step {k + 1}"}
        for row in steps
        for k, value in enumerate(row)
        if not np.isnan(value)
    ]
    items = (
        alt.Chart(alt.InlineData(values=marks))
        .mark_tick(color=SAFFRON, thickness=2)
        .encode(x=x, y=alt.Y("step:N", title="difficulty"))
        .properties(width=620)
    )
    return alt.vconcat(persons, items, spacing=4)
