"""The site chain of administrative events, and jobs."""

from __future__ import annotations

from sqlalchemy import Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Json, Key, Name, Time, Word


class SiteEvent(Base):
    """A link of the site chain: administrative acts and the closing hashes of sittings."""

    __tablename__ = "site_events"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    organisation_id: Mapped[Key | None]
    kind: Mapped[Word]
    payload: Mapped[Json]
    at: Mapped[Time] = mapped_column(index=True)
    previous_hash: Mapped[Hash]
    hash: Mapped[Hash]


class Job(Base):
    """Work without a request: claimed with a lease, idempotent by its key, retried."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_status_due", "status", "due_at"),)

    id: Mapped[Id]
    organisation_id: Mapped[Key | None]
    kind: Mapped[Word]
    key: Mapped[str] = mapped_column(Text, unique=True)
    payload: Mapped[Json]
    status: Mapped[Word]  # waiting, done, failed, cancelled
    tries: Mapped[int]
    due_at: Mapped[Time]
    leased_until: Mapped[Time | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Time]
    finished_at: Mapped[Time | None]
    title: Mapped[Name | None]  # as people see it; None: work that nobody asked for
    made_for: Mapped[Key | None]  # the account that asked for it
    done: Mapped[int | None]  # of `total` pieces; None: not said
    total: Mapped[int | None]
    stage: Mapped[Word | None]  # what it does at the moment
    cancelled: Mapped[bool] = mapped_column(default=False, server_default=false())  # to stop soon
    long: Mapped[bool] = mapped_column(default=False, server_default=false())  # of the second lane
    counted_from: Mapped[Time | None]  # when it began to count to `total`
