"""The clock of a sitting, and the windows and devices that it moves between."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.leases import claim as claim_sitting
from item_bank.exams.sittings import take_over as take_over_sitting
from item_bank.exams.standings import standing
from web.access import current_candidate, for_candidates
from web.beats import note_presence
from web.candidate.lease import device, hold, holds
from web.candidate.safe_browser import guard
from web.site import database

conduct = Blueprint("conduct", __name__)
conduct.before_request(guard)


@conduct.get("/sitting/<sitting_id>/clock")
@for_candidates
def clock(sitting_id: str) -> ResponseReturnValue:
    """Tell the page's script how much time is left and where the sitting stands; never writes."""
    now = standing(database(), current_candidate(), sitting_id)
    agent = request.headers.get("User-Agent", "")
    note_presence(sitting_id, now.organisation_id, request.remote_addr or "", agent)
    return {
        "left": now.milliseconds_left,
        "state": now.state,
        "position": now.position,
        "epoch": now.epoch,
        "message": now.message_id,
    }


@conduct.post("/sitting/<sitting_id>/claim")
@for_candidates
def claim(sitting_id: str) -> ResponseReturnValue:
    """Give the sitting to a new window of this browser, which has another one open."""
    given = request.form.get("epoch", "")
    epoch = int(given) if given.isdecimal() and len(given) < 10 else abort(400)
    if not holds(sitting_id, epoch):
        abort(409)
    claimed = claim_sitting(database(), current_candidate(), sitting_id, epoch)
    if claimed is None:
        abort(409)
    hold(sitting_id, claimed, tell_page=False)
    return {"epoch": claimed}


@conduct.post("/sitting/<sitting_id>/take-over")
@for_candidates
def take_over(sitting_id: str) -> ResponseReturnValue:
    """Give the sitting to this window."""
    person, now = current_candidate(), standing(database(), current_candidate(), sitting_id)
    if holds(sitting_id, now.epoch):  # an older window of the browser that has it
        epoch = claim_sitting(database(), person, sitting_id, now.epoch) or now.epoch
    else:
        agent = request.headers.get("User-Agent", "")
        epoch = take_over_sitting(database(), person, sitting_id, device=device(), agent=agent)
    hold(sitting_id, epoch)
    return redirect(url_for("exam.page", sitting_id=sitting_id), 303)
