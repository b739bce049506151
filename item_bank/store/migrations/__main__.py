"""`python -m item_bank.store.migrations MESSAGE`: draft the next revision from the tables in code.

For developers. Read what it wrote before committing it: Alembic sees neither renamed columns nor
data that must move.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from alembic import command

from item_bank.store.database import open_database
from item_bank.store.schema import head_revision, migration, migration_config, upgrade

VERSIONS = Path(__file__).parent / "versions"


def draft(message: str, folder: Path = VERSIONS) -> Path:
    """Compare the tables in code with the newest revision and write what differs as the next."""
    number = f"{int(head_revision()) + 1:04}"
    with tempfile.TemporaryDirectory() as scratch:
        db = open_database(f"sqlite:///{scratch}/scratch.db")
        upgrade(db)
        with migration(db) as connection:
            config = migration_config(connection)
            config.set_main_option("path_separator", "newline")
            config.set_main_option("version_locations", f"{VERSIONS}\n{folder}")
            config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
            command.revision(
                config, message, autogenerate=True, rev_id=number, version_path=str(folder)
            )
        db.close()
    return next(folder.glob(f"r{number}_*.py"))


def main(arguments: Sequence[str]) -> None:
    """Draft a revision and print its file."""
    if len(arguments) != 1:
        sys.exit("usage: python -m item_bank.store.migrations MESSAGE")
    sys.stdout.write(f"{draft(arguments[0])}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
