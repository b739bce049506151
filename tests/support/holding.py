"""Ways to hold a database still: real locks and triggers, in which a server process waits."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from support.fault_sites import Site

STILL = 1.5
ENDLESS = """
CREATE TRIGGER held AFTER INSERT ON responses BEGIN
  SELECT count(*) FROM (
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n
  );
END
"""
WAITS = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$;
CREATE TRIGGER held AFTER INSERT ON responses FOR EACH ROW EXECUTE FUNCTION hold();
"""
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@contextmanager
def before_commit(site: Site) -> Iterator[Callable[[], None]]:
    """Let no one write; gives a wait until somebody wants to."""
    if not site.db.is_sqlite:
        with site.db.engine.connect() as holder:
            holder.execute(text("LOCK TABLE sittings IN ROW EXCLUSIVE MODE"))
            holder.execute(text("SELECT id FROM sittings FOR UPDATE"))
            yield lambda: until(lambda: _one_waits(site), "a writer waits")
            holder.rollback()
        return
    holder = sqlite3.connect(site.db.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield lambda: time.sleep(STILL)  # nothing tells who waits; an answer takes some 20 ms
    finally:
        holder.close()


@contextmanager
def in_transaction(site: Site) -> Iterator[Callable[[], None]]:
    """Let every transaction halt after its response is written; gives a wait until one has."""
    if site.db.is_sqlite:
        with _change(site) as connection:
            connection.execute(ENDLESS)
        try:
            yield lambda: until(lambda: _is_locked(site), "a transaction is open")
        finally:
            with _change(site) as connection:
                connection.execute("DROP TRIGGER held")
        return
    with site.db.engine.connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(4711)"))
        holder.execute(text(WAITS))
        holder.commit()
        yield lambda: until(lambda: _one_waits(site), "a transaction waits")
        holder.execute(text("SELECT pg_advisory_unlock(4711)"))
        holder.execute(text("DROP TRIGGER held ON responses; DROP FUNCTION hold()"))
        holder.commit()


@contextmanager
def _change(site: Site) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(site.db.path, isolation_level=None, timeout=20)
    yield connection
    connection.close()


def _one_waits(site: Site) -> bool:
    with site.db.engine.connect() as connection:
        return bool(connection.scalar(text(WAITING)))


def _is_locked(site: Site) -> bool:
    """Whether a writer has had the file for a while."""
    for _ in range(10):
        with sqlite3.connect(site.db.path, isolation_level=None, timeout=0) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(0.03)
            else:
                connection.execute("ROLLBACK")
                return False
    return True
