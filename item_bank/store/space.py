"""How much room is left where the records are written."""

from __future__ import annotations

import shutil
from pathlib import Path

from item_bank.store.database import Database


def folder_of(db: Database) -> Path:
    """Return the folder whose disk this host can see: the SQLite file's, else the secrets'."""
    folder = db.path.absolute().parent if db.path is not None else db.secrets_folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def free_bytes(db: Database) -> int:
    """Return how many bytes are free there."""
    return shutil.disk_usage(folder_of(db)).free
