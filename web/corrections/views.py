"""The list of corrections, one correction with its steps, and what it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.results.corrections.changes import (
    BY_CHANGE,
    CHANGED,
    SHOWN,
    SORTS,
    Wanted,
    all_changes,
    changes_csv,
    changes_page,
)
from item_bank.results.corrections.listing import correction_view, list_corrections
from item_bank.results.corrections.terms import STATUSES
from web.access import BEYOND_ITEMS, for_staff
from web.corrections.blueprint import actor, corrections
from web.htmx import wants_fragment
from web.site import database

MAX_TEXT = 100


@corrections.get("")
@for_staff(*BEYOND_ITEMS)
def overview() -> ResponseReturnValue:
    """List the corrections."""
    status = request.args.get("status", "")
    known = status if status in STATUSES else ""
    rows = list_corrections(database(), actor(), status=known)
    return render_template(
        "corrections/corrections.html", rows=rows, status=known, statuses=STATUSES
    )


@corrections.get("/<int(max=2147483647):number>")
@for_staff(*BEYOND_ITEMS)
def show(number: int) -> ResponseReturnValue:
    """Show a correction; htmx gets its steps alone."""
    return render_correction(number)


def render_correction(
    number: int, problem: str | None = None, status: int = 200
) -> ResponseReturnValue:
    """Render a correction, with what kept an act from being done."""
    view = correction_view(database(), actor(), number)
    template = "_correction" if wants_fragment() else "correction"
    page = render_template(f"corrections/{template}.html", view=view, row=view.row, problem=problem)
    return page, status


@corrections.get("/<int(max=2147483647):number>/changes")
@for_staff(*BEYOND_ITEMS)
def changes(number: int) -> ResponseReturnValue:
    """List what a correction changes; htmx gets the table alone."""
    wanted = _wanted()
    view = correction_view(database(), actor(), number)
    return render_template(
        f"corrections/{'_changes' if wants_fragment() else 'changes'}.html",
        view=view,
        found=changes_page(database(), actor(), number, wanted),
        wanted=wanted,
        address=lambda **parts: _address(number, replace(wanted, **parts)),
        exams=[one["exam"] for one in view.effect.get("exams", ())],
    )


@corrections.get("/<int(max=2147483647):number>/changes.csv")
@for_staff(*BEYOND_ITEMS)
def changes_file(number: int) -> ResponseReturnValue:
    """Give what a correction changes as CSV."""
    rows = all_changes(database(), actor(), number, _wanted())
    response = Response(changes_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="correction-{number}.csv"'
    return response


def _wanted() -> Wanted:
    given = {name: request.args.get(name, "").strip()[:MAX_TEXT] for name in _FIELDS}
    page = given["page"]
    return Wanted(
        show=given["show"] if given["show"] in SHOWN else CHANGED,
        exam=given["exam"],
        text=given["q"],
        sort=given["sort"] if given["sort"] in SORTS else BY_CHANGE,
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
    )


_FIELDS = ("show", "exam", "q", "sort", "page")


def _address(number: int, wanted: Wanted) -> str:
    given: dict[str, Any] = {
        "show": wanted.show if wanted.show != CHANGED else None,
        "exam": wanted.exam or None,
        "q": wanted.text or None,
        "sort": wanted.sort if wanted.sort != BY_CHANGE else None,
        "page": wanted.page if wanted.page > 1 else None,
    }
    return url_for("corrections.changes", number=number, **given)
