"""The worker: does the work that waits without a request, until it is told to stop.

It then finishes the job at hand and gives back those that it had claimed beside it. Two
lanes, each a process: short work, which closes and seals sittings and must never wait, and long
work beside it (`item_bank/store/long_work.py`), started once there is any. Used by ``tarozu
worker``, which `web/server.py` also starts.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping

from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.personal.retention import plan_daily
from item_bank.exams.upkeep import close_abandoned
from item_bank.results.handlers import LONG as RESULTS
from item_bank.results.handlers import PLANS
from item_bank.results.short_work import HANDLERS
from item_bank.store.database import Database
from item_bank.store.jobs import beat, run_pending
from item_bank.store.long_work import REFUSALS, LongHandler, is_due, run_long
from item_bank.store.tables.base import new_id
from web.companions import Companion, is_left_alone
from web.documents.handlers import LONG as DOCUMENTS
from web.logs import log

PAUSE_SECONDS = 2.0
BEAT_EVERY = 10  # rounds
GRACE_SECONDS = 15  # for a long job to come to a place where it can stop
LONG: Mapping[str, LongHandler] = {**RESULTS, **DOCUMENTS}
_REFUSALS = (*REFUSALS, NotAllowed, NotFound)


def run_worker(db: Database, environ: Mapping[str, str], *, with_long_lane: bool = True) -> None:
    """Work until SIGTERM or SIGINT, or until the server that started this process is gone."""
    stop, alone = _told_to_stop(), is_left_alone(environ)
    url = db.engine.url.render_as_string(hide_password=False)
    beside = Companion("worker --lane long", url, GRACE_SECONDS) if with_long_lane else None
    name, round_number = new_id(), 0
    while not stop.is_set() and not alone():
        if beside is not None and (beside.was_started or _is_long_work_due(db)):
            beside.keep_running()
        _round(db, name, round_number, stop.is_set)
        round_number += 1
        stop.wait(PAUSE_SECONDS)
    if beside is not None:
        beside.stop()


def _is_long_work_due(db: Database) -> bool:
    try:
        return is_due(db)
    except Exception:  # noqa: BLE001 - a database that is away: the round that follows says so
        return False


def run_long_lane(db: Database, environ: Mapping[str, str]) -> None:
    """Do long work likewise; a job that is not done then goes back to those that wait."""
    stop, alone = _told_to_stop(), is_left_alone(environ)

    def stopping() -> bool:
        return stop.is_set() or alone()

    while not stopping():
        _long_round(db, stopping)
        stop.wait(PAUSE_SECONDS)


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    return stop


def _round(
    db: Database, name: str, number: int, stopped: Callable[[], bool] = lambda: False
) -> None:
    try:
        if number % BEAT_EVERY == 0:
            beat(db, name, {"process": os.getpid()})
            plan_daily(db)
            for plan in PLANS:
                plan(db)
        closed = close_abandoned(db)
        done = run_pending(db, HANDLERS, stopped=stopped)
    except Exception as error:  # noqa: BLE001 - a database that is away comes back; the worker waits
        _note_failure(error)
        return
    if closed or done:
        log.info("worker round", sittings_closed=closed, jobs_done=done)


def _long_round(db: Database, stopping: Callable[[], bool]) -> None:
    try:
        done = run_long(db, LONG, stopping=stopping, refusals=_REFUSALS)
    except Exception as error:  # noqa: BLE001 - as above
        _note_failure(error)
        return
    if done:
        log.info("long work", jobs_done=done)


def _note_failure(error: Exception) -> None:
    log.error("worker round failed", kind=type(error).__name__, message=str(error))
