"""Backup and restore, by the command, on both databases."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from sqlalchemy import text

from engine.errors import InputError
from item_bank.store.backup import postgres_program, write_backup
from item_bank.store.schema import open_site
from item_bank.store.triggers import missing_triggers


@pytest.fixture
def tools(db):
    """On PostgreSQL its client programs are needed."""
    if db.is_sqlite:
        return
    try:
        postgres_program("pg_dump")
    except InputError as reason:
        pytest.skip(str(reason))


def banks(run_command):
    status, out, err = run_command("--json", "bank", "list")
    assert status == 0, err
    return [(row["code"], row["release"]) for row in json.loads(out)]


def test_a_restored_backup_holds_what_was_there(
    tools, db, run_command, small_bank, small_bank_file, tmp_path
):
    file = tmp_path / "site.backup"
    assert run_command("backup", file)[0] == 0
    run_command("bank", "import", small_bank_file, "--bank", "another")
    db.close()

    status, out, err = run_command("--json", "restore", file, "--force")

    assert status == 0, err
    said = json.loads(out)
    assert (said["problem"], banks(run_command)) == ("", [("small", 1)])
    assert run_command("audit", "verify")[0] == 0
    with db.engine.connect() as connection:
        assert missing_triggers(connection) == []
    db.close()

    run_command("restore", said["copy"], "--force")

    assert banks(run_command) == [("another", None), ("small", 1)]


def test_a_database_with_banks_is_not_replaced_without_force(
    tools, db, run_command, small_bank, tmp_path
):
    file = tmp_path / "site.backup"
    run_command("backup", file)

    status, _, err = run_command("restore", file)

    assert (status, err.count("\n")) == (2, 1)
    assert "an empty database (or --force)" in err


def test_a_fresh_site_may_be_filled_from_a_backup(tools, db, run_command, tmp_path):
    file = tmp_path / "site.backup"
    run_command("backup", file)

    assert run_command("restore", file)[0] == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"Dear Sir", "found something else"), (b"", "found something else")],
)
def test_what_is_no_backup_is_refused(db, run_command, tmp_path, content, problem):
    file = tmp_path / "site.backup"
    file.write_bytes(content)

    status, _, err = run_command("restore", file, "--force")

    assert status == 2
    assert problem in err


def test_a_backup_of_the_other_kind_is_named(db, run_command, tmp_path):
    file = tmp_path / "site.backup"
    other = b"PGDMP\x01\x0e" if db.is_sqlite else b"SQLite format 3\x00"
    file.write_bytes(other + b"\0" * 100)

    status, _, err = run_command("restore", file, "--force")

    assert status == 2
    assert "backup, found a " in err


def test_an_existing_file_is_not_written_over(tools, db, run_command, tmp_path):
    file = tmp_path / "site.backup"
    file.write_text("mine")

    assert run_command("backup", file)[0] == 2
    assert file.read_text() == "mine"
    assert run_command("backup", file, "--force")[0] == 0
    assert run_command("backup", tmp_path / "no" / "folder")[0] == 2


def test_a_damaged_sqlite_backup_is_refused(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert run_command("init")[0] == 0
    file = tmp_path / "site.backup"
    assert run_command("backup", file)[0] == 0
    data = bytearray(file.read_bytes())
    data[100:8000] = b"\xff" * 7900
    file.write_bytes(data)

    status, _, err = run_command("restore", file)

    assert status == 2
    assert "a sound SQLite backup" in err
    assert run_command("doctor")[0] == 0


def test_a_restore_under_other_secrets_says_what_is_missing(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'old.db'}")
    run_command("init")
    run_command("backup", tmp_path / "site.backup")
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    status, _, err = run_command("restore", tmp_path / "site.backup")

    assert status == 0
    assert "Not usable yet" in err
    assert run_command("doctor")[0] == 1
    (tmp_path / "old-secrets").rename(tmp_path / "new-secrets")
    assert run_command("doctor")[0] == 0


def test_a_restore_waits_for_no_writer_forever(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'site.db'}")
    monkeypatch.setattr("item_bank.store.backup.BUSY_SECONDS", 0.2)
    run_command("init")
    run_command("backup", tmp_path / "site.backup")
    writer = sqlite3.connect(tmp_path / "site.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    status, _, err = run_command("restore", tmp_path / "site.backup")

    writer.execute("ROLLBACK")
    writer.close()
    assert status == 2
    assert "stop the server first" in err


def test_init_makes_a_database_that_only_its_owner_reads(run_command, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'deep' / 'site.db'}"
    monkeypatch.setenv("TAROZU_DATABASE_URL", url)

    status, out, _ = run_command("--json", "init", "--organisation", "Academy of Sums")

    assert (status, json.loads(out)["revision"]) == (0, "0004")
    modes = [p.stat().st_mode & 0o777 for p in (tmp_path / "deep").rglob("*") if p.is_file()]
    assert set(modes) == {0o600}
    db = open_site(url)
    with db.read() as session:
        assert session.scalar(text("SELECT name FROM organisations")) == "Academy of Sums"
    db.close()
    assert "is up to date" in run_command("init")[1]


def test_a_backup_of_a_newer_tarozu_is_refused_before_anything_is_replaced(
    tools, db, run_command, small_bank, tmp_path
):
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()
    file = tmp_path / "newer.backup"
    write_backup(db, file)
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    db.close()

    status, _, err = run_command("restore", file, "--force")

    assert status == 2
    assert "found schema 9999 of a newer one" in err
    assert banks(run_command) == [("small", 1)]


def test_another_programs_sqlite_file_is_refused(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'site.db'}")
    with contextlib.closing(sqlite3.connect(tmp_path / "songs.db")) as other:
        other.execute("CREATE TABLE songs (title TEXT)")

    status, _, err = run_command("restore", tmp_path / "songs.db")

    assert status == 2
    assert "another program's" in err
    assert not (tmp_path / "site.db").exists()
