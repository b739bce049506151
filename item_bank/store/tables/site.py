"""The site itself: its one row, its organisations, the clock's anchors and its workers."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Json, Name, Time, Word


class Site(Base):
    """The one row that says what this database is."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    kind: Mapped[Word]  # "site" or "demonstration"
    created_at: Mapped[Time]
    secrets_fingerprint: Mapped[Hash]
    pulse_at: Mapped[Time | None]  # when a process that serves candidates last said so
    retention: Mapped[Json | None]  # days by kind of data; None: the defaults


class OrganisationRow(Base):
    """Whose people, exams, sittings and results they are."""

    __tablename__ = "organisations"

    id: Mapped[Id]
    code: Mapped[Word] = mapped_column(unique=True)
    name: Mapped[Name]
    created_at: Mapped[Time]


class ClockAnchor(Base):
    """Wall time beside the boot-time clock, noted once per boot (SQLite only)."""

    __tablename__ = "clock_anchors"

    boot_id: Mapped[Word] = mapped_column(primary_key=True)
    wall_at: Mapped[Time]
    boot_at: Mapped[Time]


class Worker(Base):
    """A worker process and when it was last seen."""

    __tablename__ = "workers"

    id: Mapped[Id]
    started_at: Mapped[Time]
    seen_at: Mapped[Time]
    about: Mapped[Json]
