"""Pictures and sounds: bytes under their own hash, of types that a browser can be trusted with.

The type is told by the content, not by a file's name. An SVG with scripts, handlers or references
to elsewhere is refused, although pages only ever show it as a picture.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.store.pictures import picture_size
from item_bank.store.svg import check_svg
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Medium

MAX_BYTES = 10 * 2**20
SVG = "image/svg+xml"
_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), "image/webp"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"), "audio/mpeg"),
    (re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL), SVG),
)


@dataclass(frozen=True)
class MediumInfo:
    """A medium without its bytes; width and height in pixels where it is a picture."""

    id: str
    sha256: str
    media_type: str
    width: int | None = None
    height: int | None = None


def media_type(content: bytes) -> str:
    """Tell png, jpeg, webp, svg, mp3, wav and ogg by their first bytes.

    Raises
    ------
    InputError
        When it is none of them.
    """
    for magic, name in _MAGIC:
        if magic.match(content):
            return name
    raise InputError(
        "a PNG, JPEG, WebP, SVG, MP3, WAV or Ogg file", f"bytes {content[:8].hex(' ') or 'none'}"
    )


def checked_medium(content: bytes) -> MediumInfo:
    """Return what is known of a medium from its bytes; its id is "" until it is kept.

    Raises
    ------
    InputError
        When it is too large, of another type, a picture without a size, or an SVG that does more
        than draw.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"at most {MAX_BYTES >> 20} MiB", f"{len(content) / 2**20:.1f} MiB")
    kind = media_type(content)
    if kind == SVG:
        check_svg(content)
    size = picture_size(content, kind)
    if size is None and kind.startswith("image/"):
        raise InputError("a picture that says its width and height", kind)
    return MediumInfo("", hashlib.sha256(content).hexdigest(), kind, *(size or (None, None)))


def add_medium(session: Session, content: bytes, *, organisation_id: str, now: int) -> MediumInfo:
    """Keep a medium, once for each content; refuse what `checked_medium` refuses."""
    info = checked_medium(content)
    query = select(Medium).where(Medium.organisation_id == organisation_id)
    medium = session.scalars(query.where(Medium.sha256 == info.sha256)).one_or_none()
    if medium is None:
        medium = Medium(
            id=new_id(),
            organisation_id=organisation_id,
            sha256=info.sha256,
            media_type=info.media_type,
            width=info.width,
            height=info.height,
            content=content,
            created_at=now,
        )
        session.add(medium)
        session.flush()
    return medium_info(medium)


def medium_info(medium: Medium) -> MediumInfo:
    """Return a medium without its bytes."""
    return MediumInfo(medium.id, medium.sha256, medium.media_type, medium.width, medium.height)


def medium_bytes(session: Session, medium_id: str, *, organisation_id: str) -> tuple[str, bytes]:
    """Return a medium's type and bytes; `InputError` when the organisation has none such."""
    medium = session.get(Medium, medium_id)
    if medium is None or medium.organisation_id != organisation_id:
        raise InputError("a medium of this organisation", "none with this id")
    return medium.media_type, medium.content
