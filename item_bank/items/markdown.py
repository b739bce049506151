"""Markdown of items as safe HTML: formulas as MathML, pictures of the bank and of nowhere else.

Pure. Called by `presentation`, and by the checks of bank files for what a text refers to. What is
not on a list of allowed elements and attributes is taken out, whatever an item says.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from engine.errors import InputError
from item_bank.items.formulas import mathml

MEDIA = "media:"
"""How the address of a picture in a text begins; a name in the bank's media follows."""
MEDIUM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Image:
    """A picture in a text: what it shows in words, its address as written, and its title."""

    alt: str
    address: str
    title: str = ""


def _formula(latex: str, options: dict[str, Any]) -> str:
    """Show a formula; one that cannot be shown, which no import lets in, as it was typed."""
    try:
        return mathml(latex.strip(), display=bool(options["display_mode"]))
    except InputError:
        return f"<code>{html.escape(latex)}</code>"


def _is_ours(url: str) -> bool:
    return url.startswith(MEDIA)


def _is_any(url: str) -> bool:  # noqa: ARG001 - the signature is the parser's
    return True


def _parser(address: Callable[[str], bool]) -> MarkdownIt:
    # HTML in an item's text is shown as text: taken as tags, "a<b and b>c" would lose its middle.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["link", "autolink", "reference", "html_block", "html_inline"])
    parser.validateLink = address  # type: ignore[assignment, method-assign]
    dollarmath_plugin(
        parser,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
        renderer=_formula,
    )
    parser.add_render_rule("math_inline_double", _display_in_a_line)
    return parser


def _display_in_a_line(
    _: object, tokens: Sequence[Token], place: int, __: object, ___: object
) -> str:
    """Show ``$$...$$`` within a paragraph, which an element around it would break off."""
    return _formula(tokens[place].content, {"display_mode": True})


_MARKDOWN = _parser(_is_ours)
_CHECKED = _parser(_is_any)  # sees pictures from elsewhere, which the other shows as text
_BLOCKS = {"p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4"}
_TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
_INLINE = {"em", "strong", "s", "code", "br", "img"}
_MATH = {
    *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "msub", "msup", "msubsup"),
    *("munder", "mover", "munderover", "mfrac", "msqrt", "mroot", "mstyle", "mpadded"),
    *("mphantom", "menclose", "mtable", "mtr", "mtd", "merror"),
}
_ATTRIBUTES = {
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "math": {"display"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mtext": {"mathvariant"},
    "mo": {
        *("accent", "fence", "form", "largeop", "lspace", "maxsize", "minsize", "movablelimits"),
        *("rspace", "separator", "stretchy", "symmetric", "mathvariant"),
    },
    "mspace": {"width", "linebreak"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "menclose": {"notation"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mtable": {"columnalign", "columnlines", "columnspacing", "rowlines", "rowspacing"},
    "mtd": {"columnalign", "columnspan", "rowspan"},
}


@functools.lru_cache(maxsize=8192)
def rendered(markdown: str) -> str:
    """Safe HTML of a text with paragraphs, lists and tables."""
    return _clean(_MARKDOWN.render(markdown), _BLOCKS | _TABLE | _INLINE | _MATH).strip()


@functools.lru_cache(maxsize=32768)
def rendered_inline(markdown: str) -> str:
    """Safe HTML of a text within a line, such as a choice."""
    return _clean(_MARKDOWN.renderInline(markdown), _INLINE | _MATH)


def _clean(rough: str, tags: set[str]) -> str:
    kept = {tag: names for tag, names in _ATTRIBUTES.items() if tag in tags}
    return nh3.clean(rough, tags=tags, attributes=kept, url_schemes={"media"})


_PICTURE = re.compile(r'<img src="media:([^"]*)"')


def with_pictures(safe: str, picture: Callable[[str], str]) -> str:
    """Give each picture of safe HTML its attributes of source and size.

    Parameters
    ----------
    picture
        Name of a medium to safe attributes, such as ``src="/media/1" width="2" height="2"``.
    """
    return _PICTURE.sub(lambda found: f"<img {picture(html.unescape(found[1]))}", safe)


def images(markdown: str) -> Iterator[Image]:
    """Every picture of a text."""
    for token in _tokens(markdown):
        if token.type == "image":
            title = str(token.attrGet("title") or "")
            yield Image(token.content.strip(), str(token.attrGet("src") or ""), title)


def text_problems(markdown: str) -> Iterator[tuple[str, object]]:
    """What of a text could not be shown: expected and found, for each picture and formula."""
    for image in images(markdown):
        name = image.address.removeprefix(MEDIA)
        if not image.address.startswith(MEDIA) or not MEDIUM_NAME.fullmatch(name):
            yield "a picture of the bank, as in ![what it shows](media:NAME)", repr(image.address)
        if not image.alt:
            yield f"words for who cannot see it, as in ![what it shows](media:{name})", "none"
    for token in _tokens(markdown):
        if token.type.startswith("math_"):
            try:
                mathml(token.content.strip(), display=token.type != "math_inline")
            except InputError as error:
                yield error.expected, error.found


def _tokens(markdown: str) -> Iterator[Token]:
    for token in _CHECKED.parse(markdown):
        yield token
        yield from token.children or ()
