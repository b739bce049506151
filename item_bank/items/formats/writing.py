"""Bank files written: the format by the file's name, whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from engine.errors import InputError
from item_bank.items.bank_files import BankSource
from item_bank.items.formats.csv_file import csv_text
from item_bank.items.formats.json_file import bank_document
from item_bank.items.formats.media_files import FOLDER
from item_bank.items.formats.zip_file import zip_bytes


def write_bank(source: BankSource, file: Path, *, force: bool = False) -> None:
    """Write a bank: its media in the archive, or in the folder ``media`` beside a JSON file.

    Raises
    ------
    InputError
        When the name ends in none of .json, .zip and .csv, or a file is there that says something
        else, and not ``force``.
    """
    if file.suffix.lower() == ".zip":
        write_new(file, zip_bytes(_json(source), source.media), force=force)
        return
    text = bank_text(source, file)
    if file.exists() and not force:
        raise InputError("a new file (or --force)", "one that is there", file=file)
    if file.suffix.lower() == ".json" and source.media:
        _write_media(source, file.parent / FOLDER, force=force)
    write_new(file, text, force=force)


def _write_media(source: BankSource, folder: Path, *, force: bool) -> None:
    paths = {folder / name: content for name, content in source.media.items()}
    other = [
        path for path, content in paths.items() if path.exists() and path.read_bytes() != content
    ]
    if other and not force:
        raise InputError("a new file (or --force)", "another that is there", file=other[0])
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        found = (error.strerror or "none").lower()
        raise InputError("a folder to write to", found, file=folder) from None
    for path, content in paths.items():
        write_new(path, content, force=True)


def bank_text(source: BankSource, file: Path) -> str:
    """Return what a file of this name should hold: JSON, or CSV with the parameters alone.

    Raises
    ------
    InputError
        When the name ends in neither .json nor .csv.
    """
    if file.suffix.lower() == ".json":
        return _json(source)
    if file.suffix.lower() == ".csv":
        return csv_text(source.items)
    raise InputError("a file name that ends in .json, .zip or .csv", repr(file.name))


def _json(source: BankSource) -> str:
    return json.dumps(bank_document(source), ensure_ascii=False, indent=2) + "\n"


def write_new(file: Path, content: str | bytes, *, force: bool = False) -> None:
    """Write a file at once; a file that is there only with ``force``.

    Raises
    ------
    InputError
        When the file is there, or its folder is not.
    """
    if file.exists() and not force:
        raise InputError("a new file (or --force)", "one that is there", file=file)
    try:
        handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    except OSError as error:
        found = (error.strerror or "none").lower()
        raise InputError("a folder to write to", found, file=file.parent) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
