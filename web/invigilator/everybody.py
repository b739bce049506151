"""The same act for everybody who sits an exam: first a page that names how many, then the act.

The page carries whom it named, and with time the end that each had, so that exactly those are
concerned and a form that is sent twice gives once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams import conditions
from item_bank.exams.errors import NotAllowed
from item_bank.exams.messages import MAX_MESSAGE
from item_bank.exams.pauses import BREAK, INVIGILATOR
from item_bank.exams.room_states import InRoom, now_in_room
from web.access import for_staff
from web.invigilator.acts import NO_MINUTES, NO_TEXT, deadline_seen, message_text
from web.invigilator.blueprint import IN_CHARGE, actor, field, rooms, seconds_asked, sentence
from web.invigilator.views import own_room, render_room
from web.invigilator.words import people
from web.site import database

MOST_NAMED = 8  # a notice travels in a cookie


@dataclass(frozen=True)
class Act:
    """An act for everybody.

    Parameters
    ----------
    concerns
        Whether it can be done to a sitting that runs.
    lacks
        What the form lacks, if anything.
    do
        Does it to one, given the deadline that the form has seen.
    """

    title: str
    button: str
    done: str
    concerns: Callable[[InRoom], bool]
    lacks: Callable[[], str | None]
    do: Callable[[InRoom, int | None], object]


def _nothing() -> None:
    return None


def _lacks_for_time() -> str | None:
    if seconds_asked() is None:
        return NO_MINUTES
    return None if field("reason") else "Say why time is given; the log keeps it."


def _lacks_text() -> str | None:
    if len(field("text")) > MAX_MESSAGE:
        return f"A message has at most {MAX_MESSAGE} characters."
    return None if message_text("en") else NO_TEXT


def _give(one: InRoom, seen: int | None) -> None:
    conditions.grant_time(
        database(), actor(), one.sitting_id, seconds_asked() or 0, field("reason"), seen=seen
    )


ACTS: Mapping[str, Act] = {
    "time": Act(
        "Give the same time to everybody", "Give the time", "Time was given to",
        lambda one: one.deadline_at is not None, _lacks_for_time, _give,
    ),
    "message": Act(
        "Send a message to everybody", "Send the message", "The message was sent to",
        lambda _one: True, _lacks_text,
        lambda one, _seen: conditions.send_message(
            database(), actor(), one.sitting_id, message_text(one.language)
        ),
    ),
    "pause": Act(
        "Pause everybody", "Pause them", "The exam is paused for",
        lambda one: one.pause != INVIGILATOR, _nothing,
        lambda one, _seen: conditions.pause(database(), actor(), one.sitting_id, field("reason")),
    ),
    "resume": Act(
        "Let everybody go on", "Let them go on", "The exam goes on for",
        lambda one: one.pause == INVIGILATOR, _nothing,
        lambda one, _seen: conditions.resume(database(), actor(), one.sitting_id),
    ),
}  # fmt: skip


@rooms.post("/rooms/<code>/everybody/<name>")
@for_staff(*IN_CHARGE)
def everybody(code: str, name: str) -> ResponseReturnValue:
    """Ask whether to act on everybody in a room; asked already, act."""
    own, act = own_room(code), ACTS.get(name) or abort(404)
    if lacks := act.lacks():
        return render_room(code, lacks, 422)
    now = now_in_room(database(), actor(), code)
    if "whom" in request.form:
        return _act(code, act, now)
    concerned = [one for one in now if act.concerns(one)]
    if not concerned:
        return render_room(code, "There is nobody in the room whom this concerns.", 409)
    return render_template(
        "invigilator/everybody.html",
        own=own,
        name=name,
        act=act,
        concerned=concerned,
        others=len(now) - len(concerned),
        on_break=sum(one.pause == BREAK for one in concerned),
        whom=" ".join(f"{one.sitting_id}:{one.deadline_at or ''}" for one in concerned),
        given=request.form,
    )


def _act(code: str, act: Act, now: list[InRoom]) -> ResponseReturnValue:
    named = dict(pair.partition(":")[::2] for pair in request.form["whom"].split())
    here = [one for one in now if one.sitting_id in named]
    refused = [said for one in here if (said := _refusal(act, one, named[one.sitting_id]))]
    if done := len(here) - len(refused):
        flash(f"{act.done} {people(done)}.")
    if gone := len(named) - len(here):
        refused.append(f"{people(gone)} had finished meanwhile.")
    if len(refused) > MOST_NAMED:
        refused[MOST_NAMED:] = [f"And not to {people(len(refused) - MOST_NAMED)} more."]
    for said in refused:
        flash(said, "problem")
    return redirect(url_for("rooms.room", code=code), 303)


def _refusal(act: Act, one: InRoom, deadline: str) -> str | None:
    """Do it to one, and return what was refused, if anything."""
    try:
        act.do(one, deadline_seen(deadline) if deadline else None)
    except NotAllowed as error:
        return f"Not to {one.candidate_name} ({one.roster_id}): {sentence(error)}"
    return None
