"""Exams as staff see them: what their sittings came to, and how often each item was shown."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams import exam_reviews
from item_bank.exams.actors import staff_actor
from item_bank.exams.errors import NotFound
from item_bank.exams.exam_reviews import ExposureRow
from item_bank.results.flags.exam_flags import last_look
from item_bank.results.flags.long import ask_for_flags
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.examiner.flag_words import MEANINGS, NOT_PROOF
from web.examiner.views import staff_person
from web.site import database

exams = Blueprint("exams", __name__, url_prefix="/staff/exams")
exams.context_processor(staff_person)

MANY = 0.5


@dataclass(frozen=True)
class ExposureSummary:
    """Exposure in a few numbers."""

    items: int
    never: int
    many: int
    highest: ExposureRow | None


@exams.get("")
@for_staff(*BEYOND_ITEMS)
def overview() -> ResponseReturnValue:
    """List the exams."""
    found = exam_reviews.exam_overview(database(), organisation_id=current_staff().organisation_id)
    return render_template("examiner/exams.html", overviews=found)


@exams.get("/<code>")
@for_staff(*BEYOND_ITEMS)
def exam(code: str) -> ResponseReturnValue:
    """Show one exam and the exposure of its items."""
    organisation = current_staff().organisation_id
    found = exam_reviews.exam_overview(database(), organisation_id=organisation)
    own = next((one for one in found if one.exam.code == code), None)
    if own is None:
        abort(404)
    rows = exam_reviews.exposure(database(), organisation_id=organisation, exam_code=code)
    return render_template(
        "examiner/exam.html",
        own=own,
        rows=rows,
        pairs=[(row.item, row.rate) for row in rows],
        summary=_summary(rows),
        look=last_look(database(), organisation, code),
        meanings=MEANINGS,
        not_proof=NOT_PROOF,
    )


@exams.post("/<code>/flags")
@for_staff(*BEYOND_ITEMS)
def look_through(code: str) -> ResponseReturnValue:
    """Ask for a look through the exam's sittings, and show the work."""
    try:
        job = ask_for_flags(database(), staff_actor(current_staff()), code)
    except NotFound:
        abort(404)
    return redirect(url_for("work.job", job_id=job), 303)


def _summary(rows: list[ExposureRow]) -> ExposureSummary:
    return ExposureSummary(
        items=len(rows),
        never=sum(row.shown == 0 for row in rows),
        many=sum(row.rate > MANY for row in rows),
        highest=rows[0] if rows and rows[0].shown else None,
    )
