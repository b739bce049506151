"""A line that breaks, a server that dies, an invigilator who acts: what the open page does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from support.browsing import begin

from item_bank.exams import conditions, records
from item_bank.exams.actors import command_line
from item_bank.exams.replay import sitting_ids
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import Response, SittingEvent

pytestmark = pytest.mark.chromium
PATIENCE = 30_000
UNSAVED = "Your answer is not saved yet. Keep this page open: we are trying again."
KEPT = "Object.entries(localStorage).filter(([name]) => name.startsWith('tarozu-answer:'))"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(locale="en-GB") as context:
        one = context.new_page()
        one.set_default_timeout(PATIENCE)
        yield one


def choose(page: Page, place: int = 0) -> None:
    page.locator(".choice-row").nth(place).click()


def answers(db) -> int:
    with db.read() as session:
        return len(session.scalars(select(Response)).all())


def waited(db) -> list[int]:
    query = select(SittingEvent.payload).where(SittingEvent.kind == records.RECONNECTED)
    with db.read() as session:
        return [said["seconds"] for said in session.scalars(query)]


def acting(db):
    """Who acts, and on which sitting."""
    return db, command_line(organisation(db)), sitting_ids(db)[-1]


# --- the line ------------------------------------------------------------------------------------


def test_an_answer_survives_five_minutes_without_a_line(address, codes, page, db):
    page.clock.install()
    begin(page, address, codes["Alice"])
    page.context.set_offline(True)
    choose(page, 1)
    page.locator("#confirm").click()
    expect(page.locator("#save-state")).to_have_text(UNSAVED)
    page.clock.run_for(300_000)
    expect(page.locator("#save-state")).to_have_text(UNSAVED)
    assert answers(db) == 0
    [[name, kept]] = page.evaluate(KEPT)
    assert name.endswith(f"{sitting_ids(db)[-1]}:1")
    assert set(page.evaluate("kept => Object.keys(JSON.parse(kept))", kept)) == {
        "said", "at", "sent",
    }  # fmt: skip

    page.context.set_offline(False)
    page.clock.run_for(20_000)
    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()
    page.clock.run_for(1_000)  # until the new question has settled
    assert answers(db) == 1
    assert waited(db)[0] >= 300
    assert page.evaluate(KEPT) == []


def test_a_line_that_is_back_is_used_at_once(address, codes, page, db):
    begin(page, address, codes["Alice"])
    page.context.set_offline(True)
    choose(page)
    page.locator("#confirm").click()
    expect(page.locator("#save-state")).to_have_text(UNSAVED)
    page.context.set_offline(False)

    expect(page.get_by_role("heading", name="Question 2")).to_be_visible(timeout=3000)


def test_a_confirmed_answer_outlives_its_page_and_the_server(server, codes, page, db):
    begin(page, server.address, codes["Alice"])
    choose(page, 2)
    server.kill()
    page.locator("#confirm").click()
    expect(page.locator("#save-state")).to_have_text(UNSAVED)
    again, sitting = page.context.new_page(), page.url
    page.close(run_before_unload=False)
    server.start()
    again.goto(sitting)

    expect(again.get_by_role("heading", name="Question 2")).to_be_visible()
    assert answers(db) == 1


def test_a_choice_that_is_not_confirmed_comes_back_and_is_not_sent(address, codes, page, db):
    begin(page, address, codes["Alice"])
    choose(page, 2)
    other, sitting = page.context.new_page(), page.url
    page.close()
    other.goto(sitting)

    expect(other.locator("input[name=choice]").nth(2)).to_be_checked()
    assert answers(db) == 0


def test_what_a_server_asks_to_wait_is_waited(address, codes, page, db):
    begin(page, address, codes["Alice"])
    tried: list[str] = []

    def refuse(route) -> None:
        tried.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "4"}, body="slowly")

    page.route("**/answer", refuse)
    choose(page)
    page.locator("#confirm").click()
    expect(page.locator("#save-state")).to_have_text(UNSAVED)
    page.wait_for_timeout(3000)
    assert len(tried) == 1
    page.unroute("**/answer")

    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()
    assert answers(db) == 1


def test_signing_out_leaves_no_answer_on_the_device(address, codes, page):
    begin(page, address, codes["Alice"])
    choose(page)
    assert len(page.evaluate(KEPT)) == 1
    page.goto(f"{address}/home")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Access code").wait_for()

    assert page.evaluate(KEPT) == []


# --- the invigilator -----------------------------------------------------------------------------


def look(page: Page) -> None:
    """What the page does by itself every 20 seconds."""
    page.clock.run_for(21_000)


def test_more_time_is_seen_within_thirty_seconds(address, codes, page, db):
    page.clock.install()
    begin(page, address, codes["Alice"])
    conditions.grant_time(*acting(db), 600, "noise in the room")
    look(page)

    expect(page.locator("#more-time")).to_have_text("You have been given more time: +10 min")
    expect(page.locator(".timer-value")).to_have_text(re.compile(r"^39:\d\d$"))


def test_a_pause_is_seen_within_thirty_seconds_and_keeps_what_was_chosen(address, codes, page, db):
    page.clock.install()
    begin(page, address, codes["Alice"])
    choose(page, 3)
    conditions.pause(*acting(db))
    look(page)
    expect(page.get_by_role("heading", name="The exam is paused")).to_be_focused()
    expect(page.locator("#answer")).to_have_count(0)
    conditions.resume(*acting(db))
    look(page)

    expect(page.get_by_role("heading", name="Question 1")).to_be_visible()
    expect(page.locator("input[name=choice]").nth(3)).to_be_checked()


def test_an_end_by_an_invigilator_is_seen_within_thirty_seconds(address, codes, page, db):
    page.clock.install()
    begin(page, address, codes["Alice"])
    conditions.terminate(*acting(db), "left the room")
    look(page)

    expect(page.get_by_role("heading", name="Your exam has been ended")).to_be_visible()


def test_a_message_comes_and_is_put_away_without_touching_the_answer(address, codes, page, db):
    page.clock.install()
    begin(page, address, codes["Alice"])
    choose(page, 1)
    conditions.send_message(*acting(db), "The window stays closed")
    look(page)
    banner = page.locator("#messages")
    expect(banner).to_contain_text("The window stays closed")
    assert banner.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="I have read this").click()

    expect(banner).not_to_contain_text("The window stays closed")
    expect(page.locator("input[name=choice]").nth(1)).to_be_checked()
    choose(page, 1)
    page.locator("#confirm").click()
    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()


def test_printing_shows_no_question(address, codes, page):
    begin(page, address, codes["Alice"])
    page.emulate_media(media="print")

    expect(page.locator(".question")).to_be_hidden()
    expect(page.get_by_text("Questions of an exam cannot be printed.")).to_be_visible()
