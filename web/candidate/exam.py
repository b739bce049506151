"""The exam page: one question at a time, with htmx or with plain forms.

A sitting is in one state at a time, which `states` shows; what happens to it beside answers (the
clock, other windows, pauses, messages) is in `conduct`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from item_bank.exams import answering
from item_bank.exams.answering import Form, Outcome, Taken, Unready
from item_bank.exams.candidate_views import SittingView
from item_bank.exams.languages import switch_language
from item_bank.items.presented import Presented
from web.access import current_candidate, for_candidates
from web.candidate.kept import keep_for_later, kept_answer
from web.candidate.responses import ANYWAY, WITHOUT, Flaw, read_form
from web.candidate.safe_browser import guard
from web.candidate.states import MOVED_ON, NOTHING, NOTICES, show, sitting_view
from web.htmx import wants_fragment
from web.metrics import count_answer
from web.site import database

exam = Blueprint("exam", __name__)
exam.before_request(guard)
exam.after_request(keep_for_later)

MAX_FIELD = 64
STATUSES = {
    Outcome.ALREADY_ANSWERED: 409,
    Outcome.CONFLICT: 422,
    Outcome.TAMPERED: 400,
    Outcome.TAKEN_OVER: 409,
    Outcome.CLOSED: 410,
    Outcome.PAUSED: 409,
}


class Flawed(Unready):
    """What the candidate should look at before the answer counts."""

    def __init__(self, flaw: Flaw, response: Any) -> None:
        super().__init__(response)
        self.flaw = flaw


@exam.get("/sitting/<sitting_id>")
@for_candidates
def page(sitting_id: str) -> ResponseReturnValue:
    """Show the sitting as it stands; a window that holds an older lease is told so."""
    seen = sitting_view(sitting_id)
    window = request.args.get("window", "")
    return show(
        seen,
        window=int(window[:9]) if window.isdecimal() else None,
        saved="saved" in request.args and seen.answered > 0,
        notice=MOVED_ON if "moved" in request.args else None,
        given=kept_answer(sitting_id, seen.position),
    )


@exam.post("/sitting/<sitting_id>/answer")
@for_candidates
def answer(sitting_id: str) -> ResponseReturnValue:
    """Take an answer to the current question, once, and show what comes next."""
    posted = _posted()
    try:
        taken = answering.take(database(), current_candidate(), sitting_id, posted, _read)
    except Flawed as error:
        return show(sitting_view(sitting_id), status=422, flaw=error.flaw, key=posted.key)
    count_answer(taken.outcome)
    return _after(taken, sitting_id, posted)


def _posted() -> Form:
    form = request.form
    position, epoch = (form.get(name, "") for name in ("position", "epoch"))
    if not (position.isdecimal() and epoch.isdecimal() and len(position + epoch) < 12):
        abort(400)
    waited = form.get("waited", "")[:9]
    return Form(
        int(position),
        int(epoch),
        form.get("key", "")[:MAX_FIELD],
        waited_seconds=int(waited) if waited.isdecimal() else 0,
        take_break=form.get("then") == "break",
    )


def _read(shown: Presented) -> Any:
    form = request.form
    if WITHOUT in form:
        return None
    reading = read_form(shown, form)
    if reading.flaw is None or (reading.flaw.may_stand and ANYWAY in form):
        return reading.value
    raise Flawed(reading.flaw, reading.value)


def _after(taken: Taken, sitting_id: str, posted: Form) -> ResponseReturnValue:
    outcome = taken.outcome
    saved = outcome in {Outcome.ACCEPTED, Outcome.FINISHED, Outcome.REPEATED}
    if saved and not wants_fragment():
        return redirect(url_for("exam.page", sitting_id=sitting_id, saved=1), 303)
    return show(
        sitting_view(sitting_id, taken),
        status=STATUSES.get(outcome, 200),
        window=posted.epoch,
        saved=saved,
        notice=NOTICES.get(outcome),
    )


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
    seen = sitting_view(sitting_id)
    return show(seen, window=posted.epoch, given=_given(seen, posted))


def _given(seen: SittingView, posted: Form) -> MultiDict[str, str]:
    """Return what was chosen or typed so far, if it belongs to the question that is open."""
    return request.form if posted.position == seen.position else NOTHING
