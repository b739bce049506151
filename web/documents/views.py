"""Reports of results as files: for the candidate, and for staff."""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from engine.errors import InputError
from item_bank.results.report_facts import ReportFacts, report_facts
from item_bank.results.sitting_pages import sitting_page
from web.access import current_candidate, current_staff, for_candidates, for_staff
from web.documents.candidate_pdf import candidate_pdf, file_name
from web.documents.examiner_pdf import examiner_pdf
from web.documents.speaking import language_for
from web.errors import Explanation, error_page
from web.examiner.views import staff_person
from web.language import page_language
from web.logs import log
from web.site import database, site

documents = Blueprint("documents", __name__)

AT_ONCE, PATIENCE = BoundedSemaphore(2), 10.0
"""So many documents are set at a time in a process, so that answers are not kept waiting."""
NOT_NOW = Explanation(
    lazy_gettext("This document cannot be made now"),
    lazy_gettext(
        "The server lacks a font for it, and its operator has been told. The page itself shows the "
        "same, and can be printed."
    ),
)


documents.context_processor(staff_person)


def public_base() -> str:
    """Return how the public reaches this site: as its operator says, else as this request did."""
    return (site().settings.public_address or request.url_root).rstrip("/")


def address_of(code: str) -> str:
    """Return where a result can be checked, as the public reaches this site."""
    return f"{public_base()}/verify/{code}"


@documents.get("/results/<sitting_id>/report.pdf")
@for_candidates
def own_report(sitting_id: str) -> ResponseReturnValue:
    """Hand candidates their report, in the language of their pages, once it is released."""
    facts = report_facts(database(), sitting_id, candidate=current_candidate())
    return _candidate_report(facts, page_language)


@documents.get("/staff/sittings/<sitting_id>/candidate-report.pdf")
@for_staff("examiner", "administrator")
def report_for_candidate(sitting_id: str) -> ResponseReturnValue:
    """Hand staff the report as the candidate has it, in the candidate's language."""
    organisation = current_staff().organisation_id
    facts = report_facts(database(), sitting_id, organisation_id=organisation)
    return _candidate_report(facts, lambda: language_for(facts) if facts else "en")


@documents.get("/staff/sittings/<sitting_id>/report.pdf")
@for_staff("examiner", "administrator")
def examiner_report(sitting_id: str) -> ResponseReturnValue:
    """Hand staff the examiner's report of the result that stands."""
    organisation = current_staff().organisation_id
    page = sitting_page(database(), organisation_id=organisation, sitting_id=sitting_id)
    if page.result is None or page.outcome is None:
        abort(404)
    address = address_of(page.outcome.verification)
    name = f"examiner-{page.result['exam']['code']}-{page.outcome.verification}.pdf"
    return sent(lambda: examiner_pdf(page, address), name)


def _candidate_report(
    facts: ReportFacts | None, language: Callable[[], str]
) -> ResponseReturnValue:
    if facts is None or not facts.released:
        abort(404)
    address = address_of(facts.verification)
    return sent(lambda: candidate_pdf(facts, address, language()), file_name(facts))


def sent(made: Callable[[], bytes], name: str) -> ResponseReturnValue:
    """Send a document that is made now, or say that it cannot be."""
    if not AT_ONCE.acquire(timeout=PATIENCE):
        return error_page(429)
    try:
        content = made()
    except InputError as error:
        log.error("document not made", expected=error.expected, column=error.column)
        return error_page(503, NOT_NOW)
    finally:
        AT_ONCE.release()
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
