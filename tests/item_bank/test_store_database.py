"""The door to the database: reads see one state, writes are kept whole or not at all."""

from __future__ import annotations

import contextlib
import threading

import pytest
from sqlalchemy import func, select, text

from engine.errors import InputError
from item_bank.store.database import open_database
from item_bank.store.tables.site import OrganisationRow


def count(session):
    return session.scalar(select(func.count()).select_from(OrganisationRow))


def add(db, code):
    with db.write() as session:
        session.add(OrganisationRow(code=code, name=code, created_at=1))


def test_a_read_sees_one_state_while_others_write(db):
    with db.read() as session:
        before = count(session)
        add(db, "new")

        assert count(session) == before

    with db.read() as session:
        assert count(session) == before + 1


def test_a_write_that_fails_keeps_nothing(db):
    with db.read() as session:
        before = count(session)
    with contextlib.suppress(ZeroDivisionError), db.write() as session:
        session.add(OrganisationRow(code="new", name="new", created_at=1))
        session.flush()
        _ = 1 / 0

    with db.read() as session:
        assert count(session) == before


def test_writers_at_the_same_time_all_succeed(db):
    failures = []

    def work(worker):
        try:
            for number in range(5):
                add(db, f"{worker}-{number}")
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with db.read() as session:
        assert count(session) == 31


def test_a_row_that_points_at_nothing_is_refused(db):
    with pytest.raises(Exception, match=r"(?i)foreign key"), db.write() as session:
        session.execute(text("INSERT INTO candidates VALUES ('c', 'no organisation', 1)"))


@pytest.mark.parametrize("url", ["no url", "mysql://host/db", "oracle://host/db"])
def test_a_url_that_is_none_of_ours_is_refused(url):
    with pytest.raises(InputError, match=r"a database URL|a SQLite or PostgreSQL URL"):
        open_database(url)
