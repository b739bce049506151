"""Backup and restore, by the command, on both databases."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from sqlalchemy import select, text
from support.sittings import EXAM, saying

from engine.errors import InputError
from item_bank.exams.answering import answer
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.signing_in import candidate_by_code
from item_bank.exams.sittings import start
from item_bank.store.backup import postgres_program, write_backup
from item_bank.store.database import open_database
from item_bank.store.schema import head_revision, open_site, organisation
from item_bank.store.tables.sittings import Sitting
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

    assert (status, json.loads(out)["revision"]) == (0, head_revision())
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
        session.execute(text(f"UPDATE alembic_version SET version_num = '{head_revision()}'"))
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


def numbers(db):
    with db.read() as session:
        return sorted(session.scalars(select(Sitting.number)))


def sit(db, code):
    """Sit the exam with a code, from the first question to the result."""
    person = candidate_by_code(db, code, address="10.0.0.1")
    exam = exams_of_candidate(db, person)[0]
    started = start(db, person, exam.registration_id, "en")
    now = view(db, person, started.sitting_id)
    while now.question is not None:
        choice = saying(now.question.shown.options[0].id)
        form = {"position": now.position, "epoch": now.epoch, "key": f"key-{now.position}"}
        answer(db, person, now.sitting_id, **form, read=choice)
        now = view(db, person, started.sitting_id)


def test_a_restored_site_gives_no_number_of_a_sitting_twice(
    tools, db, small_bank, run_command, tmp_path
):
    home = organisation(db)
    exam, _ = apply_exam(db, EXAM, organisation_id=home)
    row = RosterRow("A", "Alice", language="en", attempts=5)
    code = str(import_roster(db, [row], exam.plan.code, organisation_id=home)[0].code)
    sit(db, code)
    file = tmp_path / "site.backup"
    run_command("backup", file)
    sit(db, code)  # number 2, which the backup does not know
    given = numbers(db)
    db.close()

    for _ in range(2):  # and the same backup a second time
        assert run_command("restore", file, "--force")[0] == 0
        restored = open_database(db.engine.url.render_as_string(hide_password=False))
        sit(restored, code)
        given.append(numbers(restored)[-1])
        restored.close()
        assert run_command("audit", "verify")[0] == 0
        assert run_command("sitting", "replay", "--all")[0] == 0

    assert given == [1, 2, 1002, 2002]
