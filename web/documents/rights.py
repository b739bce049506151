"""What a candidate may do after a result: try again, appeal, rely on it. Words in four languages.

Called by `candidate_words`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext

from item_bank.results.report_facts import ReportFacts
from item_bank.store.clock import DAY
from web.documents.sections import Section, run_on
from web.formats import date
from web.language import local_text


def _(message: str, **values: object) -> str:
    return str(gettext(message, **values))


def rights(facts: ReportFacts) -> Iterator[Section]:
    """Yield what follows from a result, where anything does."""
    if facts.attempts is not None:
        yield Section("again", _("Another attempt"), (_again(facts),))
    yield Section("appeal", _("If you disagree"), tuple(_appeal(facts)))
    if facts.valid_until is not None:
        said = _("This result is valid until %(date)s.", date=date(facts.valid_until))
        yield Section("validity", _("How long it is valid"), (said,))


def _again(facts: ReportFacts) -> str:
    assert facts.attempts is not None, "asked for only where attempts are known"
    said = _("This was attempt %(number)s of %(all)s.", number=facts.attempt, all=facts.attempts)
    return run_on(said, _what_next(facts, facts.attempts))


def _what_next(facts: ReportFacts, attempts: int) -> str:
    if facts.attempt >= attempts:
        return _("You have no further attempt.")
    wait = round(facts.delivery.retake_days * DAY)
    if not wait:
        return _("You may begin the next one as long as the exam is open.")
    at = date(facts.result["finished_at"] + wait)
    return _("You may begin the next one from %(date)s on.", date=at)


def _appeal(facts: ReportFacts) -> Iterator[str]:
    """Say until when, and how: in the site's words, then in the exam's own."""
    until, own = facts.appeal_until, local_text(facts.rules.appeal)
    if until is not None:
        yield _(
            "You may appeal against this result until %(date)s. Sign in with your access code "
            "and open this result there.",
            date=date(until),
        )
    if own:
        yield own
    if until is None and not own:
        yield _("Write to those who registered you for the exam.")
