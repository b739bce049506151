"""The path of a sitting by keyboard, by pointer, on a phone, and without scripts."""

from __future__ import annotations

import pytest
from support.visitors import Visitor
from support.wcag import violations

from item_bank.results.short_work import HANDLERS
from item_bank.store.jobs import run_pending
from web.app import create_app
from web.settings import Settings

pytestmark = pytest.mark.chromium


@pytest.fixture
def report(db, codes, address) -> str:
    """The address of the report of a sitting of Alice."""
    alice = Visitor(create_app(db, Settings()))
    alice.sign_in(codes["Alice"])
    sitting = alice.begin()
    alice.finish(sitting)
    run_pending(db, HANDLERS)
    return f"{address}/staff/sittings/{sitting}"


def look(context, report: str):
    page = context.new_page()
    page.goto(report)
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Path of the sitting").wait_for()
    return page


def test_each_point_of_the_path_is_explained_on_focus_and_hover(chromium, report):
    with chromium.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = look(context, report)
        words = page.locator("[data-path-words]")
        points = page.locator("a.point")
        n = points.count()
        assert n >= 4
        assert "Question 1" in words.inner_text()
        assert page.locator("a.point[tabindex='0']").count() == 1

        points.first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        said = words.inner_text()
        assert "Question 3" in said
        for term in ("Answer", "Estimate", "Why this one"):
            assert term in said
        assert page.evaluate("document.activeElement.dataset.step") == "3"
        page.keyboard.press("End")
        assert f"Question {n}" in words.inner_text()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.step") == str(n)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Question before"
        page.keyboard.press("Enter")
        assert f"Question {n - 1}" in words.inner_text()

        points.nth(1).hover()
        assert "Question 2" in words.inner_text()
        assert violations(page) == []

        page.get_by_role("link", name="Everything").click()
        page.get_by_text("question 1 shown").wait_for()
        assert page.url.endswith("?log=all")
        assert page.evaluate("document.activeElement.id") == "log-all"


def test_without_scripts_a_point_leads_to_its_words_and_a_phone_has_buttons(chromium, report):
    with chromium.new_context(
        java_script_enabled=False, viewport={"width": 1440, "height": 900}
    ) as context:
        page = look(context, report)
        page.locator("a.point").nth(1).focus()
        page.keyboard.press("Enter")
        page.locator("#step-2").get_by_text("Why this one").wait_for(state="visible")
        assert page.url.endswith("#step-2")
    with chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True) as context:
        page = look(context, report)
        page.get_by_role("button", name="Next question").tap()
        assert "Question 2" in page.locator("[data-path-words]").inner_text()
        assert page.locator(".only-narrow [data-picked]").get_attribute("data-step") == "2"
