"""What the page says while an answer is on its way, and of the time that is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect
from support.browsing import Site, answer_somehow, browsing, confirm, number, serve
from support.example_bank import example_bank, few_of_each, open_example_exam

from item_bank.exams.replay import sitting_ids
from item_bank.store.clock import SECOND
from item_bank.store.tables.sittings import Response, Sitting

pytestmark = pytest.mark.chromium
MINUTE = 60
SAID = {
    "en": ("10 minutes left.", "5 minutes left.", "1 minute left."),
    "ru": ("Осталось 10 минут.", "Осталось 5 минут.", "Осталась 1 минута."),
}


@pytest.fixture
def site(db) -> Iterator[Site]:
    switching = "language_switch = true"
    yield from serve(db, open_example_exam(db, few_of_each(example_bank()), more=switching))


def leave(site: Site, seconds: float) -> None:
    """Let the sitting end so many seconds from now."""
    with site.db.write() as session:
        sitting = session.get_one(Sitting, sitting_ids(site.db)[-1])
        sitting.deadline_at = site.db.now(session) + round(seconds * SECOND)


def shown_seconds(page: Page) -> int:
    minutes, seconds = page.locator(".timer-value").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def ask_server(page: Page) -> None:
    """What the page does by itself when it is looked at again."""
    with page.expect_response("**/clock"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", SAID)
def test_ten_five_and_one_minutes_are_said(chromium, site, language):
    with browsing(chromium) as (page, _):
        site.begin(page, language)
        announcements = page.locator("#announcements")
        assert announcements.get_attribute("aria-live") == "polite"
        for minutes, words in zip((10, 5, 1), SAID[language], strict=True):
            leave(site, minutes * MINUTE + 2)
            page.reload()
            expect(announcements).to_have_text("")
            expect(announcements).to_have_text(words)
        assert "soon" in page.locator("#timer").get_attribute("class")


def test_a_page_that_slept_says_only_what_is_true_now(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        leave(site, 4.5 * MINUTE)
        ask_server(page)
        expect(page.locator("#announcements")).to_have_text("5 minutes left.")
        page.reload()
        page.wait_for_timeout(700)
        expect(page.locator("#announcements")).to_have_text("")


def test_hidden_time_is_hidden_and_still_said(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        page.get_by_role("button", name="Hide the time").click()
        leave(site, 5 * MINUTE + 2)
        page.reload()
        expect(page.locator(".timer-value")).to_be_hidden()
        expect(page.locator("#announcements")).to_have_text("5 minutes left.")


def test_the_time_is_the_servers_whatever_the_device_shows(chromium, site):
    with browsing(chromium) as (page, _):
        page.add_init_script("const now = Date.now; Date.now = () => now() + 3 * 3600 * 1000;")
        site.begin(page)
        assert 5390 <= shown_seconds(page) <= 5400
        leave(site, 1000)
        ask_server(page)
        expect(page.locator(".timer-value")).to_have_text(re.compile(r"16:[34]\d"))
        leave(site, 2000)
        ask_server(page)
        expect(page.locator(".timer-value")).to_have_text(re.compile(r"33:[12]\d"))


# --- saving --------------------------------------------------------------------------------------


def answers(site: Site) -> int:
    with site.db.read() as session:
        return session.query(Response).filter_by(sitting_id=sitting_ids(site.db)[-1]).count()


@contextmanager
def held_back(page: Page) -> Iterator[list]:
    """Requests to save wait until the end of the block."""
    waiting: list = []
    page.route("**/answer", lambda route: waiting.append(route))  # noqa: PLW0108 - it is marked
    yield waiting
    for route in waiting:
        route.continue_()
    page.unroute("**/answer")


def test_saving_is_shown_and_then_when_it_was_saved(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        answer_somehow(page)
        with held_back(page):
            page.locator("#confirm").click()
            expect(page.locator("#save-state")).to_have_text("Saving…")
            assert page.locator(".question").evaluate("e => e.inert")
        expect(page.locator("#state-heading")).to_have_text("Question 2")
        expect(page.locator("#state-heading")).to_be_focused()
        expect(page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))
        expect(page.locator("#announcements")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))


@pytest.mark.parametrize("failure", ["no connection", "503"])
def test_an_answer_that_is_not_saved_says_so_and_is_sent_again(chromium, site, failure):
    with browsing(chromium) as (page, _):
        site.begin(page)
        answer_somehow(page)
        refuse = {
            "no connection": lambda route: route.abort(),
            "503": lambda route: route.fulfill(status=503, body="busy"),
        }[failure]
        page.route("**/answer", refuse)
        page.locator("#confirm").click()
        expect(page.locator("#save-state")).to_have_text(
            "Your answer is not saved yet. Keep this page open: we are trying again."
        )
        assert page.locator("#save-state").get_attribute("data-state") == "unsaved"
        assert answers(site) == 0
        page.unroute("**/answer")

        expect(page.locator("#state-heading")).to_have_text("Question 2")
        assert answers(site) == 1


def closing(page: Page) -> list[str]:
    """Try to leave, stay, and return what the browser asked."""
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.assign('/home'))")
    page.wait_for_timeout(500)
    return asked


def test_leaving_warns_while_an_answer_is_not_saved(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        answer_somehow(page)
        page.route("**/answer", lambda route: route.abort())
        page.locator("#confirm").click()
        expect(page.locator("#save-state")).to_contain_text("not saved yet")

        assert closing(page) == ["beforeunload"]
        assert number(page) == 1


def test_leaving_does_not_warn_when_all_is_saved(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        answer_somehow(page)
        confirm(page)

        assert closing(page) == []
        page.wait_for_url("**/home")


def test_a_language_that_could_not_be_fetched_is_asked_for_again(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        answer_somehow(page)
        page.route("**/language", lambda route: route.abort())
        page.get_by_role("button", name="Русский").click()
        expect(page.locator("#save-state")).to_contain_text("we are trying again")
        page.unroute("**/language")

        expect(page.locator("#q-stem")).to_have_attribute("lang", "ru")
