"""The exam page: one question at a time, with htmx or with plain forms.

A sitting has one state at a time (a question, taken over, time is up), and each state is one
fragment: the whole page includes it, htmx gets it alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from item_bank.exams import answering
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import SittingView, view
from item_bank.exams.errors import ForeignResponse
from item_bank.exams.languages import switch_language
from item_bank.exams.results import result_of
from item_bank.exams.sittings import take_over as take_over_sitting
from item_bank.items.presented import Presented
from item_bank.store.media import MediumInfo
from web.access import current_candidate, for_candidates
from web.candidate.lease import hold, holds
from web.candidate.responses import ANYWAY, WITHOUT, Flaw, read_form, response_from_form
from web.htmx import send_to, wants_fragment
from web.metrics import count_answer
from web.site import database

exam = Blueprint("exam", __name__)

QUESTION = "candidate/_question.html"
TAKEN_OVER = "candidate/_taken_over.html"
TIME_UP = "candidate/_time_up.html"
MAX_FIELD = 64
NOTHING: MultiDict[str, str] = MultiDict()


@dataclass(frozen=True)
class Notice:
    """Something that the candidate should know beside the question."""

    title: LazyString
    text: LazyString


NOTICES = {
    Outcome.ALREADY_ANSWERED: Notice(
        lazy_gettext("That question is already answered."),
        lazy_gettext(
            "Your earlier answer stands, and nothing was changed. This is your current question."
        ),
    ),
    Outcome.CONFLICT: Notice(
        lazy_gettext("Your first answer to that question stands."),
        lazy_gettext("A confirmed answer cannot be changed. This is your current question."),
    ),
    Outcome.TAMPERED: Notice(
        lazy_gettext("That answer did not come from this page."),
        lazy_gettext("It was not counted. This is your current question: please answer it here."),
    ),
}
MOVED_ON = Notice(
    lazy_gettext("This exam has gone on in another window."),
    lazy_gettext("This page shows where it stands now."),
)
STATUSES = {Outcome.ALREADY_ANSWERED: 409, Outcome.CONFLICT: 422, Outcome.TAMPERED: 400}


@dataclass(frozen=True)
class Posted:
    """What the question form sends."""

    position: int
    epoch: int
    key: str


def _view(sitting_id: str) -> SittingView:
    def address(medium: MediumInfo) -> str:
        return url_for("media.medium", sitting_id=sitting_id, sha256=medium.sha256)

    return view(database(), current_candidate(), sitting_id, address)


@exam.get("/sitting/<sitting_id>")
@for_candidates
def page(sitting_id: str) -> ResponseReturnValue:
    """Show the sitting as it stands."""
    seen = _view(sitting_id)
    notice = MOVED_ON if "moved" in request.args else None
    return _show(seen, saved="saved" in request.args and seen.answered > 0, notice=notice)


@exam.post("/sitting/<sitting_id>/answer")
@for_candidates
def answer(sitting_id: str) -> ResponseReturnValue:
    """Take an answer to the current question, once, and show what comes next."""
    posted = _posted()
    seen = _view(sitting_id)
    flaw = _flaw(seen, posted)
    if flaw is not None:
        return _show(seen, status=422, flaw=flaw, key=posted.key)
    outcome = answering.answer(
        database(),
        current_candidate(),
        sitting_id,
        position=posted.position,
        epoch=posted.epoch,
        key=posted.key,
        read=_read,
    )
    count_answer(outcome)
    return _after(outcome, sitting_id)


def _posted() -> Posted:
    form = request.form
    position, epoch = (form.get(name, "") for name in ("position", "epoch"))
    if not (position.isdecimal() and epoch.isdecimal() and len(position + epoch) < 12):
        abort(400)
    return Posted(
        int(position),
        int(epoch),
        form.get("key", "")[:MAX_FIELD],
    )


def _flaw(seen: SittingView, posted: Posted) -> Flaw | None:
    """Return what the candidate should look at before the answer counts."""
    form = request.form
    if seen.question is None or posted.position != seen.position or WITHOUT in form:
        return None
    try:
        flaw = read_form(seen.question.shown, form).flaw
    except ForeignResponse:
        return None  # answering refuses and logs it
    return None if flaw and flaw.may_stand and ANYWAY in form else flaw


def _read(shown: Presented) -> Any:
    return None if WITHOUT in request.form else response_from_form(shown, request.form)


def _after(outcome: Outcome, sitting_id: str) -> ResponseReturnValue:
    saved = outcome in {Outcome.ACCEPTED, Outcome.REPEATED}
    if saved and not wants_fragment():
        return redirect(url_for("exam.page", sitting_id=sitting_id, saved=1), 303)
    seen = _view(sitting_id)
    if outcome is Outcome.TAKEN_OVER:
        return _render(seen, TAKEN_OVER, 409)
    if outcome is Outcome.CLOSED:
        return _ended(seen, 410)
    return _show(seen, status=STATUSES.get(outcome, 200), saved=saved, notice=NOTICES.get(outcome))


def _show(
    seen: SittingView,
    *,
    status: int = 200,
    saved: bool = False,
    flaw: Flaw | None = None,
    key: str | None = None,
    notice: Notice | None = None,
    given: MultiDict[str, str] = NOTHING,
) -> ResponseReturnValue:
    """Show the state that a sitting is in."""
    if seen.question is None:
        return _ended(seen, status)
    if not holds(session, seen.sitting_id, seen.epoch):
        return _render(seen, TAKEN_OVER, status)
    return _render(
        seen,
        QUESTION,
        status,
        key=key or secrets.token_hex(16),
        flaw=flaw,
        given=request.form if flaw else given,
        notice=notice,
        saved_at=seen.now if saved else None,
    )


def _ended(seen: SittingView, status: int) -> ResponseReturnValue:
    """Lead to the result; but first say so when it was the time that ended the sitting."""
    if seen.status == "running" or seen.stop_reason == "time":
        return _render(seen, TIME_UP, status)
    address = url_for("exam.result", sitting_id=seen.sitting_id)
    if wants_fragment():
        return send_to(address, 204)
    return redirect(address, 303)


def _render(seen: SittingView, state: str, status: int, **details: object) -> ResponseReturnValue:
    swap = wants_fragment()
    template = state if swap else "candidate/exam.html"
    html = render_template(template, seen=seen, state=state, swap=swap, words=_words(), **details)
    return html, status


def _words() -> dict[str, str]:
    """Return what the script says, in the page's language."""
    return {
        "saving": gettext("Saving…"),
        "unsaved": gettext(
            "Your answer is not saved yet. Keep this page open: we are trying again."
        ),
        "leaving": gettext("Your answer is not saved yet."),
        "hide": gettext("Hide the time"),
        "show": gettext("Show the time"),
        "left10": gettext("10 minutes left."),
        "left5": gettext("5 minutes left."),
        "left1": gettext("1 minute left."),
    }


