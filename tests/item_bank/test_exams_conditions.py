from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support.sittings import EXAM, begin, close_over, finish, open_hall, respond, serve

from engine.errors import InputError
from item_bank.exams import records
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.conditions import (
    end_break,
    grant_time,
    message_seen,
    messages_for,
    pause,
    release_lease,
    resume,
    send_message,
    terminate,
)
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.exam_files import read_plan
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.pulses import beat_site
from item_bank.exams.replay import replay
from item_bank.exams.responses import recorded_responses
from item_bank.exams.results import result_of
from item_bank.exams.reviews import report
from item_bank.exams.rooms import room_events, sittings_in_exam
from item_bank.exams.sittings import start, take_over
from item_bank.exams.upkeep import close_abandoned
from item_bank.exams.verification import verify
from item_bank.items.items import hold_item, release_hold
from item_bank.store.clock import DAY, MINUTE, SECOND
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Sitting, SittingMessage

MINUTES = 60
BREAKS = EXAM + "[breaks]\ncount = 2\nminutes = 5\n"


@pytest.fixture
def hall(db, small_bank):
    return open_hall(db, exam=BREAKS)


@pytest.fixture
def actor(hall):
    return command_line(hall.alice.organisation_id)


def kinds(hall, sitting_id):
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=sitting_id)
    return [event["kind"] for event in found.events]


def site_kinds(hall):
    with hall.db.read() as session:
        return list(session.scalars(select(SiteEvent.kind).order_by(SiteEvent.number)))


def left(hall, sitting_id, candidate=None):
    """Seconds until the deadline."""
    seen = view(hall.db, candidate or hall.alice, sitting_id)
    return (seen.deadline_at - seen.now) / SECOND


def check_records(hall, sitting_id):
    assert replay(hall.db, sitting_id).problems == ()
    assert verify(hall.db).problems == ()


# --- pauses ------------------------------------------------------------------------------------


def test_a_pause_hides_the_question_and_its_whole_length_is_put_on_the_deadline(hall, actor):
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(100)
    pause(hall.db, actor, now.sitting_id, "fire alarm")
    seen = view(hall.db, hall.alice, now.sitting_id)
    assert (seen.pause, seen.question, seen.status) == ("invigilator", None, "running")

    hall.clock.pass_seconds(50 * MINUTES)
    serve(hall.db)
    assert close_over(hall.db) == 0
    resume(hall.db, actor, now.sitting_id)

    assert left(hall, now.sitting_id) == 30 * MINUTES - 100
    assert view(hall.db, hall.alice, now.sitting_id).question == now.question
    finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))
    check_records(hall, now.sitting_id)


def test_an_answer_that_arrives_in_a_pause_is_not_taken_and_may_be_sent_again(hall, actor):
    now = begin(hall, hall.alice)
    pause(hall.db, actor, now.sitting_id)

    assert respond(hall, hall.alice, now) is Outcome.PAUSED
    resume(hall.db, actor, now.sitting_id)
    assert respond(hall, hall.alice, now) is Outcome.ACCEPTED
    assert kinds(hall, now.sitting_id)[2:] == ["paused", "resumed", "answered", "presented"]


def test_an_act_stands_in_both_chains_with_who_did_it_and_its_text_beside_them(hall, actor):
    now = begin(hall, hall.alice)
    pause(hall.db, actor, now.sitting_id, "fire alarm")

    event = room_events(hall.db, actor, now.sitting_id)[-1]
    assert (event.kind, event.by, event.text) == ("paused", "command line", "fire alarm")
    assert "fire alarm" not in str(event.payload)
    assert site_kinds(hall)[-1] == "sitting_paused"
    with hall.db.write() as session:
        session.delete(session.scalars(select(SittingMessage)).one())
    assert verify(hall.db).problems == ()


def test_a_reason_that_was_changed_afterwards_shows(hall, actor):
    now = begin(hall, hall.alice)
    grant_time(hall.db, actor, now.sitting_id, 60, "computer changed")
    send_message(hall.db, actor, now.sitting_id, "One minute more.")
    assert verify(hall.db).problems == ()
    with hall.db.write() as session:
        for note in session.scalars(select(SittingMessage)):
            note.text = "a favour"

    found = [one.problem for one in verify(hall.db).problems]
    assert len(found) == 2
    assert all(problem.endswith("is not what was committed to") for problem in found)


