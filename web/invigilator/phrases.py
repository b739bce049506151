"""Sentences that invigilators often send; each candidate reads them in the language of the exam.

The English is for the invigilator; the other languages stand in the catalogues, as all that
candidates read.
"""

from __future__ import annotations

from flask_babel import force_locale, lazy_gettext

from web.language import LANGUAGES

PHRASES = {
    "wait": lazy_gettext("Please stay at your place. I am coming to you."),
    "go-on": lazy_gettext("Everything is in order. Please go on."),
    "connection": lazy_gettext("Your page was not heard from for a while. Check your connection."),
    "more-time": lazy_gettext("You have been given more time. Your page shows it."),
    "own-screen": lazy_gettext("Please look at your own screen only."),
    "pause": lazy_gettext("The exam is held up for a while. Your time stands still meanwhile."),
}


def phrase_in(key: str, language: str) -> str:
    """Return a phrase in a language; in English where the pages do not speak that one."""
    with force_locale(language if language in LANGUAGES else "en"):
        return str(PHRASES[key])
