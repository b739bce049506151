"""The typesetter: tagged, deterministic, and never a box where a letter should be."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
import typst

from engine.errors import InputError
from item_bank.store.fonts import CHINESE, LETTERS, family, system_fonts
from web.documents.typesetting import pdf

PLAIN = {
    "title": "Натиҷаи имтиҳон",
    "language": "tg",
    "made_at": 1_700_000_000_000_000,
    "running": "Рамз AB12-CD34",
    "page_of": "{page} / {pages}",
    "words": "ғ ӣ қ ӯ ҳ ҷ",
}


def letters_only(folder: Path) -> typst.Fonts:
    """The fonts of this machine without those for Chinese."""
    wanted = family(LETTERS, system_fonts())
    files = {one.path for one in system_fonts().fonts() if one.family == wanted}
    for file in files:
        (folder / Path(str(file)).name).symlink_to(str(file))
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)]
    )


def inflated(document: bytes) -> bytes:
    """A PDF with its compressed streams opened."""
    parts = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL)
    opened = []
    for part in parts:
        try:
            opened.append(zlib.decompress(part))
        except zlib.error:
            opened.append(part)
    return document + b"\n".join(opened)


def test_a_document_is_tagged_and_names_its_language_title_and_standard():
    found = inflated(pdf("words", PLAIN))
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang(tg)", b"pdfuaid:part", b"<dc:title>"):
        assert mark in found, mark
    assert "Натиҷаи имтиҳон".encode() in found


def test_the_same_data_give_the_same_bytes():
    assert pdf("words", PLAIN) == pdf("words", PLAIN)


def test_markup_in_data_stays_text():
    risky = {**PLAIN, "words": '#panic("no") $ * _ ` \\ <label> @ref https://x.org'}
    assert pdf("words", risky).startswith(b"%PDF")


@pytest.mark.parametrize("missing", ["title", "language", "running", "page_of"])
def test_a_document_without_what_every_document_has_is_refused(missing):
    with pytest.raises(InputError, match=f"no {missing}"):
        pdf("words", {**PLAIN, missing: ""})


def test_letters_that_no_font_has_are_an_error_that_names_font_and_package(tmp_path):
    fonts = letters_only(tmp_path)
    assert family(CHINESE, fonts) is None
    assert pdf("words", PLAIN, fonts=fonts)
    with pytest.raises(InputError, match=r"Noto Sans CJK SC.*fonts-noto-cjk.*none for 考试"):
        pdf("words", {**PLAIN, "words": "考试"}, fonts=fonts)


def test_signs_of_no_script_of_ours_are_printed_as_their_number():
    typed = PLAIN | {"words": "Bob \U000f0000 \x07"}
    assert pdf("words", typed) == pdf("words", PLAIN | {"words": "Bob [U+F0000] [U+0007]"})


def test_letters_of_a_picture_need_a_font_too(tmp_path):
    drawn = {"svg": "<svg xmlns='http://www.w3.org/2000/svg'><text>考</text></svg>", "alt": "a"}
    with pytest.raises(InputError, match="fonts-noto-cjk"):
        pdf("words", {**PLAIN, "figures": [drawn]}, fonts=letters_only(tmp_path))


def test_a_machine_without_any_font_is_told_which_to_install():
    none = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    with pytest.raises(InputError, match="fonts-dejavu-core"):
        pdf("words", PLAIN, fonts=none)