def test_what_is_paused_is_not_paused_again_and_what_runs_is_not_resumed(hall, actor):
    now = begin(hall, hall.alice)
    with pytest.raises(NotAllowed, match="not paused"):
        resume(hall.db, actor, now.sitting_id)
    pause(hall.db, actor, now.sitting_id)
    with pytest.raises(NotAllowed, match="paused already"):
        pause(hall.db, actor, now.sitting_id)


def test_a_pause_is_no_time_of_an_answer(hall, actor):
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(7)
    pause(hall.db, actor, now.sitting_id)
    hall.clock.pass_seconds(600)
    resume(hall.db, actor, now.sitting_id)
    hall.clock.pass_seconds(4)
    end = finish(hall, hall.alice, now)

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert result["path"][0]["seconds"] == 31.0
    assert result["seconds_used"] == 31 + 20 * (len(result["path"]) - 1)
    home = hall.alice.organisation_id
    recorded, *_ = recorded_responses(hall.db, "small", organisation_id=home)
    assert recorded.seconds == 31.0


@pytest.mark.parametrize("act", [pause, resume, release_lease])
def test_nobody_acts_on_another_organisations_sitting_or_without_the_role(hall, act):
    now = begin(hall, hall.alice)
    home = hall.alice.organisation_id
    with pytest.raises(NotFound):
        act(hall.db, command_line("another"), now.sitting_id)
    with pytest.raises(NotAllowed, match="invigilator"):
        act(hall.db, Actor("e", home, "examiner", "Eve"), now.sitting_id)
    with pytest.raises(NotFound):
        act(hall.db, command_line(home), "0" * 32)
    assert kinds(hall, now.sitting_id) == ["started", "presented"]


def test_nothing_is_done_to_a_sitting_that_has_ended(hall, actor):
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    before = kinds(hall, end.sitting_id)

    for act in (pause, resume, release_lease):
        with pytest.raises(NotAllowed, match="has ended"):
            act(hall.db, actor, end.sitting_id)
    with pytest.raises(NotAllowed, match="has ended"):
        grant_time(hall.db, actor, end.sitting_id, 60, "a reason")
    with pytest.raises(NotAllowed, match="has ended"):
        terminate(hall.db, actor, end.sitting_id, "a reason")
    assert kinds(hall, end.sitting_id) == before


# --- time --------------------------------------------------------------------------------------


def test_time_that_is_granted_moves_the_deadline_and_opens_nothing_again(hall, actor):
    now = begin(hall, hall.alice)
    grant_time(hall.db, actor, now.sitting_id, 600, "computer changed")
    assert left(hall, now.sitting_id) == 40 * MINUTES

    hall.clock.pass_seconds(40 * MINUTES + 1)
    with pytest.raises(NotAllowed, match="is over"):
        grant_time(hall.db, actor, now.sitting_id, 600, "too late")
    with pytest.raises(NotAllowed, match="is over"):
        pause(hall.db, actor, now.sitting_id)


def test_time_is_granted_for_a_reason_and_within_a_day(hall, actor):
    now = begin(hall, hall.alice)
    for seconds, reason in ((60, " "), (0, "why"), (-5, "why"), (90_000, "why"), (60, "x" * 201)):
        with pytest.raises(NotAllowed):
            grant_time(hall.db, actor, now.sitting_id, seconds, reason)
    assert left(hall, now.sitting_id) == 30 * MINUTES


def test_a_sitting_without_a_limit_is_granted_nothing_and_pauses_all_the_same(db, small_bank):
    hall = open_hall(db, exam=BREAKS.replace("time_limit_minutes = 30\n", ""))
    now, actor = begin(hall, hall.alice), command_line(hall.alice.organisation_id)
    with pytest.raises(NotAllowed, match="no time limit"):
        grant_time(hall.db, actor, now.sitting_id, 60, "why")
    pause(hall.db, actor, now.sitting_id)
    resume(hall.db, actor, now.sitting_id)
    assert view(hall.db, hall.alice, now.sitting_id).deadline_at is None


@pytest.mark.parametrize(("seconds", "outcome"), [(5, Outcome.FINISHED), (6, Outcome.LATE)])
def test_an_answer_within_the_grace_counts_and_is_the_last(hall, seconds, outcome):
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(30 * MINUTES + seconds)
    assert view(hall.db, hall.alice, now.sitting_id).question is None

    assert respond(hall, hall.alice, now) is outcome

    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)
    assert (result["stop_reason"], result["n_items"]) == ("time", int(seconds == 5))
    check_records(hall, now.sitting_id)


