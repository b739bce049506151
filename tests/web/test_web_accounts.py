"""Pages of accounts, sessions that end, hostile names, and the alert of a series of requests."""

from __future__ import annotations

import re

import structlog
from sqlalchemy import select, text
from support.sittings import begin, finish
from support.visitors import Visitor

from item_bank.exams.accounts import add_staff, disable, list_staff
from item_bank.exams.actors import command_line
from item_bank.exams.alerts import SERIES
from item_bank.exams.personal.persons import issue_code
from item_bank.exams.signing_in import LIMIT_PAIR
from item_bank.exams.verification import verify
from item_bank.store.schema import organisation
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import SittingEvent

PASSWORD, NEW = "weigh-with-care", "weigh-with-more-care"


def account(hall, email: str):
    found = list_staff(hall.db, organisation_id=organisation(hall.db))
    return next(one for one in found if one.email == email)


def test_a_person_changes_the_own_password_and_is_signed_out_elsewhere(app, staff):
    here, elsewhere = staff("examiner"), Visitor(app)
    elsewhere.sign_in_staff("examiner@example.org", PASSWORD)
    here.get("/staff/account")
    form = {"old": PASSWORD, "new": NEW, "again": NEW}

    assert here.post("/staff/account", form | {"again": "else"}).status_code == 422
    assert here.post("/staff/account", form | {"old": "wrong"}).status_code == 422
    assert here.post("/staff/account", form | {"new": "short", "again": "short"}).status_code == 422
    assert here.post("/staff/account", form, follow_redirects=True).status_code == 200

    assert "Your password is changed" in here.page
    assert here.get("/staff/sittings").status_code == 200
    assert elsewhere.get("/staff/sittings").status_code == 303


def test_an_administrator_adds_an_account_whose_person_sets_the_password(app, hall, staff):
    admin = staff("administrator")
    admin.get("/staff/accounts")
    form = {"email": "ivo@example.org", "name": "Ivo", "role": "invigilator"}
    assert admin.post("/staff/accounts", form | {"role": "king"}).status_code == 422
    admin.get("/staff/accounts")
    assert admin.post("/staff/accounts", form).status_code == 200
    link = re.search(r"http://localhost(/staff/password/[\w-]+)", admin.page)
    assert link

    ivo = Visitor(app)
    assert "ivo@example.org" in ivo.get(link[1]).text
    assert ivo.post(link[1], {"new": NEW, "again": "else"}).status_code == 422
    assert ivo.post(link[1], {"new": NEW, "again": NEW}).status_code == 303
    assert ivo.get(link[1]).status_code == 410
    ivo.sign_in_staff("ivo@example.org", NEW)
    assert ivo.get("/staff/account").status_code == 200
    assert ivo.get("/staff/accounts").status_code == 403


def test_an_administrator_disables_others_and_not_the_own_account(hall, staff):
    admin, examiner = staff("administrator"), staff("examiner")
    admin.get("/staff/accounts")
    theirs, own = (account(hall, f"{r}@example.org").id for r in ("examiner", "administrator"))

    assert admin.post(f"/staff/accounts/{own}/disable").status_code == 409
    assert admin.post(f"/staff/accounts/{theirs}/disable").status_code == 303
    assert examiner.get("/staff/sittings").status_code == 303
    admin.get("/staff/accounts")
    assert admin.post(f"/staff/accounts/{theirs}/link").status_code == 409
    assert admin.post(f"/staff/accounts/{theirs}/enable").status_code == 303
    assert admin.post(f"/staff/accounts/{theirs}/enable").status_code == 409


def test_a_disabled_account_is_told_nothing_more_than_a_wrong_password(app, hall, staff):
    staff("examiner")
    disable(hall.db, command_line(organisation(hall.db)), account(hall, "examiner@example.org").id)
    one = Visitor(app)
    one.get("/staff")
    pages = [
        one.post("/staff", {"email": email, "password": PASSWORD})
        for email in ("examiner@example.org", "nobody@example.org")
    ]

    assert [page.status_code for page in pages] == [422, 422]
    assert all("do not belong together" in page.text for page in pages)


