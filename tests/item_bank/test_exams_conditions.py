from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support.held_up import BREAKS, MINUTES, check_records, kinds, left, site_kinds
from support.sittings import begin, close_over, finish, open_hall, respond, serve

from item_bank.exams.actors import Actor, command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import view
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
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.pulses import beat_site
from item_bank.exams.responses import recorded_responses
from item_bank.exams.results import result_of
from item_bank.exams.rooms import room_events
from item_bank.exams.upkeep import close_abandoned
from item_bank.exams.verification import verify
from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.tables.sittings import SittingMessage


@pytest.fixture
def hall(db, small_bank):
    return open_hall(db, exam=BREAKS)


@pytest.fixture
def actor(hall):
    return command_line(hall.alice.organisation_id)


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
    assert kinds(hall, now.sitting_id)[-3:] == ["terminated", "finished", "result_released"]
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
