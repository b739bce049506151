"""Fixtures for every package: a fresh database of either kind, and the command."""

from __future__ import annotations

import io
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL
from support.banks import small_bank_document
from support.postgres import Unavailable, administer, server

import tarozu
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import ReleaseInfo, publish
from item_bank.store.database import Database, open_database
from item_bank.store.schema import initialise, organisation

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def template_folder(tmp_path_factory) -> Path:
    """A folder with an initialised SQLite file and its secrets, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    database = replace(
        open_database(f"sqlite:///{folder / 'tarozu.db'}"), secrets_folder=folder / "secrets"
    )
    initialise(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server; where there is none the test is skipped, or fails if all must run."""
    try:
        with server() as url:
            yield url
    except Unavailable as reason:
        _unavailable(str(reason))


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], None]:
    """Skip a test for want of something on this machine, or fail it if all must run."""
    return _unavailable


def _unavailable(reason: str) -> None:
    if os.environ.get("TAROZU_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL, template_folder: Path) -> Iterator[URL]:
    """An initialised database from which others are made."""
    name = f"tz_template_{uuid.uuid4().hex[:12]}"
    administer(postgres_server, f"CREATE DATABASE {name}")
    url = postgres_server.set(database=name)
    database = replace(open_database(_text(url)), secrets_folder=template_folder / "secrets")
    initialise(database)
    database.close()
    yield url
    administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_postgres(postgres_server: URL) -> Iterator[str]:
    """The URL of a PostgreSQL database without any table."""
    name = f"tz_{uuid.uuid4().hex[:16]}"
    administer(postgres_server, f"CREATE DATABASE {name}")
    yield _text(postgres_server.set(database=name))
    administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request, tmp_path, template_folder, monkeypatch) -> Iterator[str]:
    """The URL of a fresh initialised database; commands use it and its secrets by default."""
    shutil.copytree(template_folder / "secrets", tmp_path / "secrets")
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    if request.param == "sqlite":
        shutil.copy(template_folder / "tarozu.db", tmp_path / "tarozu.db")
        url = f"sqlite:///{tmp_path / 'tarozu.db'}"
        monkeypatch.setenv("TAROZU_DATABASE_URL", url)
        yield url
        return
    template = request.getfixturevalue("postgres_template")
    main = request.getfixturevalue("postgres_server")
    name = f"tz_{uuid.uuid4().hex[:16]}"
    administer(main, f"CREATE DATABASE {name} TEMPLATE {template.database}")
    url = _text(main.set(database=name))
    monkeypatch.setenv("TAROZU_DATABASE_URL", url)
    yield url
    administer(main, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A fresh initialised database: SQLite, and PostgreSQL."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def run_command(capsys, monkeypatch, tmp_path) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; gives its exit status, stdout and stderr."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            tarozu.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def small_bank_file(tmp_path) -> Path:
    """A bank file of 12 items in English and Russian, code "small"."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps(small_bank_document(), ensure_ascii=False, indent=1))
    return path


@pytest.fixture
def small_bank(db: Database, small_bank_file: Path) -> ReleaseInfo:
    """Release 1 of the bank "small" in `db`: 12 items, English and Russian."""
    home = organisation(db)
    import_bank(db, read_json(small_bank_file), organisation_id=home)
    return publish(db, "small", organisation_id=home)


@pytest.fixture
def hall(db: Database, small_bank: ReleaseInfo) -> Any:
    """An exam on the small bank under a clock that tests can set; Alice and Bob are registered."""
    from support.sittings import open_hall

    return open_hall(db)


@pytest.fixture
def app(hall: Any) -> Any:
    """The site of the hall, without a server."""
    from web.app import create_app
    from web.settings import Settings

    return create_app(hall.db, Settings())


@pytest.fixture
def alice(app: Any, hall: Any) -> Any:
    """A signed-in candidate of the hall."""
    from support.visitors import Visitor

    one = Visitor(app)
    one.sign_in(hall.codes["Alice"])
    return one


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; where there is none the test is skipped, or fails if all must run."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        _unavailable("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
