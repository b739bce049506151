"""Every page that a candidate sees keeps WCAG 2.2 A and AA, and fits its screen.

What axe-core can check of it; two screens in normal runs, every language on every screen in long
ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, abort
from playwright.sync_api import Page
from support.browsing import (
    Site,
    answer_somehow,
    at_end,
    browsing,
    confirm,
    kind,
    number,
    serve,
)
from support.example_bank import LANGUAGES, example_bank, few_of_each, open_example_exam
from support.wcag import scrolls_sideways, violations

from item_bank.exams.replay import sitting_ids
from item_bank.items.types.catalogue import TYPES
from item_bank.store.clock import SECOND
from item_bank.store.tables.sittings import Sitting
from web.access import public
from web.errors import EXPLANATIONS

pytestmark = pytest.mark.chromium
SWITCHING = "language_switch = true"
VIEWS = [(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]
NORMAL = [("ru", (390, "dark")), ("en", (1440, "light"))]
ALL = [(language, view) for language in LANGUAGES for view in VIEWS]
CASES = [
    *NORMAL,
    *(pytest.param(*case, marks=pytest.mark.long) for case in ALL if case not in NORMAL),
]
Look = Callable[[str], None]


def raise_what_is_asked_for(app: Flask) -> None:
    """Pages of what goes wrong, by their number."""

    @app.get("/raise/<int:status>")
    @public
    def failing(status: int) -> None:
        abort(status)


@pytest.fixture
def site(db) -> Iterator[Site]:
    code = open_example_exam(db, few_of_each(example_bank()), more=SWITCHING)
    yield from serve(db, code, raise_what_is_asked_for)


@pytest.mark.parametrize(("language", "view"), CASES, ids=str)
def test_no_page_of_a_candidate_breaks_a_rule(chromium, site, language, view):
    width, scheme = view
    seen: list[str] = []
    with browsing(
        chromium,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        reduced_motion="reduce",
    ) as (page, _):

        def look(name: str) -> None:
            seen.append(name)
            assert violations(page) == [], name
            assert not scrolls_sideways(page), name

        for part in (before, practise, sit, go_wrong):
            part(site, page, language, look)

    assert {name for name in seen if name.startswith("practice")} >= {
        f"practice {one}" for one in TYPES
    }
    assert {name.split()[1] for name in seen if name.startswith("question")} == set(TYPES)
    assert sum("stimulus" in name for name in seen if name.startswith("question")) == 3
    assert len(seen) == len(set(seen)) >= 2 * len(TYPES) + len(EXPLANATIONS) + 17


def before(site: Site, page: Page, language: str, look: Look) -> None:
    """Signing in and the page before an exam."""
    page.goto(f"{site.address}/?lang={language}")
    look("sign in")
    page.goto(f"{site.address}/?again=1")
    look("sign in again")
    page.locator("input[name=code]").fill("wrong")
    page.locator("main button").click()
    page.locator("#code-problem").wait_for()
    look("wrong code")
    site.sign_in(page, language)
    look("home")
    page.locator(".exam-card a.button:not(.secondary)").click()
    page.locator("#device-check audio").wait_for()
    look("start")


def practise(_site: Site, page: Page, _language: str, look: Look) -> None:
    """One question of each type, and what it says of no answer."""
    page.locator("a[href*='/practice/']").click()
    for step in range(1, len(TYPES) + 1):
        page.wait_for_url(f"**/practice/{step}")
        look(f"practice {practised_type(page)}")
        page.locator("#confirm").click()
        page.locator("#answer-problem").wait_for()
        look(f"practice without an answer {practised_type(page)}")
        page.locator("[name=without]").click()
    page.wait_for_url(f"**/practice/{len(TYPES) + 1}")
    look("practised")


KINDS = {
    ".order-lines": "order",
    ".hotspot": "hotspot",
    ".match": "match",
    ".gap": "inline_choice",
    "input[inputmode=decimal]": "numeric_entry",
    "input[name=text]": "text_entry",
    "input[type=checkbox]": "multiple_response",
    ".scale": "rating_scale",
    "input[type=radio]": "single_choice",
}


def practised_type(page: Page) -> str:
    return next(name for what, name in KINDS.items() if page.locator(f"#answer {what}").count())


def sit(site: Site, page: Page, language: str, look: Look) -> None:
    """Every question, as it comes and answered; the states of saving; the result."""
    site.begin(page, language)
    page.locator(".help summary").click()
    look("help")
    page.locator(".help summary").click()
    while not at_end(page):
        stimulus = page.locator(".stimulus-title")
        name = f"{kind(page)} stimulus {stimulus.inner_text()}" if stimulus.count() else kind(page)
        look(f"question {name}")
        if number(page) == 1:
            states(page, look)
            continue
        answer_somehow(page)
        look(f"answered {name}")
        confirm(page)
    look("result")


def states(page: Page, look: Look) -> None:
    page.locator("#confirm").click()
    page.locator("#answer-problem").wait_for()
    look("without an answer")
    page.goto(page.url + "?moved=1")
    look("moved on")
    page.goto(page.url.partition("?")[0])
    answer_somehow(page)
    page.route("**/answer", lambda route: route.abort())
    page.locator("#confirm").click()
    page.locator("#save-state[data-state=unsaved]").wait_for()
    look("not saved")
    now = number(page)
    page.unroute("**/answer")
    page.locator(f"#sitting:not(.htmx-settling) #answer[data-draft$=':{now + 1}']").wait_for()
    look("saved")


def go_wrong(site: Site, page: Page, language: str, look: Look) -> None:
    """Another window, the end of the time, and every page of what went wrong."""
    site.begin(page, language)
    address = page.url
    page.goto("about:blank")
    page.context.clear_cookies()
    site.sign_in(page, language)
    page.goto(address)
    page.locator("form[action$='/take-over']").wait_for()
    look("taken over")
    page.locator("form[action$='/take-over'] .button").click()
    page.locator("#answer").wait_for()
    with site.db.write() as session:
        sitting = session.get_one(Sitting, sitting_ids(site.db)[-1])
        sitting.deadline_at = site.db.now(session) - SECOND
    page.goto(address)
    page.locator("#state-heading").wait_for()
    look("time is up")
    page.locator(".exam-state .button").click()
    page.wait_for_url("**/result")
    look("waiting for the result")
    for status in EXPLANATIONS:
        page.goto(f"{site.address}/raise/{status}")
        assert page.locator(".error-number").inner_text() == str(status)
        look(f"error {status}")
