"""The charts of a report on DIF. Imports altair, which is slow: import this only to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from calibration.dif.curves import THETA, ItemPicture
from calibration.report_page import LAPIS, SAFFRON

_COLUMNS = 3


def item_panels(pictures: Sequence[ItemPicture], names: tuple[str, str]) -> alt.TopLevelMixin:
    """Draw a panel for each item: a colour for each group (reference first)."""
    panels = [_panel(picture, names) for picture in pictures]
    return alt.concat(*panels, columns=_COLUMNS, spacing=20)


def _panel(picture: ItemPicture, names: tuple[str, str]) -> alt.LayerChart | alt.FacetChart:
    marks = _observed(picture, names)
    colour = alt.Color(
        "group:N",
        title=None,
        scale=alt.Scale(domain=list(names), range=[LAPIS, SAFFRON]),
        legend=alt.Legend(orient="top"),
    )
    title = "theta" if picture.on_theta else "total score"
    domain = alt.Scale(domain=[-4, 4]) if picture.on_theta else alt.Scale(zero=False)
    x = alt.X("standing:Q", title=title, scale=domain)
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]))
    shape = alt.Shape("group:N", scale=alt.Scale(range=["circle", "triangle-up"]), legend=None)
    base = alt.Chart(alt.InlineData(values=marks)).encode(x=x, y=y, color=colour)
    size = alt.Size("n:Q", legend=None, scale=alt.Scale(range=[15, 110]))
    points = base.mark_point(filled=True, opacity=0.85).encode(size=size, shape=shape)
    lines = base.mark_line(strokeWidth=1.2)
    if picture.model is not None:
        values = _modelled(picture, names)
        lines = alt.Chart(alt.InlineData(values=values)).mark_line().encode(x=x, y=y, color=colour)
    return alt.layer(lines, points).properties(width=240, height=160, title=picture.item)


def _observed(picture: ItemPicture, names: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"group": name, "standing": float(x), "share": float(y), "n": float(n)}
        for name, seen in zip(names, picture.observed, strict=True)
        for x, y, n in zip(seen.standing, seen.share, seen.n, strict=True)
    ]


def _modelled(picture: ItemPicture, names: tuple[str, str]) -> list[dict[str, Any]]:
    if picture.model is None:
        return []
    return [
        {"group": name, "standing": float(x), "share": float(y)}
        for name, curve in zip(names, picture.model, strict=True)
        for x, y in zip(THETA, curve, strict=True)
    ]
