"""What an invigilator does to one sitting; each act goes through `conditions`, and its chains."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams import conditions
from item_bank.exams.errors import NotAllowed
from item_bank.exams.rooms import sitting_in_room
from web.access import for_staff
from web.invigilator.blueprint import (
    IN_CHARGE,
    MOST_MINUTES,
    actor,
    field,
    rooms,
    seconds_asked,
    sentence,
)
from web.invigilator.phrases import PHRASES, phrase_in
from web.invigilator.views import render_seat, site_time
from web.invigilator.words import length
from web.site import database

NO_TEXT = "Choose a sentence, or write a message."
NO_MINUTES = f"Minutes are a whole number from 1 to {MOST_MINUTES}."


def _done(sitting_id: str, act: Callable[[], object], said: str) -> ResponseReturnValue:
    """Act and go back to the sitting's page, or show the page with what was refused."""
    try:
        act()
    except NotAllowed as error:
        return render_seat(sitting_id, sentence(error), 409)
    flash(said)
    return redirect(url_for("rooms.seat", sitting_id=sitting_id), 303)


@rooms.post("/seats/<sitting_id>/pause")
@for_staff(*IN_CHARGE)
def pause(sitting_id: str) -> ResponseReturnValue:
    """Hold the sitting up."""
    return _done(
        sitting_id,
        lambda: conditions.pause(database(), actor(), sitting_id, field("reason")),
        "The sitting is paused. Its question is hidden and its time stands still.",
    )


@rooms.post("/seats/<sitting_id>/resume")
@for_staff(*IN_CHARGE)
def resume(sitting_id: str) -> ResponseReturnValue:
    """Let the sitting go on."""
    return _done(
        sitting_id,
        lambda: conditions.resume(database(), actor(), sitting_id),
        "The sitting goes on.",
    )


@rooms.post("/seats/<sitting_id>/time")
@for_staff(*IN_CHARGE)
def give_time(sitting_id: str) -> ResponseReturnValue:
    """Give more time; the deadline that the form has seen makes it once."""
    seconds, seen = seconds_asked(), field("deadline")
    if seconds is None:
        sitting_in_room(database(), actor(), sitting_id)
        return render_seat(sitting_id, NO_MINUTES, 422)
    return _done(
        sitting_id,
        lambda: conditions.grant_time(
            database(), actor(), sitting_id, seconds, field("reason"), seen=deadline_seen(seen)
        ),
        f"{length(seconds)} given. The candidate's page shows it within half a minute.",
    )


def deadline_seen(text: str) -> int | None:
    """Read the deadline that a form has seen; -1, which none is, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


@rooms.post("/seats/<sitting_id>/message")
@for_staff(*IN_CHARGE)
def message(sitting_id: str) -> ResponseReturnValue:
    """Put a message on the candidate's page."""
    row = sitting_in_room(database(), actor(), sitting_id)
    text = message_text(row.language)
    if not text:
        return render_seat(sitting_id, NO_TEXT, 422)
    return _done(
        sitting_id,
        lambda: conditions.send_message(database(), actor(), sitting_id, text),
        "The message is sent. The log below says when it has been read.",
    )


def message_text(language: str) -> str:
    """Return what the form says, or its phrase in a language; nothing where there is neither."""
    return field("text") or (
        phrase_in(key, language) if (key := field("phrase")) in PHRASES else ""
    )


@rooms.post("/seats/<sitting_id>/release")
@for_staff(*IN_CHARGE)
def release(sitting_id: str) -> ResponseReturnValue:
    """Let another device take the sitting over."""
    return _done(
        sitting_id,
        lambda: conditions.release_lease(database(), actor(), sitting_id),
        "Another device may now take this sitting over, once.",
    )


@rooms.get("/seats/<sitting_id>/end")
@for_staff(*IN_CHARGE)
def ask_end(sitting_id: str) -> ResponseReturnValue:
    """Say what ending an exam means, and ask for a reason."""
    return _end_page(sitting_id)


def _end_page(
    sitting_id: str, problem: str | None = None, status: int = 200
) -> ResponseReturnValue:
    row = sitting_in_room(database(), actor(), sitting_id)
    page = render_template(
        "invigilator/end.html", row=row, now=site_time(), problem=problem, reason=field("reason")
    )
    return page, status


@rooms.post("/seats/<sitting_id>/end")
@for_staff(*IN_CHARGE)
def end(sitting_id: str) -> ResponseReturnValue:
    """End the exam of one candidate."""
    try:
        conditions.terminate(database(), actor(), sitting_id, field("reason"))
    except NotAllowed as error:
        return _end_page(sitting_id, sentence(error), 409)
    flash("The exam is ended. Its result rests on the answers that were confirmed.")
    return redirect(url_for("rooms.seat", sitting_id=sitting_id), 303)
