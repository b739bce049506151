"""Whether an SVG only draws: no script, handler, style sheet or reference to anywhere else. Pure.

Pages show an SVG as a picture, where browsers run nothing; this is the second lock, for whoever
opens the file itself. It is parsed as browsers would parse it, not searched for words, since
entities and encodings can hide these.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from engine.errors import InputError

SVG = "http://www.w3.org/2000/svg"
EXPECTED = "an SVG without scripts and references to elsewhere"
_XHTML = "http://www.w3.org/1999/xhtml"
_DENIED = {
    *("script", "foreignobject", "iframe", "object", "embed", "audio", "video", "canvas"),
    *("handler", "listener", "set", "animate", "animatetransform", "animatemotion"),
}
"""Elements that run or load something, or that change an attribute after this check."""
_PICTURE = re.compile(r"data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=\s]*")
_ELSEWHERE = re.compile(
    r"url\(\s*[\"']?\s*(?!#)|@import|javascript:|expression\(|\\", re.IGNORECASE
)


def check_svg(content: bytes) -> None:
    """Refuse an SVG that does more than draw.

    Raises
    ------
    InputError
        Naming the first thing in it that is refused; or when it is no well-formed SVG in UTF-8.
    """
    checker = _Checker()
    try:
        checker.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InputError("a well-formed SVG in UTF-8", str(error)) from None


class _Checker:
    """A parser that refuses as it reads; depth tells the outermost element, style its sheet."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
        self.depth = 0
        self.style: list[str] | None = None
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.StartDoctypeDeclHandler = lambda *_: _refuse("a document type")
        self.parser.ProcessingInstructionHandler = lambda name, _: _refuse(f"<?{name}?>")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        self.depth += 1
        if self.depth == 1 and name != f"{SVG} svg":
            raise InputError(f'an SVG with xmlns="{SVG}"', f"<{tag}>")
        if space == _XHTML or tag.lower() in _DENIED:
            _refuse(f"<{tag}>")
        for full, value in attributes.items():
            _check_attribute(full.rpartition(" ")[2].lower(), value)

        if tag.lower() == "style":
            self.style = []

    def end(self, name: str) -> None:
        self.depth -= 1
        if name.rpartition(" ")[2].lower() == "style":
            sheet = "".join(self.style or ())
            if _ELSEWHERE.search(sheet):
                _refuse(sheet.strip()[:40])
            self.style = None

    def text(self, text: str) -> None:
        """Collect a style sheet; other texts are words of the drawing."""
        if self.style is not None:
            self.style.append(text)


def _check_attribute(name: str, value: str) -> None:
    squeezed = "".join(value.split())
    if name.startswith("on"):
        _refuse(f"{name}=")
    if name in {"href", "src"} and not value.startswith("#") and not _PICTURE.fullmatch(value):
        _refuse(f'{name}="{value[:40]}"')
    if _ELSEWHERE.search(squeezed):
        _refuse(f'{name}="{value[:40]}"')


def _refuse(what: str) -> None:
    raise InputError(EXPECTED, repr(what))
