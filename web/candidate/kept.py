"""An answer that was sent when the sign-in had ended, for pages without scripts.

It waits in a signed cookie of this browser until its candidate has signed in again, and is then
shown in the form, to be confirmed once more. With scripts the page itself keeps it.
"""

from __future__ import annotations

from flask import Response, request
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict

from web.htmx import wants_fragment
from web.site import database, site

SECONDS = 15 * 60
LARGEST = 3000  # characters of a cookie that every browser keeps
_NAME = "tarozu-kept"
_OF_THE_PAGE = frozenset({"csrf_token", "epoch", "key", "waited"})


def keep_for_later(response: Response) -> Response:
    """Put the answer of a request that was led to sign-in into this browser."""
    if request.endpoint != "exam.answer" or current_user.is_authenticated or wants_fragment():
        return response
    said = [pair for pair in request.form.items(multi=True) if pair[0] not in _OF_THE_PAGE]
    sitting_id = (request.view_args or {})["sitting_id"]
    cookie = str(_signer().dumps([sitting_id, said]))
    if len(cookie) <= LARGEST:
        secure = site().settings.secure_cookies
        response.set_cookie(
            _NAME, cookie, max_age=SECONDS, httponly=True, samesite="Lax", secure=secure
        )
    return response


def kept_answer(sitting_id: str, position: int) -> MultiDict[str, str]:
    """Return what was kept of the open question; nothing where it is of another."""
    cookie = request.cookies.get(_NAME)
    if cookie is None:
        return MultiDict()
    try:
        kept_for, said = _signer().loads(cookie, max_age=SECONDS)
    except (BadData, ValueError):
        return MultiDict()
    given = MultiDict[str, str]([(str(name), str(value)) for name, value in said])
    same = kept_for == sitting_id and given.get("position") == str(position)
    return given if same else MultiDict()


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(database().secrets().session, salt="answer before a sign-in")
