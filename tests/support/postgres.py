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
    owner = _owner(folder)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(  # noqa: PLW1510 - its status is read below
        [*initdb, "--no-sync", "--locale=C.UTF-8"], capture_output=True, cwd=folder, **owner
    )
    if made.returncode:
        raise Unavailable(f"initdb failed: {made.stderr.decode().strip()}")
    options = ("listen_addresses=", f"unix_socket_directories={folder}")
    options += () if durable else ("fsync=off",)
    with Path(folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *(f"--{option}" for option in options)],
            stdout=log,
            stderr=log,
            cwd=folder,
            **owner,
        )
    url = URL.create(
        "postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)}
    )
    try:
        _wait(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


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
