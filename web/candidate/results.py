"""A candidate's own results: the report once released, what stands in its place, and appeals.

A view of an earlier result shows what it was; a button says that a correction was read, because
looking never writes.
"""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from item_bank.exams.errors import NotAllowed
from item_bank.results import appeals
from item_bank.results.own_results import OwnResult, has_read, own_result
from item_bank.results.report_facts import report_facts
from web.access import current_candidate, for_candidates
from web.candidate.states import sitting_view
from web.documents.candidate_words import candidate_report
from web.documents.checking import qr_code
from web.documents.views import address_of
from web.site import database

own_results = Blueprint("own_results", __name__)

MAX_FIELD = 5000


@own_results.get("/sitting/<sitting_id>/result")
@for_candidates
def result(sitting_id: str) -> ResponseReturnValue:
    """Show the candidate's result, or what there is to know while it is not to be seen."""
    own = own_result(database(), current_candidate(), sitting_id)
    if own is None:
        return _running(sitting_id)
    return _page(own)


def _page(own: OwnResult, problem: str = "", status: int = 200) -> ResponseReturnValue:
    if not own.is_released:
        page = render_template(
            "candidate/no_result.html",
            own=own,
            problem=problem,
            candidate=current_candidate(),
            most=appeals.MAX_TEXT,
        )
        return make_response(page, status)
    return make_response(_report(own, own.number, problem), status)


def _report(own: OwnResult, number: int, problem: str = "") -> str:
    facts = report_facts(database(), own.sitting_id, candidate=current_candidate(), number=number)
    if facts is None or not facts.released:
        abort(404)
    address = address_of(facts.verification)
    return render_template(
        "candidate/result.html",
        own=own,
        number=number,
        report=candidate_report(facts, address),
        result=facts.result,
        sitting_id=own.sitting_id,
        qr_code=qr_code(address),
        problem=problem,
        candidate=current_candidate(),
        most=appeals.MAX_TEXT,
    )


def _running(sitting_id: str) -> ResponseReturnValue:
    seen = sitting_view(sitting_id)
    if seen.question is not None:
        return redirect(url_for("exam.page", sitting_id=sitting_id), 303)
    return render_template("candidate/waiting.html", seen=seen, candidate=current_candidate())


@own_results.get("/sitting/<sitting_id>/result/<int:number>")
@for_candidates
def earlier(sitting_id: str, number: int) -> ResponseReturnValue:
    """Show a result that was replaced since, as it was."""
    own = own_result(database(), current_candidate(), sitting_id)
    if own is None or not own.is_released or number not in own.earlier:
        abort(404)
    return _report(own, number)


@own_results.post("/sitting/<sitting_id>/result/read")
@for_candidates
def read(sitting_id: str) -> ResponseReturnValue:
    """Note that the candidate has read of a correction."""
    own_result(database(), current_candidate(), sitting_id)
    number = request.form.get("number", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 7):
        abort(400)
    has_read(database(), current_candidate(), sitting_id, int(number))
    return _back(sitting_id)


def _back(sitting_id: str) -> ResponseReturnValue:
    return redirect(url_for("own_results.result", sitting_id=sitting_id), 303)


@own_results.post("/sitting/<sitting_id>/result/appeal")
@for_candidates
def appeal(sitting_id: str) -> ResponseReturnValue:
    """Open an appeal, or say why none was opened."""
    text = request.form.get("appeal", "").replace("\r\n", "\n").strip()[:MAX_FIELD]
    try:
        appeals.open_appeal(database(), current_candidate(), sitting_id, text)
    except NotAllowed:
        return _refused(sitting_id)
    return _back(sitting_id)


def _refused(sitting_id: str) -> ResponseReturnValue:
    own = own_result(database(), current_candidate(), sitting_id)
    if own is None:
        abort(404)
    problem = (
        gettext("Write what you object to, in at most %(n)s characters.", n=appeals.MAX_TEXT)
        if own.may_appeal
        else gettext("An appeal cannot be opened now. Nothing was changed.")
    )
    return _page(own, str(problem), 422)


@own_results.post("/sitting/<sitting_id>/result/appeal/withdraw")
@for_candidates
def withdraw(sitting_id: str) -> ResponseReturnValue:
    """Take the open appeal back."""
    appeals.withdraw(database(), current_candidate(), sitting_id)
    return _back(sitting_id)