@exam.get("/sitting/<sitting_id>/clock")
@for_candidates
def clock(sitting_id: str) -> ResponseReturnValue:
    """Tell the page's script how much time is left and where the sitting stands; never writes."""
    seen = _view(sitting_id)
    left = None if seen.deadline_at is None else (seen.deadline_at - seen.now) // 1000
    return {
        "left": left,
        "open": seen.question is not None,
        "position": seen.position,
        "epoch": seen.epoch,
    }


@exam.post("/sitting/<sitting_id>/language")
@for_candidates
def switch(sitting_id: str) -> ResponseReturnValue:
    """Show the question in another language, with what was chosen or typed so far."""
    posted = _posted()
    switch_language(
        database(),
        current_candidate(),
        sitting_id,
        epoch=posted.epoch,
        language=request.form.get("language", ""),
    )
    seen = _view(sitting_id)
    given = request.form if posted.position == seen.position else NOTHING
    return _show(seen, given=given)


@exam.post("/sitting/<sitting_id>/take-over")
@for_candidates
def take_over(sitting_id: str) -> ResponseReturnValue:
    """Give the sitting to this browser."""
    epoch = take_over_sitting(database(), current_candidate(), sitting_id)
    hold(session, sitting_id, epoch)
    return redirect(url_for("exam.page", sitting_id=sitting_id), 303)


@exam.get("/sitting/<sitting_id>/result")
@for_candidates
def result(sitting_id: str) -> ResponseReturnValue:
    """Show the candidate's result."""
    person = current_candidate()
    found = result_of(database(), sitting_id, candidate=person)
    if found is None:
        return _without_result(sitting_id)
    return render_template(
        "candidate/result.html", result=found, candidate=person, passing=_chance_of_passing(found)
    )


def _without_result(sitting_id: str) -> ResponseReturnValue:
    seen = _view(sitting_id)
    if seen.question is not None:
        return redirect(url_for("exam.page", sitting_id=sitting_id), 303)
    return Response(
        render_template("candidate/waiting.html", seen=seen, candidate=current_candidate())
    )


def _chance_of_passing(result: dict[str, Any]) -> float | None:
    chances = [level["probability"] for level in result["levels"] if level["passed"]]
    return sum(chances) if chances and None not in chances else None
