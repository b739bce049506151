"""The database: a SQLite file by default, PostgreSQL by URL, behind one small door.

``read`` gives a session that sees one state; ``write`` one short transaction that writes (on
SQLite ``BEGIN IMMEDIATE``, so that a writer waits at its start and never fails at its end).
Compute outside of ``write``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from platformdirs import user_data_path
from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.store.clock import AnchoredClock, Clock, postgres_clock
from item_bank.store.secret_keys import SecretKeys, read_secrets
from item_bank.store.tables import all as _tables  # noqa: F401 - foreign keys name tables of other files

BUSY_MILLISECONDS = 20_000
FULL, AWAY = "full", "away"
_WRITES = "tarozu_writes"
_NO_ROOM = ("disk is full", "No space left", "disk I/O error")
_NOT_THERE = ("locked", "busy", "unable to open", "readonly")

_turns: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
Observer = Callable[[str, float], None]
"""Is told what happened, and how many seconds it took; 0 for what takes none."""


def nobody(_what: str, _seconds: float) -> None:
    """Observe nothing."""


@dataclass(frozen=True, eq=False)
class Database:
    """An open database with its clock and where its secrets lie.

    Parameters
    ----------
    engine
        SQLAlchemy's engine.
    clock
        The site clock; tests and the demonstration give their own.
    secrets_folder
        Where the keys of this site are.
    observe
        Is told of what is worth counting; see `watched`.
    """

    engine: Engine
    clock: Clock
    secrets_folder: Path
    observe: Observer = nobody

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for reading; nothing of it is kept."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:  # whose transactions see one state anyway
                connection.execution_options(isolation_level="REPEATABLE READ")
            with _session(connection) as session:
                yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are kept together, or not at all."""
        with _turn(self.engine), self.engine.connect() as connection:
            will_write(connection)
            with connection.begin(), _session(connection) as session:
                yield session
                session.flush()

    def now(self, session: Session) -> int:
        """Return the site's time in microseconds."""
        return self.clock(session.connection())

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Tell the observer how long something took."""
        begun = time.perf_counter()
        yield
        self.observe(what, time.perf_counter() - begun)

    def secrets(self) -> SecretKeys:
        """Read the keys."""
        return _secrets(self.secrets_folder)

    def empty_log(self) -> bool:
        """Write SQLite's ``-wal`` file into the database and empty it, with all that it still has.

        False where somebody who reads kept it from that for longer than a writer waits. On
        PostgreSQL there is nothing to do: its log is its server's.
        """
        if not self.is_sqlite:
            return True
        with _turn(self.engine), self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def watched(db: Database, observer: Observer) -> Database:
    """Return the database with an observer: of its errors, and of what is `timed` on it."""
    event.listen(db.engine, "handle_error", lambda _context: observer("database_error", 0.0))
    return replace(db, observe=observer)


def trouble_of(error: BaseException) -> str | None:
    """Say whether an error means that the database has no room ("full") or is not there ("away").

    None for every other error: a fault of ours.
    """
    if isinstance(error, exc.TimeoutError):
        return AWAY
    if not isinstance(error, DBAPIError):
        return None
    said = str(error.orig)
    if any(words in said for words in _NO_ROOM):
        return FULL
    if any(words in said for words in _NOT_THERE) or error.connection_invalidated:
        return AWAY
    away = isinstance(error.orig, psycopg.OperationalError)
    return AWAY if away else None


@lru_cache(maxsize=8)
def _secrets(folder: Path) -> SecretKeys:
    return read_secrets(folder)


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let the threads of a process write to a SQLite file one after the other.

    SQLite lets writers wait by sleeping ever longer, so that the unlucky wait for seconds; a lock
    hands over at once. A thread that has its turn may begin a transaction within another's.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with _turns.setdefault(engine, threading.RLock()):
        yield


def _session(connection: Connection) -> Session:
    return Session(connection, expire_on_commit=False, autoflush=True)


def default_url() -> str:
    """Return the SQLite file in the user data folder."""
    return f"sqlite:///{user_data_path('tarozu') / 'tarozu.db'}"


def open_database(url: str | None = None, *, clock: Clock | None = None) -> Database:
    """Open a database; the file or schema need not exist yet.

    Raises
    ------
    InputError
        When the URL is none, or names neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url or default_url())
    except ArgumentError:
        raise InputError("a database URL such as sqlite:///file.db", url) from None
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed.render_as_string(hide_password=False))
        return Database(
            engine, clock or AnchoredClock(), _secrets_folder(Path(str(parsed.database)))
        )
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        return Database(engine, clock or postgres_clock, _secrets_folder(None))
    raise InputError("a SQLite or PostgreSQL URL", parsed.get_backend_name())


def _secrets_folder(database_file: Path | None) -> Path:
    given = os.environ.get("TAROZU_SECRETS")
    if given:
        return Path(given)
    if database_file is not None:
        return database_file.absolute().parent / f"{database_file.stem}-secrets"
    return user_data_path("tarozu") / "secrets"


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    # no listener to "begin": an engine with one looks for listeners at every statement
    engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign, assignment]
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """An acknowledged answer survives a power cut (FULL); foreign keys hold; readers never wait.

    What is deleted or moved is written over with zeros, so that an erasure leaves nothing behind.
    """
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`, not the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "recursive_triggers=ON",  # else REPLACE deletes past the append-only triggers
        f"busy_timeout={BUSY_MILLISECONDS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def will_write(connection: Connection) -> None:
    """Let the next transaction of a connection be one that writes."""
    connection.info[_WRITES] = True


def _begin_sqlite(connection: PoolProxiedConnection) -> None:
    writes = connection.info.pop(_WRITES, False)
    connection.cursor().execute("BEGIN IMMEDIATE" if writes else "BEGIN")
