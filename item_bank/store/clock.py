"""The site clock: the only clock that decides anything. Microseconds since 1970.

PostgreSQL: the server's own clock. SQLite, which is one host: the boot-time clock, which no one can
set, with its wall time noted once per boot in `clock_anchors` and never before the last recorded
event; so a host whose clock jumps neither ends nor extends an exam.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.site import ClockAnchor
from item_bank.store.tables.sittings import SittingEvent

Clock = Callable[[Connection], int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_time() -> int:
    """Microseconds since the host started, sleep included where the host counts it."""
    return time.clock_gettime_ns(_CLOCK) // 1000


def wall_time() -> int:
    """Microseconds since 1970 by the host's settable clock."""
    return time.time_ns() // 1000


def boot_id() -> str:
    """Name this boot of this host."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    started = round((wall_time() - boot_time()) / (10 * SECOND))
    return f"{sys.platform}-{uuid.getnode():x}-{started}"


def last_recorded(connection: Connection) -> int:
    """Return the time of the newest event in any chain; 0 where there is none."""
    newest = [connection.scalar(select(func.max(t.at))) for t in (SiteEvent, SittingEvent)]
    return max(at or 0 for at in newest)


def postgres_clock(connection: Connection) -> int:
    """Ask the database server."""
    now = connection.scalar(
        text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    )
    return int(now or 0)


class AnchoredClock:
    """The boot-time clock put on wall time by this boot's anchor."""

    def __init__(self) -> None:
        self._offset: int | None = None

    def __call__(self, connection: Connection) -> int:
        """Return the site's time; the first call of a process reads the anchor."""
        if self._offset is None:
            self._offset = self._read(connection)
        return boot_time() + self._offset

    def _read(self, connection: Connection) -> int:
        anchor = connection.execute(
            select(ClockAnchor.wall_at, ClockAnchor.boot_at).where(ClockAnchor.boot_id == boot_id())
        ).one_or_none()
        if anchor is not None:
            return int(anchor.wall_at - anchor.boot_at)
        return max(wall_time(), last_recorded(connection) + 1) - boot_time()


def set_anchor(connection: Connection) -> None:
    """Note this boot's wall time, once; the caller holds a write transaction."""
    known = select(ClockAnchor.boot_id).where(ClockAnchor.boot_id == boot_id())
    if connection.scalar(known) is not None:
        return
    wall = max(wall_time(), last_recorded(connection) + 1)
    row = {"boot_id": boot_id(), "wall_at": wall, "boot_at": boot_time()}
    try:
        with connection.begin_nested():
            connection.execute(insert(ClockAnchor).values(row))
    except IntegrityError:  # another process of this boot was quicker; its anchor counts
        return
