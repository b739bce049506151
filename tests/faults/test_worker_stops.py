"""A worker that stands alone is stopped or killed at a job, which is done once all the same."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from support.fault_sites import furnish

from item_bank.exams.actors import command_line
from item_bank.exams.candidate_views import exams_of_candidate
from item_bank.exams.conditions import terminate
from item_bank.exams.signing_in import candidate_by_code
from item_bank.exams.sittings import start
from item_bank.exams.verification import verify
from item_bank.store.database import Database, open_database
from item_bank.store.schema import organisation
from item_bank.store.tables.records import Job, SiteEvent
from item_bank.store.tables.sittings import Sitting

ENDED = 30
PATIENCE = 60.0
CLAIMED = "SELECT count(*) FROM jobs WHERE leased_until IS NOT NULL"


@dataclass
class Sealing:
    """A database with sittings that have ended and wait to be sealed, each by a job."""

    db: Database
    url: str
    folder: Path

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """`tarozu worker`, alone, in a process of its own."""
        environment = {
            "TAROZU_DATABASE_URL": self.url,
            "TAROZU_SECRETS": str(self.folder / "secrets"),
        }
        command = [sys.executable, "-m", "tarozu", "worker"]
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=os.environ | environment, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Hold a worker up at one of the jobs that it has claimed."""
        if self.db.path is not None:
            with closing(self._only_writer(self.db.path)):
                yield
            return
        with self.db.write() as session:
            session.scalars(select(Sitting.id).with_for_update()).all()
            self.wait(self.claimed)
            yield

    def _only_writer(self, file: Path) -> sqlite3.Connection:
        """Begin to write into SQLite's file as soon as jobs are claimed; nobody else can then."""
        own = sqlite3.connect(file, timeout=0, isolation_level=None)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                own.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                continue
            if own.execute(CLAIMED).fetchone()[0]:
                return own
            own.execute("ROLLBACK")
            time.sleep(0.001)
        raise AssertionError("the worker claimed nothing")

    def claimed(self) -> int:
        return self._n(select(func.count()).where(Job.leased_until.is_not(None)))

    def waiting(self) -> int:
        return self._n(select(func.count()).where(Job.kind == "seal_sitting", Job.status != "done"))

    def sealed(self) -> Counter[str]:
        """How often each sitting is sealed in the site's chain."""
        with self.db.read() as session:
            rows = select(SiteEvent.payload).where(SiteEvent.kind == "sitting_sealed")
            return Counter(one["sitting"] for one in session.scalars(rows))

    def _n(self, query) -> int:
        with self.db.read() as session:
            return int(session.scalar(query) or 0)

    def wait(self, condition) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, (self.folder / "worker.log").read_text()[-2000:]
            time.sleep(0.001)

    def let_the_next_do_the_rest(self) -> None:
        with self.worker() as process:
            self.wait(lambda: not self.waiting())
            process.terminate()
            assert process.wait(PATIENCE) == 0
        assert set(self.sealed().values()) == {1}
        assert len(self.sealed()) == ENDED
        assert verify(self.db).problems == ()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def sealing(request, fresh_folder) -> Iterator[Sealing]:
    folder = fresh_folder("worker")
    url = f"sqlite:///{folder / 'tarozu.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("another_postgres_url")
    db = replace(open_database(url), secrets_folder=folder / "secrets")
    actor = command_line(organisation(db))
    for code in furnish(db, folder, candidates=ENDED):
        one = candidate_by_code(db, code, address="here")
        exam = exams_of_candidate(db, one)[0]
        sitting = start(db, one, exam.registration_id, "en").sitting_id
        terminate(db, actor, sitting, "the hall is closed")
    yield Sealing(db, url, folder)
    db.close()


def test_a_worker_that_is_asked_to_stop_finishes_its_job_and_leaves_the_others_to_the_next(
    sealing,
):
    with sealing.worker() as process:
        with sealing.held_up():
            process.terminate()
            time.sleep(0.5)
            assert process.poll() is None, "it left its job"
        assert process.wait(PATIENCE) == 0
    done = len(sealing.sealed())
    assert 0 < done < ENDED
    assert sealing.waiting() == ENDED - done
    assert sealing.claimed() == 0, "the next worker need not wait for a lease to end"
    sealing.let_the_next_do_the_rest()


@pytest.mark.parametrize("sealing", ["sqlite"], indirect=True)
def test_what_a_killed_worker_held_is_taken_again_when_its_lease_ends_and_done_once(sealing):
    with sealing.worker() as process, sealing.held_up():
        process.kill()
        process.wait(PATIENCE)
    assert sealing.waiting() > 0
    with sealing.db.write() as session:  # five minutes pass
        session.execute(update(Job).where(Job.leased_until.is_not(None)).values(leased_until=1))
    sealing.let_the_next_do_the_rest()
