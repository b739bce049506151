"""One item of each type and two stimuli, as the documentation shows them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from support.banks import small_bank_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "integrator.md"
_BLOCKS = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
ITEMS: dict[str, dict[str, Any]] = {
    item["type"]: item
    for block in _BLOCKS
    if block.startswith('{\n  "code"')
    for item in [json.loads(block)]
}
STIMULI: list[dict[str, Any]] = next(
    json.loads("{" + block + "}")["stimuli"] for block in _BLOCKS if block.startswith('"stimuli"')
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="100">'
    b'<circle cx="100" cy="70" r="15"/></svg>'
)
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    + (30).to_bytes(4, "big")
    + (20).to_bytes(4, "big")
    + b"\x08\2\0\0\0"
)
WAV = b"RIFF\x24\0\0\0WAVEfmt " + bytes(24)
MEDIA = {"field.svg": SVG, "radio.wav": WAV}


def item(kind: str) -> dict[str, Any]:
    """An item that may be changed."""
    return copy.deepcopy(ITEMS[kind])


def document(*kinds: str, stimuli: bool = False) -> dict[str, Any]:
    """A bank file with an item of each kind; all of them by default."""
    head = small_bank_document(0, code="types")
    own = {"stimuli": copy.deepcopy(STIMULI)} if stimuli else {}
    return {**head, **own, "items": [item(kind) for kind in kinds or ITEMS]}


def write(folder: Path, content: dict[str, Any], media: dict[str, bytes] | None = None) -> Path:
    """Put a bank file and its media into a folder."""
    (folder / "media").mkdir(parents=True, exist_ok=True)
    for name, data in (MEDIA if media is None else media).items():
        (folder / "media" / name).write_bytes(data)
    path = folder / "bank.json"
    path.write_text(json.dumps(content, indent=1))
    return path
