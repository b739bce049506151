"""The media beside a bank file: read when a text shows them, checked, and named when missing.

Called by the reader of JSON; a zip has its own shelf (`zip_file`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.errors import InputError
from item_bank.items.bank_files import ItemSource, StimulusSource
from item_bank.items.content import media_in
from item_bank.store.media import MAX_BYTES, checked_medium

FOLDER = "media"
MAX_TOTAL = 500 * 2**20
Shelf = Callable[[str], bytes | None]
"""Name to bytes; None where there is no such file."""
Note = Callable[[str, object, str, str], None]
"""Takes note of a problem: expected, found, item or stimulus, place within."""


def beside(folder: Path) -> Shelf:
    """Files of a folder."""

    def shelf(name: str) -> bytes | None:
        path = folder / name
        if not path.is_file():
            return None
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"at most {MAX_BYTES >> 20} MiB", f"{size / 2**20:.1f} MiB")
        return path.read_bytes()

    return shelf


def media_shown(
    items: Sequence[ItemSource], stimuli: Sequence[StimulusSource], shelf: Shelf, note: Note
) -> dict[str, bytes]:
    """Read every medium that a text shows, and note those that are missing or refused."""
    found: dict[str, bytes] = {}
    kinds: dict[str, str] = {}
    total = 0
    for code, place, kind, name in _places(items, stimuli):
        try:
            if name not in found:
                content = shelf(name)
                if content is None:
                    note(f"a file {FOLDER}/{name}", "none", code, place)
                    continue
                total += len(content)
                _check_total(total)
                kinds[name] = checked_medium(content).media_type
                found[name] = content
            if not kinds[name].startswith(f"{kind}/"):
                note(f"{'a picture' if kind == 'image' else 'a sound'} in {FOLDER}/{name}",
                     kinds[name], code, place)  # fmt: skip
        except InputError as error:
            note(f"{error.expected} in {FOLDER}/{name}", error.found, code, place)
    return found


def _check_total(total: int) -> None:
    if total > MAX_TOTAL:
        raise InputError(f"media of at most {MAX_TOTAL >> 20} MiB in all", "more")


def _places(
    items: Sequence[ItemSource], stimuli: Sequence[StimulusSource]
) -> Iterator[tuple[str, str, str, str]]:
    """Item or stimulus, place, kind and name of every medium that is shown."""
    named = [(f"stimulus {one.code}", one.variants) for one in stimuli]
    named += [(f"item {one.code}", one.variants) for one in items]
    for code, variants in named:
        for language, variant in variants.items():
            for kind, name in media_in(variant):
                yield code, f"variants.{language}", kind, name