def test_a_terminated_sitting_is_judged_as_one_whose_time_is_over(hall, actor):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)
    terminate(hall.db, actor, now.sitting_id, "left the room")

    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)
    assert (result["stop_reason"], result["time_rule"], result["n_items"]) == (
        "terminated",
        "score",
        1,
    )
    now = view(hall.db, hall.alice, now.sitting_id)
    assert (now.status, now.question) == ("finished", None)
    assert kinds(hall, now.sitting_id)[-2:] == ["terminated", "finished"]
    check_records(hall, now.sitting_id)


# --- breaks ------------------------------------------------------------------------------------


def test_a_break_is_taken_with_an_answer_and_what_is_left_of_it_is_taken_back(hall):
    now = begin(hall, hall.alice)
    assert now.breaks_left == 2
    assert respond(hall, hall.alice, now, take_break=True) is Outcome.ACCEPTED
    seen = view(hall.db, hall.alice, now.sitting_id)
    assert (seen.pause, seen.question, seen.breaks_left) == ("break", None, 1)
    assert seen.break_until == seen.now + 5 * MINUTE
    assert left(hall, now.sitting_id) == 35 * MINUTES

    hall.clock.pass_seconds(120)
    end_break(hall.db, hall.alice, now.sitting_id)
    end_break(hall.db, hall.alice, now.sitting_id)

    assert left(hall, now.sitting_id) == 30 * MINUTES
    seen = finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))
    assert result_of(hall.db, seen.sitting_id, candidate=hall.alice)["path"][1]["seconds"] == 20
    check_records(hall, now.sitting_id)


def test_a_break_that_overruns_costs_time_and_one_that_never_ends_ends_the_sitting(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now, take_break=True)
    hall.clock.pass_seconds(8 * MINUTES)
    assert left(hall, now.sitting_id) == 27 * MINUTES

    hall.clock.pass_seconds(28 * MINUTES)

    assert close_over(hall.db) == 1
    assert view(hall.db, hall.alice, now.sitting_id).stop_reason == "time"
    check_records(hall, now.sitting_id)


def test_without_a_break_left_the_answer_is_kept_alone(hall):
    now = begin(hall, hall.alice)
    for _ in range(2):
        respond(hall, hall.alice, now, take_break=True)
        end_break(hall.db, hall.alice, now.sitting_id)
        now = view(hall.db, hall.alice, now.sitting_id)

    assert respond(hall, hall.alice, now, take_break=True) is Outcome.ACCEPTED
    seen = view(hall.db, hall.alice, now.sitting_id)
    assert (seen.pause, seen.breaks_left) == (None, 0)


def test_a_pause_in_a_break_ends_the_break_and_a_candidate_does_not_end_a_pause(hall, actor):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now, take_break=True)
    hall.clock.pass_seconds(60)
    pause(hall.db, actor, now.sitting_id)
    hall.clock.pass_seconds(600)
    with pytest.raises(NotAllowed, match="invigilator"):
        end_break(hall.db, hall.alice, now.sitting_id)
    resume(hall.db, actor, now.sitting_id)

    assert left(hall, now.sitting_id) == 30 * MINUTES


def test_nobody_ends_another_candidates_break(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now, take_break=True)
    with pytest.raises(NotFound):
        end_break(hall.db, hall.bob, now.sitting_id)


# --- the pulse ---------------------------------------------------------------------------------


def test_an_outage_of_the_site_is_given_back_to_every_sitting_that_ran(hall, actor):
    serve(hall.db)
    mine, other = begin(hall, hall.alice), begin(hall, hall.bob, "ru")
    pause(hall.db, actor, other.sitting_id)
    hall.clock.pass_seconds(90)

    found = beat_site(hall.db)

    assert (found.gap, found.credited) == (90 * SECOND, 1)
    assert left(hall, mine.sitting_id) == 30 * MINUTES
    resume(hall.db, actor, other.sitting_id)
    assert left(hall, other.sitting_id, hall.bob) == 45 * MINUTES
    assert kinds(hall, mine.sitting_id)[-1] == "outage_credited"
    assert "outage_credited" in site_kinds(hall)
    check_records(hall, mine.sitting_id)


def test_a_busy_site_credits_nothing_and_a_young_pulse_is_not_written_again(hall):
    serve(hall.db)
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(8)
    assert beat_site(hall.db).credited == 0
    hall.clock.pass_seconds(0.5)
    beat_site(hall.db)
    hall.clock.pass_seconds(8)
    assert beat_site(hall.db).gap == 8.5 * SECOND
    assert kinds(hall, now.sitting_id)[2:] == ["outage_credited"]


