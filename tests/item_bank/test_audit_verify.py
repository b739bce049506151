"""The audit finds every change of a record, whoever made it and however."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from support.sittings import begin, finish, open_hall, respond

from item_bank.exams.actors import command_line
from item_bank.exams.conditions import send_message
from item_bank.exams.upkeep import HANDLERS
from item_bank.exams.verification import verify
from item_bank.store.jobs import run_pending
from item_bank.store.triggers import drop_triggers


@pytest.fixture
def hall(db, small_bank):
    """A hall with one finished and sealed sitting, and one that runs."""
    hall = open_hall(db)
    finish(hall, hall.alice, begin(hall, hall.alice))
    run_pending(hall.db, HANDLERS)
    now = begin(hall, hall.bob, "ru")
    send_message(hall.db, command_line(hall.bob.organisation_id), now.sitting_id, "Mind the gap")
    respond(hall, hall.bob, now)
    return hall


def tamper(hall, *statements):
    """Change records behind the triggers' back, as somebody with the file could."""
    with hall.db.write() as session:
        drop_triggers(session.connection())
        for statement in statements:
            session.execute(text(statement))


def found(hall):
    return [problem.problem for problem in verify(hall.db).problems]


def test_untouched_records_hold(hall):
    audit = verify(hall.db)

    assert audit.problems == ()
    assert (audit.sittings, audit.releases) == (2, 1)
    assert audit.sitting_links > 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is read is the same
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE responses SET score = 1 - score WHERE position = 2", "is not as it was recorded"),
        ("UPDATE presented_items SET trace = '{}' WHERE position = 1", "is not as it was recorded"),
        ("DELETE FROM responses WHERE position = 2", "response 2 is gone"),
        ('UPDATE response_contents SET content = \'{"choice":"Z"}\'', "what was committed to"),
        ("UPDATE sitting_events SET at = at + 1 WHERE number = 3", "does not match its hash"),
        ("DELETE FROM sitting_events WHERE number = 3", "link 3 is missing"),
        ("UPDATE sittings SET seed = seed + 1", "seed is not the one it started with"),
        ("UPDATE sittings SET chain_length = 1", "the sitting says 1 links"),
        ("UPDATE sittings SET stop_reason = 'se2'", "stop reason is not the one recorded"),
        ("UPDATE results SET content = '{}'", "result 1 does not match its hash"),
        ("UPDATE results SET content_hash = 'x'", "the result is not the one recorded"),
        ("UPDATE results SET score = score + 50", "result 1 is listed as something else"),
        ("DELETE FROM results", "the result is not the one recorded"),
        ("UPDATE site_events SET kind = 'x' WHERE number = 2", "does not match its hash"),
        ("UPDATE release_items SET position = 100 - position", "items do not match its hash"),
        ("UPDATE release_items SET model = '1pl'", "items do not match"),
        ("UPDATE site_events SET payload = '{}'", "does not match its hash"),
        ("UPDATE site_events SET payload = '5'", "does not match its hash"),
        ("UPDATE site_events SET payload = 'no JSON'", "a record cannot be read"),
        ("UPDATE sitting_events SET payload = '[]'", "does not match its hash"),
        ("UPDATE responses SET theta = theta + 1", "is not as it was recorded"),
        ("UPDATE sitting_messages SET text = 'x'", "is not what was committed to"),
        ("UPDATE presented_items SET trace = '{' WHERE position = 2", "a record cannot be read"),
        ("UPDATE item_variants SET content = 'x'", "a record cannot be read"),
        ("UPDATE releases SET content_hash = 'x'", "the site chain does not have its hash"),
        ('UPDATE item_revisions SET key = \'{"correct":"A"}\'', "revision does not match"),
        ("UPDATE item_variants SET content = '{}' WHERE language = 'ru'", "revision does not"),
        ("UPDATE exam_versions SET design = '{}'", "exam version 1 does not match its hash"),
    ],
)
def test_a_change_of_a_record_is_found(hall, statement, problem):
    tamper(hall, statement)

    assert any(problem in text for text in found(hall))


def test_a_chain_that_was_written_anew_does_not_match_its_seal(hall):
    tamper(
        hall,
        "DELETE FROM sitting_events WHERE number > 1",
        "DELETE FROM responses",
        "DELETE FROM response_contents",
        "DELETE FROM presented_items",
        "DELETE FROM results",
        "DELETE FROM sitting_messages",
        "DELETE FROM decisions",
        "DELETE FROM outcomes",
        "UPDATE sittings SET stop_reason = NULL, chain_length = 1, chain_head = "
        "(SELECT hash FROM sitting_events e WHERE e.sitting_id = sittings.id)",
    )

    problems = found(hall)

    assert len(problems) == 1
    assert "is not the chain that link" in problems[0]


def test_a_sitting_that_vanished_is_missed_by_its_seal(hall):
    tables = ("sitting_events", "responses", "response_contents", "presented_items", "results",
              "sitting_messages", "decisions", "outcomes")  # fmt: skip
    tamper(hall, *(f"DELETE FROM {table}" for table in tables), "DELETE FROM sittings")

    assert any("which is not there" in problem for problem in found(hall))


def test_erasing_a_name_and_the_answers_leaves_every_chain_whole(hall):
    with hall.db.write() as session:
        session.execute(text("DELETE FROM response_contents"))
        session.execute(text("DELETE FROM candidate_details"))

    assert found(hall) == []


def test_the_command_says_where_it_breaks_and_ends_with_status_1(hall, run_command):
    assert run_command("audit", "verify")[0] == 0
    tamper(hall, "UPDATE responses SET score = 1 - score WHERE position = 1")

    status, out, err = run_command("--json", "audit", "verify")

    assert status == 1
    assert "the records do not hold: 2 problems" in err
    said = json.loads(out)
    assert said["verified"] is False
    assert said["problems"][0]["problem"] == "response 1 is not as it was recorded"
    assert "response 1 is not as it was recorded" in run_command("audit", "verify")[1]
