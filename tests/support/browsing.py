"""A site for a real browser, what a candidate does there, and everything that it asks for."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from item_bank.exams.replay import sitting_ids
from item_bank.store.database import Database
from item_bank.store.tables.items import ItemRevision
from item_bank.store.tables.sittings import PresentedItem, Response, ResponseContent
from web.app import create_app
from web.settings import Settings

PATIENCE = 40_000  # milliseconds, on a machine that does other things
expect.set_options(timeout=PATIENCE / 2)


def sign_in(page: Page, address: str, code: str) -> None:
    """Sign in on an English page."""
    page.goto(address)
    page.get_by_label("Access code").fill(code)
    page.get_by_role("button", name="Sign in").click()


def begin(page: Page, address: str, code: str) -> None:
    """Sign in on an English page and go to the first question."""
    sign_in(page, address, code)
    page.get_by_role("link", name="Start").click()
    page.get_by_role("button", name="Start the exam").click()
    expect(page.get_by_role("heading", name="Question 1")).to_be_visible()
    page.wait_for_load_state()  # before its scripts run, the page sends plain forms


@dataclass(frozen=True)
class Site:
    """A site with one exam, and the code of its candidate."""

    db: Database
    code: str
    address: str

    def sign_in(self, page: Page, language: str = "en") -> None:
        page.goto(f"{self.address}/?lang={language}")
        if page.url.endswith("/home"):
            return
        page.locator("input[name=code]").fill(self.code)
        page.locator("main button").click()
        page.wait_for_url("**/home")

    def to_start(self, page: Page, language: str = "en") -> None:
        """Go to the page before the exam."""
        self.sign_in(page, language)
        page.locator(".exam-card a.button:not(.secondary)").click()

    def begin(self, page: Page, language: str = "en", until: Any = "load") -> None:
        """Go to the first question."""
        self.to_start(page, language)
        page.locator(f"input[name=language][value={language}]").check()
        page.locator("main form .button").last.click()
        page.wait_for_url("**/sitting/*", wait_until=until)

    def kept(self) -> list[tuple[str, Any, int]]:
        """Type, response and score of every answer of the last sitting."""
        query = (
            select(ItemRevision.type, ResponseContent.content, Response.score)
            .join(PresentedItem, PresentedItem.revision_id == ItemRevision.id)
            .join(ResponseContent, _same_place(ResponseContent))
            .join(Response, _same_place(Response))
            .where(PresentedItem.sitting_id == sitting_ids(self.db)[-1])
            .order_by(PresentedItem.position)
        )
        with self.db.read() as session:
            return [(kind, said["response"], score) for kind, said, score in session.execute(query)]


def _same_place(table: Any) -> Any:
    same_sitting = table.sitting_id == PresentedItem.sitting_id
    return same_sitting & (table.position == PresentedItem.position)


def serve(
    db: Database, code: str, prepare: Callable[[Flask], object] = lambda _app: None
) -> Iterator[Site]:
    """Serve a database by a thread of this process; `prepare` may add to the application."""
    app = create_app(db, Settings())
    prepare(app)
    served = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield Site(db, code, f"http://127.0.0.1:{served.port}")
    served.shutdown()
    thread.join()
    served.server_close()


@dataclass
class Record:
    """What a page asked for and what it complained about."""

    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def foreign(self, site: Site) -> list[str]:
        """What was asked of anybody but the site."""
        return [one for one in self.asked if not one.startswith((f"{site.address}/", "data:"))]


@contextmanager
def browsing(chromium: Browser, **options: Any) -> Iterator[tuple[Page, Record]]:
    """Open a page of its own, all of whose requests and complaints are written down."""
    record = Record()
    with chromium.new_context(**{"locale": "en-GB"} | options) as context:
        context.on("request", lambda request: record.asked.append(request.url))
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: record.complaints.append(message.text))
        page.on("pageerror", lambda error: record.complaints.append(str(error)))
        yield page, record


def kind(page: Page) -> str:
    """The type of the open question."""
    return str(page.locator(".question").get_attribute("data-type"))


def number(page: Page) -> int:
    """The place of the open question in the exam."""
    return int(page.locator("#answer input[name=position]").input_value())


def confirm(page: Page) -> None:
    """Send the answer and wait for what comes after it: a question, or the result."""
    after(page, number(page), lambda: page.locator("#confirm").click())


def go_on_without(page: Page) -> None:
    """Give no answer, and mean it."""
    now = number(page)
    page.locator("#confirm").click()
    after(page, now, lambda: page.locator("[name=without]").click())


def after(page: Page, now: int, act: Callable[[], object]) -> None:
    """Do something to a question and wait until the one after it has come to rest, or the result.

    htmx settles a little after it has put the question in; only then the focus is where it stays.
    """
    act()
    done = page.locator("#finished")
    page.locator(
        f"#sitting:not(.htmx-settling) #answer[data-draft$=':{now + 1}'], article, #finished"
    ).wait_for()
    if done.is_visible():
        done.locator(".button").click()
        page.locator("article").wait_for()


def at_end(page: Page) -> bool:
    return page.url.endswith("/result")


def skip_to(page: Page, wanted: str) -> None:
    """Go on without answers until a question of a type comes."""
    while kind(page) != wanted:
        go_on_without(page)


def answer_somehow(page: Page) -> None:
    """Give a complete answer by mouse and keyboard; whether it is right does not matter."""
    {
        "text_entry": lambda: page.locator("input[name=text]").fill("QNH"),
        "numeric_entry": lambda: page.locator("input[name=text]").fill("4,5"),
        "inline_choice": lambda: _choose_in(page, ".select.gap"),
        "match": lambda: _choose_in(page, ".match-row select"),
        "order": page.locator(".move[data-move='1']").first.click,
        "hotspot": lambda: _click(page, ".area-label"),
    }.get(kind(page), lambda: _click(page, ".choice-row"))()


def _choose_in(page: Page, lists: str) -> None:
    for one in page.locator(lists).all():
        one.select_option(index=1)


def _click(page: Page, what: str) -> None:
    """As many as the question asks for."""
    said = page.locator(".answer-hint")
    wanted = re.search(r"\d", said.inner_text()) if said.count() else None
    for place in range(int(wanted[0]) if wanted else 1):
        page.locator(what).nth(place).click()
