"""Bank files as zip archives: ``bank.json`` and ``media/NAME``, and nothing else.

Nothing is unpacked to a disk: entries are read into memory one by one, each no further than its
limit, whatever the archive says of its size.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import InputError
from item_bank.items.formats.media_files import FOLDER, MAX_TOTAL, Shelf
from item_bank.items.formats.values import MAX_BYTES as MAX_JSON
from item_bank.items.markdown import MEDIUM_NAME
from item_bank.store.media import MAX_BYTES

BANK = "bank.json"
MAX_ENTRIES = 5000
_DATE = (1980, 1, 1, 0, 0, 0)  # the same bank is the same archive
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What the reading of a broken, encrypted or strangely packed archive raises."""


def is_bank(path: Path) -> bool:
    """Whether a zip archive holds a bank of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            return BANK in archive.namelist()
    except _BROKEN:
        return False


def read_zip(path: Path) -> tuple[bytes, Shelf]:
    """Return the text of the bank and its media.

    Raises
    ------
    InputError
        When the archive is broken, holds other files, or is larger than it may be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_names([entry.filename for entry in entries], path)
            bank = _bytes(archive, BANK, MAX_JSON, path)
            media = _media(archive, entries, path)
    except _BROKEN as error:
        raise InputError("a sound zip archive", str(error) or "a broken one", file=path) from None
    return bank, media.get


def _check_names(names: Sequence[str], path: Path) -> None:
    if len(names) > MAX_ENTRIES:
        raise InputError(f"at most {MAX_ENTRIES} files in it", len(names), file=path)
    for name in names:
        folder, _, medium = name.rpartition("/")
        if name != BANK and not (folder == FOLDER and MEDIUM_NAME.fullmatch(medium)):
            raise InputError(f"only {BANK} and {FOLDER}/NAME in it", repr(name[:80]), file=path)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError("files that stand once in it", f"{twice!r} twice", file=path)


def _media(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], path: Path
) -> dict[str, bytes]:
    media: dict[str, bytes] = {}
    left = MAX_TOTAL
    for entry in entries:
        if entry.filename != BANK:
            content = _bytes(archive, entry.filename, min(MAX_BYTES, left), path)
            media[entry.filename.removeprefix(f"{FOLDER}/")] = content
            left -= len(content)
    return media


def _bytes(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    """Read an entry, one byte more than it may have at most."""
    with archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        expected = f"at most {most / 2**20:.1f} MiB unpacked"
        raise InputError(expected, "more", file=path, column=name)
    return content


def zip_bytes(bank: str, media: Mapping[str, bytes]) -> bytes:
    """Write an archive that `read_zip` reads; the same bank gives the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(BANK, _DATE), bank, zipfile.ZIP_DEFLATED)
        for name in sorted(media):
            archive.writestr(
                zipfile.ZipInfo(f"{FOLDER}/{name}", _DATE), media[name], zipfile.ZIP_DEFLATED
            )
    return stream.getvalue()
