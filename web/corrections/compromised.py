"""Items that are held as compromised, and what sittings that met them come to without them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.errors import NotAllowed
from item_bank.results.corrections import compromised, long
from item_bank.results.corrections.compromised import CompromisedItem
from item_bank.results.deciding import invalidate
from item_bank.results.studies import RecordedStudy
from web.access import current_staff, for_staff
from web.corrections.blueprint import actor, corrections, problem_of
from web.results.panels import CATEGORY_WORDS
from web.site import database

PER_PAGE = 50
SHOWN = {"changed": "Another score", "levels": "Another level", "all": "All"}
COLUMNS = (
    "sitting", "exam", "finished_at", "items", "points", "max_points", "score", "score_without",
    "level", "level_without", "passed", "passed_without", "problem",
)  # fmt: skip


@corrections.get("/compromised")
@for_staff("examiner", "administrator")
def compromised_items() -> ResponseReturnValue:
    """List the items that are known outside, by bank."""
    found = compromised.compromised_items(database(), current_staff().organisation_id)
    banks: dict[str, list[CompromisedItem]] = {}
    for item in found:
        banks.setdefault(item.bank, []).append(item)
    return render_template("corrections/compromised.html", banks=banks)


@corrections.post("/compromised/compute/<path:code>")
@for_staff("examiner", "administrator")
def compute(code: str) -> ResponseReturnValue:
    """Ask for the scores without the compromised items of a bank."""
    _items(code)
    job = long.ask_compromised(database(), actor(), code)
    return redirect(url_for("work.job", job_id=job), 303)


@corrections.get("/compromised/bank/<path:code>")
@for_staff("examiner", "administrator")
def affected(code: str) -> ResponseReturnValue:
    """List the sittings that met compromised items, with and without them."""
    return _affected(code)


@corrections.post("/compromised/bank/<path:code>")
@for_staff("examiner")
def invalidate_chosen(code: str) -> ResponseReturnValue:
    """Invalidate the results that were chosen."""
    _study(code)
    chosen = request.form.getlist("sitting")[:PER_PAGE]
    reason = request.form.get("reason", "").strip()[:1000]
    category = request.form.get("category", "")

    def act() -> str:
        if not chosen:
            raise NotAllowed("no result was chosen")
        for sitting in chosen:
            invalidate(database(), actor(), sitting, category, reason)
        return f"{len(chosen)} results are invalidated."

    problem = problem_of(act)
    return _affected(code, problem)


@corrections.get("/compromised/csv/<path:code>")
@for_staff("examiner", "administrator")
def affected_file(code: str) -> ResponseReturnValue:
    """Give the sittings as CSV."""
    response = Response(_lines(_study(code).rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="compromised.csv"'
    return response


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for one in (COLUMNS, *([row[name] for name in COLUMNS] for row in rows)):
        file = io.StringIO()
        csv.writer(file).writerow(one)
        yield file.getvalue()


def _affected(code: str, problem: str | None = None) -> ResponseReturnValue:
    study, show = _study(code), request.args.get("show", "changed")
    show = show if show in SHOWN else "changed"
    rows = sorted(filter(_KEEP[show], study.rows), key=_by_change)
    page, pages = _page(len(rows))
    part = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    found = compromised.with_names(database(), part, current_staff().organisation_id)
    html = render_template(
        "corrections/affected.html",
        code=code,
        study=study,
        rows=found,
        total=len(rows),
        found={"page": page, "pages": pages},
        address=lambda page: url_for("corrections.affected", code=code, show=show, page=page),
        show=show,
        shown=SHOWN,
        categories=CATEGORY_WORDS,
        problem=problem,
    )
    return html, 200 if problem is None else 409


_KEEP = {
    "all": lambda _row: True,
    "changed": lambda row: row["problem"] or row["score"] != row["score_without"],
    "levels": lambda row: row["problem"] is None and row["level"] != row["level_without"],
}


def _by_change(row: dict[str, Any]) -> float:
    """Put what loses most first, and what cannot be computed before it."""
    if row["score"] is None or row["score_without"] is None:
        return float("-inf")
    return float(row["score_without"] - row["score"])


def _page(total: int) -> tuple[int, int]:
    pages, asked = max(-(-total // PER_PAGE), 1), request.args.get("page", "1")
    page = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1
    return min(max(page, 1), pages), pages


def _items(code: str) -> list[CompromisedItem]:
    found = compromised.compromised_items(database(), current_staff().organisation_id)
    own = [item for item in found if item.bank == code]
    if not own:
        abort(404)
    return own


def _study(code: str) -> RecordedStudy:
    organisation = current_staff().organisation_id
    found = compromised.newest(database(), organisation, _items(code)[0].bank_id)
    if found is None:
        abort(404)
    return found
