"""Copies of the database: a SQLite file by the online backup API, PostgreSQL by its own tools.

Called by `tarozu backup` and `restore`, and before an upgrade of a SQLite file. The secrets are
never part of a backup.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from sqlalchemy import inspect, select

from engine.errors import InputError
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank
from item_bank.store.tables.people import Candidate, StaffAccount

SQLITE, POSTGRES = b"SQLite format 3\x00", b"PGDMP"
BUSY_SECONDS = 20
BACKED_UP = "backed_up"


def write_backup(db: Database, file: Path, *, force: bool = False) -> int:
    """Write a backup of a live database, whole or not at all, and return its size in bytes.

    Raises
    ------
    InputError
        When the file is there and may not be replaced, its folder is not, or pg_dump is missing
        or fails.
    """
    if file.exists() and not force:
        raise InputError("a new file (or --force)", "one that is there", file=file)
    if not file.absolute().parent.is_dir():
        raise InputError("a folder to write to", "none", file=file.parent)
    if db.path is not None:
        copy_sqlite(db.path, file)
    else:
        with _whole(file) as partial:
            _postgres(db, "pg_dump", "--format=custom", f"--file={partial}")
    return file.stat().st_size


def note_backup(db: Database, size: int) -> None:
    """Note in the site's chain that a backup was made, so that its age is known."""
    with db.write() as session:
        append_site_event(session, BACKED_UP, {"bytes": size}, db.now(session))


def restore_backup(db: Database, file: Path) -> None:
    """Put a backup in the place of all that a database holds, in one transaction.

    Raises
    ------
    InputError
        When the file is no sound backup of this kind of database, or another program holds it.
    """
    check_backup(db, file)
    if db.path is not None:
        _restore_sqlite(db.path, file)
        return
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _postgres(db, "pg_restore", *options, f"--dbname={db.engine.url.database}", str(file))


def check_backup(db: Database, file: Path) -> None:
    """Refuse a file that is no backup of this kind of database, or a damaged one."""
    try:
        with file.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise InputError("a backup", (error.strerror or "none").lower(), file=file) from None
    wanted = SQLITE if db.is_sqlite else POSTGRES
    if not start.startswith(wanted):
        kinds = {SQLITE: "a SQLite backup", POSTGRES: "a PostgreSQL backup"}
        found = [name for magic, name in kinds.items() if start.startswith(magic)]
        raise InputError(kinds[wanted], found[0] if found else "something else", file=file)
    if db.is_sqlite:
        _check_sqlite(file)


def backup_revision(db: Database, file: Path) -> str | None:
    """Return the schema's revision in a checked backup; None when it is of another program."""
    if db.is_sqlite:
        with closing(_read_only(file)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master").fetchall()
            if ("alembic_version",) not in found or ("site_events",) not in found:
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    options = ("--data-only", "--table=alembic_version", "--file=-")
    lines = _postgres(db, "pg_restore", *options, str(file)).splitlines()
    rows = [after for line, after in pairwise(lines) if line.startswith("COPY ")]
    return rows[0] if rows else None


def is_empty(db: Database) -> bool:
    """Whether a database holds no bank, candidate or account, so that nothing can be lost."""
    if db.path is not None and not db.path.exists():
        return True
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("site"):
            return not inspect(connection).get_table_names()
    with db.read() as session:
        tables = (Bank.id, Candidate.id, StaffAccount.id)
        return not any(session.scalar(select(table).limit(1)) for table in tables)


def copy_name(file: Path) -> Path:
    """Return a name beside a file for the copy that is kept of what a restore replaces."""
    at = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return file.with_name(f"{file.name}.before-restore-{at}")


def make_file(path: Path) -> None:
    """Make an empty database file that only its owner may read: it will hold keys and names."""
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a live SQLite database to a new file, whole or not at all."""
    with (
        _whole(target) as partial,
        closing(_read_only(source)) as old,
        closing(sqlite3.connect(partial)) as new,
    ):
        _copy_pages(old, new)
        new.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Give a file beside the target that takes its place at the end."""
    handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    os.close(handle)  # mkstemp's mode is 0600, which a backup should have
    try:
        yield Path(name)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _check_sqlite(file: Path) -> None:
    try:
        with closing(_read_only(file)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise InputError("a sound SQLite backup", said, file=file)


def _restore_sqlite(target: Path, file: Path) -> None:
    """Write through SQLite, so that whoever has the database open sees all of it or nothing."""
    make_file(target)
    try:
        with (
            closing(_read_only(file)) as old,
            closing(sqlite3.connect(target, timeout=BUSY_SECONDS / 2)) as new,
        ):
            _copy_pages(old, new)
    except sqlite3.OperationalError as error:
        found = f"{error} (stop the server first)"
        raise InputError("a database that no one writes to", found, file=target) from None


def _copy_pages(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copy all pages; Python's own loop would wait for a writer for ever."""
    end = time.monotonic() + BUSY_SECONDS

    def give_up(status: int, _remaining: int, _total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > end:
            raise sqlite3.OperationalError("database is locked")

    old.backup(new, progress=give_up)


def _postgres(db: Database, program: str, *arguments: str) -> str:
    found = postgres_program(program)
    _, given = db.engine.dialect.create_connect_args(db.engine.url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    names |= {"dbname": "PGDATABASE", "sslmode": "PGSSLMODE"}
    access = {"PGOPTIONS": f"-c lock_timeout={BUSY_SECONDS}s"}
    access |= {names[name]: str(value) for name, value in given.items() if name in names}
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, no shell
        [found, *arguments], env={**os.environ, **access}, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason"]
        raise InputError(f"{program} to succeed", said[0])
    return done.stdout.decode()


def postgres_program(name: str) -> str:
    """Find one of PostgreSQL's programs, the newest where there are several.

    Raises
    ------
    InputError
        When there is none on this host.
    """
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version, reverse=True)
    found = str(debian[0]) if debian else shutil.which(name)
    if found is None:
        raise InputError(f"PostgreSQL's program {name} on this host", "none (install its client)")
    return found


def _version(program: Path) -> float:
    try:
        return float(program.parents[1].name)
    except ValueError:
        return 0.0
