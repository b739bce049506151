"""Whole exams in a real browser, against a real server process that gets killed on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsing import answer_somehow, begin

from item_bank.exams.replay import replay, sitting_ids
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting

pytestmark = pytest.mark.chromium
PATIENCE = 30_000
REFUSED = "Content Security Policy"


class Watched:
    """A page, and what its console complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))

    @property
    def refused(self) -> list[str]:
        return [text for text in self.complaints if REFUSED in text or "Error:" in text]


def open_page(browser: Browser, **options) -> Iterator[Watched]:
    context = browser.new_context(locale="en-GB", **options)
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def watched(chromium) -> Iterator[Watched]:
    yield from open_page(chromium)


@pytest.fixture
def without_scripts(chromium) -> Iterator[Watched]:
    yield from open_page(chromium, java_script_enabled=False)


def answer(page: Page, number: int) -> None:
    """Choose by mouse on the row, not on the button in it, and confirm."""
    page.locator(".choice-row").nth(number % 4).click(position={"x": 200, "y": 20})
    page.get_by_role("button", name="Confirm answer").click()


def finish(page: Page, number: int) -> None:
    """Answer from question `number` to the end."""
    while True:
        answer_somehow(page)
        page.get_by_role("button", name="Confirm answer").click()
        number += 1
        done = page.get_by_role("heading", name="You have finished the exam")
        expect(done.or_(page.get_by_role("heading", name=f"Question {number}"))).to_be_visible()
        if done.is_visible():
            page.get_by_role("link", name="See your result").click()
            page.get_by_role("heading", name="What the score does not mean").wait_for()
            return


def replays(db: Database) -> bool:
    found = [replay(db, sitting) for sitting in sitting_ids(db)]
    return bool(found) and all(one.problems == () for one in found)


def test_an_exam_by_mouse_survives_the_death_of_the_server(server, codes, watched, db):
    page = watched.page
    begin(page, server.address, codes["Alice"])
    answer(page, 1)
    expect(page.get_by_role("heading", name="Question 2")).to_be_focused()
    expect(page.locator("#save-state")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))

    server.kill()
    answer(page, 2)
    expect(page.locator("#save-state")).to_contain_text("not saved yet. Keep this page open")
    server.start()
    expect(page.get_by_role("heading", name="Question 3")).to_be_visible(timeout=60_000)
    finish(page, 3)

    assert watched.refused == []
    assert replays(db)


def test_an_exam_without_scripts_survives_the_death_of_the_server(
    server, codes, without_scripts, db
):
    page = without_scripts.page
    begin(page, server.address, codes["Alice"])
    answer(page, 1)
    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()
    server.kill()
    server.start()
    finish(page, 2)

    assert replays(db)


def test_the_keyboard_alone_is_enough(address, codes, watched):
    page = watched.page
    begin(page, address, codes["Alice"])
    page.locator("input[name=choice]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Confirm answer")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Question 2")).to_be_focused()


def test_a_double_click_answers_once(address, codes, watched):
    page = watched.page
    begin(page, address, codes["Alice"])
    page.locator(".choice-row").first.click()
    page.get_by_role("button", name="Confirm answer").dblclick()
    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()
    page.reload()

    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()


def test_a_chosen_answer_survives_a_reload(address, codes, watched):
    page = watched.page
    begin(page, address, codes["Alice"])
    page.locator(".choice-row").nth(2).click()
    page.reload()

    expect(page.locator("input[name=choice]").nth(2)).to_be_checked()


def test_an_ended_session_returns_to_the_same_question_with_the_chosen_answer(
    address, codes, watched
):
    page = watched.page
    begin(page, address, codes["Alice"])
    page.locator(".choice-row").nth(1).click()
    page.context.clear_cookies(name="tarozu")
    page.get_by_role("button", name="Confirm answer").click()
    page.get_by_label("Access code").fill(codes["Alice"])
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Question 1")).to_be_visible()
    expect(page.locator("input[name=choice]").nth(1)).to_be_checked()


def test_the_time_can_be_hidden_and_stays_hidden(address, codes, watched):
    page = watched.page
    begin(page, address, codes["Alice"])
    expect(page.locator(".timer-value")).to_have_text(re.compile(r"^(30:00|29:\d\d)$"))
    page.get_by_role("button", name="Hide the time").click()
    expect(page.locator(".timer-value")).to_be_hidden()
    answer(page, 0)
    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()

    expect(page.locator(".timer-value")).to_be_hidden()
    page.get_by_role("button", name="Show the time").click()
    expect(page.locator(".timer-value")).to_be_visible()


def test_a_missing_answer_is_named_and_can_be_meant(address, codes, watched):
    page = watched.page
    begin(page, address, codes["Alice"])
    page.get_by_role("button", name="Confirm answer").click()
    expect(page.get_by_text("You have not given an answer.")).to_be_visible()
    page.get_by_role("button", name="Go on without an answer").click()

    expect(page.get_by_role("heading", name="Question 2")).to_be_visible()


def test_an_examiner_searches_and_replays_without_leaving_the_page(
    address, codes, watched, without_scripts
):
    begin(without_scripts.page, address, codes["Alice"])
    finish(without_scripts.page, 1)
    page = watched.page
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/staff/sittings")  # with its scripts
    page.get_by_label("Search").fill("nobody")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    assert "q=nobody" in page.url
    page.get_by_label("Search").fill("ali")
    page.get_by_role("link", name="Alice").click()
    page.get_by_role("button", name="Replay this sitting").click()

    expect(page.get_by_text("Replays exactly")).to_be_visible()
    assert watched.refused == []


def test_the_page_itself_says_when_the_time_is_up(address, codes, watched, db):
    page = watched.page
    begin(page, address, codes["Alice"])
    with db.write() as session:
        sitting = session.get_one(Sitting, sitting_ids(db)[0])
        sitting.deadline_at = db.now(session) + 4 * SECOND
    page.reload()
    expect(page.locator(".timer.soon")).to_be_visible()

    expect(page.get_by_role("heading", name="Your time is up")).to_be_visible(timeout=20_000)
    assert watched.refused == []
