from __future__ import annotations

import pytest
from support.held_up import BREAKS, MINUTES, check_records, kinds, left
from support.sittings import EXAM, begin, finish, open_hall, respond

from engine.errors import InputError
from item_bank.exams import records
from item_bank.exams.actors import command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.conditions import (
    pause,
    release_lease,
)
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.exam_files import read_plan
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.responses import recorded_responses
from item_bank.exams.results import result_of
from item_bank.exams.reviews import report
from item_bank.exams.rooms import room_events, sittings_in_exam
from item_bank.exams.sittings import start, take_over
from item_bank.exams.verification import verify
from item_bank.items.items import hold_item, release_hold
from item_bank.store.clock import DAY, MINUTE
from item_bank.store.tables.sittings import Sitting


@pytest.fixture
def hall(db, small_bank):
    return open_hall(db, exam=BREAKS)


@pytest.fixture
def actor(hall):
    return command_line(hall.alice.organisation_id)


# --- devices -----------------------------------------------------------------------------------


def started_on(hall, device):
    exam = exams_of_candidate(hall.db, hall.alice)[0]
    return start(hall.db, hall.alice, exam.registration_id, "en", device=device).sitting_id


def test_where_a_second_device_is_denied_only_the_first_or_a_released_one_goes_on(db, small_bank):
    hall = open_hall(db, exam=EXAM + '[delivery]\nsecond_device = "deny"\n')
    actor = command_line(hall.alice.organisation_id)
    sitting_id = started_on(hall, "laptop")

    for device in ("phone", ""):
        with pytest.raises(NotAllowed, match="another device"):
            take_over(hall.db, hall.alice, sitting_id, device=device, agent="Firefox")
    assert take_over(hall.db, hall.alice, sitting_id, device="laptop") == 2
    release_lease(hall.db, actor, sitting_id)
    assert take_over(hall.db, hall.alice, sitting_id, device="phone") == 3
    with pytest.raises(NotAllowed):
        take_over(hall.db, hall.alice, sitting_id, device="laptop")

    found = kinds(hall, sitting_id)
    assert found.count("device_refused") == 3
    assert found.count("taken_over") == 2
    assert "lease_released" in found


def test_a_sitting_that_moves_to_another_device_says_so(hall):
    sitting_id = started_on(hall, "laptop")
    take_over(hall.db, hall.alice, sitting_id, device="laptop")
    take_over(hall.db, hall.alice, sitting_id, device="phone", agent="Firefox")

    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=sitting_id)
    assert [event["kind"] for event in found.events[2:]] == ["taken_over", "taken_over", "device"]
    assert len(found.events[-1]["payload"]["agent_hash"]) == 64


@pytest.mark.parametrize(("seconds", "noted"), [(0, []), (4, []), (5.2, [5]), (1e9, [])])
def test_an_answer_that_waited_for_a_connection_says_how_long(hall, seconds, noted):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now, waited_seconds=seconds)
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=now.sitting_id)
    said = [e["payload"]["seconds"] for e in found.events if e["kind"] == "reconnected"]
    assert said == noted


# --- retakes and accommodations ----------------------------------------------------------------


def test_the_next_attempt_waits_as_the_exam_says(db, small_bank):
    hall = open_hall(db, exam=EXAM + "[retakes]\nwait_days = 2\n")
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    exam = exams_of_candidate(hall.db, hall.alice)[0]
    assert (exam.status, exam.retake_from) == ("waiting", end.finished_at + 2 * DAY)
    with pytest.raises(NotAllowed, match="wait between two attempts"):
        begin(hall, hall.alice)
    hall.clock.pass_seconds(2 * 86_400)
    assert exams_of_candidate(hall.db, hall.alice)[0].status == "ready"
    assert begin(hall, hall.alice).sitting_id != end.sitting_id


def test_accommodations_are_frozen_when_a_sitting_starts_and_stand_in_no_result(hall):
    home = hall.alice.organisation_id
    row = RosterRow(
        "A", "Alice", extra_time=1.25, breaks=3, break_minutes=20, font="large", contrast="high"
    )
    import_roster(hall.db, [row], "sums", organisation_id=home)
    now = begin(hall, hall.alice)
    import_roster(hall.db, [RosterRow("A", "Alice")], "sums", organisation_id=home)

    seen = view(hall.db, hall.alice, now.sitting_id)
    assert (seen.font, seen.contrast, seen.breaks_left) == ("large", "high", 3)
    assert seen.break_length == 20 * MINUTE
    assert left(hall, now.sitting_id) == 37.5 * MINUTES
    end = finish(hall, hall.alice, now)
    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert not {"accommodations", "extra_time", "font", "breaks"} & set(result)
    assert verify(hall.db).problems == ()


def test_accommodations_that_were_changed_afterwards_show_and_erased_ones_do_not(hall):
    now = begin(hall, hall.alice)
    with hall.db.write() as session:
        session.get_one(Sitting, now.sitting_id).accommodations = {"extra_time": 3.0}
    assert [p.problem for p in verify(hall.db).problems] == [
        "the sitting's accommodations are not those it started with"
    ]
    with hall.db.write() as session:
        session.get_one(Sitting, now.sitting_id).accommodations_salt = None
    assert verify(hall.db).problems == ()


# --- items that leak, and answers too quick ----------------------------------------------------


