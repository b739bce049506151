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
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Medium

MAX_BYTES = 10 * 2**20
SVG = "image/svg+xml"
_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"), "audio/mpeg"),
    (re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL), SVG),
)
_UNSAFE_SVG = re.compile(
    rb"<\s*(script|foreignobject|iframe|!doctype|!entity)|\son\w+\s*=|javascript:|"
    rb"href\s*=\s*[\"']\s*(?![#\"'])(?!data:image/(png|jpeg))|@import|url\(\s*[\"']?\s*(?!#)[a-z]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MediumInfo:
    """A medium without its bytes."""

    id: str
    sha256: str
    media_type: str


def media_type(content: bytes) -> str:
    """Tell png, jpeg, svg, mp3 and ogg by their first bytes.

    Raises
    ------
    InputError
        When it is none of them.
    """
    for magic, name in _MAGIC:
        if magic.match(content):
            return name
    raise InputError("a PNG, JPEG, SVG, MP3 or Ogg file", f"bytes {content[:8].hex(' ') or 'none'}")


def add_medium(session: Session, content: bytes, *, organisation_id: str, now: int) -> MediumInfo:
    """Keep a medium, once for each content.

    Raises
    ------
    InputError
        When it is too large, of another type, or an SVG that does more than draw.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"at most {MAX_BYTES >> 20} MiB", f"{len(content) / 2**20:.1f} MiB")
    kind = media_type(content)
    unsafe = _UNSAFE_SVG.search(content) if kind == SVG else None
    if unsafe is not None:
        found = unsafe.group().decode("utf-8", "replace").strip()
        raise InputError("an SVG without scripts and references to elsewhere", repr(found))
    sha256 = hashlib.sha256(content).hexdigest()
    query = select(Medium).where(Medium.organisation_id == organisation_id)
    medium = session.scalars(query.where(Medium.sha256 == sha256)).one_or_none()
    if medium is None:
        medium = Medium(
            id=new_id(),
            organisation_id=organisation_id,
            sha256=sha256,
            media_type=kind,
            content=content,
            created_at=now,
        )
        session.add(medium)
        session.flush()
    return MediumInfo(medium.id, medium.sha256, medium.media_type)


def medium_bytes(session: Session, medium_id: str, *, organisation_id: str) -> tuple[str, bytes]:
    """Return a medium's type and bytes; `InputError` when the organisation has none such."""
    medium = session.get(Medium, medium_id)
    if medium is None or medium.organisation_id != organisation_id:
        raise InputError("a medium of this organisation", "none with this id")
    return medium.media_type, medium.content
