"""The state that a sitting is in, as a fragment: a question, a pause, taken over, over.

The whole page includes the fragment, htmx gets it alone. Used by `exam` and `conduct`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from item_bank.exams.answering import Outcome, Taken
from item_bank.exams.candidate_views import SittingView, view, view_of
from item_bank.exams.leases import may_take_over
from item_bank.exams.standings import state_name
from item_bank.store.media import MediumInfo
from web.access import current_candidate
from web.candidate.lease import device, holds, told_page
from web.candidate.responses import Flaw
from web.htmx import wants_fragment
from web.site import database

TEMPLATES = {
    "question": "candidate/_question.html",
    "taken over": "candidate/_taken_over.html",
    "invigilator": "candidate/_paused.html",
    "break": "candidate/_break.html",
    "time": "candidate/_time_up.html",
    "terminated": "candidate/_terminated.html",
    "finished": "candidate/_finished.html",
}
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
    Outcome.PAUSED: Notice(
        lazy_gettext("That answer came while the exam was paused."),
        lazy_gettext("It was not taken. Please confirm it again."),
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


def sitting_view(sitting_id: str, taken: Taken | None = None) -> SittingView:
    """Return the candidate's own sitting as pages show it; else there is no such page.

    ``taken`` is an answer to it that was taken just now, so that nothing is read again.
    """

    def address(medium: MediumInfo) -> str:
        return url_for("media.medium", sitting_id=sitting_id, sha256=medium.sha256)

    if taken is not None and taken.after is not None:
        return view_of(database(), taken.after, taken.messages, address)
    return view(database(), current_candidate(), sitting_id, address)


def state_of(seen: SittingView) -> str:
    """Name the state that a sitting is in, whoever looks at it."""
    return state_name(seen.status, seen.stop_reason, seen.pause, overdue=seen.question is None)


def show(
    seen: SittingView,
    *,
    status: int = 200,
    window: int | None = None,
    saved: bool = False,
    flaw: Flaw | None = None,
    key: str | None = None,
    notice: Notice | None = None,
    given: MultiDict[str, str] = NOTHING,
) -> ResponseReturnValue:
    """Show the state that a sitting is in.

    ``window`` is the epoch that the page's own window holds, where it says so.
    """
    held = holds(seen.sitting_id, seen.epoch)
    state = state_of(seen)
    if seen.status == "running" and state != "time" and not (held and window in (None, seen.epoch)):
        return _render(seen, "taken over", status, may_take_over=held or _may_take_over(seen))
    if state != "question":
        return _render(seen, state, status)
    return _render(
        seen,
        state,
        status,
        key=key or secrets.token_hex(16),
        flaw=flaw,
        given=request.form if flaw else given,
        notice=notice,
        saved_at=seen.now if saved else None,
    )


def _may_take_over(seen: SittingView) -> bool:
    return may_take_over(database(), current_candidate(), seen.sitting_id, device=device())


def _render(seen: SittingView, state: str, status: int, **details: object) -> ResponseReturnValue:
    swap = wants_fragment()
    part = TEMPLATES[state]
    html = render_template(
        part if swap else "candidate/exam.html",
        seen=seen,
        state=state,
        part=part,
        swap=swap,
        words={} if swap else _words(),
        new_window=not swap and told_page(seen.sitting_id, seen.epoch),
        **details,
    )
    return html, status


def _words() -> dict[str, str]:
    """Return what the scripts say, in the page's language."""
    return {
        "saving": gettext("Saving…"),
        "unsaved": gettext(
            "Your answer is not saved yet. Keep this page open: we are trying again."
        ),
        "joining": gettext("Opening the exam in this window…"),
        "hide": gettext("Hide the time"),
        "show": gettext("Show the time"),
        "left10": gettext("10 minutes left."),
        "left5": gettext("5 minutes left."),
        "left1": gettext("1 minute left."),
        "more": gettext("You have been given more time: +%(n)s min", n="{n}"),
    }
