"""The size of a picture, read from its first bytes. Pure.

Pages give a picture its size before it has come, so that nothing moves when it does.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_SVG_TAG = re.compile(rb"<svg\b[^>]*>", re.DOTALL)
_LENGTH = rb"\s+%s\s*=\s*[\"']\s*(\d+(?:\.\d+)?)(?:px)?\s*[\"']"
_VIEW_BOX = re.compile(rb"\sviewBox\s*=\s*[\"']([^\"']*)[\"']")
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

Size = tuple[int, int]


def picture_size(content: bytes, media_type: str) -> Size | None:
    """Return width and height in pixels; None where the bytes do not say, or it is no picture."""
    read = _READERS.get(media_type)
    try:
        size = read(content) if read else None
    except (struct.error, IndexError, ValueError):
        return None
    return size if size and min(size) > 0 else None


def _png(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg(content: bytes) -> Size | None:
    for marker, start in _jpeg_segments(content):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[start + 1 : start + 5])
            return width, height
    return None


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Marker and start of the body of each segment before the picture itself."""
    place = 2
    while content[place] == 0xFF and content[place + 1] != 0xDA:
        marker = content[place + 1]
        if marker == 0xFF:  # filling
            place += 1
            continue
        yield marker, place + 4
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]


def _webp(content: bytes) -> Size | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[i : i + 3], "little") + 1 for i in (24, 27))
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _svg(content: bytes) -> Size | None:
    tag = _SVG_TAG.search(content)
    if tag is None:
        return None
    sides = [re.search(_LENGTH % side, tag[0]) for side in (b"width", b"height")]
    if all(sides):
        width, height = (round(float(side[1])) for side in sides if side)
        return width, height
    box = _VIEW_BOX.search(tag[0])
    numbers = box[1].replace(b",", b" ").split() if box else []
    if len(numbers) != 4:
        return None
    return round(float(numbers[2])), round(float(numbers[3]))


_READERS = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/svg+xml": _svg,
}
