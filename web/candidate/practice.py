"""Practice before an exam: one question of each of its types, from a pool that no exam uses.

Nothing is scored and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from item_bank.exams.candidate_views import OpenExam
from item_bank.exams.errors import ForeignResponse
from item_bank.items.presented import Presented
from item_bank.store.media import MediumInfo
from web.access import for_candidates, public
from web.candidate.responses import ANYWAY, WITHOUT, Flaw, read_form
from web.candidate.views import own_exam
from web.language import page_language
from web.practice.pool import MEDIA, medium_name, practice_question, practice_types

practice = Blueprint("practice", __name__)


@dataclass(frozen=True)
class Step:
    """One of an exam's practice questions."""

    exam: OpenExam
    number: int
    of: int
    shown: Presented


@practice.get("/practice/media/<name>")
@public
def medium(name: str) -> ResponseReturnValue:
    """Send a picture or a sound of the practice pool."""
    return send_from_directory(MEDIA, name, conditional=True)


@practice.get("/start/<registration_id>/practice/<int:step>")
@for_candidates
def page(registration_id: str, step: int) -> ResponseReturnValue:
    """Show a practice question, or that it was the last."""
    exam = own_exam(registration_id)
    types = types_to_practise(exam)
    if step == len(types) + 1:
        return render_template("candidate/practised.html", exam=exam)
    return _page(_step(exam, types, step))


@practice.post("/start/<registration_id>/practice/<int:step>")
@for_candidates
def answer(registration_id: str, step: int) -> ResponseReturnValue:
    """Look at an answer as the exam would, keep nothing, and go on."""
    exam = own_exam(registration_id)
    now = _step(exam, types_to_practise(exam), step)
    flaw = None if WITHOUT in request.form else _flaw(now.shown)
    if flaw is not None and not (flaw.may_stand and ANYWAY in request.form):
        return _page(now, flaw), 422
    return redirect(url_for("practice.page", registration_id=registration_id, step=step + 1), 303)


def types_to_practise(exam: OpenExam) -> tuple[str, ...]:
    """Return the types that an exam asks, in the order of the pool."""
    return tuple(name for name in practice_types() if name in exam.item_types)


def _step(exam: OpenExam, types: tuple[str, ...], number: int) -> Step:
    if not 0 < number <= len(types):
        abort(404)
    shown = practice_question(types[number - 1], page_language(), _address)
    return Step(exam, number, len(types), shown)


def _address(medium: MediumInfo) -> str:
    return url_for("practice.medium", name=medium_name(medium.sha256))


def _flaw(shown: Presented) -> Flaw | None:
    try:
        return read_form(shown, request.form).flaw
    except ForeignResponse:
        abort(400)


def _page(step: Step, flaw: Flaw | None = None) -> str:
    given = request.form if flaw else MultiDict[str, str]()
    return render_template("candidate/practice.html", practice=step, flaw=flaw, given=given)
