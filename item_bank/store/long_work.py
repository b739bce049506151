"""Long work: jobs that take minutes, with progress that people see and a way to stop them.

A lane of its own: `run_long` is called by a process beside the worker's short work, one job at a
time. A job is asked for by a person (`ask_for`) or planned (`plan`). Its handler says how far it
is by `Progress`, which also lengthens the job's lease and stops it when somebody asked for that.
A handler may run twice, from its beginning: what it made before is deleted first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo, InputError
from item_bank.store import jobs
from item_bank.store.clock import MINUTE
from item_bank.store.database import Database
from item_bank.store.documents import delete_documents_of
from item_bank.store.jobs import CANCELLED, DONE, FAILED, MAX_TRIES, WAITING
from item_bank.store.tables.base import new_id
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import OrganisationRow

LEASE = 5 * MINUTE
BETWEEN_SECONDS = 1.0
DIED = "the process that worked on it ended again and again, perhaps for want of memory"
_log = structlog.get_logger()


class Asker(Protocol):
    """Who asks for work: an `exams.actors.Actor`."""

    @property
    def id(self) -> str | None:
        """The account, or None for the command line."""

    @property
    def organisation_id(self) -> str:
        """Whose work it is."""


@dataclass(frozen=True)
class LongJob:
    """A job in the hands of its handler."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    organisation_id: str
    made_for: str | None


class Stopped(Exception):  # noqa: N818 - an order, not a fault
    """The handler is to end where it is; never caught by it."""


class Cancelled(Stopped):
    """Somebody asked to stop the job."""


class Interrupted(Stopped):
    """The worker is asked to stop; the job will be taken up again."""


class TakenOver(Stopped):
    """The lease ran out, and another worker has the job."""


class Progress:
    """Says how far a job is: ``progress(done, total, stage)``, not within a write transaction.

    Writes at most once a second. A handler must come by every few minutes, or its lease runs out
    and another worker begins the job anew.
    """

    def __init__(self, db: Database, job_id: str, tries: int, stopping: Callable[[], bool]) -> None:
        self._db, self._job_id, self.tries, self._stopping = db, job_id, tries, stopping
        self._written = float("-inf")

    def __call__(self, done: int, total: int, stage: str = "") -> None:
        """Note it, and raise `Stopped` where the job is to end."""
        if self._stopping():
            raise Interrupted
        if time.monotonic() - self._written < BETWEEN_SECONDS:
            return
        with self._db.write() as session:
            asked_to_stop = self._note(session, done, total, stage)
        self._written = time.monotonic()
        if asked_to_stop:
            raise Cancelled

    def _note(self, session: Session, done: int, total: int, stage: str) -> bool:
        held = select(Job).where(*_held(self._job_id, self.tries))
        job = session.scalars(held.with_for_update()).first()
        if job is None:
            raise TakenOver
        now = self._db.now(session)
        if (job.total, job.stage) != (total, stage):
            job.counted_from = now
        job.done, job.total, job.stage = done, total, stage
        job.leased_until = now + LEASE
        return job.cancelled


LongHandler = Callable[[Database, LongJob, Progress], None]
REFUSALS: tuple[type[Exception], ...] = (InputError, AnswerIsNo)
"""Told to people as they are, and not tried again."""


def ask_for(db: Database, actor: Asker, kind: str, title: str, payload: Mapping[str, Any]) -> str:
    """Ask for a job and return its id; asking again while it is not done returns the same one."""
    with db.write() as session:
        session.scalars(  # one asks at a time
            select(OrganisationRow)
            .where(OrganisationRow.id == actor.organisation_id)
            .with_for_update(key_share=True)
        ).one()
        same = select(Job.id).where(
            Job.organisation_id == actor.organisation_id,
            Job.kind == kind,
            Job.made_for.is_not_distinct_from(actor.id),
            Job.payload == dict(payload),
            *(Job.status == WAITING, Job.long, ~Job.cancelled),
        )
        running = session.scalars(same).first()
        if running is not None:
            return running
        key = f"{kind} {new_id()}"
        whose, now = actor.organisation_id, db.now(session)
        _add(session, kind, key, title, payload, whose, now, actor.id)
        return session.scalars(select(Job.id).where(Job.key == key)).one()


def plan(
    session: Session,
    kind: str,
    key: str,
    title: str,
    payload: Mapping[str, Any],
    *,
    organisation_id: str,
    due_at: int,
) -> None:
    """Add long work that nobody asked for, once for each key, in the caller's transaction."""
    _add(session, kind, key, title, payload, organisation_id, due_at, None)


