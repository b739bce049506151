"""Candidate pages speak English and Russian, completely."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from support.visitors import Visitor

from web.language import local_text

ROOT = Path(__file__).parents[2]
RUSSIAN = ROOT / "web/translations/ru/LC_MESSAGES"
METHODS = [("web/templates/**.html", "jinja2"), ("web/**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None}


def spoken() -> set[str]:
    """Every message that code and templates say."""
    options = {"web/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    rows = extract_from_dir(str(ROOT), METHODS, options, keywords=KEYWORDS)
    return {str(row[2]) for row in rows}


def test_every_message_is_translated_and_no_other():
    with (RUSSIAN / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="ru")

    assert {message.id for message in catalogue if message.id} == spoken()
    assert [message.id for message in catalogue if not message.string] == []
    assert [list(message.check()) for message in catalogue if list(message.check())] == []


def test_the_compiled_catalogue_is_the_readable_one():
    with (RUSSIAN / "messages.po").open("rb") as po, (RUSSIAN / "messages.mo").open("rb") as mo:
        readable, compiled = read_po(po, locale="ru"), read_mo(mo)

    assert {m.id: m.string for m in readable if m.id} == {m.id: m.string for m in compiled if m.id}


def test_the_language_is_chosen_in_the_address_and_remembered(visitor):
    visitor.get("/?lang=ru")
    assert "Вход на экзамен" in visitor.page
    assert '<html lang="ru"' in visitor.page

    visitor.get("/")
    assert "Вход на экзамен" in visitor.page
    visitor.get("/?lang=xx")
    assert "Вход на экзамен" in visitor.page


def test_without_a_choice_the_browser_is_heard(visitor):
    visitor.get("/", headers={"Accept-Language": "ru, en;q=0.5"})
    assert "Вход на экзамен" in visitor.page

    visitor.get("/", headers={"Accept-Language": "fr"})
    assert "Sign in to your exam" in visitor.page


def test_a_candidate_is_greeted_in_their_own_language(app, hall):
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    bob.get("/home")

    assert "Ваши экзамены" in bob.page
    assert "Суммы" in bob.page


def test_a_russian_exam_ends_in_a_russian_result(app, hall):
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    bob.finish(bob.begin("ru"))

    for word in ("Ваш результат", "Насколько это надёжно?", "Малые числа", "Условные параметры."):
        assert word in bob.page


def test_the_language_of_the_page_can_be_changed_in_the_middle_of_an_exam(alice):
    sitting = alice.begin()
    alice.get(f"/sitting/{sitting}?lang=ru")

    assert "Вопрос 1" in alice.page
    assert "Подтвердить ответ" in alice.page
    assert 'href="?lang=en"' in alice.page


def test_staff_pages_are_english(staff):
    examiner = staff("examiner")
    examiner.get("/staff/sittings", headers={"Accept-Language": "ru"})

    assert '<html lang="en"' in examiner.page


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ({"en": "One", "ru": "Один"}, "Один"),
        ({"en": "One"}, "One"),
        ({"zh": "一"}, "一"),
        ({}, ""),
        (None, ""),
        ("plain", "plain"),
    ],
)
def test_a_text_falls_back_to_english_and_then_to_any(texts, shown):
    assert local_text(texts, "ru") == shown
