"""What a text shows and does not tell those who cannot see or hear it. Pure.

Called by the checks before a release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from item_bank.items.markdown import images

PICTURE = "a picture without a text in its place"
SOUND = "a sound without a transcript"


def without_alternative(content: object) -> Iterator[str]:
    """Name every picture and sound of a text, of an item or a stimulus, that has no alternative."""
    if isinstance(content, str):
        yield from (
            f"{PICTURE} ({image.address})" for image in images(content) if not image.alt.strip()
        )
    elif isinstance(content, Mapping):
        if "media" in content and not str(content.get("alt") or "").strip():
            yield f"{PICTURE} ({content['media']})"
        if "audio" in content and not str(content.get("transcript") or "").strip():
            yield f"{SOUND} ({content['audio']})"
        for part in content.values():
            yield from without_alternative(part)
    elif isinstance(content, list | tuple):
        for part in content:
            yield from without_alternative(part)
