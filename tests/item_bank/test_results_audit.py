"""The audit finds every change of what was decided on a result."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from support.signed_results import amended, finished, staff_actor

from item_bank.exams.upkeep import HANDLERS
from item_bank.exams.verification import verify
from item_bank.results import appeals, deciding
from item_bank.results.appeals import Answer
from item_bank.results.notes import add_note
from item_bank.store.jobs import run_pending
from item_bank.store.triggers import drop_triggers

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def decided(hall):
    """A hall with one sealed sitting whose result was held, amended, appealed and noted."""
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    run_pending(hall.db, HANDLERS)
    deciding.hold(hall.db, ann, sitting, "look again")
    amended(hall, sitting)
    deciding.release(hall.db, ann, sitting)
    appeal = appeals.open_appeal(hall.db, hall.alice, sitting, "Not right.")
    appeals.answer_appeal(hall.db, ann, appeal, Answer(upheld=False, text="It is."))
    add_note(hall.db, ann, sitting, "Wrote back.")
    return hall


def test_what_was_decided_holds(decided):
    assert verify(decided.db).problems == ()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE decisions SET account_id = NULL WHERE act = 'held'", "is not as it was recorded"),
        ("UPDATE decisions SET at = at + 1 WHERE act = 'released'", "is not as it was recorded"),
        (
            "DELETE FROM decisions WHERE act = 'held'",
            "the decision of a link (result_held) is gone",
        ),
        ("UPDATE decisions SET id = 'x' WHERE act = 'held'", "decision 2 (held) has no link"),
        ("UPDATE outcomes SET state = 'invalidated'", "its links say released"),
        ("UPDATE outcomes SET score = 700", "the outcome is not what result 2 says"),
        ("UPDATE outcomes SET passed = NOT passed", "the outcome is not what result 2 says"),
        ("UPDATE outcomes SET result_number = 1", "result 1 stands, which its links do not say"),
        ("UPDATE outcomes SET released_at = 1", "was released at another time"),
        ("DELETE FROM outcomes", "a result has no outcome"),
        ("UPDATE results SET number = 3 WHERE number = 2", "result 3 has no link"),
        ("DELETE FROM results WHERE number = 2", "result 2 is not the one decided on"),
        ("UPDATE sittings SET status = 'invalidated'", "the sitting is invalidated"),
        ("UPDATE appeals SET text = 'x'", "the text of an appeal is not what was committed to"),
        ("UPDATE appeals SET answer = 'x'", "the answer to an appeal is not what"),
        ("UPDATE appeals SET status = 'upheld'", "an appeal is upheld, which its links do not say"),
        ("DELETE FROM appeals", "the appeal of a link is gone"),
        ("UPDATE sitting_messages SET text = 'x'", "is not what was committed to"),
    ],
)
def test_a_change_of_a_decision_is_found(decided, statement, problem):
    with decided.db.write() as session:
        drop_triggers(session.connection())
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(text(statement))

    found = [one.problem for one in verify(decided.db).problems]

    assert any(problem in one for one in found), found


def test_an_erased_appeal_leaves_the_chains_whole(decided):
    with decided.db.write() as session:
        session.execute(
            text("UPDATE appeals SET text = '', salt = '', answer = '', answer_salt = ''")
        )
        session.execute(text("DELETE FROM sitting_messages"))

    assert verify(decided.db).problems == ()
