"""Pages of one exam's cohort; htmx gets what changes, without scripts there is the whole page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from engine.results.proportions import wilson
from item_bank.exams.actors import staff_actor
from item_bank.results.cohorts.alarms import alarms as alarms_of
from item_bank.results.cohorts.cohort import FEW, Cohort, size
from item_bank.results.cohorts.exactness import exactness
from item_bank.results.cohorts.frames import Frame, frame
from item_bank.results.cohorts.groups import COLUMNS, Group, groups, withheld
from item_bank.results.cohorts.item_use import MANY, STATISTICS, BankUse, ItemUse, bank_use
from item_bank.results.cohorts.scores import Scores, scores
from item_bank.results.cohorts.times import times
from item_bank.store.long_work import ask_for
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.cohorts import shown, words
from web.cohorts.asked import Asked, asked, paged
from web.cohorts.technical.job import KIND as REPORT
from web.cohorts.technical.job import payload_for, period, title_for
from web.examiner.readings import stopped
from web.examiner.views import staff_person
from web.formats import utc
from web.htmx import wants_fragment
from web.site import database

cohorts = Blueprint("cohorts", __name__, url_prefix="/staff/exams/<code>/cohort")
cohorts.context_processor(staff_person)
SEE_SINGLE = frozenset({"examiner", "administrator"})
"""Roles that may open single sittings, and so see groups of few."""
TABS = {
    "cohorts.results": "Results",
    "cohorts.precision": "Precision",
    "cohorts.by_group": "Groups",
    "cohorts.time": "Time",
    "cohorts.items": "Items",
    "cohorts.alarms": "Alarms",
}
SHOW = {"never": "never given", "above": "given too often", "held": "held"}


@cohorts.get("")
@for_staff(*BEYOND_ITEMS)
def results(code: str) -> ResponseReturnValue:
    """Show scores, levels and months."""
    ask, own = _framed(code)
    found = scores(database(), own)
    return _page(
        "results",
        ask,
        own,
        found=found,
        months=_months(found),
        plots={
            "scores": shown.score_histogram(own, found),
            "months": shown.by_month(_months(found)),
        },
        reading=words.of_scores(own, found),
    )


def _months(found: Scores) -> list[Any]:
    """Months that may be shown to this person."""
    return [month for month in found.months if _sees_single() or month.n >= FEW]


@cohorts.get("/precision")
@for_staff(*BEYOND_ITEMS)
def precision(code: str) -> ResponseReturnValue:
    """Show errors of scores, and how often decisions are right."""
    ask, own = _framed(code)
    found = exactness(database(), own)
    drawing, reading = shown.errors(own, found), words.of_errors(found)
    return _page("precision", ask, own, found=found, drawing=drawing, reading=reading)


@cohorts.get("/groups")
@for_staff(*BEYOND_ITEMS)
def by_group(code: str) -> ResponseReturnValue:
    """Show pass rates by language, country or centre."""
    ask, own = _framed(code)
    by = ask.table.get("by", "")
    by = by if by in COLUMNS else "language"
    found = groups(database(), own, by)
    kept = frozenset[str]() if _sees_single() else withheld(found)
    open_ones = [one for one in found if one.name not in kept]
    names = words.group_names(found, by)
    wanted = [one for one in found if ask.table.get("q", "").lower() in names[one.name].lower()]
    rates = [one.passed for one in found if one.passed is not None]
    whole = wilson(sum(one.count for one in rates), sum(one.n for one in rates))
    return _page(
        "groups",
        ask,
        own,
        by=by,
        columns=COLUMNS,
        names=names,
        withheld=kept,
        any_groups=bool(found),
        found=paged(ask, wanted, _group_keys(kept)),
        rows=shown.intervals(open_ones, names),
        whole=whole,
        reading=words.of_groups(open_ones, by),
    )


def _group_keys(kept: frozenset[str]) -> dict[str, Any]:
    def passed(group: Group) -> float | None:
        return None if group.name in kept or group.passed is None else group.passed.share

    return {
        "name": lambda group: group.name,
        "n": lambda group: None if group.name in kept else group.n,
        "mean": lambda group: None if group.name in kept else group.scores.mean,
        "passed": passed,
    }


@cohorts.get("/time")
@for_staff(*BEYOND_ITEMS)
def time(code: str) -> ResponseReturnValue:
    """Show working time, numbers of questions, and why sittings ended."""
    ask, own = _framed(code)
    found = times(database(), own)
    return _page(
        "time",
        ask,
        own,
        found=found,
        stopped=stopped,
        plots={
            "minutes": shown.histogram(found.minutes, "Minutes of working time"),
            "lengths": shown.histogram(found.lengths, "Scored questions"),
        },
        readings={"minutes": words.of_times(found), "lengths": words.of_lengths(found)},
    )


@cohorts.get("/items")
@for_staff(*BEYOND_ITEMS)
def items(code: str) -> ResponseReturnValue:
    """Show how items were used, and what the bank can tell."""
    ask, own = _framed(code)
    use = bank_use(database(), own)
    wanted = [one for one in use.items if _is_shown(one, ask, use)]
    return _page(
        "items",
        ask,
        own,
        guarded=ask.wanted.narrowed,
        use=use,
        show=SHOW,
        found=paged(ask, wanted, ITEM_KEYS),
        pairs=[(one.code, one.rate) for one in sorted(use.in_use, key=lambda one: -one.rate)],
        drawing=shown.supply(own, use),
        readings={
            "exposure": words.of_exposure(use) if use.in_use else "",
            "supply": words.of_supply(use) if use.supply else "",
        },
    )


@cohorts.post("/items")
@for_staff(*BEYOND_ITEMS)
def compute(code: str) -> ResponseReturnValue:
    """Ask for item statistics, and show the work."""
    _, own = _framed(code)
    title, payload = f"Item statistics of {code}", {"exam": own.version.exam_id}
    job = ask_for(database(), staff_actor(current_staff()), STATISTICS, title, payload)
    return redirect(url_for("work.job", job_id=job), 303)


ITEM_KEYS: dict[str, Any] = {
    "item": lambda one: one.code,
    "area": lambda one: one.area,
    "given": lambda one: one.given,
    "n": lambda one: one.statistics.get("n"),
    "mean": lambda one: one.statistics.get("mean"),
    "difference": lambda one: one.statistics.get("difference"),
    "rmsd": lambda one: one.statistics.get("rmsd"),
    "seconds": lambda one: one.statistics.get("seconds"),
}


def _is_shown(one: ItemUse, ask: Asked, use: BankUse) -> bool:
    kinds = {
        "never": one.given == 0,
        "above": one.rate > (use.ceiling or MANY),
        "held": bool(one.hold),
    }
    text = ask.table.get("q", "").lower()
    named = text in one.code.lower() or text in one.area.lower()
    return named and kinds.get(ask.table.get("show", ""), True)


@cohorts.get("/alarms")
@for_staff(*BEYOND_ITEMS)
def alarms(code: str) -> ResponseReturnValue:
    """Show which items studies of DIF and drift have flagged."""
    ask, own = _framed(code)
    found = alarms_of(
        database(), own.version.bank_id, organisation_id=current_staff().organisation_id
    )
    return _page("alarms", ask, own, found=found, filtered=False, guarded=False)


@cohorts.get("/report")
@for_staff(*BEYOND_ITEMS)
def report(code: str) -> ResponseReturnValue:
    """Ask for which period a technical report is wanted."""
    ask, own = _framed(code)
    this_year = utc(_now()).year
    given = {"first": f"{this_year}-01-01", "last": f"{this_year}-12-31"}
    return _report_page(ask, own, given)


@cohorts.post("/report")
@for_staff(*BEYOND_ITEMS)
def make(code: str) -> ResponseReturnValue:
    """Ask for the report, and show the work."""
    ask, own = _framed(code)
    given = {name: request.form.get(name, "").strip()[:10] for name in ("first", "last")}
    try:
        when = period(given["first"], given["last"])
    except InputError as error:
        problem = f"Expected {error.expected}, found {error.found}."
        return _report_page(ask, own, given, problem), 422
    actor, title = staff_actor(current_staff()), title_for(code, when)
    job = ask_for(database(), actor, REPORT, title, payload_for(code, when))
    return redirect(url_for("work.job", job_id=job), 303)


def _report_page(ask: Asked, own: Frame, given: dict[str, str], problem: str = "") -> str:
    return render_template(
        "cohorts/report.html", ask=ask, own=own, given=given, problem=problem,
        title=own.version.plan.title,
    )  # fmt: skip


def _now() -> int:
    db = database()
    with db.read() as session:
        return db.now(session)


def _framed(code: str) -> tuple[Asked, Frame]:
    ask = asked(code)
    try:
        own = frame(database(), code, ask.wanted, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)
    return ask, own


def _sees_single() -> bool:
    return current_staff().role in SEE_SINGLE


def _is_few(cohort: Cohort) -> bool:
    """Whether a cohort is too small to be shown to this person."""
    if _sees_single():
        return False
    return 0 < size(database(), cohort) < FEW


def _page(
    name: str,
    ask: Asked,
    own: Frame,
    *,
    filtered: bool = True,
    guarded: bool = True,
    **about: Any,
) -> str:
    """Render a page of the cohort, or for htmx the part that changes.

    One that is guarded shows nothing of few sittings to whoever may not open these.
    """
    template = "few" if guarded and _is_few(own.cohort) else name
    return render_template(
        "cohorts/_frame.html" if wants_fragment() else "cohorts/page.html",
        name=template,
        ask=ask,
        own=own,
        tabs=TABS,
        filtered=filtered,
        few=FEW,
        title=own.version.plan.title,
        **about,
    )
