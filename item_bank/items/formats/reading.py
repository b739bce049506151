"""Bank files of any format: which reader a file needs, by its content, and what a check says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from item_bank.items.bank_files import BankFileError, BankSource
from item_bank.items.formats.csv_file import read_csv
from item_bank.items.formats.json_file import bank_from_folder, read_bank_zip, read_json
from item_bank.items.formats.values import read_text
from item_bank.items.formats.zip_file import is_bank


@dataclass(frozen=True)
class FileReport:
    """What a check found: how many items can be imported, and all that is wrong.

    Parameters
    ----------
    unsupported
        What the file holds that cannot be imported yet.
    """

    file: str
    items: int
    unsupported: tuple[str, ...]
    errors: tuple[str, ...]


def read_bank_file(path: Path | str) -> BankSource:
    """Read a CSV or JSON file, an archive with ``bank.json`` and ``media/``, or a folder.

    A folder holds ``bank.json``, ``items/*.json`` and ``media/``.

    Raises
    ------
    InputError
        With every problem; or when the file is of a format that is not read yet.
    """
    path = Path(path)
    if path.is_dir():
        return bank_from_folder(path)
    if is_bank(path):
        return read_bank_zip(path)
    unsupported = _unsupported(path)
    if unsupported:
        raise InputError("a bank file in CSV or JSON", unsupported, file=path)
    return read_json(path) if read_text(path).lstrip().startswith(("{", "[")) else read_csv(path)


def check_bank_file(path: Path | str) -> FileReport:
    """Read a file, import nothing, and list everything that is wrong with it."""
    try:
        unsupported = None if is_bank(Path(path)) else _unsupported(Path(path))
        if unsupported:
            return FileReport(str(path), 0, (unsupported,), ())
        source = read_bank_file(path)
    except BankFileError as error:
        return FileReport(str(path), 0, (), tuple(str(problem) for problem in error.problems))
    except InputError as error:
        return FileReport(str(path), 0, (), (str(error),))
    return FileReport(str(path), len(source.items), (), ())


def _unsupported(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return None  # the reader says what is wrong with it
    if start.startswith(b"PK\x03\x04"):
        return "a package (QTI is not read yet)"
    if start.startswith(b"<"):
        return "XML (QTI is not read yet)"
    return None
