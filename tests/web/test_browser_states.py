"""Every state of a sitting, in every language, keeps to WCAG and to the width of the screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from support.browsing import serve
from support.sittings import EXAM

from item_bank.exams import conditions
from item_bank.exams.actors import command_line
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.replay import sitting_ids
from item_bank.store.database import Database
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Registration
from web.language import LANGUAGES

pytestmark = pytest.mark.chromium
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
MORE = """
[breaks]
count = 3
minutes = 5
[start]
identity = true
consent = {en = "Answers are kept for two years.", ru = "Ответы хранятся два года."}
[delivery]
second_device = "deny"
"""
GRANTED = {"extra_time": 1.5, "font": "large", "contrast": "high"}
PICTURES = os.environ.get("TAROZU_PICTURES")


@dataclass
class Room:
    """A candidate's page, and the invigilator who acts on it."""

    db: Database
    page: Page
    address: str
    code: str

    def to_start(self) -> None:
        self.page.goto(self.address)
        if not self.page.url.endswith("/home"):
            self.page.locator("input[name=code]").fill(self.code)
            self.page.locator("main button").click()
        self.page.locator(".exam-card a.button").first.click()

    def begin(self) -> None:
        self.to_start()
        for box in self.page.locator("[type=checkbox]").all():
            box.check()
        self.page.locator("main form .button").last.click()
        self.page.locator("#answer").wait_for()

    def acting(self):
        return self.db, command_line(organisation(self.db)), sitting_ids(self.db)[-1]

    def answer(self, button: str = "#confirm") -> None:
        self.page.locator(".choice-row").first.click()
        self.page.locator(button).click()

    def look(self, name: str, *, languages=LANGUAGES) -> None:
        """Hold the page, as it stands, against the rules in each language."""
        address = self.page.url.split("?")[0]
        for language in languages:
            self.page.goto(f"{address}?lang={language}")
            self.check(f"{name}-{language}")
        self.page.goto(f"{address}?lang=en")

    def check(self, name: str) -> None:
        width = self.page.viewport_size["width"]
        if PICTURES:
            self.page.wait_for_timeout(700)
            self.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
        found = Axe().run(self.page, options=RULES | {"resultTypes": ["violations"]})
        said = [
            f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found.response["violations"]
        ]
        assert said == [], name
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.fixture(params=[(390, "light"), (1440, "dark")], ids=str)
def room(request, chromium: Browser, db, small_bank) -> Iterator[Room]:
    width, scheme = request.param
    home = organisation(db)
    exam, _ = apply_exam(db, EXAM + MORE, organisation_id=home)
    [issued] = import_roster(
        db, [RosterRow("A", "Alice Nazarova", attempts=2)], exam.plan.code, organisation_id=home
    )
    with db.write() as session:
        if width == 1440:
            session.scalars(select(Registration)).one().accommodations = GRANTED
    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    with chromium.new_context(locale="en-GB", **options) as context:
        for site in serve(db, str(issued.code)):
            page = context.new_page()
            page.set_default_timeout(15_000)
            yield Room(db, page, site.address, str(issued.code))


def test_states_of_a_sitting(room):
    room.to_start()
    room.look("start", languages=("en", "tg"))
    room.begin()
    room.look("question")
    conditions.send_message(*room.acting(), "Please move to the seat at the window.")
    room.page.reload()
    room.look("message")
    room.page.locator(".message button").click()
    room.answer("#confirm-and-break")
    room.page.locator("#go-on").wait_for()
    room.look("break")
    room.page.locator("#go-on").click()
    room.page.locator("#answer").wait_for()
    conditions.pause(*room.acting())
    room.look("paused")
    conditions.terminate(*room.acting(), "enough seen")
    room.look("ended")
    room.page.goto(f"{room.address}/home")
    room.look("home", languages=("en",))


def test_the_end_and_a_denied_device(room):
    room.begin()
    with room.page.context.browser.new_context(viewport=room.page.viewport_size) as other:
        phone = Room(room.db, other.new_page(), room.address, room.code)
        phone.to_start()
        phone.look("denied")
    while room.page.locator("#answer").count():
        now = room.page.locator("#answer input[name=position]").input_value()
        room.answer()
        room.page.locator(f"#answer[data-draft$=':{int(now) + 1}'], #finished").first.wait_for()
    room.look("finished")
