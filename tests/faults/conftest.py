"""Sites with an exam, each served by a real process whose parts can be killed and cut off.

A site is shared by the tests of a run, each with candidates of its own: a test that kills the
server finds it running again, because `site` starts it where it is gone.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support.fault_sites import Site, serve_site
from support.postgres import administer

CANDIDATES = 120


@pytest.fixture(scope="session")
def fresh_folder(tmp_path_factory, template_folder):
    """Make folders with an initialised SQLite file and its secrets."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(template_folder, folder, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture(scope="session")
def sqlite_site(fresh_folder) -> Iterator[Site]:
    """A site on a SQLite file."""
    folder = fresh_folder("faults")
    url = f"sqlite:///{folder / 'tarozu.db'}"
    with serve_site(url, folder, candidates=CANDIDATES) as one:
        yield one


@pytest.fixture(scope="session")
def postgres_url(postgres_server: URL, postgres_template: URL) -> Iterator[str]:
    """An initialised PostgreSQL database, with the secrets of the template."""
    yield from _copy(postgres_server, postgres_template)


@pytest.fixture(scope="session")
def postgres_site(fresh_folder, postgres_url) -> Iterator[Site]:
    """A site on PostgreSQL."""
    with serve_site(postgres_url, fresh_folder("faults"), candidates=CANDIDATES) as one:
        yield one


@pytest.fixture
def site(sqlite_site) -> Site:
    """The site on SQLite, with its server running."""
    sqlite_site.revive()
    return sqlite_site


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_site(request) -> Site:
    """The site on SQLite, and the one on PostgreSQL."""
    one = request.getfixturevalue(f"{request.param}_site")
    one.revive()
    return one


@pytest.fixture
def database_url(fresh_folder, monkeypatch) -> str:
    """The URL of a fresh SQLite database for cases that need no process; commands use it."""
    folder = fresh_folder("case")
    monkeypatch.setenv("TAROZU_SECRETS", str(folder / "secrets"))
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{folder / 'tarozu.db'}")
    return f"sqlite:///{folder / 'tarozu.db'}"


@pytest.fixture
def another_postgres_url(postgres_server: URL, postgres_template: URL) -> Iterator[str]:
    """One more initialised PostgreSQL database."""
    yield from _copy(postgres_server, postgres_template)


def _copy(server: URL, template: URL) -> Iterator[str]:
    name = f"tz_faults_{uuid.uuid4().hex[:12]}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template.database}")
    yield server.set(database=name).render_as_string(hide_password=False)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")
