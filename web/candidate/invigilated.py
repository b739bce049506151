"""What an invigilator does to a sitting, as its candidate meets it: breaks, pauses, messages."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.conditions import end_break, message_seen
from web.access import current_candidate, for_candidates
from web.candidate.safe_browser import guard
from web.candidate.states import show, sitting_view, state_of
from web.htmx import wants_fragment
from web.site import database

invigilated = Blueprint("invigilated", __name__)
invigilated.before_request(guard)


@invigilated.post("/sitting/<sitting_id>/go-on")
@for_candidates
def go_on(sitting_id: str) -> ResponseReturnValue:
    """End the candidate's break."""
    end_break(database(), current_candidate(), sitting_id)
    epoch = request.form.get("epoch", "")
    if wants_fragment():
        return show(sitting_view(sitting_id), window=int(epoch[:9]) if epoch.isdecimal() else None)
    return redirect(url_for("exam.page", sitting_id=sitting_id), 303)


@invigilated.get("/sitting/<sitting_id>/messages")
@for_candidates
def messages(sitting_id: str) -> ResponseReturnValue:
    """Show what the invigilator wrote and the candidate has not yet put away."""
    return _messages(sitting_id)


@invigilated.post("/sitting/<sitting_id>/messages/<message_id>/seen")
@for_candidates
def seen(sitting_id: str, message_id: str) -> ResponseReturnValue:
    """Put a message away."""
    message_seen(database(), current_candidate(), sitting_id, message_id)
    if wants_fragment():
        return _messages(sitting_id)
    now = sitting_view(sitting_id)
    same = request.form.get("position") == str(now.position)
    return show(now, given=request.form) if same else show(now)


def _messages(sitting_id: str) -> str:
    now = sitting_view(sitting_id)
    return render_template("candidate/_messages.html", seen=now, state=state_of(now))
