"""What happens to a sitting beside its answers, as its candidate meets it, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from support.sittings import EXAM, Hall, open_hall
from support.visitors import HTMX, Visitor

from item_bank.exams import conditions, records
from item_bank.exams.actors import command_line
from item_bank.exams.delivery_rules import consent_hash
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.sittings import Sitting, SittingEvent
from web.app import create_app
from web.settings import Settings

CONFIG_KEY = "ab" * 32
HEADER = "X-SafeExamBrowser-ConfigKeyHash"
CONSENT = {"en": "Answers are kept for two years.", "ru": "Ответы хранятся два года."}


@pytest.fixture
def opened(db, small_bank) -> Callable[..., tuple[Hall, Visitor]]:
    """Open the hall with more said in its exam, and sign Alice in."""

    def open_with(more: str = "", settings: Settings | None = None) -> tuple[Hall, Visitor]:
        hall = open_hall(db, exam=EXAM + more)
        visitor = Visitor(create_app(hall.db, settings or Settings()))
        visitor.sign_in(hall.codes["Alice"])
        return hall, visitor

    return open_with


def boss(hall: Hall):
    return command_line(organisation(hall.db))


def events(hall: Hall, kind: str) -> list[dict]:
    with hall.db.read() as session:
        query = select(SittingEvent.payload).where(SittingEvent.kind == kind)
        return list(session.scalars(query))


def sitting_row(hall: Hall, sitting: str) -> Sitting:
    with hall.db.read() as session:
        return session.get_one(Sitting, sitting)


def clock(visitor: Visitor, sitting: str) -> dict:
    return visitor.client.get(f"/sitting/{sitting}/clock").json


# --- pauses and breaks -------------------------------------------------------------------------


def test_a_paused_exam_shows_no_question_takes_no_answer_and_goes_on(opened):
    hall, alice = opened()
    sitting = alice.begin()
    form = alice.form()
    conditions.pause(hall.db, boss(hall), sitting)

    assert clock(alice, sitting)["state"] == "invigilator"
    assert clock(alice, sitting)["left"] is None
    refused = alice.post(f"/sitting/{sitting}/answer", form)
    assert refused.status_code == 409
    assert "The exam is paused" in alice.page
    assert "/answer" not in alice.page
    hall.clock.pass_seconds(120)
    conditions.resume(hall.db, boss(hall), sitting)
    assert clock(alice, sitting)["left"] == 30 * 60 * 1000
    alice.get(f"/sitting/{sitting}")
    assert alice.post(f"/sitting/{sitting}/answer", form).status_code == 303


def test_a_break_is_taken_with_an_answer_and_ended_by_the_candidate(opened):
    hall, alice = opened("[breaks]\ncount = 1\nminutes = 5\n")
    sitting = alice.begin()
    assert "Confirm and take a break" in alice.page
    alice.get(alice.answer(sitting, then="break").headers["Location"])
    assert "You are on a break" in alice.page
    hall.clock.pass_seconds(60)

    assert clock(alice, sitting) | {"left": 0} == {
        "left": 0, "state": "break", "position": 2, "epoch": 1, "message": None,
    }  # fmt: skip
    assert clock(alice, sitting)["left"] == 4 * 60 * 1000
    alice.post(f"/sitting/{sitting}/go-on", follow_redirects=True)
    assert "Question 2" in alice.page
    assert "Confirm and take a break" not in alice.page
    assert clock(alice, sitting)["left"] == 30 * 60 * 1000


def test_a_break_that_is_over_says_so(opened):
    hall, alice = opened("[breaks]\ncount = 1\nminutes = 5\n")
    sitting = alice.begin()
    alice.answer(sitting, then="break")
    hall.clock.pass_seconds(6 * 60)
    alice.get(f"/sitting/{sitting}")

    assert re.search(r'<p class="notice attention break-over">', alice.page)
    alice.post(f"/sitting/{sitting}/go-on")
    assert clock(alice, sitting)["left"] == 29 * 60 * 1000


def test_an_exam_that_an_invigilator_ends_says_so(opened):
    hall, alice = opened()
    sitting = alice.begin()
    conditions.terminate(hall.db, boss(hall), sitting, "spoke to others")

    assert clock(alice, sitting)["state"] == "terminated"
    alice.get(f"/sitting/{sitting}")
    assert "Your exam has been ended" in alice.page
    assert "spoke to others" not in alice.page


def test_time_granted_is_on_the_next_look_at_the_clock(opened):
    hall, alice = opened()
    sitting = alice.begin()
    conditions.grant_time(hall.db, boss(hall), sitting, 600, "noise")

    assert clock(alice, sitting)["left"] == 40 * 60 * 1000


# --- messages ----------------------------------------------------------------------------------


def test_a_message_stands_until_it_is_read_and_keeps_what_was_chosen(opened):
    hall, alice = opened()
    sitting = alice.begin()
    conditions.send_message(hall.db, boss(hall), sitting, "Five <b>minutes</b> to go & then lunch")
    message = clock(alice, sitting)["message"]
    alice.get(f"/sitting/{sitting}")
    assert "Five &lt;b&gt;minutes&lt;/b&gt; to go &amp; then lunch" in alice.page
    chosen = alice.choices()[2]
    alice.post(f"/sitting/{sitting}/messages/{message}/seen", alice.form(choice=chosen))

    assert "then lunch" not in alice.page
    assert re.search(rf'value="{chosen}"[^>]* checked', alice.page)
    assert clock(alice, sitting)["message"] is None


def test_htmx_gets_the_messages_alone(opened):
    hall, alice = opened()
    sitting = alice.begin()
    conditions.send_message(hall.db, boss(hall), sitting, "Please sit down")
    response = alice.client.get(f"/sitting/{sitting}/messages", headers=HTMX)

    assert "Please sit down" in response.text
    assert "<html" not in response.text


def test_the_clock_writes_nothing(opened):
    hall, alice = opened()
    sitting = alice.begin()
    before = sitting_row(hall, sitting)
    for _ in range(3):
        clock(alice, sitting)

    assert sitting_row(hall, sitting).chain_length == before.chain_length


# --- devices and windows -----------------------------------------------------------------------


def phone_of(alice: Visitor, hall: Hall) -> Visitor:
    phone = Visitor(alice.client.application)
    phone.sign_in(hall.codes["Alice"])
    return phone


def test_an_exam_may_stay_on_its_device_until_an_invigilator_releases_it(opened):
    hall, alice = opened('[delivery]\nsecond_device = "deny"\n')
    sitting = alice.begin()
    phone = phone_of(alice, hall)
    phone.get(f"/sitting/{sitting}")
    assert "ask your invigilator" in phone.page
    assert "Continue here" not in phone.page
    phone.get("/home")
    assert phone.post(f"/sitting/{sitting}/take-over").status_code == 409
    assert alice.answer(sitting).status_code == 303

    conditions.release_lease(hall.db, boss(hall), sitting)
    phone.get(f"/sitting/{sitting}")
    assert "Continue here" in phone.page
    phone.post(f"/sitting/{sitting}/take-over", follow_redirects=True)
    assert "Question 2" in phone.page


def test_an_expired_sign_in_comes_back_to_the_question_without_asking(opened):
    hall, alice = opened()
    sitting = alice.begin()
    alice.client.delete_cookie("tarozu")
    assert alice.get(f"/sitting/{sitting}").status_code == 303
    alice.sign_in(hall.codes["Alice"])
    alice.get(f"/sitting/{sitting}")

    assert "Question 1" in alice.page


def test_an_answer_sent_after_the_sign_in_had_ended_is_shown_again_to_be_confirmed(opened):
    hall, alice = opened()
    sitting = alice.begin()
    chosen = alice.choices()[3]
    alice.client.delete_cookie("tarozu")
    sent = alice.answer(
        sitting, choice=chosen, headers={"Referer": f"http://localhost/sitting/{sitting}"}
    )
    assert f"/sitting/{sitting}" in sent.headers["Location"]
    alice.sign_in(hall.codes["Alice"])
    alice.get(f"/sitting/{sitting}")

    assert re.search(rf'value="{chosen}"[^>]* checked', alice.page)
    assert sitting_row(hall, sitting).chain_length == 2
    alice.get(alice.answer(sitting, choice=chosen).headers["Location"])
    assert "Question 2" in alice.page
    assert " checked" not in alice.page


def test_signing_out_leaves_nothing_that_holds_the_exam(opened):
    hall, alice = opened()
    sitting = alice.begin()
    alice.get("/home")
    response = alice.post("/sign-out")
    assert response.headers["Clear-Site-Data"] == '"storage"'
    alice.sign_in(hall.codes["Alice"])
    alice.get(f"/sitting/{sitting}")

    assert "open somewhere else" in alice.page


def test_a_cookie_that_was_changed_holds_nothing(opened):
    _, alice = opened()
    sitting = alice.begin()
    alice.client.set_cookie("tarozu-hold", f'["x",["{sitting}",1,false]]')
    alice.get(f"/sitting/{sitting}")

    assert "open somewhere else" in alice.page


def test_a_window_that_holds_an_older_lease_is_shown_that(opened):
    _, alice = opened()
    sitting = alice.begin()
    claimed = alice.post(f"/sitting/{sitting}/claim", {"epoch": "1"})

    assert claimed.json == {"epoch": 2}
    assert "open somewhere else" in alice.get(f"/sitting/{sitting}?window=1").text
    assert "Question 1" in alice.get(f"/sitting/{sitting}?window=2").text
    assert alice.post(f"/sitting/{sitting}/claim", {"epoch": "1"}).status_code == 409
    assert alice.post(f"/sitting/{sitting}/claim", {"epoch": "x"}).status_code == 400


def test_who_does_not_hold_the_exam_cannot_claim_it(opened):
    hall, alice = opened()
    sitting = alice.begin()
    phone = phone_of(alice, hall)

    assert phone.post(f"/sitting/{sitting}/claim", {"epoch": "1"}).status_code == 409


def test_a_start_that_is_sent_twice_is_one_start(opened):
    _, alice = opened()
    alice.get("/home")
    address = re.search(r'href="(/start/\w+)"', alice.page)[1]
    alice.get(address)
    form = {"language": "en", "csrf_token": alice.field("csrf_token")}
    named = alice.client.get_cookie("tarozu-hold").value
    alice.client.post(address, data=form)  # and its reply is lost
    alice.client.set_cookie("tarozu-hold", named)
    response = alice.client.post(address, data=form, follow_redirects=True)

    assert "Question 1" in response.text


# --- before the start --------------------------------------------------------------------------


ASKS = f'[start]\nidentity = true\nconsent = {{en = "{CONSENT["en"]}", ru = "{CONSENT["ru"]}"}}\n'


def test_who_one_is_and_what_one_agrees_to_is_asked_and_recorded(opened):
    hall, alice = opened(ASKS)
    alice.get("/home")
    address = re.search(r'href="(/start/\w+)"', alice.page)[1]
    alice.get(address)
    assert "I am Alice" in alice.page
    assert CONSENT["en"] in alice.page
    for ticked in ({}, {"identity": "1"}, {"identity": "1", "consent": "0" * 64}):
        refused = alice.post(address, {"language": "en"} | ticked)
        assert refused.status_code == 422
        assert "tick every box" in alice.page
    both = {"identity": "1", "consent": alice_consent(alice)}
    alice.post(address, {"language": "en"} | both, follow_redirects=True)

    assert "Question 1" in alice.page
    [started] = events(hall, records.STARTED)
    assert started["identity_confirmed"] is True
    assert started["consent"] == consent_hash(CONSENT["en"])


def alice_consent(alice: Visitor) -> str:
    return re.search(r'name="consent" value="(\w+)"', alice.page)[1]


def test_the_wait_between_two_attempts_is_explained(opened):
    hall, alice = opened("[retakes]\nwait_days = 7\n")
    alice.finish(alice.begin())
    alice.get("/home")
    assert "The next attempt opens:" in alice.page
    assert "/start/" not in alice.page

    hall.clock.pass_seconds(8 * 24 * 3600)
    alice.get("/home")
    assert "Attempts left: 1" in alice.page
    assert "/start/" in alice.page


def test_what_a_candidate_was_granted_shows_on_the_pages(opened):
    hall, alice = opened()
    with hall.db.write() as session:
        for one in session.scalars(select(Registration)):
            one.accommodations = {"font": "large", "contrast": "high", "breaks": 2}
    alice.get("/home")
    alice.get(re.search(r'href="(/start/\w+)"', alice.page)[1])
    assert 'data-font="large" data-contrast="high"' in alice.page
    assert "at most 2" in alice.page
    alice.begin()

    assert 'data-font="large" data-contrast="high"' in alice.page
    assert "Confirm and take a break" in alice.page


# --- Safe Exam Browser -------------------------------------------------------------------------

SAFE = f'[safe_exam_browser]\nconfig_keys = ["{"cd" * 32}", "{CONFIG_KEY}"]\n'


def proof(address: str, key: str = CONFIG_KEY) -> dict[str, str]:
    return {HEADER: sha256((address + key).encode()).hexdigest()}


def test_another_browser_than_the_exams_is_told_which_it_asks_for(opened):
    hall, alice = opened(SAFE)
    alice.get("/home")
    address = re.search(r'href="(/start/\w+)"', alice.page)[1]
    assert alice.get(address).status_code == 403
    assert "Safe Exam Browser" in alice.page
    whole = f"http://localhost{address}"
    alice.get(address, headers=proof(whole))
    form = {"language": "en"}
    assert alice.post(address, form).status_code == 403
    alice.get(address, headers=proof(whole))
    begun = alice.post(address, form, headers=proof(whole))
    place = begun.headers["Location"]

    assert alice.get(place).status_code == 403
    assert alice.get(place, headers=proof(whole)).status_code == 403
    assert alice.get(place, headers=proof(f"http://localhost{place}")).status_code == 200
    assert "Question 1" in alice.page
    assert alice.client.get(f"{place}/clock").status_code == 403
    assert len(events(hall, records.FOREIGN_REQUEST)) == 1


def test_behind_a_proxy_the_outer_address_counts(opened):
    _, alice = opened(SAFE, Settings(trusted_proxies=1))
    alice.get("/home")
    address = re.search(r'href="(/start/\w+)"', alice.page)[1]
    outer = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "exam.example"}

    told = alice.get(address, headers=outer | proof(f"https://exam.example{address}"))
    assert told.status_code == 200
    assert (
        alice.get(address, headers=outer | proof(f"http://localhost{address}")).status_code == 403
    )


# --- a database that is away, and pages from before ---------------------------------------------


def test_a_database_that_is_away_asks_for_patience(opened, monkeypatch):
    hall, alice = opened()
    sitting = alice.begin()

    def away(*_arguments, **_options):
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(type(hall.db), "read", away)
    monkeypatch.setattr(type(hall.db), "write", away)
    response = alice.answer(sitting)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "your answer is kept on this page" in response.text


def test_a_page_from_before_a_new_sign_in_loads_itself_again(opened):
    _, alice = opened()
    sitting = alice.begin()
    form = alice.form() | {"csrf_token": "of another session"}
    response = alice.client.post(f"/sitting/{sitting}/answer", data=form, headers=HTMX)

    assert response.headers["HX-Refresh"] == "true"


def test_an_answer_that_waited_for_a_connection_is_noted(opened):
    hall, alice = opened()
    sitting = alice.begin()
    alice.answer(sitting, waited="90")

    assert events(hall, records.RECONNECTED) == [{"seconds": 90}]


# --- harvesting --------------------------------------------------------------------------------


def test_a_question_carries_the_sittings_short_number_and_fetches_nothing_ahead(opened):
    _, alice = opened()
    sitting = alice.begin()
    mark = re.search(r'<svg class="watermark" aria-hidden="true".*?</svg>', alice.page)[0]

    assert sitting[:8] in mark
    assert sitting not in mark
    assert "prefetch" not in alice.page
    assert "preload" not in alice.page
