"""What is held about a person can be handed over and erased, and every chain still verifies."""

from __future__ import annotations

import json
import stat

import pytest
from sqlalchemy import func, select, text
from support.sittings import begin, finish, open_hall, respond

from engine.errors import InputError
from item_bank.exams.actors import command_line
from item_bank.exams.attempts import count_failure
from item_bank.exams.conditions import send_message
from item_bank.exams.errors import NotAllowed
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.personal.erasure import erase, plan_erasure
from item_bank.exams.personal.held import held_about
from item_bank.exams.personal.persons import end_code, issue_code
from item_bank.exams.personal.retention import (
    DAY,
    Retention,
    apply_retention,
    overdue,
    plan_daily,
    retention,
    set_retention,
)
from item_bank.exams.replay import replay
from item_bank.exams.reviews import report
from item_bank.exams.signing_in import candidate_by_code, candidate_by_session
from item_bank.exams.upkeep import HANDLERS
from item_bank.exams.verification import verify
from item_bank.store.jobs import run_pending
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Presence, SittingMessage

SECRETS = ("Alice", "alice@example.org", "chalk-white", "Mind the gap", "Ak-Say", "Hall nine")


@pytest.fixture
def hall(db, small_bank):
    """A hall where Alice has finished a sitting, and Bob's runs."""
    hall = open_hall(db)
    now = begin(hall, hall.alice)
    send_message(hall.db, command_line(organisation(db)), now.sitting_id, "Mind the gap")
    done = finish(hall, hall.alice, now)
    respond(hall, hall.bob, begin(hall, hall.bob, "ru"))
    with hall.db.write() as session:
        home = hall.alice.organisation_id
        session.execute(text("UPDATE candidate_details SET email = 'alice@example.org'"
                             " WHERE roster_id = 'A'"))  # fmt: skip
        session.add(
            Presence(sitting_id=done.sitting_id, organisation_id=home, first_seen_at=1,
                     seen_at=hall.clock.at, address="10.0.0.7", agent="Firefox on chalk-white")
        )  # fmt: skip
        outcome = session.get_one(Outcome, done.sitting_id)
        outcome.country, outcome.centre = "Ak-Say", "Hall nine"
    run_pending(hall.db, HANDLERS)
    return hall


@pytest.fixture
def actor(db):
    return command_line(organisation(db))


def alices_sitting(hall) -> str:
    with hall.db.read() as session:
        return session.scalar(
            text("SELECT id FROM sittings WHERE candidate_id = :id"),
            {"id": hall.alice.candidate_id},
        )


def everything(hall) -> str:
    """All that the database says, as one text."""
    with hall.db.read() as session:
        tables = session.scalars(text(
            "SELECT name FROM sqlite_master WHERE type = 'table'" if hall.db.is_sqlite else
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )).all()  # fmt: skip
        return "\n".join(
            str(tuple(row))
            for name in tables
            for row in session.execute(text(f"SELECT * FROM {name}"))
        )


def test_everything_held_about_a_person_is_handed_over(hall, actor):
    held = held_about(hall.db, actor, "A")

    assert held["person"]["name"] == "Alice"
    assert held["person"]["email"] == "alice@example.org"
    sitting = held["sittings"][0]
    assert len(sitting["questions"]) == sitting["results"][0]["n_items"]
    assert all(question["response"]["given"] for question in sitting["questions"])
    assert sitting["messages"][0]["text"] == "Mind the gap"
    assert sitting["presence"]["agent"] == "Firefox on chalk-white"
    assert next(event["kind"] for event in sitting["events"]) == "started"
    assert "sitting_sealed" in [event["kind"] for event in held["site_events"]]
    assert "Bob" not in json.dumps(held)
    assert hall.bob.candidate_id not in json.dumps(held)
    assert json.dumps(held, allow_nan=False)


def test_erasing_takes_the_person_out_and_leaves_every_chain_and_replay_whole(hall, actor):
    sitting = alices_sitting(hall)
    before = report(hall.db, organisation_id=actor.organisation_id, sitting_id=sitting)
    assert all(secret in everything(hall) for secret in SECRETS)

    erased = erase(hall.db, actor, "A", "asked for by the person")

    assert erased.rows["details"] == erased.rows["messages"] == 1
    assert erased.rows["answers"] == before.result["n_items"]
    assert not any(secret in everything(hall) for secret in SECRETS)
    assert verify(hall.db).problems == ()
    assert replay(hall.db, sitting).problems == ()
    after = report(hall.db, organisation_id=actor.organisation_id, sitting_id=sitting)
    assert after.result == before.result
    assert after.row.candidate_name == "(erased)"
    with pytest.raises(InputError):
        held_about(hall.db, actor, "A")


