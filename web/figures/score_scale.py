"""A score as a band on its scale, with the cuts named: how sure, at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from web.language import local_text

MARGIN = 34.0  # room for the label of a band that begins at an end of the scale
BAR_TOP, BAR_HEIGHT = 62.0, 16.0
ROW = 24.0
LETTER = 7.4  # the width of an average letter at the figure's type size
CYRILLIC, CHARACTER = 8.8, 14.5  # those of a Cyrillic letter and of a Chinese character


@dataclass(frozen=True)
class Segment:
    """One level: its part of the bar, and the flag that names it."""

    x: float
    width: float
    reached: bool
    label: str
    minimum: str
    flag_y: float
    text_x: float
    anchor: str
    fits: bool


@dataclass(frozen=True)
class ScoreScale:
    """Where everything is drawn; `named` says whether there was room for the levels' names."""

    width: float
    height: float
    named: bool
    segments: tuple[Segment, ...]
    score: str
    score_x: float
    low: str
    low_x: float
    high: str
    high_x: float
    maximum: str


def score_scale(result: dict[str, Any], width: float) -> ScoreScale:
    """Lay out the scale of a result in a figure of the given width."""
    scale, decimals = result["scale"], result["scale"]["decimals"]
    low, high = result["band"]

    def x(score: float) -> float:
        share = float((score - scale["minimum"]) / (scale["maximum"] - scale["minimum"]))
        return round(MARGIN + (width - 2 * MARGIN) * min(max(share, 0.0), 1.0), 1)

    segments = _segments(result, width, x)
    named = all(segment.fits for segment in segments)
    return ScoreScale(
        width=width,
        height=BAR_TOP + BAR_HEIGHT + (ROW * len(segments) + 14 if named else 26),
        named=named,
        segments=segments,
        score=f"{result['score']:.{decimals}f}",
        score_x=x(result["score"]),
        low=f"{low:.{decimals}f}",
        low_x=x(low),
        high=f"{high:.{decimals}f}",
        high_x=x(high),
        maximum=f"{scale['maximum']:.{decimals}f}",
    )


def _segments(
    result: dict[str, Any], width: float, x: Callable[[float], float]
) -> tuple[Segment, ...]:
    levels, scale = result["levels"], result["scale"]
    starts = [max(level["minimum"], scale["minimum"]) for level in levels]
    ends = [*starts[1:], scale["maximum"]][: len(starts)]  # an exam may have no levels
    return tuple(
        _segment(level, (x(start), x(end)), len(levels) - row, width, result)
        for row, (level, start, end) in enumerate(zip(levels, starts, ends, strict=True))
    )


def _segment(
    level: dict[str, Any], ends: Sequence[float], row: int, width: float, result: dict[str, Any]
) -> Segment:
    left, right = ends
    label = local_text(level["name"]) or level["code"]
    minimum = f"{level['minimum']:.{result['scale']['decimals']}f}"
    length = 8 + _breadth(f"{minimum} {label}")
    to_the_right = left + length <= width
    reached = result["level"] is not None and level["code"] == result["level"]["code"]
    return Segment(
        x=left,
        width=round(right - left, 1),
        reached=reached,
        label=label,
        minimum=minimum,
        flag_y=BAR_TOP + BAR_HEIGHT + ROW * row,
        text_x=left + (6 if to_the_right else -6),
        anchor="start" if to_the_right else "end",
        fits=to_the_right or left >= length,
    )


def _breadth(text: str) -> float:
    """Guess how wide a text is drawn."""
    return sum(map(_sign_breadth, text))


def _sign_breadth(sign: str) -> float:
    if east_asian_width(sign) in "WF":
        return CHARACTER
    return CYRILLIC if "\u0400" <= sign <= "\u04ff" else LETTER
