"""What somebody must know before they read a result. Words in four languages.

Called by `candidate_words`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext

from item_bank.results.report_facts import ReportFacts
from web.documents.sections import Notice, run_on
from web.formats import date, number
from web.language import local_text


def _(message: str, **values: object) -> str:
    return str(gettext(message, **values))


def notices(facts: ReportFacts) -> Iterator[Notice]:
    """Yield what must be known before the score: corrections, time, simulation, limits of use."""
    result = facts.result
    if facts.superseded:
        yield _amended(facts)
    if result["stop_reason"] == "time":
        text = _(
            "The result rests on the answers that you confirmed in time; the last question does "
            "not count against you."
        )
        yield Notice(_("Your time ran out."), (text,))
    if result["stop_reason"] == "terminated":
        text = _("The result rests on the answers that you confirmed before that.")
        yield Notice(_("An invigilator ended your exam."), (text,))
    if result["simulated"]:
        text = _("The answers were drawn by the software, not given by a person.")
        yield Notice(_("Simulated."), (text,))
    note = local_text(result["release"]["note"])
    if note:
        yield Notice(_("Please note"), (note,))


def _amended(facts: ReportFacts) -> Notice:
    """Say what was there before, when it was replaced, and why."""
    before, decimals = facts.superseded[0], facts.result["scale"]["decimals"]
    replaced = _("It replaces the result of %(date)s.", date=date(before.at))
    score = _("no score") if before.score is None else number(before.score, decimals)
    if before.level is not None:
        name = local_text(before.level["name"]) or before.level["code"]
        score = f"{score}, {name}"
    whats_new = run_on(replaced, _("That result was: %(result)s.", result=score))
    heading = _("This result was amended on %(date)s.", date=date(facts.made_at))
    return Notice(heading, (whats_new, *_why(facts)))


def _why(facts: ReportFacts) -> Iterator[str]:
    """Give the reasons as they were written for candidates, or else in general."""
    said = [text for notice in facts.notices if (text := local_text(notice))]
    yield from said or [
        _("A question was corrected after your exam, and your answers were scored again.")
    ]
