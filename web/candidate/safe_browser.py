"""Safe Exam Browser: where an exam names Config Keys, its requests must carry one of them.

The browser sends with each request the SHA-256 of the request's address, without fragment, and of
its key, in hexadecimal digits. The address is the one that the browser sees: behind a proxy that
is trusted, the outer one.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from flask import Response, request
from flask.typing import ResponseReturnValue

from item_bank.exams.leases import delivery_of, note_foreign_browser
from web.access import current_candidate
from web.errors import WRONG_BROWSER, error_page
from web.site import database

HEADER = "X-SafeExamBrowser-ConfigKeyHash"


def has_key(keys: Iterable[str]) -> bool:
    """Say whether this request carries one of these keys, or needs none."""
    wanted = [_digest(request.url, key) for key in keys]
    given = request.headers.get(HEADER, "").lower()
    return not wanted or any(hmac.compare_digest(given, one) for one in wanted)


def _digest(address: str, key: str) -> str:
    return sha256((address + key).encode()).hexdigest()


def refuse() -> Response:
    """Explain which browser this exam asks for."""
    return error_page(403, WRONG_BROWSER)


def guard() -> ResponseReturnValue | None:
    """Refuse a request of a sitting that does not come from the browser that its exam asks for."""
    sitting_id = (request.view_args or {}).get("sitting_id")
    if sitting_id is None:
        return None
    person = current_candidate()
    if has_key(delivery_of(database(), person, sitting_id).config_keys):
        return None
    note_foreign_browser(database(), person, sitting_id)
    return refuse()
