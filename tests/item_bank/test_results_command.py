"""`tarozu result`, and what erasing a person leaves of decisions."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from support.signed_results import PASSWORD, finished, signed_exam, staff_actor
from support.sittings import open_hall

from item_bank.exams.actors import command_line
from item_bank.exams.personal.erasure import erase
from item_bank.exams.personal.held import held_about
from item_bank.exams.verification import verify
from item_bank.results import appeals, deciding
from item_bank.results.appeals import Answer
from item_bank.store.tables.outcomes import Appeal, Outcome

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def signed(db, small_bank):
    return open_hall(db, exam=signed_exam(1))


def state(hall, sitting) -> str:
    with hall.db.read() as session:
        return session.get_one(Outcome, sitting).state


def test_an_examiner_signs_all_that_await_after_looking(signed, run_command):
    sitting = finished(signed)
    staff_actor(signed, "ann")
    line = ("result", "sign", "--exam", "sums", "--all-awaiting", "--account", "ann@example.org",
            "--password-stdin")  # fmt: skip

    status, _, said = run_command(*line, "--dry-run", stdin=PASSWORD + "\n")
    assert (status, state(signed, sitting)) == (0, "awaiting")
    assert "1 could be signed; nothing was changed" in said
    assert run_command(*line, stdin="wrong\n")[0] == 1
    assert run_command(*line, stdin=PASSWORD + "\n")[0] == 0

    assert state(signed, sitting) == "released"
    assert json.loads(run_command("--json", "result", "show", sitting)[1])["signatures"] == 1


def test_the_command_line_holds_releases_invalidates_and_reinstates(hall, run_command):
    sitting = finished(hall)
    for line, leads_to in (
        (("hold", sitting, "--reason", "r"), "held"),
        (("release", sitting), "released"),
        (("invalidate", sitting, "--category", "technical", "--reason", "r"), "invalidated"),
        (("reinstate", sitting, "--reason", "r"), "released"),
    ):
        assert run_command("result", *line, "--dry-run")[0] == 0
        assert run_command("result", *line)[0] == 0
        assert state(hall, sitting) == leads_to
    assert sitting in run_command("result", "list", "--state", "released")[1]


def test_what_cannot_be_done_is_said_and_ends_with_1_or_2(hall, run_command):
    sitting = finished(hall)

    status, out, said = run_command("result", "reinstate", sitting, "--reason", "r")
    assert status == 1
    assert "this result is not invalidated" in out + said
    assert run_command("result", "show", "0" * 32)[0] == 2
    assert run_command("result", "hold", sitting, "--reason", " ")[0] == 1


def test_erasing_a_person_takes_what_was_written_and_leaves_what_was_decided(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    deciding.hold(hall.db, ann, sitting, "a secret reason")
    deciding.release(hall.db, ann, sitting)
    appeal = appeals.open_appeal(hall.db, hall.alice, sitting, "I was ill.")
    appeals.answer_appeal(hall.db, ann, appeal, Answer(upheld=False, text="You were not."))
    host = command_line(ann.organisation_id)
    held = held_about(hall.db, host, "A")["sittings"][0]
    assert [one["act"] for one in held["decisions"]] == ["released", "held", "released"]
    assert (held["appeals"][0]["text"], held["appeals"][0]["answer"]) == (
        "I was ill.", "You were not.")  # fmt: skip
    assert held["messages"][0]["text"] == "a secret reason"

    assert erase(hall.db, host, "A", "asked for").rows["appeals"] == 1

    with hall.db.read() as session:
        row = session.scalars(select(Appeal)).one()
    assert (row.status, row.text, row.answer) == ("dismissed", "", None)
    assert verify(hall.db).problems == ()
    assert state(hall, sitting) == "released"
