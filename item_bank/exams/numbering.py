"""Numbers of sittings, which a restored site does not give a second time.

A candidate's attempts at an exam are numbered. What was given after the moment of a backup is not
in it; so a restore notes in the site's chain from where on sittings are numbered, above everything
that may have been given before.
"""

from __future__ import annotations

from sqlalchemy import select

from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.schema import RESTORED
from item_bank.store.tables.records import SiteEvent


def number_of_attempt(db: Database, attempt: int) -> int:
    """Return the number of a candidate's n-th attempt at an exam."""
    return once(db, ("numbers_from",), lambda: _numbers_from(db)) + attempt


def _numbers_from(db: Database) -> int:
    """Read it once: no server runs while a site is restored."""
    last = (
        select(SiteEvent.payload)
        .where(SiteEvent.kind == RESTORED)
        .order_by(SiteEvent.number.desc())
        .limit(1)
    )
    with db.read() as session:
        payload = session.scalars(last).first()
    return int((payload or {}).get("numbers_from", 0))
