"""Every item type in a real browser: by mouse, by keyboard alone, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from support.browsing import Site, after, browsing, kind, serve, skip_to
from support.type_exams import LANGUAGES, open_type_exam
from support.wcag import scrolls_sideways, violations

from item_bank.exams.replay import replay, sitting_ids
from item_bank.items.types.catalogue import TYPES

pytestmark = pytest.mark.chromium
N_ITEMS = 9
RIGHT = {
    "single_choice": "C",
    "multiple_response": ["A", "C"],
    "text_entry": "balance",
    "numeric_entry": "4,5",
    "inline_choice": {"gap1": "E", "gap2": "W"},
    "order": ["A", "B", "C", "D"],
    "match": {"T": "C3", "S": "C4", "O": "C0"},
    "hotspot": ["A", "D"],
    "rating_scale": "E",
}
LENGTHS = ["3 millimetres", "3 centimetres", "3 metres", "3 kilometres"]


@pytest.fixture
def site(db, tmp_path) -> Iterator[Site]:
    yield from serve(db, open_type_exam(db, tmp_path))


# --- by mouse ----------------------------------------------------------------------------------


def row(page: Page, text: str):
    return page.locator(".choice-row", has_text=re.compile(rf"\b{text}\b")).first


def choose_by_mouse(page: Page) -> None:
    {
        "single_choice": lambda: row(page, "Seven").click(position={"x": 200, "y": 20}),
        "multiple_response": lambda: [row(page, n).click() for n in ("4", "10")],
        "text_entry": lambda: page.get_by_label("The word").fill("balance"),
        "numeric_entry": lambda: page.get_by_label("Your answer").fill("4,5"),
        "inline_choice": lambda: fill_gaps(page),
        "order": lambda: order_by(page, lambda button: button.click()),
        "match": lambda: fill_rows(page),
        "hotspot": lambda: click_areas(page),
        "rating_scale": lambda: row(page, "Very well").click(),
    }[kind(page)]()


def fill_gaps(page: Page) -> None:
    page.get_by_label("Gap 1 of 2").select_option(label="east")
    page.get_by_label("Gap 2 of 2").select_option(label="west")


def fill_rows(page: Page) -> None:
    for name, count in (("Triangle", "Three"), ("Square", "Four"), ("Circle", "None")):
        page.get_by_label(name).select_option(label=count)


def click_areas(page: Page) -> None:
    """In the picture itself."""
    for number in ("0", "3"):
        page.locator(".area-label").nth(int(number)).click()


def texts(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".order-text").all_inner_texts()]


def order_by(page: Page, press) -> None:
    """Move each line up to its place, one step at a time."""
    for place, name in enumerate(LENGTHS):
        while texts(page).index(name) > place:
            press(page.get_by_role("button", name=f"Up: {name}"))
    if texts(page) == LENGTHS and page.locator(".order-line.moved").count() == 0:
        raise AssertionError("an order is never shown as the key has it")


# --- by keyboard alone -------------------------------------------------------------------------


def tab_to(page: Page, what: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", what):
            return
    raise AssertionError(f"Tab does not reach {what}")


def choose_by_keyboard(page: Page) -> None:
    {
        "single_choice": lambda: arrow(page, "[type=radio]", 5, "Seven"),
        "rating_scale": lambda: arrow(page, "[type=radio]", 6, "Very well"),
        "multiple_response": lambda: tick(page, ("4", "10")),
        "hotspot": lambda: tick(page, ("First shape", "Fourth shape")),
        "text_entry": lambda: type_in(page, "balance"),
        "numeric_entry": lambda: type_in(page, "4,5"),
        "inline_choice": lambda: pick(page, ".gap", ("east", "west")),
        "match": lambda: pick_rows(page),
        "order": lambda: order_by(page, press_by_keyboard),
    }[kind(page)]()


def label(page: Page) -> str:
    return page.evaluate(
        "() => (document.activeElement.closest('.choice-row') || document.body).innerText"
    )


def arrow(page: Page, what: str, most: int, wanted: str) -> None:
    tab_to(page, what)
    page.keyboard.press("Space")
    for _ in range(most):
        if wanted in label(page):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(wanted)


def tick(page: Page, wanted: tuple[str, ...]) -> None:
    for _ in range(4):
        tab_to(page, "[type=checkbox]")
        if any(re.search(rf"\b{text}\b", label(page)) for text in wanted):
            page.keyboard.press("Space")


def type_in(page: Page, text: str) -> None:
    tab_to(page, "input[name=text]")
    page.keyboard.type(text)


def pick(page: Page, what: str, wanted: tuple[str, ...]) -> None:
    for text in wanted:
        tab_to(page, what)
        page.keyboard.type(text)


def pick_rows(page: Page) -> None:
    pick(page, ".match-row select", ("Three", "Four", "None"))


def press_by_keyboard(button) -> None:
    button.focus()
    button.press("Enter")


# --- without scripts ---------------------------------------------------------------------------


def choose_without_scripts(page: Page) -> None:
    if kind(page) == "order":
        for place, name in enumerate(LENGTHS, 1):
            page.get_by_label(f"Place of: {name}").select_option(label=str(place))
    elif kind(page) == "hotspot":
        click_areas(page)
    else:
        choose_by_mouse(page)


WAYS = {
    "mouse": choose_by_mouse,
    "keyboard": choose_by_keyboard,
    "no scripts": choose_without_scripts,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_type_is_answered_right(chromium, site, way):
    with browsing(chromium, java_script_enabled=way != "no scripts") as (page, record):
        site.begin(page)
        for place in range(1, N_ITEMS + 1):
            WAYS[way](page)
            after(page, place, lambda: press_confirm(page, way))

    kept = site.kept()
    assert {name: value for name, value, _ in kept} == RIGHT
    top = {name: 4 if name == "rating_scale" else 1 for name in TYPES}
    assert {name: score for name, _, score in kept} == top
    assert record.foreign(site) == []
    assert record.complaints == []
    assert replay(site.db, sitting_ids(site.db)[-1]).problems == ()


def press_confirm(page: Page, way: str) -> None:
    if way != "keyboard":
        page.locator("#confirm").click()
        return
    tab_to(page, "#confirm")
    page.keyboard.press("Enter")


VIEWS = [(320, "dark"), (1440, "light")]  # 320: 1280 px, enlarged four times
OTHER_VIEWS = [(390, "light"), (390, "dark"), (1440, "dark"), (320, "light")]


def look(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    assert violations(page) == [], (kind(page), width, scheme)
    assert not scrolls_sideways(page), (kind(page), width)


def sit_and_look(chromium, site: Site, language: str, views) -> None:
    with browsing(chromium, reduced_motion="reduce") as (page, _):
        site.begin(page, language)
        for place in range(1, N_ITEMS + 1):
            for width, scheme in views:
                look(page, width, scheme)
            page.locator("#confirm").click()
            page.locator("#answer-problem").wait_for()
            look(page, *views[0])
            after(page, place, lambda: page.locator("[name=without]").click())


def test_no_type_breaks_a_rule_of_accessibility(chromium, site):
    sit_and_look(chromium, site, "en", VIEWS)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_type_breaks_a_rule_in_any_language_at_any_width(chromium, site, language):
    sit_and_look(chromium, site, language, VIEWS + OTHER_VIEWS)


def test_a_moved_line_is_told_to_who_cannot_see_it(chromium, site):
    with browsing(chromium) as (page, _):
        site.begin(page)
        skip_to(page, "order")
        first = page.locator(".move[data-move='1']").first
        name = texts(page)[0]
        first.click()
        expect(page.locator("#announcements")).to_have_text(f"{name}: now place 2 of 4.")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Down: {name}"
        page.reload()
        assert texts(page)[1] == name
