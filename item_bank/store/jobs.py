"""Work without a request: one table of jobs, claimed with a lease, idempotent, retried.

Short work only; what takes minutes is in a lane of its own (`long_work`), so that sittings are
closed and sealed in time.

``enqueue`` within the transaction that makes the work; ``run_pending`` in the worker. A handler may
run twice for one job (its lease ran out, or the process died before it was noted), so it must do
its work once only. A job that fails is tried again later, and set aside after `MAX_TRIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import structlog
from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import Worker

WAITING, DONE, FAILED, CANCELLED = "waiting", "done", "failed", "cancelled"
LEASE = 5 * MINUTE
MAX_TRIES = 8
BATCH = 50
STALE = 2 * MINUTE  # a worker that was not seen for so long is gone

Handler = Callable[[Database, Mapping[str, Any]], None]
_log = structlog.get_logger()


@dataclass(frozen=True)
class ClaimedJob:
    """A job that this process may do until its lease ends.

    Parameters
    ----------
    tries
        How often it was begun, this time included.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    tries: int
    organisation_id: str | None


def enqueue(
    session: Session,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    *,
    organisation_id: str | None = None,
    due_at: int,
    **about: Any,
) -> None:
    """Add a job, once for each key; ``about`` has further columns of long work."""
    dialect = session.get_bind().dialect.name
    insert = (sqlite if dialect == "sqlite" else postgresql).insert
    row = {
        "id": new_id(),
        "organisation_id": organisation_id,
        "kind": kind,
        "key": key,
        "payload": dict(payload),
        "status": WAITING,
        "tries": 0,
        "due_at": due_at,
        "created_at": due_at,
        **about,
    }
    session.execute(insert(Job).values(row).on_conflict_do_nothing(index_elements=["key"]))


def claim(db: Database, limit: int = 1) -> list[ClaimedJob]:
    """Take the jobs that have waited longest; no other process gets them before the lease ends."""
    with db.read() as session:  # an idle worker must not make every writer wait
        if session.scalar(due(db.now(session)).with_only_columns(Job.id).limit(1)) is None:
            return []
    with db.write() as session:
        now = db.now(session)
        query = due(now).order_by(Job.due_at, Job.id).limit(limit)
        jobs = session.scalars(query.with_for_update(skip_locked=True)).all()
        for job in jobs:
            job.leased_until = now + LEASE
            job.tries += 1
        return [ClaimedJob(j.id, j.kind, j.payload, j.tries, j.organisation_id) for j in jobs]


def finish(db: Database, job_ids: Sequence[str]) -> None:
    """Note that jobs are done."""
    if not job_ids:
        return
    with db.write() as session:
        values = {"status": DONE, "finished_at": db.now(session), "leased_until": None}
        values["last_error"] = None
        session.execute(update(Job).where(Job.id.in_(job_ids)).values(values))


def fail(db: Database, job: ClaimedJob, error: str) -> None:
    """Note a failure: tried again after twice as long each time, set aside after the last try."""
    with db.write() as session:
        now = db.now(session)
        last = job.tries >= MAX_TRIES
        values = {
            "status": FAILED if last else WAITING,
            "leased_until": None,
            "last_error": error[:2000],
            "due_at": now + backoff(job.tries),
            "finished_at": now if last else None,
        }
        session.execute(update(Job).where(Job.id == job.id).values(values))


def backoff(tries: int) -> int:
    """Microseconds to wait after so many tries: 10 s, 20 s, 40 s, ... at most an hour."""
    return min(10 * SECOND << (tries - 1), 60 * MINUTE)


def run_pending(
    db: Database,
    handlers: Mapping[str, Handler],
    *,
    at_most: int = 10_000,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Do the jobs that are due and return how many were done.

    Parameters
    ----------
    stopped
        Asked before each job; once it says so, what is not begun is given back.
    """
    done = 0
    while done < at_most and not stopped():
        jobs = claim(db, BATCH)
        if not jobs:
            return done
        begun, finished = 0, []
        for job in takewhile(lambda _job: not stopped(), jobs):
            begun += 1
            if _run(db, handlers, job):
                finished.append(job.id)
        finish(db, finished)
        _give_back(db, [job.id for job in jobs[begun:]])
        done += len(finished)
    return done


def _give_back(db: Database, job_ids: Sequence[str]) -> None:
    """Let any worker have at once what this one claimed and did not begin."""
    if not job_ids:
        return
    with db.write() as session:
        values = {"leased_until": None, "tries": Job.tries - 1}
        session.execute(update(Job).where(Job.id.in_(job_ids)).values(values))


def beat(db: Database, worker_id: str, about: Mapping[str, Any]) -> None:
    """Say that a worker lives, and forget those that do not."""
    with db.write() as session:
        now = db.now(session)
        for gone in session.scalars(select(Worker).where(Worker.seen_at < now - 60 * MINUTE)):
            session.delete(gone)
        worker = session.get(Worker, worker_id)
        if worker is None:
            session.add(Worker(id=worker_id, started_at=now, seen_at=now, about=dict(about)))
        else:
            worker.seen_at, worker.about = now, dict(about)


def failed_jobs(session: Session) -> int:
    """How many jobs were set aside; of long work those who asked for it are told."""
    set_aside = select(func.count()).where(Job.status == FAILED, ~Job.long)
    return int(session.scalar(set_aside) or 0)


def due(now: int, *, long: bool = False) -> Select[Job]:
    """Return the jobs of a lane that nobody holds and that may begin."""
    free = or_(Job.leased_until.is_(None), Job.leased_until < now)
    lane = Job.long if long else ~Job.long
    return select(Job).where(Job.status == WAITING, Job.due_at <= now, free, lane)


def _run(db: Database, handlers: Mapping[str, Handler], job: ClaimedJob) -> bool:
    """Do one job; its failure is noted and must not stop the others."""
    try:
        handlers[job.kind](db, job.payload)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises
        _log.warning("job_failed", kind=job.kind, job=job.id, tries=job.tries, error=repr(error))
        fail(db, job, repr(error))
        return False
    return True