def test_an_erased_persons_code_and_sessions_have_ended(hall, actor):
    erase(hall.db, actor, "A", "asked for")

    assert candidate_by_code(hall.db, hall.codes["Alice"], address="x") is None
    assert candidate_by_session(hall.db, hall.alice.code_id) is None
    assert candidate_by_session(hall.db, hall.bob.code_id) == hall.bob


def test_saying_what_would_be_erased_changes_nothing(hall, actor):
    before = everything(hall)

    assert plan_erasure(hall.db, actor, "A").rows["presence"] == 1
    assert everything(hall) == before


def test_a_person_whose_sitting_runs_is_not_erased(hall, actor):
    for act in (lambda: plan_erasure(hall.db, actor, "B"), lambda: erase(hall.db, actor, "B", "x")):
        with pytest.raises(NotAllowed, match="runs"):
            act()
    assert candidate_by_session(hall.db, hall.bob.code_id) == hall.bob


def test_a_new_code_ends_the_old_one_and_its_sessions_and_the_sitting_goes_on(hall, actor):
    issued = issue_code(hall.db, actor, "B", exam_code="sums")

    assert candidate_by_session(hall.db, hall.bob.code_id) is None
    assert candidate_by_code(hall.db, hall.codes["Bob"], address="x") is None
    again = candidate_by_code(hall.db, issued.code, address="x")
    assert again.candidate_id == hall.bob.candidate_id
    assert begin(hall, again).answered == 1
    end_code(hall.db, actor, "B")
    assert candidate_by_code(hall.db, issued.code, address="x") is None
    assert verify(hall.db).problems == ()


@pytest.mark.parametrize(("roster_id", "exam"), [("nobody", None), ("B", "another")])
def test_a_code_needs_a_person_who_is_registered(hall, actor, roster_id, exam):
    with pytest.raises(InputError):
        issue_code(hall.db, actor, roster_id, exam_code=exam)
    assert candidate_by_session(hall.db, hall.bob.code_id) == hall.bob


# --- the bytes of the files ----------------------------------------------------------------------


