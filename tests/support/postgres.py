"""A PostgreSQL server for the tests: the one named in the environment, or one of our own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError


class Unavailable(Exception):  # noqa: N818 - a circumstance, not a fault
    """No PostgreSQL here, and why."""


@contextmanager
def server(*, durable: bool = False) -> Iterator[URL]:
    """Give the URL of a server in which databases may be made.

    One of our own forgets its last commits in a power cut, for speed, unless it is ``durable``.
    """
    given = os.environ.get("TAROZU_TEST_POSTGRES_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    folder = Path(tempfile.mkdtemp(prefix="tz-pg-", dir="/tmp"))  # a socket's path is short
    try:
        with _own_server(_programs(), folder, durable=durable) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def administer(url: URL, statement: str) -> None:
    """Run one statement outside of any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _programs() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    config = shutil.which("pg_config")
    if config:
        found = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        folders.insert(0, Path(found.stdout.strip()))
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    raise Unavailable("no PostgreSQL: set TAROZU_TEST_POSTGRES_URL or install postgresql")


@contextmanager
def _own_server(programs: Path, folder: Path, *, durable: bool) -> Iterator[URL]:
    one = OwnServer(programs, folder, durable=durable)
    try:
        one.start()
        yield one.url
    finally:
        one.stop()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Give a running server that may be stopped and started; Unavailable where there is none."""
    folder = Path(tempfile.mkdtemp(prefix="tz-pg-", dir="/tmp"))
    one = None
    try:
        one = OwnServer(_programs(), folder)
        one.start()
        yield one
    finally:
        if one is not None:
            one.stop()
        shutil.rmtree(folder, ignore_errors=True)


class OwnServer:
    """A PostgreSQL server in a folder, reached by a socket in it."""

    def __init__(self, programs: Path, folder: Path, *, durable: bool = False) -> None:
        self._programs, self._folder, self._owner = programs, folder, _owner(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._options = ("listen_addresses=", f"unix_socket_directories={folder}")
        self._options += () if durable else ("fsync=off",)
        self.url = URL.create(
            "postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)}
        )
        initdb = [programs / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust"]
        made = subprocess.run(  # noqa: PLW1510 - its status is read below
            [*initdb, "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
            capture_output=True,
            cwd=folder,
            **self._owner,
        )
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.decode().strip()}")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        with Path(self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", self._data),
                    *(f"--{option}" for option in self._options),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._owner,
            )
        _wait(self.url, self._process)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts its connections and closes in order, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)


def _owner(folder: Path) -> dict[str, object]:
    """Return who runs the server: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable("no user postgres, and PostgreSQL refuses to run as root") from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(url: URL, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise Unavailable(f"the server stopped with status {process.returncode}")
        try:
            administer(url, "SELECT 1")
        except OperationalError:
            time.sleep(0.1)
        else:
            return
    raise Unavailable("the server did not answer within 30 s")
