"""Rooms in a browser: they refresh themselves and disturb nobody; what is done is seen at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from support.browsing import begin
from support.wcag import scrolls_sideways, violations

from item_bank.exams import conditions
from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import command_line
from item_bank.exams.replay import sitting_ids
from item_bank.store.schema import organisation

pytestmark = pytest.mark.chromium
PATIENCE = 30_000
PASSWORD = "weigh-with-care"
REFRESHED, ASKED = 16_000, 21_000
"""A little more than a room waits between two refreshes, and a candidate's page to ask again."""


@pytest.fixture
def people(chromium: Browser) -> Iterator[tuple[Page, Page]]:
    """An invigilator and a candidate, each with a browser and a clock that tests move."""
    with chromium.new_context(locale="en-GB") as one, chromium.new_context(locale="en-GB") as two:
        yield _page(one), _page(two)


def _page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.clock.install()
    return page


def watch(page: Page, address: str, db) -> None:
    """Sign in as an invigilator and go to the room of the exam."""
    add_staff(
        db, "ina@example.org", "invigilator", PASSWORD, organisation_id=organisation(db), name="Ina"
    )
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("ina@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Sums").click()


def acting(db):
    return db, command_line(organisation(db)), sitting_ids(db)[-1]


def test_time_and_a_message_of_an_invigilator_are_seen_within_thirty_seconds(
    people, address, codes, db
):
    keeper, sitter = people
    begin(sitter, address, codes["Alice"])
    watch(keeper, address, db)
    keeper.get_by_role("link", name="Alice").click()
    keeper.get_by_label("Minutes").fill("10")
    keeper.get_by_label("Reason", exact=True).fill("noise in the room")
    keeper.get_by_role("button", name="Give the time").click()
    expect(keeper.get_by_text("10 min given.")).to_be_visible()
    keeper.get_by_label("Sentence").select_option(label="Everything is in order. Please go on.")
    keeper.get_by_role("button", name="Send the message").click()
    expect(keeper.get_by_text("message from Ina, not read yet")).to_be_visible()
    sitter.clock.run_for(ASKED)

    expect(sitter.locator("#more-time")).to_have_text("You have been given more time: +10 min")
    expect(sitter.locator("#messages")).to_contain_text("Everything is in order. Please go on.")
    sitter.get_by_role("button", name="I have read this").click()
    expect(sitter.locator("#messages")).not_to_contain_text("Everything is in order")
    keeper.clock.run_for(REFRESHED)
    expect(keeper.get_by_text("message from Ina, read")).to_be_visible()


def test_a_half_filled_form_and_the_focus_survive_a_refresh(people, address, codes, db):
    keeper, sitter = people
    begin(sitter, address, codes["Alice"])
    watch(keeper, address, db)
    keeper.get_by_role("link", name="Alice").click()
    box = keeper.get_by_label("Own words")
    box.fill("Please come to")
    conditions.pause(*acting(db), "fire alarm")
    keeper.clock.run_for(REFRESHED)

    expect(keeper.locator("#seat").get_by_text("paused since")).to_be_visible()
    expect(keeper.get_by_role("button", name="Let this sitting go on")).to_be_visible()
    expect(keeper.get_by_role("button", name="Pause this sitting")).to_be_hidden()
    expect(box).to_have_value("Please come to")
    expect(box).to_be_focused()


def test_a_room_refreshes_where_one_is_and_says_when_it_cannot(people, address, codes, db):
    keeper, sitter = people
    watch(keeper, address, db)
    expect(keeper.get_by_text("Nobody is in this exam")).to_be_visible()
    begin(sitter, address, codes["Alice"])
    keeper.clock.run_for(REFRESHED)
    name = keeper.get_by_role("link", name="Alice")
    name.focus()
    with keeper.expect_response("**/staff/rooms/sums"):
        keeper.clock.run_for(REFRESHED)
    expect(keeper.locator("#room:not(.htmx-settling)")).to_be_visible()
    expect(name).to_be_focused()

    stale = keeper.get_by_text("This page could not refresh itself")
    expect(stale).to_be_hidden()
    keeper.context.set_offline(True)
    keeper.clock.run_for(REFRESHED)
    expect(stale).to_be_visible()
    keeper.context.set_offline(False)
    keeper.clock.run_for(REFRESHED)
    expect(stale).to_be_hidden()


def test_a_search_stands_in_the_address_and_survives_a_refresh(people, address, codes, db):
    keeper, sitter = people
    begin(sitter, address, codes["Alice"])
    watch(keeper, address, db)
    keeper.get_by_label("Search").press_sequentially("nobody")
    keeper.clock.run_for(1_000)
    expect(keeper.get_by_text("Nobody found")).to_be_visible()
    expect(keeper).to_have_url(f"{address}/staff/rooms/sums?q=nobody")
    keeper.clock.run_for(REFRESHED)

    expect(keeper.get_by_text("Nobody found")).to_be_visible()
    expect(keeper.get_by_label("Search")).to_be_focused()


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_of_rooms_keep_to_wcag_and_to_the_screen(people, chromium, address, codes, db, width):
    begin(people[1], address, codes["Alice"])
    with chromium.new_context(viewport={"width": width, "height": 844}, locale="en-GB") as context:
        page = context.new_page()
        watch(page, address, db)
        conditions.send_message(*acting(db), "A long message. " * 20)
        for place in (page.url, f"{page.url}?state=finished", f"{address}/staff/rooms"):
            page.goto(place)
            check(page)
        page.goto(f"{address}/staff/rooms/sums")
        for summary in page.locator("details > summary").all():
            summary.click()
        check(page)
        page.get_by_role("button", name="Pause everybody", exact=True).click()
        check(page)
        page.get_by_role("button", name="Pause them: 1 candidate").click()
        check(page)
        page.get_by_role("link", name="Alice").click()
        check(page)
        page.get_by_role("link", name="End the exam of this candidate").click()
        check(page)
        page.get_by_label("Reason").fill("left the room")
        page.get_by_role("button", name="End this exam").click()
        expect(page.get_by_text("This sitting has ended.")).to_be_visible()
        check(page)


def check(page: Page) -> None:
    assert violations(page) == []
    assert not scrolls_sideways(page)
