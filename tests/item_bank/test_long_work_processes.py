"""Long work in processes that are killed and asked to stop; one document is there in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import select, update
from support.cohort_data import add_outcomes

from item_bank.exams.actors import command_line
from item_bank.results.exports.choices import Choices
from item_bank.results.exports.making import ask_for_export
from item_bank.store.asked_work import one_work
from item_bank.store.documents import document_parts, documents_of
from item_bank.store.tables.records import Job
from item_bank.store.tables.studies import Document

PATIENCE = 60.0
SLOWLY = """
import time
from item_bank.results.exports import making
from item_bank.store import long_work

write = making._blocks
def slowly(db, chosen, what):
    for block in write(db, chosen, what):
        yield block
        time.sleep(0.3)
making._blocks = slowly
long_work.BETWEEN_SECONDS = 0.0
"""
LANE = """
import os
from item_bank.store.database import open_database
from web.upkeep import run_long_lane

run_long_lane(open_database(os.environ["TAROZU_DATABASE_URL"]), {})
"""


def lane(slowly: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", (SLOWLY if slowly else "") + LANE])


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def asked(hall, database_url):
    """An export of 12,000 sittings that was asked for, by the database's own clock."""
    add_outcomes(hall.db, hall.exam, 12_000, days=1)
    home = hall.alice.organisation_id
    job = ask_for_export(hall.db, command_line(home), "results", Choices("sums"))
    with hall.db.write() as session:
        session.execute(update(Job).values(due_at=0))  # the hall's clock is ahead of the lane's

    def seen():
        return one_work(hall.db, job, home)

    return hall.db, job, home, seen


def begun(db, job):
    with db.read() as session:
        one = session.get_one(Job, job)
        half = session.scalars(select(Document.id)).all()
        return bool(one.leased_until and (one.done or 0) > 0 and half)


def test_a_killed_job_is_taken_again_after_its_lease_and_leaves_one_document(asked):
    db, job, home, _ = asked
    first = lane(slowly=True)
    until(lambda: begun(db, job))
    os.kill(first.pid, signal.SIGKILL)
    first.wait(PATIENCE)
    assert documents_of(db, job, home) == []
    with db.write() as session:
        assert session.get_one(Job, job).status == "waiting"
        session.execute(update(Job).values(leased_until=1))  # five minutes later

    second = lane()
    until(lambda: documents_of(db, job, home))
    second.terminate()

    assert second.wait(PATIENCE) == 0
    with db.read() as session:
        (only,) = session.scalars(select(Document)).all()
        assert session.get_one(Job, job).tries == 2
    content = b"".join(document_parts(db, only.id))
    assert content.count(b"\n") == 12_001
    assert len(content) == only.size


def test_a_lane_that_is_asked_to_stop_gives_its_job_back_at_once(asked):
    db, job, _, seen = asked
    first = lane(slowly=True)
    until(lambda: begun(db, job))
    first.terminate()

    assert first.wait(PATIENCE) == 0
    assert seen().state == "waiting"
    with db.read() as session:
        assert session.scalars(select(Document)).all() == []
        assert session.get_one(Job, job).tries == 0
