"""People who want what is not theirs: cases 20 to 25."""

from __future__ import annotations

import re
import statistics
import time

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import func, select
from support.browsing import at_end, browsing, go_on_without, serve
from support.fault_sites import PASSWORD
from support.routes import UNKNOWN
from support.sittings import begin, finish
from support.type_exams import open_type_exam
from support.visitors import Visitor

from item_bank.exams.accounts import add_staff
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.replay import replay
from item_bank.store.schema import organisation
from item_bank.store.tables.people import Candidate as CandidateRow
from item_bank.store.tables.sittings import Response, Sitting, SittingEvent
from web.access import CANDIDATE, PUBLIC, audience_of
from web.app import create_app
from web.candidate.responses import WITHOUT
from web.settings import Settings

NOBODY = "0" * 32


@pytest.fixture
def bob(app, hall) -> Visitor:
    """A candidate who has nothing to do with Alice's sitting."""
    one = Visitor(app)
    one.sign_in(hall.codes["Bob"])
    return one


@pytest.fixture
def examiner(app, hall) -> Visitor:
    home = organisation(hall.db)
    add_staff(hall.db, "eva@example.org", "examiner", PASSWORD, organisation_id=home)
    one = Visitor(app)
    one.sign_in_staff("eva@example.org", PASSWORD)
    return one


def alike(text: str) -> str:
    """A page without what differs at every request."""
    varying = r"<code>\w+</code>|hx-headers='[^']*'|name=\"csrf_token\" value=\"[^\"]*\""
    return re.sub(varying, "", text)


# --- 20: somebody else's sitting ----------------------------------------------------------------

THEIRS = ("", "/result", "/clock", "/answer", "/take-over", "/language", "/messages", "/break")


def test_fault_20_anothers_sitting_is_no_sitting(app, alice, bob, hall):
    sitting = alice.begin()
    bob.get("/home")
    form = alice.form() | {"csrf_token": bob.field("csrf_token"), WITHOUT: "1"}
    for rest in THEIRS:
        for ask in (bob.get, lambda address: bob.post(address, form)):
            theirs, none = (ask(f"/sitting/{one}{rest}?lang=en") for one in (sitting, NOBODY))
            assert theirs.status_code == none.status_code, rest
            assert theirs.status_code in {404, 405}, rest
            assert alike(theirs.text) == alike(none.text), rest
    assert rows_of(hall, Response, sitting) == []
    alice.finish(sitting)

    assert bob.get(f"/sitting/{sitting}/result").status_code == 404
    assert replay(hall.db, sitting).problems == ()


def test_fault_20_anothers_sitting_takes_as_long_as_none(alice, bob):
    sitting = alice.begin()

    def seconds(one: str) -> float:
        begun = time.process_time()
        bob.get(f"/sitting/{one}")
        return time.process_time() - begun

    for _ in range(5):
        seconds(sitting), seconds(NOBODY)
    pairs = [(seconds(sitting), seconds(NOBODY)) for _ in range(40)]
    theirs, none = (statistics.median(side) for side in zip(*pairs, strict=True))
    assert 0.5 < theirs / none < 2


def test_fault_20_a_series_of_it_is_an_event_of_who_asks(app, alice, bob, hall):
    mine, theirs = bob.begin("ru"), alice.begin()
    for _ in range(12):
        bob.get(f"/sitting/{theirs}")

    kinds = [link.kind for link in rows_of(hall, SittingEvent, mine)]
    assert kinds.count("foreign_request") == 1
    assert "foreign_request" not in [link.kind for link in rows_of(hall, SittingEvent, theirs)]


def rows_of(hall, table, sitting: str):
    with hall.db.read() as session:
        return session.scalars(select(table).where(table.sitting_id == sitting)).all()


# --- 21: pages and commands of staff -------------------------------------------------------------


def staff_pages(app: Flask):
    """Every address that is not for candidates, with its methods."""
    with app.test_request_context():
        urls = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if not audience_of(app, rule.endpoint) & {PUBLIC, CANDIDATE}:
                values = {
                    name: 1 if "Integer" in type(one).__name__ else NOBODY
                    for name, one in rule._converters.items()
                }
                for method in rule.methods - {"HEAD", "OPTIONS"}:
                    yield urls.build(rule.endpoint, values), method


