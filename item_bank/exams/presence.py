"""Where the pages of running sittings were last heard from, for those who watch over a room.

No request writes it: each web process gathers what it hears in memory, and its beat hands that over
in one transaction. It is personal data and no record: `personal` erases it some time after
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from item_bank.store.database import Database
from item_bank.store.tables.sittings import Presence

TABLE = cast("Table", Presence.__table__)
MAX_ADDRESS, MAX_AGENT = 64, 200


@dataclass(frozen=True)
class Heard:
    """That a page of a sitting was heard from.

    Parameters
    ----------
    organisation_id
        Whose sitting it is.
    address, agent
        Where the page was, and how its browser names itself.
    """

    sitting_id: str
    organisation_id: str
    address: str
    agent: str


def note_presence(db: Database, heard: Sequence[Heard]) -> None:
    """Keep where some pages were heard from since the last beat, all in one transaction."""
    if not heard:
        return
    with db.write() as session:
        now, connection = db.now(session), session.connection()
        rows = [_row(one, now) for one in sorted(heard, key=lambda one: one.sitting_id)]
        sqlite = connection.dialect.name == "sqlite"
        statement: Any = (sqlite_insert if sqlite else postgres_insert)(TABLE)
        new = statement.excluded
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["sitting_id"],
                set_={name: new[name] for name in ("seen_at", "address", "agent")},
            ),
            rows,
        )


def _row(heard: Heard, now: int) -> dict[str, Any]:
    return {
        "sitting_id": heard.sitting_id,
        "organisation_id": heard.organisation_id,
        "first_seen_at": now,
        "seen_at": now,
        "address": heard.address[:MAX_ADDRESS],
        "agent": heard.agent[:MAX_AGENT],
    }
