"""Calibration as staff see it: a bank's runs and releases, one run, differences, one study.

Everything here was recorded by commands; these pages change nothing.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams.errors import NotFound
from item_bank.items.calibration_history import History, history, run
from item_bank.items.differences import DRAFT, diff
from item_bank.items.overview import list_banks
from item_bank.results.studies import studies_of_bank, study
from item_bank.store.documents import document, document_parts
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.calibrations import words
from web.examiner.views import staff_person
from web.site import database

calibrations = Blueprint("calibrations", __name__, url_prefix="/staff/calibration")
calibrations.context_processor(staff_person)
calibrations.context_processor(lambda: {"words": words})


@calibrations.get("/banks/<path:code>")
@for_staff(*BEYOND_ITEMS)
def bank(code: str) -> ResponseReturnValue:
    """Show how a bank came to its parameters."""
    organisation, found = current_staff().organisation_id, _history(code)
    studies = studies_of_bank(database(), found.bank_id, organisation_id=organisation)
    return render_template("calibrations/bank.html", history=found, studies=studies)


def _history(code: str) -> History:
    try:
        return history(database(), code, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)


@calibrations.get("/runs/<run_id>")
@for_staff(*BEYOND_ITEMS)
def one_run(run_id: str) -> ResponseReturnValue:
    """Show one calibration run."""
    try:
        found = run(database(), run_id, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)
    return render_template("calibrations/run.html", run=found, points=words.run_points(found))


@calibrations.get("/runs/<run_id>/report")
@for_staff(*BEYOND_ITEMS)
def report(run_id: str) -> ResponseReturnValue:
    """Give the report that the command wrote, as a file to open beside the site."""
    organisation = current_staff().organisation_id
    try:
        found = run(database(), run_id, organisation_id=organisation)
    except InputError:
        abort(404)
    info = document(database(), found.line.report_id or "", organisation)
    if info is None:
        abort(404)
    response = Response(document_parts(database(), info.id), mimetype=info.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{info.file_name}"'
    return response


@calibrations.get("/diff/<path:code>")
@for_staff(*BEYOND_ITEMS)
def differences(code: str) -> ResponseReturnValue:
    """Compare two releases of a bank, or one with what would be published next."""
    known = _history(code)
    a, b = _sides(known)
    try:
        found = diff(database(), code, a, b, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)
    return render_template(
        "calibrations/diff.html",
        history=known,
        a=a,
        b=b,
        differences=found,
        points=words.moved(found),
    )


def _sides(known: History) -> tuple[str, str]:
    """Return what to compare: by default the newest step of the bank."""
    numbers = [str(one.number) for one in known.releases]
    choices = [*([DRAFT] if known.draft else []), *numbers]
    newer = request.args.get("to", choices[0] if choices else "")
    later = choices[choices.index(newer) + 1 :] if newer in choices else []
    older = request.args.get("from", later[0] if later else newer)
    if newer not in choices or older not in choices:
        abort(404)
    return older, newer


@calibrations.get("/studies/<study_id>")
@for_staff(*BEYOND_ITEMS)
def one_study(study_id: str) -> ResponseReturnValue:
    """Show a recorded study with its picture and table."""
    try:
        found = study(database(), study_id, organisation_id=current_staff().organisation_id)
    except NotFound:
        abort(404)
    banks = list_banks(database(), organisation_id=current_staff().organisation_id)
    return render_template(
        "calibrations/study.html",
        study=found,
        bank=next((one.code for one in banks if one.id == found.bank_id), None),
        points=words.study_points(found),
    )
