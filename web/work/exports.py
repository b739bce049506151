"""Exports of an exam: what is chosen, how much that would be, then a job that makes the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams.actors import ADMINISTRATOR, staff_actor
from item_bank.exams.outcomes import STATES
from item_bank.results.exports.archive import ask_for_research
from item_bank.results.exports.choices import (
    Choices,
    Selection,
    choices_from,
    selection,
)
from item_bank.results.exports.counts import Counts, count, places
from item_bank.results.exports.making import ask_for_export
from item_bank.results.exports.research import (
    LEAST_K,
    MOST_K,
    USUAL_K,
    Looked,
    ResearchChoices,
    look,
    research_choices_from,
    research_selection,
)
from web.access import current_staff, for_staff
from web.examiner.views import staff_person
from web.site import database

exports = Blueprint("exports", __name__, url_prefix="/staff/exams")
exports.context_processor(staff_person)

MAKERS = (ADMINISTRATOR, "psychometrician")
WHAT = ("results", "responses")
_TEXTS = ("since", "until", "language", "country", "centre", "state", "format", "simulated")
_TICKS = ("names", "mark")
_RESEARCH_TEXTS = ("since", "until", "licence", "basis")
_RESEARCH_TICKS = ("simulated", "parameters", "codes")


@exports.get("/<code>/export")
@for_staff(*MAKERS)
def choose(code: str) -> ResponseReturnValue:
    """Show the choices, and how much they come to."""
    return _page(code, request.args)


@exports.post("/<code>/export")
@for_staff(*MAKERS)
def make(code: str) -> ResponseReturnValue:
    """Ask for an export."""
    _find(Choices(code))
    try:
        choices = _choices(code, request.form)
        job = ask_for_export(database(), staff_actor(current_staff()), _what(request.form), choices)
    except InputError as problem:
        return _page(code, request.form, str(problem)), 422
    return redirect(url_for("work.job", job_id=job), 303)


@exports.get("/<code>/export/research")
@for_staff(*MAKERS)
def choose_research(code: str) -> ResponseReturnValue:
    """Show the choices of a research export, and what would be in it."""
    return _research_page(code, request.args)


@exports.post("/<code>/export/research")
@for_staff(*MAKERS)
def make_research(code: str) -> ResponseReturnValue:
    """Ask for a research export."""
    _find(Choices(code))
    try:
        choices = _research_choices(code, request.form)
        job = ask_for_research(database(), staff_actor(current_staff()), choices)
    except InputError as problem:
        return _research_page(code, request.form, str(problem)), 422
    return redirect(url_for("work.job", job_id=job), 303)


def _page(code: str, said: Mapping[str, str], problem: str | None = None) -> str:
    _find(Choices(code))
    choices, counts = Choices(code), None
    try:
        choices = _choices(code, said)
        counts = _count(choices) if "what" in said else None
    except InputError as error:
        problem = problem or str(error)
    return render_template(
        "work/export.html",
        code=code,
        choices=choices,
        what=_what(said),
        counts=counts,
        places=places(database(), _find(Choices(code, simulated="with"))),
        states=STATES,
        problem=problem,
        may_name=current_staff().role == ADMINISTRATOR,
    )


def _research_page(code: str, said: Mapping[str, str], problem: str | None = None) -> str:
    _find(Choices(code))
    choices, looked = ResearchChoices(code), None
    try:
        choices = _research_choices(code, said)
        looked = _look(choices) if "k" in said else None
    except InputError as error:
        problem = problem or str(error)
    return render_template(
        "work/research.html",
        code=code,
        choices=choices,
        looked=looked,
        coarse=looked.coarsened(choices.k) if looked and looked.sittings else None,
        problem=problem,
        least=LEAST_K,
        most=MOST_K,
    )


def _find(choices: Choices) -> Selection:
    return selection(database(), choices, current_staff().organisation_id)


def _count(choices: Choices) -> Counts:
    return count(database(), _find(choices))


def _look(choices: ResearchChoices) -> Looked:
    chosen = research_selection(database(), choices, current_staff().organisation_id)
    return look(database(), choices, chosen, lambda *_: None)


def _what(said: Mapping[str, str]) -> str:
    what = said.get("what", WHAT[0])
    return what if what in WHAT else WHAT[0]


def _choices(code: str, said: Mapping[str, str]) -> Choices:
    texts = {name: said[name].strip() for name in _TEXTS if name in said}
    return choices_from({"exam": code, **texts} | {name: name in said for name in _TICKS})


def _research_choices(code: str, said: Mapping[str, str]) -> ResearchChoices:
    texts: dict[str, Any] = {n: said[n].strip() for n in _RESEARCH_TEXTS if n in said}
    ticks = {name: name in said for name in _RESEARCH_TICKS}
    k = said.get("k", str(USUAL_K))
    if not (k.isascii() and k.isdecimal() and len(k) < 6):
        raise InputError("a whole number of people", repr(k), column="k")
    consented = "anybody" not in said
    return research_choices_from(
        {"exam": code, "k": int(k), "consented": consented, **texts, **ticks}
    )
