"""Small pictures of items, one each: the model's curve, what was observed, the information.

Written as SVG directly: a bank has hundreds of items, and a drawing library would need minutes.
Called by ``report`` and ``fit_check.report``. Imports ``engine``.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calibration.expectation import category_counts
from calibration.mml import MmlFit
from calibration.report_page import folded
from engine.arrays import Floats
from engine.models import dispatch

READING = (
    "The line is the model, the marks what was observed at that theta (larger = more persons); "
    "they should agree. Dashed: the item's information, with its highest value above. Thin: the "
    "categories of items that have more than two."
)
_AT_ONCE = 40
_BINS = 12
_FEWEST = 5.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 28.0, 232.0, 24.0, 138.0
_RANGE = 4.0
_SMALLEST, _LARGEST = 1.6, 5.0


@dataclass(frozen=True)
class Mark:
    """What was observed in one bin of theta."""

    theta: float
    share: float
    n: float


def item_panels(fit: MmlFit, rows: Sequence[int]) -> str:
    """Draw items in this order as one figure; from the 41st on, folded away by forties."""
    drawn = _panels(fit, rows)
    first = _figure(drawn[:_AT_ONCE], READING)
    rest = "".join(
        folded(
            f"Items {low + 1} to {min(low + _AT_ONCE, len(drawn))} of {len(drawn)}",
            _figure(drawn[low : low + _AT_ONCE], ""),
        )
        for low in range(_AT_ONCE, len(drawn), _AT_ONCE)
    )
    return first + rest


def _figure(panels: Sequence[str], reading: str) -> str:
    caption = f"<figcaption>{html.escape(reading)}</figcaption>" if reading else ""
    label = html.escape(reading or "Item curves")
    return (
        f'<figure role="group" aria-label="{label}"><div class="panels">{"".join(panels)}</div>'
        f"{caption}</figure>"
    )


def _panels(fit: MmlFit, rows: Sequence[int]) -> list[str]:
    theta = np.linspace(-_RANGE, _RANGE, 41)
    expected = dispatch.expected_score(theta, fit.items) / (fit.items.n_categories - 1)
    information = dispatch.information(theta, fit.items)
    categories = dispatch.probabilities(theta, fit.items)
    marks = empirical_marks(fit)
    panels = []
    for row in rows:
        n = int(fit.items.n_categories[row])
        lines = [("curve", expected[:, row])]
        highest = float(information[:, row].max())
        if highest > 0:
            lines.insert(0, ("information", information[:, row] / highest))
        if n > 2:
            lines = [("category", categories[:, row, k]) for k in range(n)] + lines
        panels.append(_panel(fit.items.item[row], theta, lines, marks[row], highest))
    return panels


def _panel(
    name: str,
    theta: Floats,
    lines: Sequence[tuple[str, Floats]],
    marks: Sequence[Mark],
    highest: float,
) -> str:
    most = max((mark.n for mark in marks), default=1.0)
    drawn = "".join(f'<polyline class="{kind}" points="{_points(theta, y)}"/>' for kind, y in lines)
    dots = "".join(_dot(mark, most) for mark in marks)
    title = html.escape(name if len(name) <= 22 else f"{name[:21]}…")
    return (
        f'<svg viewBox="0 0 240 158" role="img" aria-label="{html.escape(name)}">'
        f'{_AXES}{drawn}{dots}<text x="{_LEFT}" y="14" class="name">{title}</text>'
        f'<text x="{_RIGHT}" y="14" class="end">{highest:.2f}</text></svg>'
    )


def _dot(mark: Mark, most: float) -> str:
    radius = _SMALLEST + (_LARGEST - _SMALLEST) * float(np.sqrt(mark.n / most))
    return (
        f'<circle cx="{_x(mark.theta):.1f}" cy="{_y(mark.share):.1f}" r="{radius:.1f}"><title>'
        f"theta {mark.theta:.2f}: {mark.share:.2f}, n {mark.n:.0f}</title></circle>"
    )


def _points(theta: Floats, y: Floats) -> str:
    return " ".join(f"{_x(a):.1f},{_y(b):.1f}" for a, b in zip(theta, y, strict=True))


def _x(theta: float) -> float:
    return _LEFT + (theta + _RANGE) / (2 * _RANGE) * (_RIGHT - _LEFT)


def _y(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)


def _axes() -> str:
    across = "".join(
        f'<path class="grid" d="M{_x(t):.1f} {_TOP}V{_BOTTOM}"/>'
        f'<text x="{_x(t):.1f}" y="{_BOTTOM + 14}" class="middle">{t}</text>'.replace(
            ">-", ">\N{MINUS SIGN}"
        )
        for t in (-4, -2, 0, 2, 4)
    )
    up = "".join(
        f'<path class="grid" d="M{_LEFT} {_y(v):.1f}H{_RIGHT}"/>'
        f'<text x="{_LEFT - 5}" y="{_y(v) + 3.5:.1f}" class="end">{v:g}</text>'
        for v in (0, 0.5, 1)
    )
    return across + up


_AXES = _axes()


def empirical_marks(fit: MmlFit) -> dict[int, list[Mark]]:
    """Posterior-expected mean score by bin of theta, where at least 5 persons are expected.

    The score is a share of the item's highest one; keys are rows of the fitted items.
    """
    edges = np.linspace(-_RANGE, _RANGE, _BINS + 1)
    found = {}
    counts = category_counts(fit.space, fit.design, fit.expectation.totals, fit.expectation.mass)
    for family, own in zip(fit.space.families, counts, strict=True):
        share = np.arange(own.shape[1])[:, None] * own
        for k, row in enumerate(family.rows):
            people, score = own[k].sum(axis=0), share[k].sum(axis=0)
            top = float(family.n_categories[k] - 1)
            found[int(row)] = _binned(fit.theta, people, score / top, edges)
    return found


def _binned(theta: Floats, people: Floats, score: Floats, edges: Floats) -> list[Mark]:
    marks = []
    for low, high in pairwise(edges):
        inside = (theta >= low) & (theta < high)
        n = float(people[inside].sum())
        if n >= _FEWEST:
            centre = float((people * theta)[inside].sum() / n)
            marks.append(Mark(centre, float(score[inside].sum() / n), n))
    return marks
