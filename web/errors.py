"""Errors as pages: what happened, what it means, what to do; never a blame, never a trace.

Domain exceptions of `item_bank` become statuses here.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import LazyString, lazy_gettext
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from item_bank.exams.errors import NotAllowed, NotFound, TooManyAttempts
from item_bank.store.database import FULL, trouble_of
from web.htmx import refresh_page, wants_fragment
from web.logs import log


@dataclass(frozen=True)
class Explanation:
    """A status in words."""

    title: LazyString
    text: LazyString


EXPLANATIONS = {
    400: Explanation(
        lazy_gettext("This page could not be sent"),
        lazy_gettext(
            "It was open for a long time, or it was changed on its way. "
            "Nothing was lost: go back, load the page again and repeat the last step."
        ),
    ),
    403: Explanation(
        lazy_gettext("This page is for others"),
        lazy_gettext("Your account does not open it. Sign in with another account, or go back."),
    ),
    404: Explanation(
        lazy_gettext("There is no such page"),
        lazy_gettext("The address may be mistyped, or the page is not yours to see."),
    ),
    405: Explanation(
        lazy_gettext("This page could not be sent"),
        lazy_gettext("This address does not take what was sent. Go back and load the page again."),
    ),
    409: Explanation(
        lazy_gettext("This has been done already"),
        lazy_gettext("Nothing was changed. Go on from your list of exams."),
    ),
    410: Explanation(
        lazy_gettext("This is over"),
        lazy_gettext("What you look for has ended and can no longer be changed."),
    ),
    413: Explanation(
        lazy_gettext("That is too large"),
        lazy_gettext("The page sent more than this site accepts. Send less."),
    ),
    422: Explanation(
        lazy_gettext("This could not be used"),
        lazy_gettext("Something in what was sent does not fit. Go back and look it over."),
    ),
    429: Explanation(
        lazy_gettext("Too many tries"),
        lazy_gettext("Wait a little, then try again. Nothing is blocked for long."),
    ),
    500: Explanation(
        lazy_gettext("Something went wrong on our side"),
        lazy_gettext(
            "Answers that were saved are safe. Load the page again in a minute; "
            "if it stays so, tell your examiner the number below."
        ),
    ),
    503: Explanation(
        lazy_gettext("The site cannot save at this moment"),
        lazy_gettext(
            "Answers that were saved are safe. If you were answering a question, your answer is "
            "kept on this page: load it again in a few seconds, and let the browser send it once "
            "more. It counts once. Tell the invigilator if this lasts."
        ),
    ),
}
WRONG_BROWSER = Explanation(
    lazy_gettext("This exam asks for Safe Exam Browser"),
    lazy_gettext(
        "Open it in Safe Exam Browser, with the settings that your examiner gave you. If you are "
        "in it already, its settings are not those of this exam: tell your invigilator."
    ),
)
NO_ROOM = Explanation(
    lazy_gettext("The site has no room left"),
    lazy_gettext(
        "Answers that were saved are safe, but no exam can start now. If you were answering a "
        "question, your answer is kept on this page: tell the invigilator, then load it again, "
        "and let the browser send it once more. It counts once."
    ),
)
RETRY_SECONDS = 5


def init_errors(app: Flask) -> None:
    """Register a page for every way to fail."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _old_page)
    app.register_error_handler(NotFound, lambda _error: error_page(404))
    app.register_error_handler(NotAllowed, lambda _error: error_page(409))
    app.register_error_handler(TooManyAttempts, lambda _error: error_page(429))
    app.register_error_handler(Exception, _fault)


def error_page(status: int, explanation: Explanation | None = None) -> Response:
    """Render a status as a page, or as a fragment for htmx."""
    shown = status if status in EXPLANATIONS else 500 if status >= 500 else 400
    template = "_error.html" if wants_fragment() else "error.html"
    page = render_template(
        template,
        status=status,
        explanation=explanation or EXPLANATIONS[shown],
        request_id=g.get("request_id"),
    )
    response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    return error_page(error.code)


def _old_page(_error: CSRFError) -> Response:
    """Let a page from before a new sign-in load itself again; its script has kept the answer."""
    if wants_fragment() and request.endpoint == "exam.answer":
        return refresh_page(400)
    return error_page(400)


def _fault(error: Exception) -> Response:
    trouble = trouble_of(error)
    if trouble is not None:
        about = {
            "request_id": g.get("request_id"),
            "trouble": trouble,
            "kind": type(error).__name__,
        }
        log.error("database unavailable", **about)
        g._login_user = AnonymousUserMixin()  # noqa: SLF001 - else the page asks the database who that is
        return error_page(503, NO_ROOM if trouble == FULL else None)
    log.error("fault", request_id=g.get("request_id"), kind=type(error).__name__, exc_info=error)
    return error_page(500)
