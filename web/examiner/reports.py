"""The report of one sitting: the result that stands or an earlier one, its log, and replay."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from item_bank.exams.errors import NotFound
from item_bank.results.replaying import replay_all
from item_bank.results.sitting_pages import SittingPage, sitting_page
from web.access import current_staff, for_staff
from web.examiner import timeline
from web.examiner.conditions import conditions
from web.examiner.facts import information_words
from web.examiner.flag_words import NOT_PROOF, expected_rates, flags_said
from web.examiner.readings import WITHHELD, readings, remarks
from web.examiner.steps import binding, told_steps
from web.examiner.views import examiner
from web.htmx import wants_fragment
from web.language import local_text
from web.results.panels import decision_words, panel_of
from web.site import database


@examiner.get("/sittings/<sitting_id>")
@for_staff("examiner", "administrator")
def report(sitting_id: str) -> ResponseReturnValue:
    """Show everything about one sitting, with the result that stands."""
    return _page(_read(sitting_id))


@examiner.get("/sittings/<sitting_id>/results/<int:number>")
@for_staff("examiner", "administrator")
def result(sitting_id: str, number: int) -> ResponseReturnValue:
    """Show one of a sitting's results, which may have been superseded."""
    try:
        return _page(_read(sitting_id, number), number)
    except NotFound:
        abort(404)


def _read(sitting_id: str, number: int | None = None) -> SittingPage:
    organisation = current_staff().organisation_id
    return sitting_page(
        database(), organisation_id=organisation, sitting_id=sitting_id, number=number
    )


def _page(page: SittingPage, number: int | None = None) -> ResponseReturnValue:
    part = timeline.known(request.args.get("log", ""))
    log: dict[str, Any] = {
        "filters": timeline.filters(page.events, part),
        "lines": timeline.lines(page.events, page.hashes, part),
        "sitting_id": page.base.row.sitting_id,
        "number": number,
    }
    if wants_fragment():
        return render_template("examiner/_log.html", log=log)
    return render_template("examiner/report.html", page=page, log=log, **_values(page))


def _values(page: SittingPage) -> dict[str, Any]:
    """What the report's fragments read."""
    result = page.result
    areas = _area_names(result)
    values: dict[str, Any] = {
        "report": page.base,
        "panel": panel_of(page.base.row.sitting_id) if result else None,
        "row": page.base.row,
        "result": result,
        "remarks": remarks(page.base, result, page.shown),
        "flags": flags_said(page.flags),
        "not_proof": NOT_PROOF,
        "conditions": conditions(page),
        "areas": areas,
        "withheld": WITHHELD,
        "decision_words": decision_words(),
    }
    if result is None:
        return values
    return values | {
        "readings": readings(result),
        "told": told_steps(result, page.steps, areas),
        "binding": binding(result, page.steps),
        "information": information_words(result, page.information, page.plan.design.stop),
        "rates": expected_rates(page.precision),
    }


def _area_names(result: dict[str, Any] | None) -> dict[str, str]:
    domains = result["domains"] if result else []
    return {domain["area"]: local_text(domain["name"]) for domain in domains}


@examiner.post("/sittings/<sitting_id>/replay")
@for_staff("examiner", "administrator")
def replay(sitting_id: str) -> ResponseReturnValue:
    """Compute the sitting again from its log and say whether everything agrees."""
    organisation = current_staff().organisation_id
    found = replay_all(database(), sitting_id, organisation_id=organisation)
    if wants_fragment():
        return render_template("examiner/_replay.html", replay=found)
    return render_template("examiner/replay.html", replay=found)
