"""The page that asks for the reports of many candidates: says how many there are, then starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.actors import staff_actor
from item_bank.exams.designs import ExamSummary, list_exams
from item_bank.results.report_facts import Wanted, released_levels, released_sittings
from item_bank.store.clock import SECOND
from item_bank.store.long_work import ask_for
from web.access import current_staff, for_staff
from web.documents.batches import KIND, payload_for, title_for
from web.documents.views import documents, public_base
from web.htmx import wants_fragment
from web.site import database

FIELDS = ("since", "until", "level")
MAX_FIELD = 64


@documents.get("/staff/exams/<code>/reports")
@for_staff("examiner", "administrator")
def exam_reports(code: str) -> ResponseReturnValue:
    """Say how many reports there are, before they are made."""
    exam, organisation = _own(code), current_staff().organisation_id
    given = {name: request.args.get(name, "")[:MAX_FIELD] for name in FIELDS}
    wanted = _wanted(code, given)
    page = "documents/_count.html" if wants_fragment() else "documents/exam_reports.html"
    return render_template(
        page,
        exam=exam,
        given=given,
        count=len(released_sittings(database(), organisation, wanted)),
        levels=released_levels(database(), organisation, code),
    )


@documents.post("/staff/exams/<code>/reports")
@for_staff("examiner", "administrator")
def make_exam_reports(code: str) -> ResponseReturnValue:
    """Ask for the reports, and show the work."""
    _own(code)
    wanted = _wanted(code, {name: request.form.get(name, "")[:MAX_FIELD] for name in FIELDS})
    payload = payload_for(wanted, public_base())
    actor = staff_actor(current_staff())
    job = ask_for(database(), actor, KIND, title_for(wanted), payload)
    return redirect(url_for("work.job", job_id=job), 303)


def _own(code: str) -> ExamSummary:
    exams = list_exams(database(), organisation_id=current_staff().organisation_id)
    return next((exam for exam in exams if exam.code == code), None) or abort(404)


def _wanted(code: str, given: Mapping[str, str]) -> Wanted:
    since, until = _day(given["since"]), _day(given["until"])
    end = None if until is None else until + timedelta(days=1)
    return Wanted(code, _moment(since), _moment(end), given["level"])


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(422)


def _moment(day: date | None) -> int | None:
    if day is None:
        return None
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
