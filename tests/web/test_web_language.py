"""Candidate pages speak English, Russian, Tajik and Chinese, completely."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from support.visitors import Visitor

from item_bank.store.clock import SECOND
from web.formats import day
from web.language import LANGUAGES, TAGS, local_text

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "web/translations"
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
PLURALS = {
    "ru": (
        3,
        "(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)",
    ),
    "tg": (2, "(n != 1)"),
    "zh": (1, "0"),
}
SIGN_IN = {
    "en": "Sign in to your exam",
    "ru": "Вход на экзамен",
    "tg": "Воридшавӣ ба имтиҳон",
    "zh": "登录考试",
}
METHODS = [("web/templates/**.html", "jinja2"), ("web/**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None}


def spoken() -> set[str]:
    """Every message that code and templates say."""
    options = {"web/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    rows = extract_from_dir(str(ROOT), METHODS, options, keywords=KEYWORDS)
    return {str(row[2]) for row in rows}


def readable(language: str) -> Catalog:
    """The catalogue of a language as translators edit it."""
    with (TRANSLATIONS / language / "LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: object) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)\w|%%", str(text)))


def test_every_language_that_pages_offer_has_a_catalogue_and_no_other_has():
    assert sorted(path.parts[-3] for path in TRANSLATIONS.glob("*/LC_MESSAGES/*.po")) == TRANSLATED
    assert sorted(PLURALS) == TRANSLATED


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_and_no_other(language):
    catalogue = readable(language)

    assert {message.id for message in catalogue if message.id} == spoken()
    assert [message.id for message in catalogue if not message.string] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert [list(message.check()) for message in catalogue if list(message.check())] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_source(language):
    for message in readable(language):
        if message.id:
            assert placeholders(message.id) == placeholders(message.string), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_names_its_language_and_its_plural_forms(language):
    catalogue = readable(language)

    assert str(catalogue.locale) == language
    assert (catalogue.num_plurals, catalogue.plural_expr) == PLURALS[language]
    assert not catalogue.fuzzy


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_says_that_no_native_speaker_has_reviewed_it(language):
    assert "native speaker" in readable(language).header_comment


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_readable_one(language):
    with (TRANSLATIONS / language / "LC_MESSAGES/messages.mo").open("rb") as mo:
        compiled = read_mo(mo)

    texts = {m.id: m.string for m in readable(language) if m.id}
    assert texts == {m.id: m.string for m in compiled if m.id}


@pytest.mark.parametrize(
    ("language", "foreign"), [("tg", r"[ьщыц]"), ("zh", r"[,;:?!](?=[㐀-鿿])")]
)
def test_a_catalogue_is_written_with_the_letters_and_marks_of_its_language(language, foreign):
    for message in readable(language):
        if message.id:
            assert not re.search(foreign, str(message.string)), message.string


def says(message: str, language: str) -> str:
    """A message in a language."""
    return message if language == "en" else str(readable(language).get(message).string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_render_in_every_language(visitor, alice, language):
    visitor.get(f"/?lang={language}")
    assert SIGN_IN[language] in visitor.page
    assert f'<html lang="{TAGS.get(language, language)}"' in visitor.page
    assert visitor.get(f"/nothing?lang={language}").status_code == 404
    assert says("There is no such page", language) in visitor.page

    alice.get(f"/home?lang={language}")
    assert says("Your exams", language) in alice.page
    sitting = alice.begin()
    assert says("Confirm answer", language) in alice.page
    alice.finish(sitting)
    assert says("What the score does not mean", language) in alice.page
    assert all(name in alice.page for name in LANGUAGES.values())


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "3 May 2026, 14:05"),
        ("ru", "3 мая 2026, 14:05"),
        ("tg", "03.05.2026, 14:05"),
        ("zh", "2026年5月3日 14:05"),
    ],
)
def test_a_date_is_written_as_the_language_writes_it(app, language, written):
    at = int(datetime(2026, 5, 3, 14, 5, tzinfo=UTC).timestamp() * SECOND)
    with app.test_request_context(f"/?lang={language}"):
        assert day(at) == written


def test_the_language_is_chosen_in_the_address_and_remembered(visitor):
    visitor.get("/?lang=ru")
    assert "Вход на экзамен" in visitor.page
    assert '<html lang="ru"' in visitor.page

    visitor.get("/")
    assert "Вход на экзамен" in visitor.page
    visitor.get("/?lang=xx")
    assert "Вход на экзамен" in visitor.page


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru, en;q=0.5", "ru"),
        ("tg-Cyrl-TJ, en;q=0.5", "tg"),
        ("en;q=0.5, zh-CN", "zh"),
        ("zh-Hans-CN, zh;q=0", "zh"),
        ("fr, ru;q=0.2", "ru"),
        ("fr", "en"),
        ("*", "en"),
    ],
)
def test_without_a_choice_the_browser_is_heard(visitor, header, language):
    visitor.get("/", headers={"Accept-Language": header})
    assert SIGN_IN[language] in visitor.page


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
