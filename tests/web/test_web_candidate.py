"""A candidate's way: signing in, starting, answering, finishing; with and without htmx."""

from __future__ import annotations

import re

import pytest
from support.sittings import finish, respond
from support.visitors import HTMX, Visitor

from item_bank.exams.candidate_views import view
from item_bank.exams.errors import TooManyAttempts
from item_bank.exams.results import result_of
from item_bank.exams.sittings import take_over
from web.candidate import views


def test_a_code_signs_in_however_it_is_typed(visitor, hall):
    typed = hall.codes["Alice"].lower().replace("-", " ")
    response = visitor.sign_in(typed)

    assert response.request.path == "/home"
    assert "Alice" in visitor.page


def test_a_wrong_code_is_named_beside_the_field(visitor):
    response = visitor.sign_in("AAAA-BBBB-CCCC")

    assert response.status_code == 422
    assert 'aria-invalid="true"' in visitor.page
    assert "not valid" in visitor.page


def test_too_many_tries_say_how_long_to_wait(visitor, monkeypatch):
    def refuse(*_arguments, **_options):
        raise TooManyAttempts(40)

    monkeypatch.setattr(views, "candidate_by_code", refuse)
    response = visitor.sign_in("AAAA")

    assert response.status_code == 429
    assert "40 seconds" in visitor.page


def test_the_start_page_says_what_will_happen(alice):
    alice.get("/home")
    alice.get(re.search(r"/start/\w+", alice.page)[0])

    for text in ("at least 4 and at most 8", "30 minutes", "cannot be changed later"):
        assert text in alice.page
    assert "Illustrative parameters." in alice.page
    assert 'value="ru"' in alice.page


def test_extra_time_is_in_the_time_limit(app, hall):
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    bob.get("/home?lang=en")
    bob.get(re.search(r"/start/\w+", bob.page)[0])

    assert "45 minutes" in bob.page


def test_an_exam_is_sat_with_plain_forms_and_ends_in_a_result(alice, hall):
    sitting = alice.begin()
    alice.finish(sitting)

    assert "Your result" in alice.page
    result = result_of(hall.db, sitting, candidate=hall.alice)
    assert f"<strong>{result['score']:.0f}</strong>" in alice.page
    alice.get("/home")
    assert f"/sitting/{sitting}/result" in alice.page


def test_an_accepted_answer_leads_to_the_next_question_and_says_saved(alice):
    sitting = alice.begin()
    response = alice.answer(sitting)

    assert response.status_code == 303
    alice.get(response.headers["Location"])
    assert "Question 2" in alice.page
    assert re.search(r"Saved <time[^>]*>\d\d:\d\d:\d\d UTC", alice.page)


def test_htmx_gets_the_next_question_as_a_fragment_with_progress_and_timer(alice):
    sitting = alice.begin()
    response = alice.answer(sitting, headers=HTMX)

    assert response.status_code == 200
    assert "<html" not in response.text
    assert "Question 2" in response.text
    assert response.text.count('hx-swap-oob="true"') == 2


def test_after_the_last_answer_the_page_says_so_and_leads_to_the_result(alice, hall):
    sitting = alice.begin()
    for _ in range(20):
        alice.answer(sitting, headers=HTMX)
        if "You have finished the exam" in alice.page:
            break

    assert f'href="/sitting/{sitting}/result"' in alice.page
    assert "8 in all" in alice.page
    assert view(hall.db, hall.alice, sitting).status == "finished"


@pytest.mark.parametrize("headers", [None, HTMX])
def test_confirming_without_a_choice_changes_nothing_and_offers_both_ways(alice, headers):
    sitting = alice.begin()
    key = alice.field("key")
    response = alice.answer(sitting, choice="", headers=headers)

    assert response.status_code == 422
    assert "You have not given an answer." in response.text
    assert alice.field("position") == "1"
    assert alice.field("key") == key


def test_a_question_can_be_left_without_an_answer(alice, hall):
    sitting = alice.begin()
    response = alice.answer(sitting, choice="", without="1")

    assert response.status_code == 303
    assert view(hall.db, hall.alice, sitting).position == 2


def test_the_same_answer_again_is_taken_once(alice, hall):
    sitting = alice.begin()
    form = alice.form()
    for _ in range(3):
        assert alice.post(f"/sitting/{sitting}/answer", form).status_code == 303

    assert view(hall.db, hall.alice, sitting).position == 2


def test_an_old_question_is_already_answered(alice, hall):
    sitting = alice.begin()
    form = alice.form()
    alice.answer(sitting)
    response = alice.post(f"/sitting/{sitting}/answer", form | {"key": "another"})

    assert response.status_code == 409
    assert "already answered" in alice.page
    assert "Question 2" in alice.page
    assert view(hall.db, hall.alice, sitting).position == 2


def test_another_answer_from_the_same_page_is_refused(alice):
    sitting = alice.begin()
    form, other = alice.form(), alice.choices()[1]
    alice.post(f"/sitting/{sitting}/answer", form)
    response = alice.post(f"/sitting/{sitting}/answer", form | {"choice": other})

    assert response.status_code == 422
    assert "first answer" in alice.page


