"""Answers after the end, time that is granted, sittings that staff end: cases 5, 13, 14 and 17."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.sittings import EXAM, begin, finish, open_hall, respond
from support.visitors import HTMX, Visitor

from item_bank.exams.actors import command_line
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import view
from item_bank.exams.conditions import grant_time, terminate
from item_bank.exams.designs import set_status
from item_bank.exams.errors import NotAllowed
from item_bank.exams.pulses import beat_site
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.exams.upkeep import close_abandoned
from item_bank.exams.verification import verify
from item_bank.items.items import hold_item
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting, SittingEvent

HOUR = 3600


def rows(hall, table, sitting: str):
    order = getattr(table, "position", None) or table.number
    with hall.db.read() as session:
        found = select(table).where(table.sitting_id == sitting).order_by(order)
        return session.scalars(found).all()


def events(hall, sitting: str) -> list[str]:
    return [link.kind for link in rows(hall, SittingEvent, sitting)]


def staff(hall):
    return command_line(organisation(hall.db))


def sound(hall, sitting: str) -> bool:
    return replay(hall.db, sitting).problems == () and verify(hall.db).problems == ()


# --- 5: a captured request ----------------------------------------------------------------------


@pytest.fixture
def long_hall(db, small_bank):
    """A hall whose exam has hours of time."""
    return open_hall(db, exam=EXAM.replace("= 30", "= 600", 1))


def test_fault_05_a_captured_answer_sent_hours_later_is_the_answer_that_it_was(long_hall):
    hall, now = long_hall, begin(long_hall, long_hall.alice)
    respond(hall, hall.alice, now)
    hall.clock.pass_seconds(3 * HOUR)
    before = events(hall, now.sitting_id)

    assert respond(hall, hall.alice, now) is Outcome.REPEATED
    assert len(rows(hall, Response, now.sitting_id)) == 1
    assert events(hall, now.sitting_id) == before


def test_fault_05_after_the_end_it_is_gone(hall, app, alice):
    sitting = alice.begin()
    captured = alice.form() | {"csrf_token": alice.field("csrf_token")}
    alice.finish(sitting)
    last = captured | {"position": str(len(rows(hall, Response, sitting)))}
    kept = len(rows(hall, Response, sitting)), events(hall, sitting)
    hall.clock.pass_seconds(3 * HOUR)
    for headers in ({}, HTMX):
        for form in (captured, captured | {"key": "forged"}, last | {"position": "99"}):
            reply = alice.client.post(f"/sitting/{sitting}/answer", data=form, headers=headers)
            assert reply.status_code == 410

    assert (len(rows(hall, Response, sitting)), events(hall, sitting)) == kept
    assert sound(hall, sitting)


def test_fault_05_an_answer_whose_reply_was_lost_at_the_end_leads_to_the_result(hall, alice):
    sitting = alice.begin()
    while "/answer" in alice.page:
        form = alice.form() | {"csrf_token": alice.field("csrf_token")}
        alice.get(alice.answer(sitting).headers["Location"])
    again = alice.post(f"/sitting/{sitting}/answer", form)

    assert again.status_code == 303
    alice.get(again.headers["Location"], follow_redirects=True)
    assert f"/sitting/{sitting}/result" in alice.page


# --- 13: after the deadline ----------------------------------------------------------------------


def test_fault_13_an_answer_after_the_deadline_is_kept_unscored_and_flagged(hall, alice):
    sitting = alice.begin()
    alice.get(alice.answer(sitting).headers["Location"])
    hall.clock.pass_seconds(30 * 60 + 6)
    reply = alice.answer(sitting)
    result = result_of(hall.db, sitting, candidate=hall.alice)

    assert reply.status_code == 200
    assert "Your time is up" in reply.text
    assert [(row.score is None, row.late) for row in rows(hall, Response, sitting)] == [
        (False, False),
        (True, True),
    ]
    assert (result["stop_reason"], result["n_items"]) == ("time", 1)
    assert (result["path"][1]["score"], result["path"][1]["late"]) == (None, True)
    assert sound(hall, sitting)


def test_fault_13_an_answer_within_the_grace_counts(hall, alice):
    sitting = alice.begin()
    hall.clock.pass_seconds(30 * 60 + 4)
    alice.answer(sitting)

    (row,) = rows(hall, Response, sitting)
    assert (row.late, row.score is None) == (False, False)
    assert len(rows(hall, PresentedItem, sitting)) == 1  # there is no time for another
    assert result_of(hall.db, sitting, candidate=hall.alice)["n_items"] == 1
    assert sound(hall, sitting)


def test_fault_13_the_worker_ends_what_nobody_answers_any_more(hall, alice):
    sitting = alice.begin()
    hall.clock.pass_seconds(30 * 60 + 60)
    beat_site(hall.db)  # the worker acts only while the site is served
    assert close_abandoned(hall.db) == 1

    result = result_of(hall.db, sitting, candidate=hall.alice)
    assert result["path"][0]["score"] is None
    assert result["path"][0]["late"] is False  # not reached
    assert sound(hall, sitting)


# --- 14: extra time ------------------------------------------------------------------------------


def test_fault_14_time_that_is_granted_shows_at_once_and_moves_the_end(hall, alice):
    sitting = alice.begin()
    before = alice.get(f"/sitting/{sitting}/clock").json["left"]
    grant_time(hall.db, staff(hall), sitting, 600, "a fire alarm")

    assert alice.get(f"/sitting/{sitting}/clock").json["left"] == before + 600_000
    hall.clock.pass_seconds(35 * 60)
    beat_site(hall.db)
    assert close_abandoned(hall.db) == 0
    assert alice.answer(sitting).status_code == 303
    assert rows(hall, Response, sitting)[0].late is False
    assert events(hall, sitting).count("time_granted") == 1
    assert sound(hall, sitting)


def test_fault_14_what_has_ended_is_never_opened_again(hall):
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    other = begin(hall, hall.bob, "ru")
    hall.clock.pass_seconds(50 * 60)
    for sitting in (end.sitting_id, other.sitting_id):
        with pytest.raises(NotAllowed):
            grant_time(hall.db, staff(hall), sitting, 600, "too late")

    assert view(hall.db, hall.alice, end.sitting_id).status == "finished"
    assert view(hall.db, hall.bob, other.sitting_id).question is None


# --- 17: staff act while a candidate answers -----------------------------------------------------


def test_fault_17_an_answer_to_a_sitting_that_was_ended_is_turned_away_politely(hall, alice):
    sitting = alice.begin()
    terminate(hall.db, staff(hall), sitting, "a phone")
    reply = alice.answer(sitting)

    assert reply.status_code == 410
    assert "ended" in reply.text
    assert rows(hall, Response, sitting) == []
    assert events(hall, sitting)[-3:] == ["terminated", "finished", "result_released"]
    with hall.db.read() as session:
        assert len(session.scalars(select(Sitting.id)).all()) == 1
    assert sound(hall, sitting)


def test_fault_17_an_exam_that_closes_starts_nobody_and_lets_who_is_there_finish(hall, app, alice):
    sitting = alice.begin()
    set_status(hall.db, "sums", "closed", organisation_id=organisation(hall.db))
    alice.finish(sitting)
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    bob.get("/home?lang=en")

    assert "Your result" in alice.page
    assert "/start/" not in bob.page
    with hall.db.read() as session:
        assert session.scalars(select(Sitting.id)).all() == [sitting]


def test_fault_17_a_retired_item_is_finished_by_who_has_it(hall, alice):
    sitting = alice.begin()
    (shown,) = rows(hall, PresentedItem, sitting)
    code = f"S-{shown.row + 1:02}"
    hold_item(hall.db, "small", code, "retired", organisation_id=organisation(hall.db))
    alice.get(alice.answer(sitting).headers["Location"])
    other = finish(hall, hall.bob, begin(hall, hall.bob, "ru"))

    assert rows(hall, Response, sitting)[0].score is not None
    assert shown.row not in {step.row for step in rows(hall, PresentedItem, other.sitting_id)}
    assert sound(hall, sitting)
