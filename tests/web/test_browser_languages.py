"""Whole exams of every item type in every language, and the language changed on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from support.browsing import (
    Record,
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

from item_bank.exams.languages import changes_of_language
from item_bank.exams.replay import replay, sitting_ids
from item_bank.exams.snapshots import read_snapshot
from item_bank.items.types.catalogue import TYPES
from web.language import LANGUAGES as NAMES

pytestmark = pytest.mark.chromium
TAGS = {"en": "en", "ru": "ru", "tg": "tg", "zh": "zh-Hans"}
STARTS = {"en": "Question", "ru": "Вопрос", "tg": "Савол", "zh": "第"}
SWITCHING = "language_switch = true"


@pytest.fixture
def few(db) -> Iterator[Site]:
    """An exam with each type and each stimulus once."""
    yield from serve(db, open_example_exam(db, few_of_each(example_bank()), more=SWITCHING))


@pytest.fixture
def whole(db) -> Iterator[Site]:
    """An exam with all of the bank."""
    yield from serve(db, open_example_exam(db, example_bank()))


def sit(site: Site, page: Page, language: str) -> list[str]:
    """Take the exam from signing in to the result, and return the types that were met."""
    met = []
    site.begin(page, language)
    while not at_end(page):
        met.append(kind(page))
        look(page, language)
        answer_somehow(page)
        confirm(page)
    return met


def look(page: Page, language: str) -> None:
    """The page and its question are in the language, and every picture is there."""
    tag = TAGS[language]
    assert page.evaluate("document.documentElement.lang") == tag
    assert set(page.locator(".question [lang]").evaluate_all(OWN_LANGUAGES)) == {tag}
    assert page.locator("#state-heading").inner_text().startswith(STARTS[language])
    for image in page.locator(".question img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("e => e.complete && e.naturalWidth > 0", arg=image.element_handle())
        assert image.get_attribute("alt")


OWN_LANGUAGES = "all => all.filter(e => !e.closest('.question-languages')).map(e => e.lang)"


def check_record(site: Site, record: Record) -> None:
    assert record.foreign(site) == []
    assert record.complaints == []


def languages_of(site: Site) -> list[str]:
    with site.db.read() as session:
        snapshot = read_snapshot(site.db, session, sitting_ids(site.db)[-1])
    return [row.language for row in snapshot.presented]


def check_whole_exam(chromium, site: Site, language: str) -> None:
    with browsing(chromium) as (page, record):
        met = sit(site, page, language)
        assert page.locator("h1").is_visible()
        assert page.evaluate("document.documentElement.lang") == TAGS[language]

    assert set(met) == set(TYPES)
    assert [name for name, _, _ in site.kept()] == met
    assert all(response is not None for _, response, _ in site.kept())
    assert languages_of(site) == [language] * len(met)
    check_record(site, record)
    assert replay(site.db, sitting_ids(site.db)[-1]).problems == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exam_of_every_type_and_stimulus_is_taken_in_each_language(chromium, few, language):
    check_whole_exam(chromium, few, language)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_of_the_example_bank_is_answered_in_each_language(chromium, whole, language):
    check_whole_exam(chromium, whole, language)


# --- the language changed on the way -------------------------------------------------------------

STATE = """() => Array.from(
    document.querySelectorAll('.question :is(input, select)'),
    one => [one.name, one.value, one.checked === true])"""
TOKENS = """() => Array.from(
    document.querySelectorAll('.question :is(input, option, select)'),
    one => one.tagName === 'SELECT' ? one.name : one.value)
    .filter(token => /^(at\\.)?\\w{8,}$/.test(token))"""


def test_a_question_keeps_its_answer_and_its_order_in_every_language(chromium, few):
    with browsing(chromium) as (page, record):
        few.begin(page)
        current, began, changes = "en", [], []
        while not at_end(page):
            began.append(current)
            answer_somehow(page)
            state, tokens = page.evaluate(STATE), page.evaluate(TOKENS)
            said = page.locator("#q-stem").inner_text()
            page.reload()
            assert page.evaluate(STATE) == state
            current = other(current, number(page))
            change_to(page, current)
            assert page.locator("#q-stem").inner_text() != said
            check_same(page, state, tokens)
            page.reload()
            check_same(page, state, tokens)
            assert page.locator("#q-stem").get_attribute("lang") == TAGS[current]
            changes.append((number(page), current))
            confirm(page)

    assert languages_of(few) == began
    with few.db.read() as session:
        assert changes_of_language(session, sitting_ids(few.db)[-1]) == changes
    assert {name for name, _, _ in few.kept()} == set(TYPES)
    check_record(few, record)
    assert replay(few.db, sitting_ids(few.db)[-1]).problems == ()


def other(now: str, place: int) -> str:
    rest = [language for language in LANGUAGES if language != now]
    return rest[place % len(rest)]


def change_to(page: Page, language: str) -> None:
    page.locator(".question-languages").get_by_role("button", name=NAMES[language]).click()
    page.locator(f"#sitting:not(.htmx-settling) #q-stem[lang='{TAGS[language]}']").wait_for()


def check_same(page: Page, state: list, tokens: list[str]) -> None:
    assert page.evaluate(STATE) == state, kind(page)
    assert page.evaluate(TOKENS) == tokens, kind(page)


def test_the_language_changes_without_scripts_too(chromium, few):
    with browsing(chromium, java_script_enabled=False) as (page, _):
        few.begin(page, "tg")
        while kind(page) != "single_choice":
            page.locator("#confirm").click()
            page.locator("[name=without]").click()
        page.locator(".choice-row input").nth(1).check()
        chosen = page.locator(".choice-row input").nth(1).get_attribute("value")
        page.get_by_role("button", name=NAMES["zh"]).click()

        expect(page.locator("#q-stem")).to_have_attribute("lang", "zh-Hans")
        expect(page.locator(f"input[value='{chosen}']")).to_be_checked()


def test_the_focus_stays_with_the_question_when_its_language_changes(chromium, few):
    with browsing(chromium) as (page, _):
        few.begin(page)
        change_to(page, "ru")

        expect(page.locator("#state-heading")).to_be_focused()