@pytest.mark.parametrize(
    "change", [{"choice": "f" * 16}, {"position": "7"}, {"position": "x"}, {"key": ""}]
)
def test_a_changed_form_is_refused_and_not_scored(alice, hall, change):
    sitting = alice.begin()
    response = alice.answer(sitting, **change)

    assert response.status_code == 400
    assert view(hall.db, hall.alice, sitting).answered == 0


def test_a_second_device_is_asked_and_the_first_then_loses_the_sitting(app, alice, hall):
    sitting = alice.begin()
    form = alice.form()
    phone = Visitor(app)
    phone.sign_in(hall.codes["Alice"])
    phone.get(f"/sitting/{sitting}")
    assert "open somewhere else" in phone.page

    phone.post(f"/sitting/{sitting}/take-over", follow_redirects=True)
    assert "Question 1" in phone.page
    response = alice.post(f"/sitting/{sitting}/answer", form)
    assert response.status_code == 409
    assert "open somewhere else" in alice.page
    assert phone.answer(sitting).status_code == 303


def test_an_answer_after_the_deadline_is_late_and_the_time_is_up(alice, hall):
    sitting = alice.begin()
    hall.clock.pass_seconds(31 * 60)
    response = alice.answer(sitting)

    assert response.status_code == 200
    assert "Your time is up" in alice.page
    alice.get(f"/sitting/{sitting}/result")
    assert "Your time ran out." in alice.page


def test_a_page_opened_after_the_deadline_says_so_and_the_result_is_being_prepared(alice, hall):
    sitting = alice.begin()
    hall.clock.pass_seconds(31 * 60)

    alice.get(f"/sitting/{sitting}")
    assert "Your time is up" in alice.page
    alice.get(f"/sitting/{sitting}/result")
    assert "being prepared" in alice.page


def test_an_answer_to_a_finished_sitting_is_gone(alice, hall):
    sitting = alice.begin()
    form = alice.form()
    finish(hall, hall.alice, view(hall.db, hall.alice, sitting))
    response = alice.post(f"/sitting/{sitting}/answer", form | {"position": "8", "key": "late"})

    assert response.status_code in {303, 409, 410}
    assert result_of(hall.db, sitting, candidate=hall.alice)


def test_the_clock_follows_the_server(alice, hall):
    sitting = alice.begin()
    hall.clock.pass_seconds(60)
    state = alice.get(f"/sitting/{sitting}/clock").json

    left = 29 * 60 * 1000
    assert state == {"left": left, "state": "question", "position": 1, "epoch": 1, "message": None}
    take_over(hall.db, hall.alice, sitting)
    assert alice.get(f"/sitting/{sitting}/clock").json["epoch"] == 2


def test_a_page_that_was_left_behind_is_told(alice, hall):
    sitting = alice.begin()
    respond(hall, hall.alice, view(hall.db, hall.alice, sitting))
    alice.get(f"/sitting/{sitting}?moved=1")

    assert "gone on in another window" in alice.page


@pytest.mark.parametrize("rest", ["", "/result", "/clock"])
def test_another_persons_sitting_looks_like_none(app, alice, hall, rest):
    sitting = alice.begin()
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    theirs = bob.get(f"/sitting/{sitting}{rest}?lang=en")
    none = bob.get(f"/sitting/{'0' * 32}{rest}?lang=en")

    assert theirs.status_code == none.status_code == 404
    assert _without_number(theirs.text) == _without_number(none.text)


def _without_number(page: str) -> str:
    """The page without the request's number and the form's token, which differ every time."""
    return re.sub(
        r"<code>\w+</code>|hx-headers='[^']*'|name=\"csrf_token\" value=\"[^\"]*\"", "", page
    )


def test_a_registration_of_another_is_not_found(app, alice, hall):
    alice.get("/home")
    address = re.search(r"/start/\w+", alice.page)[0]
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])

    assert bob.get(address).status_code == 404


def test_no_candidate_page_gives_away_key_parameter_ability_or_item(alice, hall):
    alice.get("/home")
    pages = [alice.page]
    sitting = alice.begin()
    while "/answer" in alice.page:
        pages.append(alice.page)
        alice.get(alice.answer(sitting).headers["Location"])
    pages.append(alice.page)
    result = result_of(hall.db, sitting, candidate=hall.alice)
    secrets = {step["item"] for step in result["path"]} | {"theta", "revision", "difficulty"}
    secrets |= {step["revision"] for step in result["path"]}
    secrets |= {f"{value:.3f}" for step in result["path"] for value in step["parameters"].values()}

    assert len(pages) > 4
    for page in pages:
        assert [secret for secret in secrets if secret in page] == []


def test_choice_tokens_differ_between_sittings(alice, app, hall):
    alice.begin()
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    bob.begin()

    assert not set(alice.choices()) & set(bob.choices())


def test_the_result_says_what_a_candidate_must_know(alice):
    alice.finish(alice.begin())

    for text in (
        "19 in 20",
        "How sure is this?",
        "What the score does not mean",
        "Small numbers",
        "Illustrative parameters.",
        'class="score-scale',
    ):
        assert text in alice.page
