"""What templates of questions need: the words of safe HTML, and the geometry of areas.

Used by ``templates/question``, which candidates' pages, previews and the style guide share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from item_bank.items.presented import Area, Option, Picture, Presented

_ALT = re.compile(r'<img\b[^>]*?\salt="([^"]*)"[^>]*>')
_WIDE = re.compile(r"<table\b|<math\b[^>]*display=\"block\"")
_NUMBER_SHARE = 0.028


@dataclass(frozen=True)
class Box:
    """What an area spans."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Number:
    """Where an area's number stands, and its radius, in the picture's units."""

    x: float
    y: float
    radius: float


def init_questions(app: Flask) -> None:
    """Give templates the filters of this module."""
    for view in (plain_text, are_more_than_words, scrolls, area_box, area_shape, area_number):
        app.add_template_filter(view, view.__name__)
    app.jinja_env.globals["nothing_given"] = MultiDict()


def plain_text(html: str) -> str:
    """Return the words of safe HTML; a picture is what it says in words."""
    return Markup(_ALT.sub(r"\1", html)).striptags()  # noqa: S704 - only to take the tags out


def are_more_than_words(options: Sequence[Option]) -> bool:
    """Whether options show what a drop-down list cannot: formulas or pictures."""
    return any(re.search(r"<(math|img)\b", option.html) for option in options)


def scrolls(shown: Presented) -> bool:
    """Whether a stem may be wider than its column, so that the keyboard must reach it."""
    return bool(_WIDE.search(shown.stem_html))


def area_box(area: Area) -> Box:
    """Return what an area spans."""
    left, top, right, bottom = _span(area)
    return Box(left, top, right - left, bottom - top)


def area_number(area: Area, picture: Picture) -> Number:
    """Put an area's number on its edge, up where a line begins, and whole within the picture.

    In the middle it would cover what the area is about.
    """
    radius = round(_NUMBER_SHARE * max(picture.width, picture.height), 1)
    x, y = _corner(area)
    return Number(_within(x, radius, picture.width), _within(y, radius, picture.height), radius)


def _corner(area: Area) -> tuple[float, float]:
    """Return the point of an area's edge that is nearest to the picture's first corner."""
    if area.shape == "circle":
        x, y, radius = area.coords
        return x - radius * math.sqrt(0.5), y - radius * math.sqrt(0.5)
    if area.shape == "rect":
        return area.coords[0], area.coords[1]
    return min(zip(area.coords[::2], area.coords[1::2], strict=True), key=sum)


def _within(place: float, radius: float, size: float) -> float:
    """Move a number inwards from the picture's border; an eighth of it is its own line."""
    edge = radius * 1.125
    return round(min(max(place, edge), size - edge), 1)


def _span(area: Area) -> tuple[float, float, float, float]:
    if area.shape == "circle":
        x, y, radius = area.coords
        return x - radius, y - radius, x + radius, y + radius
    xs, ys = area.coords[::2], area.coords[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def area_shape(area: Area) -> Markup:
    """Draw an area as an SVG element."""
    left, top, right, bottom = _span(area)
    if area.shape == "circle":
        x, y, radius = area.coords
        return Markup('<circle cx="{}" cy="{}" r="{}"/>').format(x, y, radius)
    if area.shape == "rect":
        draw = Markup('<rect x="{}" y="{}" width="{}" height="{}"/>')
        return draw.format(left, top, right - left, bottom - top)
    return Markup('<polygon points="{}"/>').format(" ".join(f"{n:g}" for n in area.coords))
