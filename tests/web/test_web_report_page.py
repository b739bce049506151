"""The examiner's report: each question in words, earlier results, the log, and what is missing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text
from support.sittings import begin, finish, respond, serve
from support.visitors import HTMX

from item_bank.exams.actors import command_line
from item_bank.exams.candidate_views import view
from item_bank.exams.conditions import pause, resume
from item_bank.exams.personal.erasure import erase
from item_bank.exams.presence import Heard, note_presence
from item_bank.exams.results import result_of
from item_bank.results.deciding import make_stand
from item_bank.results.short_work import HANDLERS
from item_bank.store.jobs import run_pending
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import ResponseContent, Result, Sitting

TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@pytest.fixture
def examiner(staff):
    return staff("examiner")


@pytest.fixture
def sitting(hall) -> str:
    """A finished sitting of Alice."""
    return finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_each_question_is_told_in_words_and_each_point_leads_to_its_own(examiner, sitting, hall):
    examiner.get(f"/staff/sittings/{sitting}")
    result = result_of(hall.db, sitting, candidate=hall.alice)
    places = [str(step["position"]) for step in result["path"]]

    assert re.findall(r'class="point" href="#step-(\d+)"', examiner.page) == places
    assert re.findall(r'<li id="step-(\d+)"', examiner.page) == places
    first = text_of(re.search(r'<li id="step-1".*?</li>', examiner.page, re.DOTALL)[0])
    for said in (
        f"Question 1 {result['path'][0]['item']}",
        "difficulty",
        "from theta 0.00, SE 1.00 to theta",
        "by information at the estimate at theta 0.00",
        "drawn at random among",
        "Area in turn",
        "given in 1 of 1 sittings of this exam, 100 %",
    ):
        assert said in first, said


def test_what_was_answered_stands_in_the_words_of_the_question(examiner, hall):
    now = begin(hall, hall.alice)
    said = now.question.shown.options[2]
    respond(hall, hall.alice, now, choice=2)
    finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))
    examiner.get(f"/staff/sittings/{now.sitting_id}")

    assert f"“{re.sub('<[^>]+>', '', said.html)}”" in examiner.page
    assert 'href="/staff/items/' in examiner.page


def test_erased_answers_say_so_and_an_erased_person_has_no_name(examiner, sitting, hall):
    with hall.db.write() as session:
        for row in session.scalars(select(ResponseContent)):
            session.delete(row)
    examiner.get(f"/staff/sittings/{sitting}")
    assert "erased: " in text_of(examiner.page)

    erase(hall.db, command_line(organisation(hall.db)), "A", "asked for it")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "Who this was has been erased." in examiner.page
    assert "Alice" not in examiner.page
    assert examiner.get("/staff/sittings").status_code == 200


def test_before_it_is_sealed_nothing_was_looked_at_and_then_limits_are_missing(
    examiner, sitting, hall
):
    examiner.get(f"/staff/sittings/{sitting}#flags")
    assert "Nothing was looked at yet." in examiner.page

    run_pending(hall.db, HANDLERS)
    examiner.get(f"/staff/sittings/{sitting}")
    assert "Limits are not simulated yet" in examiner.page
    assert "No check stands out." in examiner.page
    assert "A flag is a reason to look, never proof" in examiner.page


def amend(hall, sitting: str, change: int) -> None:
    """Let another result stand, as a correction does."""
    home = organisation(hall.db)
    first = result_of(hall.db, sitting, candidate=hall.alice)
    with hall.db.write() as session:
        make_stand(
            session, hall.db, session.get_one(Sitting, sitting),
            first | {"score": first["score"] + change}, "correction 1",
            actor=command_line(home), by="correction 1",
        )  # fmt: skip


def test_an_earlier_result_stays_readable_and_says_that_it_does_not_stand(examiner, sitting, hall):
    first = result_of(hall.db, sitting, candidate=hall.alice)
    amend(hall, sitting, 7)
    examiner.get(f"/staff/sittings/{sitting}")
    assert f"<strong>{first['score'] + 7:.0f}</strong>" in examiner.page
    assert "correction 1" in examiner.page
    assert f"/staff/sittings/{sitting}/results/1" in examiner.page

    examiner.get(f"/staff/sittings/{sitting}/results/1")
    assert f"<strong>{first['score']:.0f}</strong>" in examiner.page
    assert "Not the result that stands." in examiner.page
    assert examiner.get(f"/staff/sittings/{sitting}/results/3").status_code == 404


def test_replay_looks_at_amended_results_too(examiner, sitting, hall):
    amend(hall, sitting, 7)
    examiner.get(f"/staff/sittings/{sitting}")
    page = examiner.post(f"/staff/sittings/{sitting}/replay", headers=HTMX).text
    assert "Replays exactly" in page
    assert "The amended result, number 2, is as the chain vouches for." in page

    with hall.db.write() as session:
        for name in session.scalars(text(TRIGGERS)).all():
            session.execute(text(f'DROP TRIGGER "{name}"'))
        row = session.get_one(Result, (sitting, 2))
        row.content = row.content | {"score": 699.0}
    examiner.get(f"/staff/sittings/{sitting}")
    page = examiner.post(f"/staff/sittings/{sitting}/replay", headers=HTMX).text
    assert "result 2 is not the one that the chain vouches for" in page


def test_the_log_has_parts_that_can_be_picked_with_what_was_typed(examiner, hall):
    now, invigilator = begin(hall, hall.alice), command_line(organisation(hall.db))
    pause(hall.db, invigilator, now.sitting_id, "the fire alarm rang")
    hall.clock.pass_seconds(90)
    serve(hall.db)
    resume(hall.db, invigilator, now.sitting_id)
    finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))
    place = f"/staff/sittings/{now.sitting_id}"
    examiner.get(place)
    assert "the fire alarm rang" in examiner.page
    assert "paused by command line" in examiner.page
    assert "question 1 shown" not in examiner.page

    part = examiner.get(f"{place}?log=questions", headers=HTMX).text
    assert "<html" not in part
    assert "question 1 shown" in part
    assert "the fire alarm rang" not in part
    examiner.get(f"{place}?log=nonsense")
    assert "the fire alarm rang" in examiner.page


def test_conditions_name_the_source_of_cuts_accommodations_and_where_it_was_heard(
    examiner, sitting, hall
):
    heard = Heard(sitting, organisation(hall.db), "10.1.2.3", "Browser of Alice")
    note_presence(hall.db, [heard])
    examiner.get(f"/staff/sittings/{sitting}")
    page = text_of(examiner.page)

    for said in ("Cut scores version", "is not stated in the exam file", "Accommodations none",
                 "10.1.2.3", "Browser of Alice", "attempt 1", "information of"):  # fmt: skip
        assert said in page, said


def test_extra_time_is_named_to_staff(examiner, hall):
    sitting = finish(hall, hall.bob, begin(hall, hall.bob, "ru")).sitting_id
    examiner.get(f"/staff/sittings/{sitting}")

    assert "1.50 times the time" in examiner.page


def test_a_sitting_that_runs_shows_its_log_and_no_result(examiner, hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)
    examiner.get(f"/staff/sittings/{now.sitting_id}")

    assert "1 question answered so far" in examiner.page
    assert "What happened" in examiner.page
    assert "Conditions" not in examiner.page
    assert examiner.get(f"/staff/sittings/{now.sitting_id}/results/1").status_code == 404


def test_a_simulated_sitting_says_so_first(examiner, sitting, hall):
    with hall.db.write() as session:
        session.get_one(Sitting, sitting).simulated = True
    examiner.get(f"/staff/sittings/{sitting}")

    assert examiner.page.index("drawn by the software") < examiner.page.index('class="plot')
