"""`tarozu doctor`: each thing that can be wrong is named with what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from item_bank.store import doctor, fonts
from item_bank.store.clock import SECOND, wall_time
from item_bank.store.jobs import MAX_TRIES, beat, claim, enqueue, fail


def finding(db, check):
    return next(f for f in doctor.examine(db) if f.check == check)


def statuses(run_command):
    status, out, _ = run_command("--json", "doctor")
    return status, {row["check"]: row["status"] for row in json.loads(out)["checks"]}


def test_a_fresh_site_is_sound_but_has_no_worker(db, run_command):
    status, found = statuses(run_command)

    assert status == 0
    assert found["worker"] == "warning"
    assert {found[name] for name in ("database", "schema", "secrets", "clock")} == {"ok"}


def test_a_worker_that_was_just_seen_is_at_work(db):
    beat(db, "w", {})

    assert finding(db, "worker").status == "ok"


def test_no_database_is_wrong(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    status, found = statuses(run_command)

    assert status == 1
    assert (found["database"], found["secrets"]) == ("wrong", "wrong")


def test_secrets_that_others_may_read_are_wrong(db, run_command, tmp_path):
    (tmp_path / "secrets" / "codes").chmod(0o644)

    status, found = statuses(run_command)

    assert (status, found["secrets"]) == (1, "wrong")


def test_the_secrets_of_another_site_are_wrong(db, tmp_path):
    (tmp_path / "secrets" / "codes").write_text("another")

    assert finding(db, "fingerprint").status == "wrong"


def test_a_missing_trigger_is_wrong(db):
    on = "" if db.is_sqlite else " ON responses"
    name = "responses_no_update" if db.is_sqlite else "responses_no_change"
    with db.write() as session:
        session.execute(text(f"DROP TRIGGER {name}{on}"))

    assert name in finding(db, "append-only").found


@pytest.mark.parametrize(("seconds", "status"), [(-3600, "wrong"), (3600, "warning"), (0, "ok")])
def test_a_clock_that_is_off_is_named(db, seconds, status):
    db = replace(db, clock=lambda _connection: wall_time() + seconds * SECOND)

    assert finding(db, "clock").status == status


def test_a_job_that_was_set_aside_is_wrong(db):
    with db.write() as session:
        enqueue(session, "greet", "a", {}, due_at=0)
    (job,) = claim(db)
    fail(db, replace(job, tries=MAX_TRIES), "no one there")

    assert finding(db, "jobs").status == "wrong"
    assert "no one there" in finding(db, "jobs").found


def test_jobs_that_wait_too_long_are_wrong(db):
    with db.write() as session:
        enqueue(session, "greet", "a", {}, due_at=0)

    assert finding(db, "jobs").advice == "start a worker"


def test_too_little_room_is_wrong(db, monkeypatch):
    monkeypatch.setattr(doctor, "TOO_LITTLE_SPACE", 2**60)
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 2**60)

    assert finding(db, "disk").status == "wrong"


def test_fonts_that_are_missing_are_named_with_their_packages(db, monkeypatch):
    none = fonts.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    monkeypatch.setattr(doctor, "system_fonts", lambda: none)
    found = finding(db, "fonts")
    assert found.status == "warning"
    assert "Tajik" in found.found
    assert "fonts-dejavu-core, fonts-noto-cjk" in found.advice


def test_an_address_for_reports_is_asked_for(db, monkeypatch):
    monkeypatch.delenv("TAROZU_WEB_PUBLIC_ADDRESS", raising=False)
    assert finding(db, "address").status == "warning"
    monkeypatch.setenv("TAROZU_WEB_PUBLIC_ADDRESS", "https://exams.example.org")
    assert finding(db, "address").status == "ok"
