"""The look of the reports: one self-contained HTML page, charts as SVG inside it.

Called by the reports of calibration and of simulations. No script, no address outside the file:
a report can be opened from a disk, printed, or sent by mail, years later. Imports altair and
vl-convert, and only when a chart is drawn.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

INK = "#16223a"
LAPIS = "#1f4e9e"
SAFFRON = "#b06a00"
NEUTRAL = "#6b7280"
LINE = "#d9d4c8"

_STYLE = """
:root{color-scheme:light dark;--paper:#fbf8f2;--raised:#ffffff;--ink:#16223a;--soft:#55607a;
--line:#d9d4c8;--lapis:#1f4e9e;--saffron:#8a5200;--wash:#fdf1dc}
@media (prefers-color-scheme:dark){:root{--paper:#111826;--raised:#182134;--ink:#efeae0;
--soft:#a9b2c6;--line:#33405a;--lapis:#8fb4f5;--saffron:#f0b45a;--wash:#3a2c12}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,
"Segoe UI","Noto Sans","DejaVu Sans","Noto Sans CJK SC",sans-serif;
font-variant-numeric:tabular-nums lining-nums}
main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 4rem}
header.mast{display:flex;align-items:center;gap:.75rem;border-bottom:1px solid var(--line);
padding-bottom:1rem}
header.mast svg{width:2.5rem;height:2.5rem;flex:none;color:var(--lapis)}
h1{font-size:1.6rem;line-height:1.2;margin:0}
h2{font-size:1.25rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:1.5rem 0 .25rem}
p,li{max-width:68ch;overflow-wrap:anywhere}
.small,figcaption{color:var(--soft);font-size:.875rem}
.flag{color:var(--saffron);font-weight:600}
.attention{background:var(--wash);border-left:4px solid var(--saffron);padding:.5rem 1rem}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;
margin:1rem 0}
dl.facts div{background:var(--raised);border:1px solid var(--line);border-radius:.4rem;
padding:.5rem .75rem}
dl.facts dt{color:var(--soft);font-size:.875rem}
dl.facts dd{margin:0;font-size:1.25rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;margin:.75rem 0;font-size:.875rem}
caption{text-align:left;color:var(--soft);padding-bottom:.25rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top;white-space:nowrap}
td.wide{white-space:normal;min-width:12rem;max-width:48rem;overflow-wrap:anywhere}
thead th{color:var(--soft);font-weight:600;background:var(--paper);position:sticky;top:0}
.n{text-align:right}
figure{margin:1rem 0;background:#fff;border:1px solid var(--line);border-radius:.4rem;
padding:.75rem;overflow-x:auto}
figure svg{max-width:100%;height:auto}
figcaption{color:#55607a}
@media (max-width:44rem){figure>svg{max-width:none;width:28rem}}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.5rem 1rem}
.panels svg{width:100%;break-inside:avoid}
.panels text{font-size:10px;fill:#55607a}
.panels .name{font-size:12px;fill:#16223a}
.panels .middle{text-anchor:middle}
.panels .end{text-anchor:end}
.panels polyline{fill:none;stroke-width:1.8;stroke:#1f4e9e}
.panels .grid{stroke:#ece8de}
.panels .information{stroke:#6b7280;stroke-width:1.2;stroke-dasharray:4 3}
.panels .category{stroke:#6b7280;stroke-width:.7}
.panels circle{fill:#b06a00;opacity:.85}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--lapis)}
a{color:var(--lapis)}
@media print{:root{--paper:#fff;--raised:#fff;--ink:#000;--soft:#333;--line:#999;--wash:#fff}
body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}
figure,tr,dl.facts div{break-inside:avoid}thead{display:table-header-group}
@page{margin:15mm;@bottom-right{content:counter(page) " / " counter(pages)}}}
"""
# A balance whose beam is a bell curve.
_MARK = (
    '<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2.5" '
    'stroke-linecap="round" aria-hidden="true">'
    '<path d="M5 19c9 0 11-10 19-10s10 10 19 10"/><path d="M24 9v31M15 41h18"/>'
    '<path d="M2 30h9M5 19l-3 11a4.5 4.5 0 0 0 9 0l-4-11"/>'
    '<path d="M37 30h9M43 19l-5 11a4.5 4.5 0 0 0 8 0l-3-11"/></svg>'
)


def page(title: str, sections: Iterable[tuple[str, str]]) -> str:
    """Build a whole HTML page in the look of Tarozu.

    Parameters
    ----------
    title
        Plain text; the heading and the title of the window.
    sections
        Heading (plain text, '' = none) and body (HTML) of each section, in order.
    """
    body = "\n".join(_section(heading, content) for heading, content in sections)
    name = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<header class="mast">{_MARK}<h1>{name}</h1></header>\n{body}\n</main>\n</body>\n</html>\n'
    )


def svg(chart: alt.TopLevelMixin) -> str:
    """Draw an Altair chart as SVG to stand inside a page, in the fonts and colours of Tarozu."""
    import vl_convert  # noqa: PLC0415 - 80 MB, only where a chart is drawn

    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict(), config=_CHART_STYLE)
    return re.sub(r"^<\?xml[^>]*\?>\s*", "", drawn)


def figure(chart: alt.TopLevelMixin, reading: str) -> str:
    """Draw a chart with the one sentence that says how to read it."""
    text = html.escape(reading)
    caption = f"<figcaption>{text}</figcaption>"
    return f'<figure role="group" aria-label="{text}">{svg(chart)}{caption}</figure>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Lay out a few figures that come first: name and value, plain text."""
    cells = (
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in pairs
    )
    return f'<dl class="facts">{"".join(cells)}</dl>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> str:
    """Lay out a table; numbers to the right, None and NaN as empty cells.

    Floats are shown with three decimals; text is escaped.
    """
    rows = [list(row) for row in rows]
    head = "".join(
        f'<th scope="col"{_alignment([row[k] for row in rows])}>{html.escape(name)}</th>'
        for k, name in enumerate(header)
    )
    body = "\n".join(f"<tr>{''.join(_table_cell(value) for value in row)}</tr>" for row in rows)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def settings_table(settings: Iterable[tuple[str, object]], versions: Mapping[str, str]) -> str:
    """Lay out settings and versions; none, yes and no in words, lists with commas."""
    rows = [[name, _in_words(value)] for name, value in settings]
    rows += [[f"version of {name}", value] for name, value in versions.items()]
    return table(["setting", "value"], rows)


def _in_words(value: object) -> str:
    if value is None or value in ([], (), {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_in_words(one)}" for name, one in value.items())
    return str(value)


def folded(summary: str, body: str) -> str:
    """Fold HTML away under a line that opens it."""
    return f"<details><summary>{html.escape(summary)}</summary>{body}</details>"


def paragraph(text: str, *, attention: bool = False) -> str:
    """Set plain text as a paragraph; in saffron where it asks for attention."""
    kind = ' class="attention"' if attention else ""
    return f"<p{kind}>{html.escape(text)}</p>"


def _section(heading: str, content: str) -> str:
    title = f"<h2>{html.escape(heading)}</h2>\n" if heading else ""
    return f"<section>\n{title}{content}\n</section>"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alignment(column: Sequence[object]) -> str:
    known = [value for value in column if value is not None and value != ""]
    figures = known and all(_is_number(value) or _is_percentage(value) for value in known)
    return ' class="n"' if figures else ""


def _is_percentage(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9.,]+ %", value) is not None


def _table_cell(value: object) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return "<td></td>"
    if isinstance(value, float):
        return f'<td class="n">{value:.3f}</td>'.replace("-", "\N{MINUS SIGN}")
    if _is_number(value):
        return f'<td class="n">{value}</td>'
    text = str(value)
    if _is_percentage(text):
        return f'<td class="n">{text}</td>'
    wide = ' class="wide"' if len(text) > 40 else ""
    return f"<td{wide}>{html.escape(text)}</td>"


_AXIS = {
    "labelColor": INK,
    "titleColor": INK,
    "domainColor": NEUTRAL,
    "tickColor": NEUTRAL,
    "gridColor": "#ece8de",
    "labelFontSize": 11,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
}
_CHART_STYLE: dict[str, Any] = {
    "background": "#ffffff",
    "font": "DejaVu Sans, Noto Sans, sans-serif",
    "view": {"stroke": None},
    "axis": _AXIS,
    "legend": {"labelColor": INK, "titleColor": INK},
    "title": {"color": INK, "fontWeight": "normal", "anchor": "start"},
    "header": {"labelColor": INK, "titleColor": INK},
    "range": {"category": [LAPIS, SAFFRON, NEUTRAL, "#2f7d6b", "#7a4a8c", "#16223a"]},
    "line": {"color": LAPIS},
    "point": {"color": LAPIS},
    "bar": {"color": LAPIS},
    "area": {"color": LAPIS},
}