def test_fault_21_no_page_of_staff_opens_to_a_candidate(app, alice):
    alice.get("/home")
    pages = list(staff_pages(app))
    assert len(pages) > 15
    for address, method in pages:
        reply = alice.post(address) if method == "POST" else alice.get(address)
        assert reply.status_code in {403, 404}, (address, method)


# --- 22: guessing --------------------------------------------------------------------------------


def test_fault_22_guessing_codes_is_slowed_and_says_nothing(app, hall, monkeypatch):
    monkeypatch.setattr("item_bank.exams.signing_in.LIMIT_ADDRESS", 40)  # 600 would take long
    visitor = Visitor(app)
    visitor.get("/")
    said = {visitor.post("/", {"code": f"AAAA-BBBB-{n:04}"}).status_code for n in range(40)}

    assert said == {422}
    refused = visitor.post("/", {"code": "AAAA-BBBB-CCCC"})
    assert refused.status_code == 429
    assert "Wait" in refused.text
    assert visitor.post("/", {"code": hall.codes["Alice"]}).status_code == 303  # not for its owner


def test_fault_22_an_exam_hall_behind_one_address_gets_in(db, small_bank, hall, app):
    home = organisation(hall.db)
    rows = [RosterRow(f"H{n:03}", f"Person {n}", language="en") for n in range(60)]
    codes = [one.code for one in import_roster(hall.db, rows, "sums", organisation_id=home)]
    for code in codes:
        visitor = Visitor(app)
        visitor.get("/")
        assert visitor.post("/", {"code": "wrong at first"}).status_code == 422
        assert visitor.post("/", {"code": str(code)}).status_code == 303


def test_fault_22_nobody_shuts_an_account_for_its_owner(app, hall, examiner):
    guesser = app.test_client()
    page = guesser.get("/staff", environ_base={"REMOTE_ADDR": "10.9.9.9"}).text
    token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]
    for n in range(12):
        form = {"email": "eva@example.org", "password": f"guess-number-{n}", "csrf_token": token}
        last = guesser.post("/staff", data=form, environ_base={"REMOTE_ADDR": "10.9.9.9"})
    assert last.status_code == 429

    owner = Visitor(app)
    owner.sign_in_staff("eva@example.org", PASSWORD)
    assert owner.get("/staff/sittings").status_code == 200


def test_fault_22_forwarded_addresses_count_behind_a_proxy_of_ours_only(hall, monkeypatch):
    monkeypatch.setattr("item_bank.exams.signing_in.LIMIT_ADDRESS", 5)
    for proxies, last in ((0, 429), (1, 422)):
        visitor = Visitor(create_app(hall.db, Settings(trusted_proxies=proxies)))
        visitor.get("/")
        said = [
            visitor.post(
                "/", {"code": "AAAA"}, headers={"X-Forwarded-For": f"10.{proxies}.0.{n}"}
            ).status_code
            for n in range(6)
        ]
        assert said[-1] == last


# --- 23: requests that another site makes --------------------------------------------------------


