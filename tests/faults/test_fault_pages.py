"""What a candidate's page survives: windows, devices, sign-ins that end, lines that are cut.

Cases 3, 4, 12, 14, 15 and 16, and 1 as a person does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from support.browsing import Site, browsing, go_on_without, number, serve, skip_to
from support.holding import until
from support.sittings import EXAM, open_hall
from support.type_exams import open_type_exam
from support.visitors import Visitor

from item_bank.exams.actors import command_line
from item_bank.exams.conditions import grant_time
from item_bank.exams.replay import replay, sitting_ids
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, Response, SittingEvent
from web.app import create_app
from web.settings import Settings

OFFLINE_MILLISECONDS = 7_000


@pytest.fixture
def typed_site(db, tmp_path) -> Iterator[Site]:
    """A site whose exam has every type of question."""
    yield from serve(db, open_type_exam(db, tmp_path))


def rows(db, table):
    with db.read() as session:
        found = select(table).where(table.sitting_id == sitting_ids(db)[-1])
        order = getattr(table, "position", None) or table.number
        return session.scalars(found.order_by(order)).all()


def kinds(db) -> list[str]:
    return [link.kind for link in rows(db, SittingEvent)]


def type_answer(page: Page, text: str) -> None:
    skip_to(page, "text_entry")
    page.locator("input[name=text]").fill(text)


@pytest.mark.chromium
def test_fault_01_a_double_click_in_a_browser_answers_once(chromium, typed_site):
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        type_answer(page, "QNH")
        now = number(page)
        page.locator("#confirm").dblclick()
        comes_after(page, typed_site, now)
        page.wait_for_timeout(500)

    assert len(rows(typed_site.db, Response)) == now
    assert len(rows(typed_site.db, PresentedItem)) == min(now + 1, 9)


def comes_after(page: Page, site: Site, now: int, seconds: float = 30) -> None:
    """Wait until a question is answered and its page has gone."""
    until(
        lambda: page.wait_for_timeout(50) or len(rows(site.db, Response)) >= now,
        "the answer is kept",
        seconds,
    )
    expect(page.locator(f"#answer[data-draft$=':{now}']")).to_have_count(0)


# --- 3 and 4: windows and devices ----------------------------------------------------------------


def test_fault_03_an_older_window_is_read_only_until_it_takes_over(app, alice, hall):
    sitting = alice.begin()
    older = alice.form()
    alice.get(f"/sitting/{sitting}")
    alice.post(f"/sitting/{sitting}/take-over", follow_redirects=True)
    newer = alice.form()
    assert newer["epoch"] == str(int(older["epoch"]) + 1)
    reply = alice.post(f"/sitting/{sitting}/answer", older)

    assert reply.status_code == 409
    assert "open somewhere else" in reply.text
    assert "Continue here" in reply.text
    assert rows(hall.db, Response) == []
    assert alice.post(f"/sitting/{sitting}/answer", newer).status_code == 303
    assert replay(hall.db, sitting).problems == ()


@pytest.mark.chromium
def test_fault_03_a_second_tab_has_the_exam_and_the_first_shows_so(chromium, typed_site):
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        second = page.context.new_page()
        second.goto(page.url)
        expect(second.locator("#sitting:not([inert]) #answer")).to_be_visible()

        expect(page.get_by_role("heading", name="open somewhere else")).to_be_visible()
        expect(page.locator("#answer")).to_have_count(0)
        page.get_by_role("button", name="Continue here").click()
        expect(page.locator("#sitting:not([inert]) #answer")).to_be_visible()
        expect(second.get_by_role("heading", name="open somewhere else")).to_be_visible()


def on_two_devices(hall, app) -> tuple[Visitor, Visitor, str]:
    """A sitting begun on a computer, and a phone that has opened it."""
    computer, phone = Visitor(app), Visitor(app)
    computer.sign_in(hall.codes["Alice"])
    sitting = computer.begin()
    phone.sign_in(hall.codes["Alice"])
    phone.get(f"/sitting/{sitting}")
    return computer, phone, sitting


def test_fault_04_a_second_device_takes_over_by_asking_and_it_is_an_event(hall, app):
    computer, phone, sitting = on_two_devices(hall, app)
    assert "open somewhere else" in phone.page
    form = computer.form()
    phone.post(f"/sitting/{sitting}/take-over", follow_redirects=True)

    assert phone.answer(sitting).status_code == 303
    assert computer.post(f"/sitting/{sitting}/answer", form).status_code == 409
    assert len(rows(hall.db, Response)) == 1
    assert "device" in kinds(hall.db)


def test_fault_04_an_exam_may_stay_on_its_first_device(db, small_bank):
    denying = EXAM.replace("[title]", '[delivery]\nsecond_device = "deny"\n[title]', 1)
    hall = open_hall(db, exam=denying)
    computer, phone, sitting = on_two_devices(hall, create_app(db, Settings()))
    assert "Continue here" not in phone.page
    assert "device on which it began" in phone.page
    phone.get("/home")  # whose token a request of one's own would use
    reply = phone.post(f"/sitting/{sitting}/take-over", follow_redirects=True)

    assert reply.status_code == 409
    assert "device_refused" in kinds(hall.db)
    assert computer.answer(sitting).status_code == 303


# --- 12 and 14: time on the page -----------------------------------------------------------------


def seconds_shown(page: Page) -> int:
    minutes, seconds = page.locator(".timer-value").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


@pytest.mark.chromium
@pytest.mark.parametrize("hours", [-3, 3])
def test_fault_12_a_device_with_a_wrong_clock_shows_the_right_time(chromium, typed_site, hours):
    with browsing(chromium) as (page, _):
        page.add_init_script(
            f"const now = Date.now; Date.now = () => now() + {hours} * 3600 * 1000;"
        )
        typed_site.begin(page)
        expect(page.locator(".timer-value")).to_have_text(re.compile(r"^\d+:\d\d$"))
        assert 3580 <= seconds_shown(page) <= 3600
        go_on_without(page)
    assert [row.late for row in rows(typed_site.db, Response)][-1] is False


@pytest.mark.chromium
def test_fault_14_time_that_is_granted_is_seen_within_thirty_seconds(chromium, typed_site):
    db = typed_site.db
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        expect(page.locator(".timer-value")).to_have_text(re.compile(r"^(60|59):\d\d$"))
        actor = command_line(organisation(db))
        grant_time(db, actor, sitting_ids(db)[-1], 1200, "a fire alarm")
        shown = re.compile(r"^(80|79):\d\d$")
        expect(page.locator(".timer-value")).to_have_text(shown, timeout=30_000)


# --- 15: the sign-in ends ------------------------------------------------------------------------


@pytest.mark.chromium
def test_fault_15_a_sign_in_that_ends_costs_neither_place_nor_confirmed_words(chromium, typed_site):
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        type_answer(page, "QNH and more")
        now = number(page)
        page.context.clear_cookies(name="tarozu")
        page.locator("#confirm").click()
        page.get_by_label("Access code").fill(typed_site.code)
        page.locator("main button").click()

        expect(page.locator("#sitting:not([inert]) #answer")).to_be_visible()
        expect(page.locator("input[name=text]")).to_have_value("QNH and more")
        page.locator("#confirm").click()
        comes_after(page, typed_site, now)
    said = typed_site.kept()[now - 1]
    assert said[1] == "QNH and more"


@pytest.mark.chromium
def test_fault_15_a_sign_in_that_ends_before_confirming_returns_to_the_typed_words(
    chromium, typed_site
):
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        type_answer(page, "QNH, not yet confirmed")
        now = number(page)
        page.context.clear_cookies(name="tarozu")
        page.reload()
        page.get_by_label("Access code").fill(typed_site.code)
        page.locator("main button").click()

        expect(page.locator("#sitting:not([inert]) #answer")).to_be_visible()
        expect(page.locator("#answer input[name=position]")).to_have_value(str(now))
        expect(page.locator("input[name=text]")).to_have_value("QNH, not yet confirmed")


# --- 16: the line is cut -------------------------------------------------------------------------


@pytest.mark.chromium
def test_fault_16_a_line_that_is_cut_delays_one_answer_and_is_an_event(chromium, typed_site):
    with browsing(chromium) as (page, _):
        typed_site.begin(page)
        type_answer(page, "QNH")
        now = number(page)
        page.context.set_offline(True)
        page.locator("#confirm").click()
        expect(page.locator("#save-state")).to_contain_text("not saved yet. Keep this page open")
        page.wait_for_timeout(OFFLINE_MILLISECONDS)
        assert len(rows(typed_site.db, Response)) == now - 1
        page.context.set_offline(False)
        comes_after(page, typed_site, now, seconds=45)

    assert len(rows(typed_site.db, Response)) == now
    assert typed_site.kept()[now - 1][1] == "QNH"
    assert kinds(typed_site.db).count("reconnected") == 1
    assert replay(typed_site.db, sitting_ids(typed_site.db)[-1]).problems == ()
