"""Sets documents: a template of this folder and its data become a tagged PDF.

Called by whatever makes a document. Data go to the template as JSON, never as markup, so that
nothing in a name or a text can be taken for a command. The typesetter holds the PDF to PDF/UA-1:
a picture without words for it, a document without a title, or a letter of ours that no font has is
an error, never a box on paper. What people typed may hold anything: signs of no script of ours
that no font has are printed as their number, such as [U+1F642].
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typst

from engine.errors import InputError
from item_bank.store.clock import SECOND
from item_bank.store.fonts import (
    CHINESE,
    LETTERS,
    Script,
    families,
    family,
    script_of,
    system_fonts,
)

TEMPLATES = Path(__file__).parent / "templates"
NEEDED = ("title", "language", "made_at", "running", "page_of")
UNSEEN = re.compile(r"the text `\"(.+?)\"` could not be displayed")
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
SVG_WORDS = re.compile(r">([^<>]*\S[^<>]*)<")
CHINESE_FIRST = ("zh",)
MANY = 20


def pdf(template: str, data: Mapping[str, Any], *, fonts: typst.Fonts | None = None) -> bytes:
    """Set a template with data into a PDF; the same data give the same bytes.

    Parameters
    ----------
    template
        The name of a template without its ending; it begins with ``#show: sheet.with(data)``.
    data
        What can be written as JSON. Always: ``title``; ``language``, a code such as ``tg``;
        ``made_at``, microseconds; ``running``, the footer of every page, with the verification
        code where there is one; ``page_of``, such as ``Page {page} of {pages}``. A picture is
        ``{"svg": ..., "alt": ...}``.
    fonts
        The fonts to set it in; those of this machine where None.

    Raises
    ------
    InputError
        When a letter of a script of ours is in no font: names the letters and the package that
        brings them.
    """
    _check(template, data)
    found = system_fonts() if fonts is None else fonts
    _check_fonts(_first(data), found)
    _check_pictures(data, found)
    return _compiled(TEMPLATES / f"{template}.typ", data, found)


def _check(template: str, data: Mapping[str, Any]) -> None:
    missing = [name for name in NEEDED if not data.get(name)]
    if missing:
        raise InputError(f"{', '.join(NEEDED)}", f"no {missing[0]}", file=f"{template}.typ")


def _check_fonts(first: Script, fonts: typst.Fonts) -> None:
    for script in {LETTERS, first}:
        if family(script, fonts) is None:
            raise _lacking(script, "no such family")


def _check_pictures(data: Mapping[str, Any], fonts: typst.Fonts) -> None:
    """Set the words of pictures once as plain text: within pictures the typesetter looks away."""
    words = " ".join(text for svg in _pictures(data) for text in SVG_WORDS.findall(svg))
    if words:
        _compiled(TEMPLATES / "words.typ", {**data, "words": words}, fonts)


def _pictures(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("svg"), str):
            yield value["svg"]
        for part in value.values():
            yield from _pictures(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _pictures(part)


def _compiled(template: Path, data: Mapping[str, Any], fonts: typst.Fonts) -> bytes:
    there = families(_first(data), fonts)
    given = {**data, "families": there}
    try:
        return typst.compile(
            str(template),
            root=str(TEMPLATES),
            font_paths=fonts,
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": json.dumps(given, ensure_ascii=False, allow_nan=False)},
            pdf_standards="ua-1",
            timestamp=data["made_at"] // SECOND,
        )
    except typst.TypstError as error:
        letters = _unseen(error.diagnostic)
        if not letters:
            raise
        if all(_is_foreign(letter) for letter in letters):
            return _compiled(template, _numbered(data, letters), fonts)
        shown = "".join(
            one if one.isprintable() else f"U+{ord(one):04X} " for one in letters[:MANY]
        )
        found = f"none for {shown.strip()} among {', '.join(there)}"
        raise _lacking(script_of(letters), found) from error


def _unseen(diagnostic: str) -> str:
    """Return the letters that no font has, as the typesetter names them: each one once."""
    named = "".join(UNSEEN.findall(diagnostic))
    return "".join(dict.fromkeys(ESCAPED.sub(lambda found: chr(int(found[1], 16)), named)))


def _is_foreign(letter: str) -> bool:
    """Whether no font that a site should have is expected to know a sign."""
    return not letter.isprintable() or script_of(letter) is None


def _numbered(value: Any, letters: str) -> Any:
    """Return data with some signs as their numbers."""
    if isinstance(value, str):
        return value.translate({ord(letter): f"[U+{ord(letter):04X}]" for letter in letters})
    if isinstance(value, Mapping):
        return {name: _numbered(part, letters) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [_numbered(part, letters) for part in value]
    return value


def _first(data: Mapping[str, Any]) -> Script:
    return CHINESE if data["language"] in CHINESE_FIRST else LETTERS


def _lacking(script: Script | None, found: str) -> InputError:
    """Name the font that is missing, and the package that would bring it."""
    if script is None:
        return InputError("a font with every letter of the document", found, column="fonts")
    names = " or ".join(script.families[:2])
    expected = f"{names} for {script.name} (Debian: {script.package})"
    return InputError(expected, found, column="fonts")
