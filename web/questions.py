"""What templates of questions need: the words of safe HTML, and the geometry of areas.

Used by ``templates/question``, which candidates' pages, previews and the style guide share.
"""

from __future__ import annotations

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
    """What an area spans, and where its number stands."""

    x: float
    y: float
    width: float
    height: float
    number_x: float
    number_y: float


def init_questions(app: Flask) -> None:
    """Give templates the filters of this module."""
    for view in (plain_text, are_more_than_words, scrolls, area_box, area_shape, number_size):
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
    """Return what an area spans; its number stands in a corner, a circle's in the middle."""
    left, top, right, bottom = _span(area)
    x, y = (left + right) / 2, (top + bottom) / 2
    return Box(left, top, right - left, bottom - top, x, y)


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


def number_size(picture: Picture) -> float:
    """Return the radius of an area's number, in the picture's units."""
    return round(_NUMBER_SHARE * max(picture.width, picture.height), 1)
