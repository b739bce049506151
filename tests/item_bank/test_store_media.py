"""Media: told by their bytes, kept once, and never a way in for scripts."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from item_bank.store import media
from item_bank.store.media import add_medium, media_type, medium_bytes
from item_bank.store.schema import organisation

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (3).to_bytes(4) + (2).to_bytes(4) + b"\x08\0\0\0\0"
SVG = (
    b'<?xml version="1.0"?>\n<!-- a dot --><svg xmlns="http://www.w3.org/2000/svg"><circle/></svg>'
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (SVG, "image/svg+xml"),
        (b"<svg/ >", None),
        (b"ID3\x04rest", "audio/mpeg"),
        (b"\xff\xfb\x90\x00rest", "audio/mpeg"),
        (b"OggS\x00rest", "audio/ogg"),
        (b"<html><svg></svg></html>", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_types_are_told_by_their_first_bytes(content, expected):
    if expected is None:
        with pytest.raises(InputError, match="a PNG, JPEG, WebP, SVG, MP3, WAV or Ogg file"):
            media_type(content)
    else:
        assert media_type(content) == expected


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b'<rect onload="alert(1)"/>',
        b"<foreignObject/>",
        b'<a href="javascript:alert(1)"/>',
        b'<image href="https://example.org/x.png"/>',
        b"<style>@import 'x.css';</style>",
        b'<rect style="fill:url(https://example.org)"/>',
    ],
)
def test_an_svg_that_does_more_than_draw_is_refused(db, inside):
    content = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">' + inside + b"</svg>"

    with (
        pytest.raises(InputError, match="without scripts and references"),
        db.write() as session,
    ):
        add_medium(session, content, organisation_id=organisation(db), now=1)


def test_an_svg_may_refer_to_itself(db):
    content = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
        b'<use href="#a"/><rect fill="url(#b)"/></svg>'
    )

    with db.write() as session:
        kept = add_medium(session, content, organisation_id=organisation(db), now=1)

    assert kept.media_type == "image/svg+xml"


def test_the_same_bytes_are_kept_once_and_belong_to_their_organisation(db):
    home = organisation(db)
    with db.write() as session:
        first = add_medium(session, PNG, organisation_id=home, now=1)
        second = add_medium(session, PNG, organisation_id=home, now=2)

    assert first == second
    with db.read() as session:
        assert medium_bytes(session, first.id, organisation_id=home) == ("image/png", PNG)
        with pytest.raises(InputError, match="a medium of this organisation"):
            medium_bytes(session, first.id, organisation_id="another")


def test_a_medium_that_is_too_large_is_refused(db, monkeypatch):
    monkeypatch.setattr(media, "MAX_BYTES", 10)

    with pytest.raises(InputError, match="at most"), db.write() as session:
        add_medium(session, PNG, organisation_id=organisation(db), now=1)