def code_of(hall, sitting_id):
    from item_bank.exams.snapshots import read_snapshot

    with hall.db.read() as session:
        snapshot = read_snapshot(hall.db, session, sitting_id)
    return snapshot.release.items.item[snapshot.presented[-1].row]


def test_who_has_a_held_item_on_screen_finishes_it(hall):
    now = begin(hall, hall.alice)
    code, home = code_of(hall, now.sitting_id), hall.alice.organisation_id
    hold_item(hall.db, "small", code, "looks odd", organisation_id=home)

    respond(hall, hall.alice, now)
    end = finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))

    first = result_of(hall.db, end.sitting_id, candidate=hall.alice)["path"][0]
    assert (first["item"], first["score"] is not None) == (code, True)
    check_records(hall, now.sitting_id)


def test_an_answer_to_what_is_compromised_is_kept_and_counts_for_nothing(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)
    now = view(hall.db, hall.alice, now.sitting_id)
    code, home = code_of(hall, now.sitting_id), hall.alice.organisation_id
    hold_item(hall.db, "small", code, "on a forum", organisation_id=home, compromised=True)

    assert respond(hall, hall.alice, now) is Outcome.ACCEPTED
    release_hold(hall.db, "small", code, organisation_id=home)
    seen = view(hall.db, hall.alice, now.sitting_id)
    assert (seen.position, seen.answered) == (3, 2)
    assert seen.at_most == now.at_most
    end = finish(hall, hall.alice, seen)

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    items = [step["item"] for step in result["path"]]
    assert [step["item"] for step in result["path"] if step["score"] is None] == [code]
    assert items.count(code) == 1
    assert result["n_items"] == len(items) - 1
    assert kinds(hall, now.sitting_id).count(records.WITHDRAWN) == 1
    home_rows = recorded_responses(hall.db, "small", organisation_id=home)
    assert code not in {row.item for row in home_rows}
    check_records(hall, now.sitting_id)


def finish_in(hall, seconds):
    """Answer every question in so many seconds, in turn."""
    now = begin(hall, hall.alice)
    for taken in seconds:
        if now.question is None:
            break
        hall.clock.pass_seconds(taken)
        respond(hall, hall.alice, now)
        now = view(hall.db, hall.alice, now.sitting_id)
    assert now.status == "finished"
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=now.sitting_id)
    return [e["payload"] for e in found.events if e["kind"] == "rapid_answers"]


def test_many_rapid_answers_are_flagged_in_the_log_by_position(hall):
    (flag,) = finish_in(hall, [1, 20, 2.9, 1, 3, 20, 20, 20])
    assert flag["positions"] == [1, 3, 4]
    assert flag["effort"] == round(1 - 3 / flag["answers"], 4)


def test_two_rapid_answers_are_not_flagged(hall):
    assert finish_in(hall, [1, 20, 2, 3, 3, 20, 20, 20]) == []


# --- rooms -------------------------------------------------------------------------------------


def test_a_room_shows_who_is_where_and_what_to_look_at(hall, actor):
    now, other = begin(hall, hall.alice), begin(hall, hall.bob, "ru")
    hall.clock.pass_seconds(10)
    respond(hall, hall.alice, now)
    respond(hall, hall.alice, now, choice=1)
    pause(hall.db, actor, other.sitting_id)

    page = sittings_in_exam(hall.db, actor, "sums", search="ali")
    assert (page.total, page.now) == (1, hall.clock.at)
    (row,) = page.rows
    assert (row.candidate_name, row.position, row.answered, row.pause) == ("Alice", 2, 1, None)
    assert (row.at_least, row.at_most, row.last_answer_at) == (4, 8, hall.clock.at)
    assert row.alerts == {"conflicting_answer_refused": 1}
    assert {r.pause for r in sittings_in_exam(hall.db, actor, None).rows} == {None, "invigilator"}
    assert sittings_in_exam(hall.db, command_line("another"), None).total == 0
    with pytest.raises(NotFound):
        room_events(hall.db, command_line("another"), now.sitting_id)


# --- the exam file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[breaks]\ncount = 1.5", "breaks.count: expected a whole number from 0 to 20"),
        ("[breaks]\nminutes = 0", "breaks.minutes: expected a number from 1 to 240"),
        ("[late]\ngrace_seconds = 61", "late.grace_seconds: expected a whole number from 0 to 60"),
        ("[retakes]\nwait_days = true", "retakes.wait_days: expected a number from 0"),
        ("[start]\nidentity = 1", "start.identity: expected true or false, found 1"),
        ('[start]\nconsent = {en = "Yes"}', "start.consent.ru: expected a text, found nothing"),
        ('[delivery]\nsecond_device = "no"', 'expected "transfer" or "deny"'),
        ('[safe_exam_browser]\nconfig_keys = ["ab"]', "Config Keys of 64 hexadecimal digits"),
        ("[breaks]\nhours = 1", "breaks.hours: expected one of count, minutes"),
    ],
)
def test_what_an_exam_file_says_of_holding_a_sitting_is_checked(text, message):
    with pytest.raises(InputError) as refused:
        read_plan(f"{EXAM}{text}\n", file="exam.toml")
    assert message in str(refused.value)


def test_the_rules_of_an_exam_that_says_nothing_are_mild():
    rules = read_plan(EXAM, file="exam.toml").delivery
    assert (rules.breaks, rules.grace_seconds, rules.retake_days) == (0, 5, 0)
    assert (rules.identity, rules.consent, rules.second_device) == (False, {}, "transfer")
    assert rules.config_keys == ()
