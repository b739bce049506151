"""The server of a load run: the site as it is, and one route more, which is the floor.

The floor renders the fragment that an answer leads to and commits one row: what any answer of
somebody who is signed in must cost on this server. The route is here and nowhere in the product.
"""

from __future__ import annotations

import sys
import uuid
from typing import Any

from flask import Flask, Response, render_template, template_rendered
from sqlalchemy import text

from item_bank.demo.build import KIND
from item_bank.store.database import Database
from web.access import for_candidates
from web.server import Serving, serve
from web.settings import Settings
from web.site import site_of

QUESTION = "candidate/_question.html"
OF_REQUEST = frozenset({"g", "request", "session", "config", "current_user"})


def main() -> None:
    url, port, workers = sys.argv[1:]
    settings = Settings(log_level="warning", least_free_mib=1)
    serve(
        Serving(url, KIND, "127.0.0.1", int(port), int(workers), settings, _say_nothing, add_floor)
    )


def _say_nothing() -> None:
    pass


def make_floor(db: Database) -> None:
    """Make the table into which the floor commits."""
    with db.write() as session:
        session.execute(text("CREATE TABLE load_floor (id TEXT PRIMARY KEY, at BIGINT NOT NULL)"))


def add_floor(app: Flask) -> None:
    """Add the floor to an application."""
    last: dict[str, Any] = {}
    db = site_of(app).database

    def note(_app: Flask, template: Any, context: dict[str, Any], **_more: Any) -> None:
        if template.name == QUESTION:
            last.update({k: v for k, v in context.items() if k not in OF_REQUEST})

    @for_candidates
    def floor() -> Response | tuple[str, int]:
        if not last:
            return "no question was shown by this process yet", 503
        with db.write() as session:
            row = {"id": uuid.uuid4().hex, "at": db.now(session)}
            session.execute(text("INSERT INTO load_floor (id, at) VALUES (:id, :at)"), row)
        return Response(render_template(QUESTION, **last))

    template_rendered.connect(note, app, weak=False)
    app.add_url_rule("/load-floor", view_func=floor, methods=["POST"])
    app.extensions["csrf"].exempt(floor)


if __name__ == "__main__":
    main()
