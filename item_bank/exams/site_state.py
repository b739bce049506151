"""How the site stands at this moment, in numbers, for those who watch it. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.jobs import FAILED, WAITING
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import Site, Worker
from item_bank.store.tables.sittings import Sitting


@dataclass(frozen=True)
class SiteState:
    """Numbers of now.

    Parameters
    ----------
    worker_seen, pulse
        Seconds since a worker, and a web process, last said that it lives; None for never.
    oldest_job
        Seconds since the oldest waiting job was due, long work aside; 0 where none is due.
    long_waiting
        Pieces of long work that wait or run.
    """

    running_sittings: int
    jobs_waiting: int
    jobs_failed: int
    oldest_job: float
    worker_seen: float | None
    pulse: float | None
    long_waiting: int = 0


def site_state(db: Database) -> SiteState:
    """Read the numbers at one moment."""
    with db.read() as session:
        now = db.now(session)
        short = Job.status == WAITING, ~Job.long
        due = session.scalar(select(func.min(Job.due_at)).where(*short))
        return SiteState(
            running_sittings=_count(session, Sitting.status == "running"),
            jobs_waiting=_count(session, *short),
            jobs_failed=_count(session, Job.status == FAILED, ~Job.long),
            oldest_job=max(now - due, 0) / SECOND if due is not None else 0.0,
            worker_seen=_since(now, session.scalar(select(func.max(Worker.seen_at)))),
            pulse=_since(now, session.scalar(select(Site.pulse_at))),
            long_waiting=_count(session, Job.status == WAITING, Job.long),
        )


def _count(session: Session, *conditions: ColumnElement[bool] | InstrumentedAttribute[bool]) -> int:
    return int(session.scalar(select(func.count()).where(*conditions)) or 0)


def _since(now: int, at: int | None) -> float | None:
    return None if at is None else (now - at) / SECOND
