"""Enlarged four times, in the system's own colours, without motion, and from right to left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page
from support.browsing import (
    Site,
    answer_somehow,
    at_end,
    browsing,
    confirm,
    go_on_without,
    kind,
    serve,
    skip_to,
)
from support.example_bank import example_bank, few_of_each, open_example_exam
from support.wcag import scrolls_sideways, violations

pytestmark = pytest.mark.chromium
TOUCH = 44
ENLARGED = {"width": 320, "height": 256}  # 1280 x 1024, four times as large
PHONE = {"width": 390, "height": 844}
OTHER = [pytest.param(one, marks=pytest.mark.long) for one in ("en", "zh")]


@pytest.fixture
def site(db) -> Iterator[Site]:
    yield from serve(db, open_example_exam(db, few_of_each(example_bank())))


def on_every_question(
    site: Site,
    page: Page,
    check: Callable[[Page], None],
    language: str = "en",
    leave: Callable[[Page], None] = go_on_without,
) -> None:
    site.begin(page, language)
    while not at_end(page):
        check(page)
        leave(page)


# --- room ----------------------------------------------------------------------------------------

BEYOND = """() => Array.from(document.querySelectorAll('main *')).filter(one => {
    const box = one.getBoundingClientRect();
    const hidden = one.closest('.unseen') || getComputedStyle(one).display === 'contents';
    const fits = box.right <= innerWidth + 0.5 && box.left >= -0.5;
    if (hidden || fits || box.width === 0) return false;
    for (let up = one.parentElement; up; up = up.parentElement)
        if (getComputedStyle(up).overflowX !== 'visible') return false;
    return true;
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("language", ["ru", "tg", *OTHER])
def test_enlarged_four_times_nothing_is_cut_off_and_nothing_stands_in_front(
    chromium, site, language
):
    def check(page: Page) -> None:
        assert not scrolls_sideways(page), kind(page)
        assert page.evaluate(BEYOND) == [], kind(page)
        for bar in (".exam-bar", ".confirm-bar"):
            assert page.locator(bar).evaluate("e => getComputedStyle(e).position") == "static"

    def leave(page: Page) -> None:
        page.locator("#confirm").click()
        page.locator("#answer-problem").wait_for()
        check(page)
        answer_somehow(page)
        confirm(page)

    with browsing(chromium, viewport=ENLARGED) as (page, _):
        on_every_question(site, page, check, language, leave)


def test_a_wide_table_scrolls_in_its_own_box_and_by_keyboard(chromium, site):
    with browsing(chromium, viewport=ENLARGED) as (page, _):
        site.begin(page, "tg")
        while page.locator(".stimulus table").count() == 0:
            go_on_without(page)
        box = page.locator(".stimulus-text")
        assert box.evaluate("e => getComputedStyle(e).overflowX") == "auto"
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("role") == "group"


SMALL = """least => Array.from(document.querySelectorAll(
    '.exam-bar :is(summary, button), .confirm-bar button, .question button, .choice-row, '
    + '.question select, .question .input, .question summary, .question audio'))
    .filter(one => one.offsetParent !== null)
    .map(one => [one.getBoundingClientRect(), one.className || one.tagName])
    .filter(([box]) => box.height < least || box.width < least)
    .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)"""


def test_on_a_phone_everything_that_is_pressed_has_room_for_a_finger(chromium, site):
    def check(page: Page) -> None:
        assert page.evaluate(SMALL, TOUCH) == [], kind(page)

    with browsing(chromium, viewport=PHONE, has_touch=True) as (page, _):
        on_every_question(site, page, check)


COVERED = """() => {
    const box = document.activeElement.getBoundingClientRect();
    const inside = document.activeElement.closest('.question, .stimulus');
    const above = document.querySelector('.exam-bar').getBoundingClientRect().bottom;
    const below = document.querySelector('.confirm-bar').getBoundingClientRect().top;
    if (!inside || box.height > below - above) return null;
    if (box.top >= above - 1 && box.bottom <= below + 1) return null;
    return [document.activeElement.outerHTML.slice(0, 90), box.top, box.bottom, above, below];
}"""


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 620}], ids=["phone", "laptop"])
def test_what_has_the_focus_is_never_behind_a_bar(chromium, site, size):
    def check(page: Page) -> None:
        for key in ["Tab"] * 14 + ["Shift+Tab"] * 14:
            page.keyboard.press(key)
            assert page.evaluate(COVERED) is None, kind(page)

    with browsing(chromium, viewport=size) as (page, _):
        on_every_question(site, page, check)


# --- colours and motion of the reader's own ------------------------------------------------------

LOOK = """e => { const s = getComputedStyle(e); return {
    edge: s.borderInlineStartWidth, colour: s.borderInlineStartColor,
    outline: s.outlineStyle === 'none' ? '' : s.outlineWidth + s.outlineColor}; }"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_the_systems_colours_what_is_chosen_and_what_has_the_focus_differ(
    chromium, site, scheme
):
    with browsing(
        chromium, forced_colors="active", color_scheme=scheme, reduced_motion="reduce"
    ) as (page, _):
        site.begin(page)
        skip_to(page, "multiple_response")
        rows = page.locator(".choice-row")
        rows.nth(0).click()
        rows.nth(2).click()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        chosen, plain, other = (rows.nth(place).evaluate(LOOK) for place in (2, 1, 0))
        assert chosen["edge"] != plain["edge"]
        assert chosen["colour"] != plain["colour"]
        assert other["outline"]
        assert not chosen["outline"]
        assert other["edge"] == chosen["edge"]


def test_with_more_contrast_soft_words_and_thin_lines_are_as_strong_as_the_rest(chromium, site):
    with browsing(chromium, contrast="more", reduced_motion="reduce") as (page, _):
        site.begin(page)
        skip_to(page, "multiple_response")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, contrast="more")
            ink = page.evaluate("getComputedStyle(document.body).color")
            assert page.locator(".answer-hint").evaluate("e => getComputedStyle(e).color") == ink
            edge = page.locator(".choice-row").first.evaluate(LOOK)["colour"]
            assert edge == ink
            assert violations(page) == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_wants_no_motion_gets_none(chromium, site, motion):
    moving = """() => Array.from(document.querySelectorAll('*')).filter(one => {
        const s = getComputedStyle(one);
        return s.animationName !== 'none' || s.transitionDuration.split(', ').some(t => t !== '0s');
    }).length"""
    with browsing(chromium, reduced_motion=motion) as (page, _):
        site.begin(page)
        assert (page.evaluate(moving) == 0) == (motion == "reduce")


# --- from right to left --------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_can_be_read_from_right_to_left(chromium, site, width):
    def check(page: Page) -> None:
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert not scrolls_sideways(page), kind(page)
        assert page.evaluate(BEYOND) == [], kind(page)
        assert_mirrored(page)

    with browsing(chromium, viewport={"width": width, "height": 844}) as (page, _):
        on_every_question(site, page, check)


def assert_mirrored(page: Page) -> None:
    """The name stands on the right, boxes stand right of their words, buttons of lines left."""

    def left(what: str) -> float:
        return page.locator(what).first.bounding_box()["x"]

    assert left(".exam-name") > left(".help summary")
    if kind(page) in {"single_choice", "multiple_response"}:
        assert left(".choice-row input") > left(".choice-row .choice-text")
    if kind(page) == "order":
        assert left(".order-text") > left(".order-moves")
