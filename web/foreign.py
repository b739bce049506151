"""Watches for somebody signed in who asks for many records that are not theirs, or not there."""

from __future__ import annotations

from flask import Flask, Response, g, request

from item_bank.exams.alerts import SERIES, count_foreign_request, named
from web.access import signed_in
from web.logs import log
from web.site import database


def init_foreign(app: Flask) -> None:
    """Watch the answers that say that there is no such record."""
    app.after_request(_watch)


def _watch(response: Response) -> Response:
    if response.status_code == 404 and request.view_args and request.endpoint != "static":
        visitor = signed_in()
        if visitor is not None and count_foreign_request(database(), visitor.person):
            who, key = named(visitor.person)
            log.warning(
                "foreign requests",
                request_id=g.get("request_id"),
                requests=SERIES,
                **{who: key},
            )
    return response
