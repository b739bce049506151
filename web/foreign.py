"""An alert when somebody who has signed in asks for many records that are not theirs, or not there.

The two are answered alike, so that nothing is learned from one; a series of them is named in the
log and in the chains, where an invigilator sees it. Counted in each process by itself.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque

from flask import Flask, Response, g, request

from item_bank.exams.alerts import named, record_foreign_requests
from web.access import Person, signed_in
from web.logs import log
from web.site import database

SERIES = 10
SECONDS = 600.0
_PERSONS = 10_000  # that a process remembers


class Requests:
    """When each person asked for what is not theirs, as far as it still counts."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def make_series(self, person: str, now: float) -> bool:
        """Count one request and say whether it completes a series; then the count begins anew."""
        times = self._times.setdefault(person, deque())
        self._times.move_to_end(person)
        while times and times[0] < now - SECONDS:
            times.popleft()
        times.append(now)
        if len(times) >= SERIES:
            del self._times[person]
            return True
        if len(self._times) > _PERSONS:
            self._times.popitem(last=False)
        return False


def init_foreign(app: Flask) -> None:
    """Watch the answers that say that there is no such record."""
    seen = Requests()

    @app.after_request
    def watch(response: Response) -> Response:
        if response.status_code == 404 and request.view_args and request.endpoint != "static":
            visitor = signed_in()
            if visitor is not None and seen.make_series(visitor.get_id(), time.monotonic()):
                _alert(visitor.person)
        return response


def _alert(person: Person) -> None:
    who, key = named(person)
    log.warning("foreign requests", request_id=g.get("request_id"), requests=SERIES, **{who: key})
    record_foreign_requests(database(), person, SERIES)
