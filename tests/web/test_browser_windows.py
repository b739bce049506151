"""Windows of one browser, and devices: one of them has the sitting, the others show so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from support.browsing import begin, sign_in

from item_bank.store.tables.sittings import Response, Sitting

pytestmark = pytest.mark.chromium
PATIENCE = 20_000


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(locale="en-GB") as context:
        one = context.new_page()
        one.set_default_timeout(PATIENCE)
        yield one


def answer(page: Page) -> None:
    page.locator(".choice-row").first.click()
    page.locator("#confirm").click()


def expect_question(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", name=f"Question {number}")).to_be_visible()


def expect_taken_over(page: Page) -> None:
    expect(page.get_by_role("heading", name="open somewhere else")).to_be_visible()
    expect(page.locator("#answer")).to_have_count(0)


def epoch(db) -> int:
    with db.read() as session:
        return session.scalars(select(Sitting.lease_epoch)).one()


def test_a_new_window_has_the_exam_and_the_older_one_shows_so(address, codes, page, db):
    begin(page, address, codes["Alice"])
    newer = page.context.new_page()
    newer.goto(page.url)

    expect_taken_over(page)
    answer(newer)
    expect_question(newer, 2)
    page.reload()
    expect_taken_over(page)
    page.get_by_role("button", name="Continue here").click()
    expect_question(page, 2)
    expect_taken_over(newer)
    assert epoch(db) == 3


def test_a_duplicated_window_is_told_from_the_one_that_it_was_copied_from(address, codes, page, db):
    begin(page, address, codes["Alice"])
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    copy = page.context.new_page()
    copy.add_init_script(
        f"for (const [k, v] of Object.entries({kept})) sessionStorage.setItem(k, v)"
    )
    copy.goto(page.url)

    expect_taken_over(page)
    answer(copy)
    expect_question(copy, 2)
    assert epoch(db) == 2


def test_loading_the_page_again_moves_nothing(address, codes, page, db):
    begin(page, address, codes["Alice"])
    for _ in range(2):
        page.reload()
        answer(page)
    expect_question(page, 3)

    assert epoch(db) == 1


def test_an_older_window_that_hears_of_no_other_never_answers(address, codes, page, db):
    page.add_init_script("delete window.BroadcastChannel")
    begin(page, address, codes["Alice"])
    newer = page.context.new_page()
    newer.goto(page.url)
    expect(newer.locator("#sitting:not([inert]) #answer")).to_be_visible()
    answer(page)

    expect_taken_over(page)
    with db.read() as session:
        assert session.scalars(select(Response)).all() == []


def test_the_clock_tells_an_older_window_when_it_is_looked_at_again(address, codes, page):
    page.add_init_script("delete window.BroadcastChannel")
    begin(page, address, codes["Alice"])
    newer = page.context.new_page()
    newer.goto(page.url)
    expect(newer.locator("#sitting:not([inert]) #answer")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect_taken_over(page)


def test_a_second_device_is_asked_and_then_has_the_exam(address, codes, page, chromium):
    begin(page, address, codes["Alice"])
    with chromium.new_context(locale="en-GB") as context:
        phone = context.new_page()
        sign_in(phone, address, codes["Alice"])
        phone.get_by_role("link", name="Continue").click()
        expect_taken_over(phone)
        phone.get_by_role("button", name="Continue here").click()
        expect_question(phone, 1)
        answer(page)
        expect_taken_over(page)


def test_signing_out_lets_the_exam_go(address, codes, page):
    begin(page, address, codes["Alice"])
    page.goto(f"{address}/home")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, address, codes["Alice"])
    page.get_by_role("link", name="Continue").click()

    expect_taken_over(page)
