"""The language of a page, and texts that carry their own translations.

Candidate pages speak English and Russian; staff pages English. ``?lang=`` goes before the session,
the session before the candidate's own language, that before the browser's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, request, session
from flask_babel import Babel, get_locale

from item_bank.exams.signing_in import CandidateSession
from web.access import signed_in

LANGUAGES = {"en": "English", "ru": "Русский"}
NAMES = LANGUAGES | {"tg": "Тоҷикӣ", "zh": "中文", "uz": "Oʻzbekcha", "kk": "Қазақша"}
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
    app.context_processor(lambda: {"page_language": page_language(), "languages": LANGUAGES})


def chosen() -> str:
    """Return the language for this request."""
    if request.path.startswith(_STAFF):
        return "en"
    wanted = (request.args.get("lang"), session.get("language"), _own_language())
    known = (language for language in wanted if language in LANGUAGES)
    return next(known, None) or request.accept_languages.best_match(list(LANGUAGES)) or "en"


def page_language() -> str:
    """Return the code for the ``lang`` attribute."""
    locale = get_locale()
    return str(locale.language) if locale else "en"


def local_text(texts: Any, language: str | None = None) -> str:
    """Pick a text by language; English, then any, where that language is missing."""
    if not isinstance(texts, Mapping):
        return "" if texts is None else str(texts)
    wanted = (language or page_language(), "en", *texts)
    return next((str(texts[code]) for code in wanted if code in texts), "")


def _own_language() -> str | None:
    visitor = signed_in()
    person = visitor.person if visitor else None
    return person.language if isinstance(person, CandidateSession) else None


def _remember() -> None:
    if request.args.get("lang") in LANGUAGES:
        session["language"] = request.args["lang"]
