"""What views ask about htmx, and how they answer it."""

from __future__ import annotations

from typing import cast

from flask import Response, request
from htmx_flask import make_response
from htmx_flask.requests import HtmxHeaders


def _headers() -> HtmxHeaders:
    return request.htmx  # type: ignore[attr-defined]  # htmx-flask's request class adds it


def wants_fragment() -> bool:
    """Say whether htmx asks for a part of a page, and not for a page out of its history."""
    headers = _headers()
    return bool(headers) and not headers.history_restore_request


def refresh_page(status: int) -> Response:
    """Answer htmx with an order to load the page again."""
    return cast(Response, make_response("", status, refresh=True))


def send_to(address: str, status: int) -> Response:
    """Answer htmx with an order to load another page."""
    return cast(Response, make_response("", status, redirect=address))