def test_fault_23_no_form_counts_without_its_token(app, alice, examiner, hall):
    sitting = alice.begin()
    form = alice.form()
    people = {"/sign-out": alice, "/staff/sign-out": examiner}
    paths = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    for rule in paths:
        with app.test_request_context():
            values = {name: UNKNOWN.get(name, sitting) for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
        audience = audience_of(app, rule.endpoint)
        who = alice if CANDIDATE in audience or PUBLIC in audience else examiner
        who = people.get(address, who)
        reply = who.client.post(address, data=form)
        assert reply.status_code in {400, 403}, (address, reply.status_code)
    assert len(paths) > 12
    assert alice.get(f"/sitting/{sitting}").status_code == 200  # still signed in, nothing answered
    assert alice.field("position") == "1"


def test_fault_23_the_cookie_stays_at_home(alice):
    cookie = alice.client.get("/?lang=ru").headers["Set-Cookie"]

    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie


# --- 24: text that wants to be a program ---------------------------------------------------------

SCRIPT = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">'


@pytest.mark.chromium
def test_fault_24_names_and_searches_do_nothing_in_an_examiners_browser(db, small_bank, chromium):
    from support.sittings import open_hall

    hall = open_hall(db)
    home = organisation(db)
    add_staff(db, "eva@example.org", "examiner", PASSWORD, organisation_id=home)
    import_roster(db, [RosterRow("A", SCRIPT, language="en")], "sums", organisation_id=home)
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    server = serve(db, "")
    site = next(server)
    with browsing(chromium) as (page, record):
        page.goto(f"{site.address}/staff")
        page.get_by_label("E-mail").fill("eva@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        for address in (
            "/staff/sittings",
            f"/staff/sittings?q={SCRIPT}",
            f"/staff/sittings?exam={SCRIPT}&status={SCRIPT}",
            f"/staff/sittings/{end.sitting_id}",
            f"/staff?next={SCRIPT}",
            f"/{SCRIPT}",
        ):
            page.goto(site.address + address)
            assert page.evaluate("window.hacked") is None, address
        page.goto(f"{site.address}/staff/sittings")
        expect(page.get_by_text("<script>").first).to_be_visible()  # shown as the name it is
        assert record.foreign(site) == []
    next(server, None)


@pytest.mark.chromium
def test_fault_24_items_do_nothing_in_a_candidates_browser(db, tmp_path, chromium):
    code = open_type_exam(db, tmp_path, attack=True)
    server = serve(db, code)
    site = next(server)
    with browsing(chromium) as (page, record):
        site.begin(page)
        while not at_end(page):
            assert page.evaluate("window.hacked") is None
            go_on_without(page)
        assert page.evaluate("window.hacked") is None
        assert record.foreign(site) == []
    next(server, None)


# --- 25: text that wants to be a query -----------------------------------------------------------

QUERIES = (
    "' OR '1'='1",
    "'; DROP TABLE responses; --",
    '" OR 1=1 --',
    "%' UNION SELECT password_hash FROM staff_accounts --",
    "\\'; SELECT pg_sleep(5); --",
    "a\x00b",
    "%",
    "_",
    "1e999",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 50,
)


def counts(hall) -> tuple[int, ...]:
    with hall.db.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (CandidateRow, Sitting, Response)
        )


def test_fault_25_queries_in_fields_are_text(app, alice, examiner, hall):
    sitting = alice.begin()
    before = counts(hall)
    for query in QUERIES:
        stranger = Visitor(app)
        stranger.get("/")
        replies = [
            stranger.post("/", {"code": query}),
            stranger.post("/staff", {"email": query, "password": query}),
            alice.get(f"/sitting/{query}"),
            alice.get("/home", query_string={"lang": query, "next": query}),
            *(
                examiner.get("/staff/sittings", query_string={name: query})
                for name in ("q", "exam", "status", "page")
            ),
            examiner.get(f"/staff/sittings/{query}"),
        ]
        assert all(reply.status_code < 500 for reply in replies), query
        assert not any("S-01" in reply.text or "argon2" in reply.text for reply in replies)
    for name in ("choice", "key", "position", "epoch"):
        alice.get(f"/sitting/{sitting}")
        for query in QUERIES[:3]:
            assert alice.answer(sitting, **{name: query}).status_code in {303, 400, 409, 422}
            alice.get(f"/sitting/{sitting}")
    assert counts(hall)[:2] == before[:2]
    assert replay(hall.db, sitting).problems == ()


def test_fault_25_queries_in_commands_are_text(hall, run_command):
    before = counts(hall)
    for query in QUERIES:
        if "\x00" in query:
            continue  # no command line can hold it
        for command in (
            ("sitting", "list", "--search", query),
            ("sitting", "list", "--exam", query),
            ("sitting", "show", query),
            ("exam", "show", query),
            ("sitting", "export", "--bank", query),
            ("sitting", "export", "--bank", "small", "--since", query),
            ("bank", "show", query),
        ):
            status, said, error = run_command(*command)
            assert status in {0, 1, 2}, (command, error)
            assert "Traceback" not in error + said
    assert counts(hall) == before