def stored(db) -> bytes:
    """All bytes of a SQLite database: the file, and its log beside it."""
    return b"".join(file.read_bytes() for file in db.path.parent.glob(f"{db.path.name}*"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_erased_person_is_in_no_byte_of_the_files(hall, actor):
    assert all(secret.encode() in stored(hall.db) for secret in SECRETS)

    erase(hall.db, actor, "A", "asked for by the person")

    assert not any(secret.encode() in stored(hall.db) for secret in SECRETS)


def _enrol(hall, actor, name: str) -> None:
    rows = [RosterRow(f"P{n:03}", f"{name} {n:03}") for n in range(200)]
    import_roster(hall.db, rows, "sums", organisation_id=actor.organisation_id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_stays_in_free_pages_of_people_who_were_renamed_and_then_erased(hall, actor):
    for name in ("Marigold", "Marigold-Snapdragon " * 8, "Celandine"):
        _enrol(hall, actor, name)
    assert b"Celandine 170" in stored(hall.db)
    set_retention(hall.db, actor, {"people": 1})
    hall.clock.pass_seconds(3 * DAY / 1e6)

    assert apply_retention(hall.db)["people"] == 201  # Alice, too; Bob's sitting runs

    kept = stored(hall.db)
    assert not any(word in kept for word in (b"Marigold", b"Snapdragon", b"Celandine", b"Alice"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_somebody_who_reads_on_and_on_is_named_and_what_was_erased_goes_later(
    hall, actor, run_command, monkeypatch
):
    monkeypatch.setattr("item_bank.store.database.BUSY_MILLISECONDS", 100)
    with hall.db.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM sittings")) == 2
        status, _, said = run_command("candidates", "erase", "A", "--reason", "x", "--yes")
        assert (status, "another program reads" in said) == (1, True)
        assert b"Mind the gap" in stored(hall.db)
        assert run_command("retention", "run")[0] == 1

    assert run_command("retention", "run")[0] == 0
    assert b"Mind the gap" not in stored(hall.db)
    assert verify(hall.db).problems == ()


# --- retention -------------------------------------------------------------------------------


def test_without_rules_of_its_own_a_site_keeps_answers_and_people(hall):
    assert retention(hall.db) == Retention(answers=None, presence=30, sign_ins=1, people=None)
    hall.clock.pass_seconds(29 * DAY / 1e6)
    assert not any(overdue(hall.db).values())


def test_what_is_too_old_is_erased_and_every_chain_holds(hall, actor):
    set_retention(hall.db, actor, {"answers": 100, "people": 200})
    count_failure(hall.db, ["somebody"])
    sitting = alices_sitting(hall)

    hall.clock.pass_seconds(101 * DAY / 1e6)
    wanted = {"answers": 1, "presence": 1, "sign_ins": 1, "people": 0}
    assert overdue(hall.db) == wanted
    assert apply_retention(hall.db) == wanted
    assert not any(apply_retention(hall.db).values())
    assert held_about(hall.db, actor, "A")["sittings"][0]["questions"][0]["response"]["erased"]

    hall.clock.pass_seconds(101 * DAY / 1e6)
    assert apply_retention(hall.db)["people"] == 1  # Bob's sitting runs
    assert not any(secret in everything(hall) for secret in SECRETS)
    assert verify(hall.db).problems == ()
    assert replay(hall.db, sitting).problems == ()


def test_somebody_with_a_newer_code_is_kept(hall, actor):
    set_retention(hall.db, actor, {"people": 10})
    hall.clock.pass_seconds(9 * DAY / 1e6)
    issue_code(hall.db, actor, "A")
    hall.clock.pass_seconds(2 * DAY / 1e6)

    assert overdue(hall.db)["people"] == 0


def test_the_worker_does_a_days_work_once(hall, actor):
    set_retention(hall.db, actor, {"answers": 1})
    hall.clock.pass_seconds(2 * DAY / 1e6)
    for _ in range(3):
        plan_daily(hall.db)
        run_pending(hall.db, HANDLERS)

    with hall.db.read() as session:
        applied = select(func.count()).where(SiteEvent.kind == "retention_applied")
        assert session.scalar(applied) == 1
        assert session.scalar(select(func.count()).select_from(SittingMessage)) == 0
    assert verify(hall.db).problems == ()


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_days_that_make_no_sense_are_refused(db, actor, days):
    with pytest.raises(InputError):
        set_retention(db, actor, {"answers": days})


# --- the commands ----------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_commands_hand_over_and_erase(hall, run_command, tmp_path):
    file = tmp_path / "alice.json"

    assert run_command("candidates", "export", "A", file)[0] == 0
    assert json.loads(file.read_text(encoding="utf-8"))["person"]["name"] == "Alice"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run_command("candidates", "export", "A", file)[0] == 2
    assert "would be erased" in run_command("candidates", "erase", "A", "--reason", "x")[1]
    assert run_command("candidates", "erase", "B", "--reason", "x", "--yes")[0] == 1
    assert "is erased" in run_command("candidates", "erase", "A", "--reason", "x", "--yes")[1]
    assert run_command("candidates", "erase", "A", "--reason", "x")[0] == 2
    assert run_command("audit", "verify")[0] == 0
    status, said, _ = run_command("--json", "candidates", "code", "B", "--exam", "sums")
    assert (status, json.loads(said)["roster_id"]) == (0, "B")
    assert run_command("candidates", "code", "B", "--end")[0] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_commands_say_for_how_long_data_are_kept(hall, run_command):
    assert run_command("retention", "set")[0] == 2
    assert run_command("retention", "set", "--answers", "soon")[0] == 2
    assert run_command("retention", "set", "--answers", "365", "--presence", "never")[0] == 0
    shown = json.loads(run_command("--json", "retention", "show")[1])
    assert shown == {"answers": 365, "presence": None, "sign_ins": 1, "people": None}
    assert "Would be erased" in run_command("retention", "run", "--dry-run")[1]
    assert "Erased" in run_command("retention", "run")[1]
