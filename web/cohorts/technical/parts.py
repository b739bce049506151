"""What a technical report is made of: sections with paragraphs, tables and pictures, as data.

The template `web/documents/templates/technical_report.typ` sets them in this order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader

from web.figures.plots import Shown, plot

WIDTH = 680.0
STYLE = (
    "<style>text{font-family:'Noto Sans','DejaVu Sans','Liberation Sans',sans-serif;"
    "font-size:12.5px;fill:#333333}"
    ".grid{stroke:#cccccc}.column{fill:#1f3f7a}.behind-lines{fill:#b9c3d8}"
    ".cut{stroke:#333333;stroke-dasharray:5 4}.estimate{fill:none;stroke:#1f3f7a;stroke-width:2.5}"
    ".second{stroke:#333333;stroke-dasharray:7 4}"
    ".cut-text{paint-order:stroke;stroke:#ffffff;stroke-width:4px}"
    ".mark-wrong{fill:#ffffff;stroke:#000000;stroke-width:1.6}</style>"
)


@dataclass(frozen=True)
class Table:
    """A table; ``right`` names the columns of numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A plot as SVG, with words for those who do not see it, and its reading."""

    svg: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A numbered part of the report."""

    heading: str
    paragraphs: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    bullets: Sequence[str] = ()


def picture(shown: Shown, alt: str, caption: str) -> Picture:
    """Draw a plot as it stands on pages, with its colours in it."""
    drawn = _figures().drawn(plot(shown, WIDTH), words=alt)  # type: ignore[attr-defined]
    head, _, rest = str(drawn).strip().partition(">")
    return Picture(f"{head}>{STYLE}{rest}", alt, caption)


@cache
def _figures() -> object:
    templates = Environment(
        loader=PackageLoader("web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("figures/_plot.html").module