def test_a_browser_that_knows_the_account_is_not_shut_out_by_a_guesser_beside_it(app, staff):
    examiner, guesser = staff("examiner"), Visitor(app)
    examiner.post("/staff/sign-out")
    guesser.get("/staff")
    wrong = {"email": "examiner@example.org", "password": "a guess"}
    tries = [guesser.post("/staff", wrong).status_code for _ in range(LIMIT_PAIR + 1)]
    assert tries[-1] == 429

    examiner.get("/staff")
    right = {"email": "examiner@example.org", "password": PASSWORD}
    assert guesser.post("/staff", right).status_code == 429
    assert examiner.post("/staff", right).status_code == 303


def test_a_cookie_of_a_known_browser_cannot_be_made_up(app, staff):
    staff("examiner")
    one = Visitor(app)
    one.client.set_cookie("tarozu-browser", "name:mark:signature", path="/staff")

    assert one.sign_in_staff("examiner@example.org", PASSWORD).status_code == 200


def test_a_candidates_session_ends_with_the_code_and_the_new_one_goes_on(app, hall, alice):
    sitting = alice.begin()
    issued = issue_code(hall.db, command_line(organisation(hall.db)), "A")

    assert alice.get(f"/sitting/{sitting}").status_code == 303
    alice.get(f"/?next=/sitting/{sitting}")
    response = alice.post(f"/?next=/sitting/{sitting}", {"code": str(issued.code)})
    assert response.headers["Location"] == f"/sitting/{sitting}"


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(visitor):
    page = {"Referer": "http://localhost/sitting/abc?saved=1"}
    sent = visitor.client.post("/sitting/abc/answer", headers=page)
    assert sent.headers["Location"] == "/?next=/sitting/abc"

    other = {"Referer": "http://evil.example/sitting/abc"}
    assert visitor.client.post("/sitting/abc/answer", headers=other).headers["Location"] == "/"


# --- hostile names ---------------------------------------------------------------------------

SCRIPT = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def test_a_name_is_shown_as_text_wherever_it_stands(app, hall, staff):
    done = finish(hall, hall.bob, begin(hall, hall.bob))
    with hall.db.write() as session:
        session.execute(text("UPDATE candidate_details SET name = :n"), {"n": SCRIPT})
        session.execute(text("UPDATE candidate_details SET country = :n"), {"n": "<b>TJ"})
    home = organisation(hall.db)
    add_staff(hall.db, "a@example.org", "author", PASSWORD, organisation_id=home, name=SCRIPT)
    bob, admin = Visitor(app), staff("administrator")
    bob.sign_in(hall.codes["Bob"])
    pages = [bob.page, bob.get(f"/sitting/{done.sitting_id}/result").text]
    listed = ("/staff/sittings", f"/staff/sittings/{done.sitting_id}", "/staff/accounts")
    pages.extend(admin.get(address).text for address in listed)
    pages.append(admin.get("/staff/sittings", query_string={"q": SCRIPT}).text)

    assert any("&lt;script&gt;" in page for page in pages)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>TJ" not in page


# --- a series of requests for what is not one's own ------------------------------------------


def ask_for_strangers(visitor: Visitor, path: str, times: int) -> list[dict]:
    with structlog.testing.capture_logs() as lines:
        for number in range(times):
            assert visitor.get(path.format(f"{number:032x}")).status_code == 404
    return [line for line in lines if line["event"] == "foreign requests"]


def test_a_candidate_who_tries_many_sittings_is_named_in_log_and_chains(hall, alice):
    sitting = alice.begin()
    assert ask_for_strangers(alice, "/sitting/{}", SERIES - 1) == []
    named = ask_for_strangers(alice, "/sitting/{}/result", 1)

    assert [line["candidate"] for line in named] == [hall.alice.candidate_id]
    with hall.db.read() as session:
        last = session.scalars(select(SiteEvent).order_by(SiteEvent.number.desc())).first()
        mine = select(SittingEvent.kind).where(SittingEvent.sitting_id == sitting)
        assert last.kind == "foreign_requests"
        assert last.payload == {"candidate": hall.alice.candidate_id, "requests": SERIES}
        assert "foreign_request" in session.scalars(mine).all()
    assert verify(hall.db).problems == ()


def test_staff_who_try_many_sittings_are_named(staff):
    assert len(ask_for_strangers(staff("examiner"), "/staff/sittings/{}", SERIES)) == 1


def test_a_few_dead_links_in_a_long_time_are_no_series(hall, alice):
    for _ in range(2):
        assert ask_for_strangers(alice, "/sitting/{}", SERIES - 1) == []
        hall.clock.pass_seconds(16 * 60)