def _add(
    session: Session,
    kind: str,
    key: str,
    title: str,
    payload: Mapping[str, Any],
    organisation_id: str,
    due_at: int,
    made_for: str | None,
) -> None:
    about = {"title": title[:200], "made_for": made_for, "long": True}
    jobs.enqueue(
        session, kind, key, payload, organisation_id=organisation_id, due_at=due_at, **about
    )


def run_long(
    db: Database,
    handlers: Mapping[str, LongHandler],
    *,
    stopping: Callable[[], bool] = lambda: False,
    refusals: tuple[type[Exception], ...] = REFUSALS,
) -> int:
    """Do the long jobs that are due, one after the other, and return how many were done."""
    done = 0
    while not stopping() and (claimed := _claim(db)) is not None:
        job, tries = claimed
        done += _run(db, handlers, job, Progress(db, job.id, tries, stopping), refusals)
    return done


def is_due(db: Database) -> bool:
    """Whether any long job waits to be begun."""
    with db.read() as session:
        return session.scalar(_due(db, session).with_only_columns(Job.id).limit(1)) is not None


def _claim(db: Database) -> tuple[LongJob, int] | None:
    """Take the job that has waited longest; end those that nobody should begin."""
    if not is_due(db):  # an idle worker must not make every writer wait
        return None
    with db.write() as session:
        now = db.now(session)
        for job in session.scalars(_due(db, session).with_for_update(skip_locked=True)):
            if job.cancelled or job.tries >= MAX_TRIES:
                job.status = CANCELLED if job.cancelled else FAILED
                job.last_error = None if job.cancelled else job.last_error or DIED
                job.leased_until, job.finished_at = None, now
                continue
            job.leased_until, job.tries = now + LEASE, job.tries + 1
            job.done = job.total = job.stage = job.counted_from = None
            about = (job.kind, job.payload, str(job.organisation_id), job.made_for)
            return LongJob(job.id, *about), job.tries
    return None


def _due(db: Database, session: Session) -> Select[Job]:
    return jobs.due(db.now(session), long=True).order_by(Job.due_at, Job.id)


def _run(
    db: Database,
    handlers: Mapping[str, LongHandler],
    job: LongJob,
    progress: Progress,
    refusals: tuple[type[Exception], ...],
) -> bool:
    """Do one job and note how it ended."""
    tries = progress.tries
    try:
        delete_documents_of(db, job.id)
        handlers[job.kind](db, job, progress)
    except TakenOver:
        _log.warning("long_job_taken_over", kind=job.kind, job=job.id)
    except Interrupted:
        _end(db, job, tries, WAITING)
    except Cancelled:
        _end(db, job, tries, CANCELLED)
    except refusals as refusal:
        _end(db, job, tries, FAILED, str(refusal) or type(refusal).__name__)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises
        _log.exception("long_job_failed", kind=job.kind, job=job.id, tries=tries)
        _fail(db, job, tries, error)
    else:
        return _end(db, job, tries, DONE)
    return False


def _end(db: Database, job: LongJob, tries: int, status: str, error: str | None = None) -> bool:
    """Note how a job ended, if it is still this worker's; only what is done leaves documents."""
    values: dict[str, Any] = {"status": status, "leased_until": None, "last_error": error}
    if status == WAITING:
        values |= {"tries": tries - 1}
    else:
        values |= {"finished_at": _now(db)}
    if status == DONE:
        values |= {"done": func.coalesce(Job.total, 1), "total": func.coalesce(Job.total, 1)}
    return _settle(db, job, tries, values)


def _fail(db: Database, job: LongJob, tries: int, error: Exception) -> None:
    """Let a job be tried again after a fault, or set it aside; the log has the details."""
    last, now = tries >= MAX_TRIES, _now(db)
    values = {
        "status": FAILED if last else WAITING,
        "leased_until": None,
        "last_error": f"an unexpected fault ({type(error).__name__}); the worker's log says more",
        "due_at": now + jobs.backoff(tries),
        "finished_at": now if last else None,
    }
    _settle(db, job, tries, values)


def _settle(db: Database, job: LongJob, tries: int, values: Mapping[str, Any]) -> bool:
    with db.write() as session:
        held = update(Job).where(*_held(job.id, tries)).values(values).returning(Job.id)
        if session.scalar(held) is None:  # another worker has begun it anew
            return False
    if values["status"] != DONE:
        delete_documents_of(db, job.id)
    return True


def _held(job_id: str, tries: int) -> tuple[ColumnElement[bool], ...]:
    """Say whether a job is in the hands that began it for the so many-th time."""
    return (Job.id == job_id, Job.status == WAITING, Job.tries == tries)


def _now(db: Database) -> int:
    with db.read() as session:
        return db.now(session)
