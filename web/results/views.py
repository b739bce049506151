"""Results to decide on: lists by state, signing many at once, and what is done to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.designs import list_exams
from item_bank.exams.errors import NotAllowed
from item_bank.results import deciding
from item_bank.results.appeal_lists import n_open, open_appeals
from item_bank.results.appeals import Answer, answer_appeal, open_on_behalf
from item_bank.results.decisions import EXAMINER
from item_bank.results.notes import add_note
from item_bank.results.queue import MINE, TABS, Queue, QueuedResult, counts, queue, queued
from item_bank.store.database import Database
from web.access import current_staff, for_staff
from web.examiner.views import staff_person
from web.htmx import wants_fragment
from web.results.panels import STATE_WORDS, actor, days_ago, decision_words, panel_of, sentence
from web.site import database

APPEALS = "appeals"
TAB_WORDS = {MINE: "Awaiting my signature", **STATE_WORDS, APPEALS: "Appeals"}

results = Blueprint("results", __name__, url_prefix="/staff")
results.context_processor(staff_person)
results.context_processor(
    lambda: {"decision_words": decision_words(), "days_ago": days_ago, "tab_words": TAB_WORDS}
)

SEEING = ("examiner", "administrator")
MAX_FIELD = 5000
MAX_TEXT = 100
EMPTY = {
    MINE: "Nothing waits for your signature. A result appears here when a sitting ends whose exam "
    "asks for signatures.",
    "awaiting": "No result awaits a signature.",
    "held": "No result is held. An examiner holds one on its report, with a reason.",
    "released": "No result has been released yet.",
    "invalidated": "No result was invalidated.",
}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; stands in the address."""

    tab: str = MINE
    q: str = ""
    exam: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything of the tab is left out."""
        return bool(self.q or self.exam)

    def address(self, page: int) -> str:
        """Return the address of another page of the same list."""
        return url_for(
            "results.overview", tab=self.tab, q=self.q or None, exam=self.exam or None, page=page
        )


def _filters() -> Filters:
    page, tab = request.args.get("page", "1"), request.args.get("tab", "")
    first = MINE if current_staff().role == EXAMINER else "awaiting"
    return Filters(
        tab=tab if tab in TABS else first,
        q=request.args.get("q", "").strip()[:MAX_TEXT],
        exam=request.args.get("exam", "")[:MAX_TEXT],
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


@results.get("/results")
@for_staff(*SEEING)
def overview() -> ResponseReturnValue:
    """List results of a state; htmx gets the table alone."""
    filters = _filters()
    found = queue(
        database(), actor(), filters.tab, text=filters.q, exam=filters.exam, page=filters.page
    )
    if wants_fragment():
        return render_template("results/_queue.html", **_listed(found, filters))
    organisation = current_staff().organisation_id
    return render_template(
        "results/queue.html",
        exams=list_exams(database(), organisation_id=organisation),
        **_tabs(filters.tab),
        **_listed(found, filters),
    )


def _listed(found: Queue, filters: Filters) -> dict[str, object]:
    can_sign = current_staff().role == EXAMINER and filters.tab in {MINE, "awaiting"}
    return {"found": found, "filters": filters, "empty": EMPTY[filters.tab], "can_sign": can_sign}


def _tabs(current: str) -> dict[str, object]:
    organisation = current_staff().organisation_id
    n = counts(database(), actor()) | {APPEALS: n_open(database(), organisation_id=organisation)}
    names = [name for name in TAB_WORDS if name != MINE or current_staff().role == EXAMINER]
    return {"tabs": names, "n": n, "current": current}


@results.get("/results/appeals")
@for_staff(*SEEING)
def appeals() -> ResponseReturnValue:
    """List the open appeals, the oldest first."""
    found = open_appeals(database(), organisation_id=current_staff().organisation_id)
    return render_template("results/appeals.html", appeals=found, **_tabs(APPEALS))


# --- many ------------------------------------------------------------------------------------


@results.post("/results/sign")
@for_staff(EXAMINER)
def sign_many() -> ResponseReturnValue:
    """List what would be signed; once that is confirmed, sign it."""
    chosen = _chosen()
    if not chosen:
        flash("No result was chosen. Mark some in the list first.")
        return redirect(url_for("results.overview"), 303)
    rows = queued(database(), actor(), list(chosen))
    if "confirmed" not in request.form:
        return render_template("results/sign.html", rows=rows, able=_able(rows))
    return _signed(database(), {row.sitting_id: chosen[row.sitting_id] for row in rows})


def _chosen() -> dict[str, str]:
    """Return the stamps of the chosen results by their sittings."""
    pairs = [one.partition(":") for one in request.form.getlist("result")[:1000]]
    return {sitting[:32]: stamp[:32] for sitting, colon, stamp in pairs if colon}


def _able(rows: list[QueuedResult]) -> list[QueuedResult]:
    return [row for row in rows if row.refusal is None]


def _signed(db: Database, chosen: dict[str, str]) -> ResponseReturnValue:
    done, released, left = 0, 0, 0
    for sitting_id, stamp in chosen.items():
        try:
            state = deciding.sign(db, actor(), sitting_id, seen=stamp)
        except NotAllowed:
            left += 1
            continue
        done, released = done + 1, released + (state == "released")
    said = f"Signed: {done}. Released by it: {released}."
    flash(f"{said} Left out, because they stand otherwise now: {left}." if left else said)
    return redirect(url_for("results.overview"), 303)


# --- one -------------------------------------------------------------------------------------


def _field(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_FIELD]


def _done(sitting_id: str, act: Callable[[], object], said: str) -> ResponseReturnValue:
    """Act, and show the panel again: as a fragment, or on the report."""
    panel_of(sitting_id)  # somebody else's sitting is not there, whatever the form says
    problem = None
    try:
        act()
    except NotAllowed as error:
        problem = sentence(error)
    if wants_fragment():
        values = {"panel": panel_of(sitting_id), "problem": problem, "said": said}
        return render_template("results/_decision.html", **values)
    flash(problem or said)
    return redirect(url_for("examiner.report", sitting_id=sitting_id, _anchor="decision"), 303)


@results.post("/sittings/<sitting_id>/decision")
@for_staff(EXAMINER)
def decide(sitting_id: str) -> ResponseReturnValue:
    """Sign, release, hold, invalidate or reinstate one result."""
    db, seen, reason = database(), _field("seen"), _field("reason")
    acts: dict[str, tuple[Callable[[], object], str]] = {
        "signed": (lambda: deciding.sign(db, actor(), sitting_id, seen=seen), "Signed."),
        "released": (
            lambda: deciding.release(db, actor(), sitting_id, reason, seen=seen),
            "Released: the candidate sees the report.",
        ),
        "held": (
            lambda: deciding.hold(db, actor(), sitting_id, reason, seen=seen),
            "Held: the candidate sees nothing of it.",
        ),
        "invalidated": (
            lambda: deciding.invalidate(
                db, actor(), sitting_id, _field("category"), reason, seen=seen
            ),
            "Invalidated: the candidate is told so.",
        ),
        "reinstated": (
            lambda: deciding.reinstate(db, actor(), sitting_id, reason, seen=seen),
            "Reinstated.",
        ),
    }
    act, said = acts.get(_field("act"), (_no_act, ""))
    return _done(sitting_id, act, said)


def _no_act() -> None:
    raise NotAllowed("choose what to do")


@results.post("/sittings/<sitting_id>/notes")
@for_staff(*SEEING)
def note(sitting_id: str) -> ResponseReturnValue:
    """Write a note about one result."""
    text = _field("note")
    return _done(
        sitting_id, lambda: add_note(database(), actor(), sitting_id, text), "The note is kept."
    )


@results.post("/sittings/<sitting_id>/appeal")
@for_staff(*SEEING)
def open_appeal(sitting_id: str) -> ResponseReturnValue:
    """Open an appeal that came by another way."""
    text = _field("appeal")
    return _done(
        sitting_id,
        lambda: open_on_behalf(database(), actor(), sitting_id, text),
        "The appeal is open.",
    )


@results.post("/sittings/<sitting_id>/appeals/<appeal_id>")
@for_staff(EXAMINER)
def answer(sitting_id: str, appeal_id: str) -> ResponseReturnValue:
    """Answer an appeal; the candidate reads the text."""
    number = _field("correction")
    said = Answer(
        upheld=_field("outcome") == "upheld",
        text=_field("answer"),
        correction=int(number[:9]) if number.isascii() and number.isdecimal() else None,
        then=_field("then"),
        category=_field("category") or "other",
    )
    return _done(
        sitting_id,
        lambda: answer_appeal(database(), actor(), appeal_id, said),
        "The appeal is answered: the candidate reads the text.",
    )
