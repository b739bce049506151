"""Where the pages of running sittings were last heard from, for those who watch over a room.

No request writes it: each web process gathers what it hears in memory, and its beat hands that over
in one transaction. It is personal data and no record: it is erased some time after the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from item_bank.store.clock import DAY
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Presence, Sitting

KEPT = 30 * DAY
TABLE = cast("Table", Presence.__table__)
MAX_ADDRESS, MAX_AGENT = 64, 200


@dataclass(frozen=True)
class Seen:
    """A page of a sitting was heard from."""

    sitting_id: str
    organisation_id: str
    at: int
    address: str
    agent: str


class Gathered:
    """What a process has heard since its last beat: the last word of each sitting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Seen] = {}

    def note(self, seen: Seen) -> None:
        """Remember a page."""
        with self._lock:
            self._last[seen.sitting_id] = seen

    def take(self) -> list[Seen]:
        """Return what was gathered, and begin anew."""
        with self._lock:
            taken, self._last = self._last, {}
        return list(taken.values())


def note_presence(db: Database, seen: Iterable[Seen]) -> None:
    """Keep where some pages were heard from, all in one transaction."""
    rows = [_row(one) for one in sorted(seen, key=lambda one: one.sitting_id)]
    if not rows:
        return
    with db.write() as session:
        connection = session.connection()
        sqlite = connection.dialect.name == "sqlite"
        statement: Any = (sqlite_insert if sqlite else postgres_insert)(TABLE)
        new = statement.excluded
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["sitting_id"],
                set_={name: new[name] for name in ("seen_at", "address", "agent")},
                where=TABLE.c.seen_at <= new.seen_at,
            ),
            rows,
        )


def _row(seen: Seen) -> dict[str, Any]:
    return {
        "sitting_id": seen.sitting_id,
        "organisation_id": seen.organisation_id,
        "first_seen_at": seen.at,
        "seen_at": seen.at,
        "address": seen.address[:MAX_ADDRESS],
        "agent": seen.agent[:MAX_AGENT],
    }


def prune_presence(db: Database) -> int:
    """Erase the presence of sittings that ended 30 days ago, and return of how many."""
    with db.read() as session:
        ended = select(Sitting.id).where(Sitting.finished_at < db.now(session) - KEPT)
        old = session.scalars(
            select(Presence.sitting_id).where(Presence.sitting_id.in_(ended))
        ).all()
    if not old:
        return 0
    with db.write() as session:
        session.execute(delete(Presence).where(Presence.sitting_id.in_(old)))
    return len(old)
