"""Notes, appeals, the queue of an examiner, and what a code tells."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.signed_results import amended, finished, signed_exam, staff_actor
from support.sittings import EXAM, open_hall

from item_bank.exams.errors import NotAllowed, TooManyAttempts
from item_bank.results import appeals, deciding
from item_bank.results.appeal_lists import open_appeals
from item_bank.results.appeals import Answer
from item_bank.results.checking import check_code, months_after, plain_code
from item_bank.results.notes import add_note
from item_bank.results.own_results import has_read, own_result
from item_bank.results.panels import panel
from item_bank.results.queue import MINE, counts, queue
from item_bank.store.clock import DAY, SECOND
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import SittingEvent

CODE = "2345-6789-ABCD-EFGH"
CHECKED_FROM = "10.0.0.7"


@pytest.fixture(params=["sqlite"])
def database_url(request, tmp_path, template_folder, monkeypatch):
    """SQLite alone: what differs between databases is tested where results are decided on."""
    import shutil

    shutil.copytree(template_folder / "secrets", tmp_path / "secrets")
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    shutil.copy(template_folder / "tarozu.db", tmp_path / "tarozu.db")
    return f"sqlite:///{tmp_path / 'tarozu.db'}"


def code_of(hall, sitting) -> str:
    with hall.db.read() as session:
        return session.get_one(Outcome, sitting).verification


def test_notes_are_kept_with_their_writer_and_their_text_is_in_no_chain(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    add_note(hall.db, ann, sitting, "Sat beside B.")

    (note,) = panel(hall.db, ann, sitting).notes
    assert (note.who, note.text) == ("ann", "Sat beside B.")
    with hall.db.read() as session:
        links = session.scalars(select(SittingEvent.payload)).all()
    assert not any("Sat beside" in str(one) for one in links)
    with pytest.raises(NotAllowed):
        add_note(hall.db, ann, sitting, "  ")


def test_the_panel_says_who_did_what_and_why(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    deciding.hold(hall.db, ann, sitting, "first")
    deciding.release(hall.db, ann, sitting, "second")

    history = panel(hall.db, ann, sitting).history

    assert [(one.done.act, one.who, one.reason) for one in history] == [
        ("released", "exam rule", ""),
        ("held", "ann", "first"),
        ("released", "ann", "second"),
    ]


def test_an_appeal_is_opened_once_answered_and_read(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    appeal = appeals.open_appeal(hall.db, hall.alice, sitting, "Question 3 was wrong.")
    with pytest.raises(NotAllowed):
        appeals.open_appeal(hall.db, hall.alice, sitting, "again")
    hall.clock.pass_seconds(2 * 24 * 3600)
    (waiting,) = open_appeals(hall.db, organisation_id=ann.organisation_id)
    assert (waiting.candidate_name, waiting.now - waiting.line.opened_at) == ("Alice", 2 * DAY)
    appeals.answer_appeal(hall.db, ann, appeal, Answer(upheld=False, text="It was right."))

    own = own_result(hall.db, hall.alice, sitting)
    assert (own.appeals[0].status, own.appeals[0].answer) == ("dismissed", "It was right.")
    assert own.may_appeal
    with pytest.raises(NotAllowed):
        appeals.answer_appeal(hall.db, ann, appeal, Answer(upheld=True, text="or not"))


def test_upholding_can_invalidate_or_reinstate_at_once(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    first = appeals.open_appeal(hall.db, hall.alice, sitting, "The fire alarm rang.")
    said = Answer(upheld=True, text="It did.", then="invalidate", category="technical")
    appeals.answer_appeal(hall.db, ann, first, said)
    own = own_result(hall.db, hall.alice, sitting)
    assert (own.state, own.category) == ("invalidated", "technical")

    second = appeals.open_appeal(hall.db, hall.alice, sitting, "I want it all the same.")
    appeals.answer_appeal(
        hall.db, ann, second, Answer(upheld=True, text="So be it", then="reinstate")
    )
    assert own_result(hall.db, hall.alice, sitting).state == "released"


def test_an_unknown_correction_leaves_the_appeal_open(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    appeal = appeals.open_appeal(hall.db, hall.alice, sitting, "Wrong key.")

    with pytest.raises(NotAllowed, match="no correction 7"):
        appeals.answer_appeal(hall.db, ann, appeal, Answer(upheld=True, text="Yes", correction=7))

    assert own_result(hall.db, hall.alice, sitting).appeals[0].is_open


def test_the_time_to_appeal_ends_for_candidates_and_not_for_staff(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann", "administrator")
    hall.clock.pass_seconds(31 * 24 * 3600)

    assert not own_result(hall.db, hall.alice, sitting).may_appeal
    with pytest.raises(NotAllowed):
        appeals.open_appeal(hall.db, hall.alice, sitting, "late")
    appeals.open_on_behalf(hall.db, ann, sitting, "A letter came in time.")
    appeals.withdraw(hall.db, hall.alice, sitting)

    assert own_result(hall.db, hall.alice, sitting).appeals[0].status == "withdrawn"


def test_a_correction_is_told_until_it_was_read(hall):
    sitting = finished(hall)
    assert own_result(hall.db, hall.alice, sitting).corrected_at is None
    hall.clock.pass_seconds(60)
    amended(hall, sitting)

    own = own_result(hall.db, hall.alice, sitting)
    assert (own.corrected_at, own.earlier, own.number) == (hall.clock.at, (1,), 2)
    has_read(hall.db, hall.alice, sitting, 2)

    own = own_result(hall.db, hall.alice, sitting)
    assert (own.corrected_at, own.earlier) == (None, (1,))


def test_a_queue_has_what_awaits_my_signature(db, small_bank):
    hall = open_hall(db, exam=signed_exam(2))
    sitting, ann, ben = finished(hall), staff_actor(hall, "ann"), staff_actor(hall, "ben")
    deciding.sign(hall.db, ann, sitting)

    assert queue(hall.db, ann, MINE).rows == ()
    assert [row.sitting_id for row in queue(hall.db, ben, MINE, text="alic").rows] == [sitting]
    assert queue(hall.db, ben, MINE, text="bob").total == 0
    (row,) = queue(hall.db, ann, "awaiting").rows
    assert row.refusal == "signed_before"
    assert counts(hall.db, ben) == {
        "mine": 1, "awaiting": 1, "held": 0, "released": 0, "invalidated": 0}  # fmt: skip


# --- codes -------------------------------------------------------------------------------------


def test_a_code_is_read_whatever_its_case_blanks_and_dashes():
    assert plain_code("2345 6789-abcd efgh") == plain_code(CODE) == "23456789ABCDEFGH"
    for wrong in ("", "2345", "2345-6789-ABCD-EFG0", "x" * 500):
        assert plain_code(wrong) is None


def checked(hall, sitting):
    return check_code(hall.db, code_of(hall, sitting), address=CHECKED_FROM)


def test_a_code_tells_what_stands_and_no_score(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    found = checked(hall, sitting)
    assert (found.state, found.name, found.title["en"]) == ("stands", "Alice", "Sums")
    assert not hasattr(found, "score")
    amended(hall, sitting)
    assert checked(hall, sitting).state == "superseded"
    deciding.hold(hall.db, ann, sitting, "r")
    assert (checked(hall, sitting).state, checked(hall, sitting).level) == ("reviewed", None)
    deciding.invalidate(hall.db, ann, sitting, "identity", "r")
    assert (checked(hall, sitting).state, checked(hall, sitting).level) == ("withdrawn", None)


def test_a_pass_expires_and_a_result_that_was_never_shown_has_no_code(db, small_bank):
    exam = f"{EXAM.replace('minimum = 500', 'minimum = 301')}[results]\nvalid_months = 1\n"
    hall = open_hall(db, exam=exam)
    sitting = finished(hall)
    assert checked(hall, sitting).state == "stands"
    hall.clock.pass_seconds(32 * 24 * 3600)
    assert checked(hall, sitting).state == "expired"


def test_a_result_that_was_never_shown_is_unknown(db, small_bank):
    hall = open_hall(db, exam=signed_exam(1))
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    assert checked(hall, sitting) is None
    deciding.sign(hall.db, ann, sitting)
    assert checked(hall, sitting).state == "stands"


def test_guessing_codes_is_slowed_and_right_ones_are_always_heard(hall, monkeypatch):
    monkeypatch.setattr("item_bank.results.checking.LIMIT_ADDRESS", 3)
    sitting = finished(hall)
    for _ in range(3):
        assert check_code(hall.db, CODE, address=CHECKED_FROM) is None

    with pytest.raises(TooManyAttempts):
        check_code(hall.db, CODE, address=CHECKED_FROM)
    assert checked(hall, sitting).state == "stands"


def test_months_end_where_the_shorter_month_does():
    january = 1_738_281_600 * SECOND  # 31 January 2025
    assert months_after(january, 1) == (1_738_281_600 + 28 * 24 * 3600) * SECOND
    assert months_after(january, 12) == (1_738_281_600 + 365 * 24 * 3600) * SECOND
