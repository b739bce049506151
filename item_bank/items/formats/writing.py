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


def bank_text(source: BankSource, file: Path) -> str:
    """Return what a file of this name should hold: JSON, or CSV with the parameters alone.

    Raises
    ------
    InputError
        When the name ends in neither .json nor .csv.
    """
    if file.suffix.lower() == ".json":
        return json.dumps(bank_document(source), ensure_ascii=False, indent=2) + "\n"
    if file.suffix.lower() == ".csv":
        return csv_text(source.items)
    raise InputError("a file name that ends in .json or .csv", repr(file.name))


def write_new(file: Path, text: str, *, force: bool = False) -> None:
    """Write a text file at once; a file that is there only with ``force``.

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
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
