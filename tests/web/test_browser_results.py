"""A result from the answers to its correction, as a candidate and two examiners see it happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from support.browsing import number, sign_in
from support.corrections import wrong_key
from support.signed_results import signed_exam

from item_bank.exams.accounts import add_staff
from item_bank.exams.designs import apply_exam
from item_bank.exams.replay import replay
from item_bank.exams.verification import verify
from item_bank.results.corrections.verification import check_corrections
from item_bank.results.handlers import LONG
from item_bank.results.replaying import replay_all
from item_bank.results.short_work import HANDLERS
from item_bank.store.jobs import run_pending
from item_bank.store.long_work import run_long
from item_bank.store.schema import organisation
from item_bank.store.tables.items import Item
from item_bank.store.tables.sittings import ResponseContent, Result

pytestmark = pytest.mark.chromium
PASSWORD = "weigh-with-care"
NOTICE = "A key was wrong; your result was computed again."


@contextmanager
def somebody(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1200, "height": 900})
    yield context.new_page()
    context.close()


def enter(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill(f"{name}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Sittings").wait_for()


def sit(page: Page, address: str, code: str) -> str:
    """Answer every question with its first choice; return the sitting's id."""
    sign_in(page, address, code)
    page.get_by_role("link", name="Start").click()
    page.get_by_role("button", name="Start the exam").click()
    done = page.locator("#finished")
    while not done.is_visible():
        now = number(page)
        page.locator(".choice-row").first.click()
        page.locator("#confirm").click()
        page.locator(
            f"#sitting:not(.htmx-settling) #answer[data-draft$=':{now + 1}'], #finished"
        ).wait_for()
    done.locator(".button").click()
    page.get_by_role("heading", name="Your result is being reviewed").wait_for()
    return page.url.split("/")[-2]


def work(db: Any) -> None:
    """What the worker does."""
    run_pending(db, HANDLERS)
    run_long(db, LONG)


def results(db: Any, sitting: str) -> list[dict[str, Any]]:
    with db.read() as session:
        rows = session.scalars(
            select(Result.content).where(Result.sitting_id == sitting).order_by(Result.number)
        )
        return list(rows)


def another_key(db: Any, content: dict[str, Any]) -> tuple[str, str]:
    """The code of the first item, and a choice that turns the score of its answer."""
    first = content["path"][0]
    if first["score"] == 1:
        return first["item"], wrong_key(first["item"])["correct"]
    with db.read() as session:
        chosen = session.get_one(ResponseContent, (content["sitting"], 1)).content["response"]
    return first["item"], chosen


def sign_result(page: Page, address: str, sitting: str) -> None:
    page.goto(f"{address}/staff/sittings/{sitting}")
    expect(page.get_by_role("heading", name="Alice")).to_be_visible()
    page.get_by_role("button", name="Sign result").click()
    expect(page.locator("#decision .notice.good")).to_be_visible()


def propose(page: Page, address: str, db: Any, code: str, right: str) -> None:
    """Propose another key from the item's page, and look at what the dry run lists."""
    with db.read() as session:
        item = session.scalars(select(Item.id).where(Item.code == code)).one()
    page.goto(f"{address}/staff/items/{item}")
    page.get_by_role("link", name="Correct results…").click()
    page.get_by_label("Right choice").select_option(right)
    page.get_by_label("Reason").fill("The key was mistyped.")
    page.get_by_text("What candidates are told").click()
    page.get_by_label("English").fill(NOTICE)
    page.get_by_role("button", name="Propose the correction").click()
    page.get_by_role("button", name="Begin the dry run").click()
    expect(page.get_by_text("Under way", exact=False).last).to_be_visible()
    work(db)
    expect(page.get_by_text("1 of 1 sittings would have another score")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="Every changed score and level").click()
    expect(page.get_by_role("link", name="Alice")).to_be_visible()


def sign_correction(page: Page, address: str) -> None:
    page.goto(f"{address}/staff/corrections/1")
    page.locator("form[action$='/sign'] button").click()
    expect(page.get_by_text("You have signed").first).to_be_visible()


def test_a_result_is_signed_released_corrected_and_superseded(chromium, db, address, codes):
    home = organisation(db)
    apply_exam(db, signed_exam(), organisation_id=home)
    add_staff(db, "second@example.org", "examiner", PASSWORD, organisation_id=home, name="second")
    with somebody(chromium) as alice, somebody(chromium) as first, somebody(chromium) as second:
        sitting = sit(alice, address, codes["Alice"])
        before = results(db, sitting)[0]
        own = f"{address}/sitting/{sitting}/result"
        expect(alice.get_by_text(f"{before['score']:.0f}", exact=True)).to_have_count(0)
        work(db)

        enter(first, address, "examiner")
        enter(second, address, "second")
        for page in (first, second):
            sign_result(page, address, sitting)
        alice.goto(own)
        expect(alice.get_by_text(f"{before['score']:.0f}", exact=True).first).to_be_visible()

        propose(first, address, db, *another_key(db, before))
        for page in (first, second):
            sign_correction(page, address)
        work(db)
        expect(second.get_by_text("1 results amended")).to_be_visible()

        alice.goto(own)
        after = results(db, sitting)[1]
        expect(alice.get_by_text(NOTICE)).to_be_visible()
        expect(alice.get_by_text(f"{after['score']:.0f}", exact=True).first).to_be_visible()

    assert results(db, sitting)[0] == before
    assert after["score"] != before["score"]
    assert after["supersedes"]["number"] == 1
    assert replay(db, sitting).problems == ()
    assert replay_all(db, sitting, organisation_id=home).problems == ()
    assert (*verify(db).problems, *check_corrections(db).problems) == ()
