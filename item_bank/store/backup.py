"""Copies of the database: a SQLite file by the online backup API, PostgreSQL by its own tools.

Called by `tarozu backup` and `restore`, and before an upgrade of a SQLite file.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a live SQLite database to a new file, whole or not at all."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(partial)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")
    partial.chmod(0o600)
    os.replace(partial, target)  # noqa: PTH105 - the name says that it is atomic
