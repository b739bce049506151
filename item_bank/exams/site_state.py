"""How the site stands at this moment, in numbers, for those who watch it. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
        Seconds since the oldest waiting job was due; 0 where none is due.
    """

    running_sittings: int
    jobs_waiting: int
    jobs_failed: int
    oldest_job: float
    worker_seen: float | None
    pulse: float | None


def site_state(db: Database) -> SiteState:
    """Read the numbers at one moment."""
    with db.read() as session:
        now = db.now(session)
        due = session.scalar(select(func.min(Job.due_at)).where(Job.status == WAITING))
        return SiteState(
            running_sittings=_count(session, Sitting.status == "running"),
            jobs_waiting=_count(session, Job.status == WAITING),
            jobs_failed=_count(session, Job.status == FAILED),
            oldest_job=max(now - due, 0) / SECOND if due is not None else 0.0,
            worker_seen=_since(now, session.scalar(select(func.max(Worker.seen_at)))),
            pulse=_since(now, session.scalar(select(Site.pulse_at))),
        )


def _count(session: Session, condition: object) -> int:
    return int(session.scalar(select(func.count()).where(condition)) or 0)  # type: ignore[arg-type]


def _since(now: int, at: int | None) -> float | None:
    return None if at is None else (now - at) / SECOND
