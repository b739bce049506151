"""The worker's loop: does the work that waits without a request, until it is told to stop.

It then finishes the job at hand and gives back those that it had claimed beside it.
Used by ``tarozu worker``, which `web/server.py` also starts.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping

from item_bank.exams.personal.retention import plan_daily
from item_bank.exams.upkeep import close_abandoned
from item_bank.results.short_work import HANDLERS
from item_bank.store.database import Database
from item_bank.store.jobs import beat, run_pending
from item_bank.store.tables.base import new_id
from web.logs import log

PAUSE_SECONDS = 2.0
BEAT_EVERY = 10  # rounds


def run_worker(db: Database, environ: Mapping[str, str], *, follow: str) -> None:
    """Work until SIGTERM or SIGINT, or until the server that started this process is gone."""
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    parent = int(environ[follow]) if follow in environ else None
    name, round_number = new_id(), 0
    while not stop.is_set() and parent in (None, os.getppid()):
        _round(db, name, round_number, stop.is_set)
        round_number += 1
        stop.wait(PAUSE_SECONDS)


def _round(
    db: Database, name: str, number: int, stopped: Callable[[], bool] = lambda: False
) -> None:
    try:
        if number % BEAT_EVERY == 0:
            beat(db, name, {"process": os.getpid()})
            plan_daily(db)
        closed = close_abandoned(db)
        done = run_pending(db, HANDLERS, stopped=stopped)
    except Exception as error:  # noqa: BLE001 - a database that is away comes back; the worker waits
        log.error("worker round failed", kind=type(error).__name__, message=str(error))
        return
    if closed or done:
        log.info("worker round", sittings_closed=closed, jobs_done=done)
