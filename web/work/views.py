"""The list of long work, one piece of it, stopping it, trying it again, and its documents.

Who asked for work sees it, and so do administrators; nobody else.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.store import asked_work
from item_bank.store.asked_work import AskedWork
from item_bank.store.documents import (
    DocumentInfo,
    delete_document,
    document_parts,
    documents_of,
)
from item_bank.store.documents import document as find_document
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.examiner.views import staff_person
from web.htmx import wants_fragment
from web.logs import log
from web.site import database
from web.work.words import STATES, size, time_left

work = Blueprint("work", __name__, url_prefix="/staff/work")
work.context_processor(staff_person)
work.context_processor(lambda: {"state_words": STATES, "time_left": time_left, "file_size": size})

MINE, ALL = "mine", "all"


@work.get("")
@for_staff(*BEYOND_ITEMS)
def overview() -> ResponseReturnValue:
    """List one's own work, or all of the organisation's; htmx gets the list alone."""
    staff, page = current_staff(), request.args.get("page", "1")
    whose = ALL if request.args.get("whose") == ALL and _sees_all() else MINE
    found = asked_work.asked_work(
        database(),
        staff.organisation_id,
        made_for=None if whose == ALL else staff.id,
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
    )

    def address(page: int) -> str:
        return url_for("work.overview", whose=whose if whose == ALL else None, page=page)

    return render_template(
        f"work/{'_list.html' if wants_fragment() else 'work.html'}",
        found=found,
        whose=whose,
        sees_all=_sees_all(),
        address=address,
    )


@work.get("/<job_id>")
@for_staff(*BEYOND_ITEMS)
def job(job_id: str) -> ResponseReturnValue:
    """Show one piece of work with its documents; htmx gets what changes."""
    own = _own(job_id)
    return render_template(
        f"work/{'_job.html' if wants_fragment() else 'job.html'}",
        job=own,
        documents=documents_of(database(), job_id, current_staff().organisation_id)
        if own.documents
        else [],
    )


@work.post("/<job_id>/stop")
@for_staff(*BEYOND_ITEMS)
def stop(job_id: str) -> ResponseReturnValue:
    """Ask work to stop."""
    asked_work.cancel(database(), _own(job_id).id, current_staff().organisation_id)
    return redirect(url_for("work.job", job_id=job_id), 303)


@work.post("/<job_id>/again")
@for_staff(*BEYOND_ITEMS)
def again(job_id: str) -> ResponseReturnValue:
    """Begin work anew that failed or was stopped."""
    asked_work.try_again(database(), _own(job_id).id, current_staff().organisation_id)
    return redirect(url_for("work.job", job_id=job_id), 303)


@work.get("/documents/<document_id>")
@for_staff(*BEYOND_ITEMS)
def document(document_id: str) -> ResponseReturnValue:
    """Send a document, part by part."""
    found = _own_document(document_id)
    log.info("document downloaded", document=found.id, account=current_staff().id)
    response = Response(document_parts(database(), found.id), mimetype=found.media_type)
    response.content_length = found.size
    response.headers.set("Content-Disposition", "attachment", **_names(found.file_name))
    return response


def _names(file_name: str) -> dict[str, str]:
    """Write a file's name so that old browsers and new ones understand it."""
    if file_name.isascii():
        return {"filename": file_name}
    plain = file_name.encode("ascii", "replace").decode().replace("?", "_")
    return {"filename": plain, "filename*": f"UTF-8''{quote(file_name, safe='')}"}


@work.post("/documents/<document_id>/delete")
@for_staff(*BEYOND_ITEMS)
def delete(document_id: str) -> ResponseReturnValue:
    """Delete a document before its time."""
    found = _own_document(document_id)
    delete_document(database(), found.id)
    log.info("document deleted", document=found.id, account=current_staff().id)
    back = url_for("work.job", job_id=found.job_id) if found.job_id else url_for("work.overview")
    return redirect(back, 303)


def _sees_all() -> bool:
    return current_staff().role == "administrator"


def _own(job_id: str) -> AskedWork:
    found = asked_work.one_work(database(), job_id, current_staff().organisation_id)
    if found is None or not _may_see(found.made_for):
        abort(404)
    return found


def _own_document(document_id: str) -> DocumentInfo:
    found = find_document(database(), document_id, current_staff().organisation_id)
    if found is None or not _may_see(found.made_for):
        abort(404)
    return found


def _may_see(made_for: str | None) -> bool:
    return _sees_all() or (made_for is not None and made_for == current_staff().id)