def test_nothing_is_closed_while_nobody_is_served_and_the_credit_comes_first(hall):
    serve(hall.db)
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(25 * MINUTES)
    serve(hall.db)
    hall.clock.pass_seconds(3600)

    assert close_abandoned(hall.db) == 0
    beat_site(hall.db)

    assert left(hall, now.sitting_id) == 5 * MINUTES
    assert respond(hall, hall.alice, now) is Outcome.ACCEPTED


def test_an_outage_does_not_open_again_what_was_over_before_it(hall):
    serve(hall.db)
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(30 * MINUTES + 7)
    serve(hall.db)
    hall.clock.pass_seconds(3600)

    assert beat_site(hall.db).credited == 0
    assert respond(hall, hall.alice, now) is Outcome.LATE


ACTS = st.sampled_from(["work", "pause", "resume", "grant", "break", "back", "outage"])
STEPS = st.lists(st.tuples(ACTS, st.integers(1, 120)), max_size=12)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_a_candidate_works_for_the_limit_and_what_was_granted(hall, actor, steps):
    person = hall.alice
    roster = [RosterRow("A", "Alice", attempts=100)]
    import_roster(hall.db, roster, "sums", organisation_id=person.organisation_id)
    serve(hall.db)
    now = begin(hall, person)
    worked, granted = 0, 0
    state, in_break = "working", 0
    for act, seconds in steps:
        if act == "pause" and state != "paused":
            pause(hall.db, actor, now.sitting_id)
            worked += max(in_break - 300, 0) if state == "break" else 0
            state = "paused"
        elif act == "resume" and state != "working":
            resume(hall.db, actor, now.sitting_id)
            worked += max(in_break - 300, 0) if state == "break" else 0
            state = "working"
        elif act == "back" and state == "break":
            end_break(hall.db, person, now.sitting_id)
            worked += max(in_break - 300, 0)
            state = "working"
        elif act == "grant":
            grant_time(hall.db, actor, now.sitting_id, seconds, "why")
            granted += seconds
        elif act == "break" and state == "working" and now.breaks_left:
            if respond(hall, person, now, take_break=True) is not Outcome.ACCEPTED:
                return
            state, in_break = "break", 0
        if act == "outage":
            hall.clock.pass_seconds(seconds + 8)
            beat_site(hall.db)
        else:
            hall.clock.pass_seconds(seconds)
            serve(hall.db)
            worked += seconds if state == "working" else 0
            in_break += seconds if state == "break" else 0
        now = view(hall.db, person, now.sitting_id)
    if state != "working":
        resume(hall.db, actor, now.sitting_id)
        worked += max(in_break - 300, 0) if state == "break" else 0

    assert left(hall, now.sitting_id) == 30 * MINUTES + granted - worked
    terminate(hall.db, actor, now.sitting_id, "the next")
    check_records(hall, now.sitting_id)


# --- messages ----------------------------------------------------------------------------------


def test_a_message_reaches_the_candidates_page_and_is_seen_once(hall, actor):
    now = begin(hall, hall.alice)
    message = send_message(hall.db, actor, now.sitting_id, " Ten minutes left. ")

    (found,) = view(hall.db, hall.alice, now.sitting_id).unseen
    assert (found.id, found.text, found.at) == (message, "Ten minutes left.", now.now)
    message_seen(hall.db, hall.alice, now.sitting_id, message)
    seen_at = room_events(hall.db, actor, now.sitting_id)[-1].seen_at
    hall.clock.pass_seconds(9)
    message_seen(hall.db, hall.alice, now.sitting_id, message)

    assert [one.seen for one in messages_for(hall.db, hall.alice, now.sitting_id)] == [True]
    assert room_events(hall.db, actor, now.sitting_id)[-1].seen_at == seen_at
    with pytest.raises(NotFound):
        messages_for(hall.db, hall.bob, now.sitting_id)
    with pytest.raises(NotFound):
        message_seen(hall.db, hall.bob, now.sitting_id, message)


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_a_message_is_neither_blank_nor_too_long(hall, actor, text):
    now = begin(hall, hall.alice)
    with pytest.raises(NotAllowed, match="1 to 500"):
        send_message(hall.db, actor, now.sitting_id, text)


def test_a_reason_is_no_message_to_the_candidate(hall, actor):
    now = begin(hall, hall.alice)
    grant_time(hall.db, actor, now.sitting_id, 60, "a migraine")
    assert view(hall.db, hall.alice, now.sitting_id).messages == ()


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
