"""The language of a page, and texts that carry their own translations.

Candidate pages speak every language of `LANGUAGES`; staff pages English. ``?lang=`` goes before the
session, the session before the candidate's own language, that before the browser's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, request, session
from flask_babel import Babel, get_locale

from item_bank.exams.signing_in import CandidateSession
from web.access import signed_in

LANGUAGES = {"en": "English", "ru": "Русский", "tg": "Тоҷикӣ", "zh": "中文"}
NAMES = LANGUAGES | {"uz": "Oʻzbekcha", "kk": "Қазақша"}
TAGS = {"zh": "zh-Hans"}  # the script decides how a font draws a Chinese character
_STAFF = "/staff"


def init_language(app: Flask) -> None:
    """Set up translations and the filters that templates use."""
    Babel(
        app,
        default_translation_directories=str(Path(__file__).parent / "translations"),
        locale_selector=chosen,
    )
    app.before_request(_remember)
    app.add_template_filter(local_text, "local_text")
    app.add_template_filter(lambda code: NAMES.get(code, code), "language_name")
    app.add_template_filter(lambda code: TAGS.get(code, code), "language_tag")
    app.context_processor(lambda: {"page_language": page_language(), "languages": LANGUAGES})


def chosen() -> str:
    """Return the language for this request."""
    if request.path.startswith(_STAFF):
        return "en"
    wanted = (request.args.get("lang"), session.get("language"), _own_language())
    return next((code for code in (*wanted, *_heard()) if code in LANGUAGES), "en")


def page_language() -> str:
    """Return the code of the language that the page speaks."""
    locale = get_locale()
    return str(locale.language) if locale else "en"


def local_text(texts: Any, language: str | None = None) -> str:
    """Pick a text by language; English, then any, where that language is missing."""
    if not isinstance(texts, Mapping):
        return "" if texts is None else str(texts)
    wanted = (language or page_language(), "en", *texts)
    return next((str(texts[code]) for code in wanted if code in texts), "")


def _heard() -> list[str]:
    """The languages of the browser, dearest first, without their countries and scripts."""
    accepted = request.accept_languages
    return [str(code).split("-")[0].lower() for code, quality in accepted if quality > 0]


def _own_language() -> str | None:
    visitor = signed_in()
    person = visitor.person if visitor else None
    return person.language if isinstance(person, CandidateSession) else None


def _remember() -> None:
    if request.args.get("lang") in LANGUAGES:
        session["language"] = request.args["lang"]
