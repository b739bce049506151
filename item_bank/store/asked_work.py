"""Long work as people see it: who asked for what, how far it is, stopping it, trying it again.

Read by pages and commands; every function is told whose organisation it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.orm import Session

from item_bank.store.clock import DAY, SECOND
from item_bank.store.database import Database
from item_bank.store.jobs import CANCELLED, DONE, FAILED, WAITING
from item_bank.store.tables.people import StaffAccount
from item_bank.store.tables.records import Job
from item_bank.store.tables.studies import Document

RUNNING, STOPPING, AGAIN = "running", "stopping", "again"
"""States that the table tells by the lease: at work, asked to stop, waiting for another try."""
UNDER_WAY = frozenset({WAITING, RUNNING, STOPPING, AGAIN})
PAGE = 25
KEPT_DAYS = 90


@dataclass(frozen=True)
class AskedWork:
    """One piece of long work.

    Parameters
    ----------
    state
        waiting, running, stopping, again (waits after a fault), done, failed or cancelled.
    done, total, stage
        How far it is; None before it said so.
    seconds_left
        At the pace so far; None where that cannot be told.
    next_try_at
        When it is tried again, after a fault.
    asked_by
        The name of who asked; None for work that was planned.
    """

    id: str
    kind: str
    title: str
    state: str
    asked_by: str | None
    made_for: str | None
    asked_at: int
    finished_at: int | None
    done: int | None
    total: int | None
    stage: str | None
    seconds_left: float | None
    error: str | None
    next_try_at: int | None
    documents: int

    @property
    def is_under_way(self) -> bool:
        """Whether it may still change by itself."""
        return self.state in UNDER_WAY


@dataclass(frozen=True)
class WorkPage:
    """A page of a list, the newest first."""

    rows: tuple[AskedWork, ...]
    total: int
    page: int
    pages: int


def asked_work(
    db: Database, organisation_id: str, *, made_for: str | None = None, page: int = 1
) -> WorkPage:
    """List the work of an organisation, or of one account of it."""
    query = _of(organisation_id)
    if made_for is not None:
        query = query.where(Job.made_for == made_for)
    with db.read() as session:
        total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
        pages = max(1, -(-total // PAGE))
        page = min(page, pages)
        ordered = query.order_by(Job.created_at.desc(), Job.id)
        rows = session.execute(ordered.limit(PAGE).offset(PAGE * (page - 1)))
        now = db.now(session)
        return WorkPage(tuple(_seen(row, now) for row in rows), total, page, pages)


def one_work(db: Database, job_id: str, organisation_id: str) -> AskedWork | None:
    """Return one piece of work; None where there is none of that id."""
    with db.read() as session:
        row = session.execute(_of(organisation_id).where(Job.id == job_id)).first()
        return None if row is None else _seen(row, db.now(session))


def under_way(session: Session, organisation_id: str, made_for: str | None = None) -> int:
    """How many jobs wait or run, of an organisation or of one account."""
    query = select(func.count()).where(
        Job.status == WAITING, Job.long, Job.organisation_id == organisation_id
    )
    if made_for is not None:
        query = query.where(Job.made_for == made_for)
    return int(session.scalar(query) or 0)


def cancel(db: Database, job_id: str, organisation_id: str) -> bool:
    """Ask a job to stop; one that nobody works on is stopped at once. False: it has ended."""
    with db.write() as session:
        job = _locked(session, job_id, organisation_id)
        if job is None or job.status != WAITING:
            return False
        now = db.now(session)
        job.cancelled = True
        if job.leased_until is None or job.leased_until < now:
            job.status, job.finished_at, job.leased_until = CANCELLED, now, None
        return True


def try_again(db: Database, job_id: str, organisation_id: str) -> bool:
    """Let a job that failed or was stopped begin anew. False: it did neither."""
    with db.write() as session:
        job = _locked(session, job_id, organisation_id)
        if job is None or job.status not in (FAILED, CANCELLED):
            return False
        job.status, job.cancelled, job.tries = WAITING, False, 0
        job.due_at = db.now(session)
        job.done = job.total = job.stage = job.counted_from = None
        job.last_error = job.finished_at = job.leased_until = None
        return True


def forget_old(db: Database) -> int:
    """Delete long work that ended long ago and has no document any more; return how much."""
    with db.write() as session:
        before = db.now(session) - KEPT_DAYS * DAY
        kept = select(Document.job_id).where(Document.job_id.is_not(None))
        old = delete(Job).where(Job.long, Job.finished_at < before, Job.id.not_in(kept))
        return len(session.scalars(old.returning(Job.id)).all())


def _of(organisation_id: str) -> Select[Job, str | None, int]:
    documents = (
        select(func.count())
        .where(Document.job_id == Job.id, Document.complete)
        .correlate(Job)
        .scalar_subquery()
    )
    return (
        select(Job, StaffAccount.name, documents)
        .outerjoin(StaffAccount, StaffAccount.id == Job.made_for)
        .where(Job.long, Job.organisation_id == organisation_id)
    )


def _locked(session: Session, job_id: str, organisation_id: str) -> Job | None:
    own = Job.id == job_id, Job.long, Job.organisation_id == organisation_id
    return session.scalars(select(Job).where(*own).with_for_update()).first()


def _seen(row: Row[Job, str | None, int], now: int) -> AskedWork:
    job, asked_by, documents = row
    state = _state(job, now)
    return AskedWork(
        id=job.id,
        kind=job.kind,
        title=job.title or job.kind,
        state=state,
        asked_by=asked_by,
        made_for=job.made_for,
        asked_at=job.created_at,
        finished_at=job.finished_at,
        done=job.done,
        total=job.total,
        stage=job.stage or None,
        seconds_left=_seconds_left(job, now) if state == RUNNING else None,
        error=job.last_error,
        next_try_at=job.due_at if state == AGAIN else None,
        documents=documents if job.status == DONE else 0,
    )


def _state(job: Job, now: int) -> str:
    if job.status != WAITING:
        return job.status
    if job.leased_until is None:
        return AGAIN if job.last_error else WAITING
    if job.cancelled:
        return STOPPING
    return RUNNING if job.leased_until >= now else AGAIN


def _seconds_left(job: Job, now: int) -> float | None:
    if not job.done or not job.total or job.counted_from is None:
        return None
    return (now - job.counted_from) / SECOND * (job.total - job.done) / job.done
