"""Lets a document speak a language: within a request, and in the worker, which has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from flask import Flask, has_app_context
from flask_babel import Babel, force_locale

from item_bank.results.report_facts import ReportFacts
from web.language import LANGUAGES

TRANSLATIONS = Path(__file__).parent.parent / "translations"


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Translate into a language until the end of the block."""
    if has_app_context():
        with force_locale(language):
            yield
        return
    with _mouth().app_context(), force_locale(language):
        yield


@cache
def _mouth() -> Flask:
    """An application that can do nothing but translate."""
    app = Flask("web")
    Babel(app, default_translation_directories=str(TRANSLATIONS))
    return app


def language_for(facts: ReportFacts) -> str:
    """Return the language to write to a candidate in: the roster's, else that of the questions."""
    wanted = (facts.language, facts.result["language"])
    return next((code for code in wanted if code in LANGUAGES), "en")
