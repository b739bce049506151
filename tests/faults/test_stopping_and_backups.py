"""While candidates answer: SIGTERM loses nothing acknowledged, a backup lacks nothing before it."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select
from support.candidates import AWAY

from item_bank.exams.replay import replay
from item_bank.exams.verification import verify
from item_bank.store.backup import restore_backup, write_backup
from item_bank.store.database import Database, open_database
from item_bank.store.tables.sittings import Response

AT_ONCE = 6


@pytest.fixture
def crowd(either_site):
    """Candidates at their first question, who answer when they are told to."""
    return [either_site.begun() for _ in range(AT_ONCE)]


class Answering:
    """Candidates answer, each in a thread, until there is nobody who takes it."""

    def __init__(self, crowd) -> None:
        self.acknowledged: list[tuple[str, int, float]] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._sit, args=(one,)) for one in crowd]
        for thread in self._threads:
            thread.start()

    def _sit(self, one) -> None:
        try:
            while one.page.has_question and not self._stop.is_set():
                position = one.form.position
                reply = one.say(one.form.filled())
                if reply.status in {200, 303}:
                    self.acknowledged.append((one.sitting, position, time.monotonic()))
                one.follow(reply)
        except AWAY:
            return

    def wait_for(self, n: int) -> None:
        while len(self.acknowledged) < n:
            time.sleep(0.01)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def kept(db) -> set[tuple[str, int]]:
    with db.read() as session:
        return {
            tuple(row) for row in session.execute(select(Response.sitting_id, Response.position))
        }


def test_a_server_that_is_asked_to_stop_keeps_what_it_acknowledged(either_site, crowd):
    site = either_site
    answering = Answering(crowd)
    answering.wait_for(AT_ONCE)
    begun = time.monotonic()
    assert site.server.stop() == 0
    seconds = time.monotonic() - begun
    answering.end()

    assert seconds < 45
    assert {place[:2] for place in answering.acknowledged} <= kept(site.db)
    site.revive()


@pytest.fixture
def elsewhere(either_site, request, tmp_path, monkeypatch) -> Database:
    """Another database of the same kind, under the same secrets."""
    monkeypatch.setenv("TAROZU_SECRETS", str(either_site.db.secrets_folder))
    url = f"sqlite:///{tmp_path / 'restored.db'}"
    if not either_site.db.is_sqlite:
        url = request.getfixturevalue("another_postgres_url")
    db = open_database(url)
    yield db
    db.close()


def test_a_backup_has_every_answer_acknowledged_before_it(either_site, crowd, elsewhere, tmp_path):
    answering = Answering(crowd)
    answering.wait_for(AT_ONCE)
    begun = time.monotonic()
    write_backup(either_site.db, tmp_path / "site.backup")
    answering.end()
    restore_backup(elsewhere, tmp_path / "site.backup")

    before = {(sitting, n) for sitting, n, at in answering.acknowledged if at <= begun}
    assert len(before) >= AT_ONCE
    assert before <= kept(elsewhere)
    assert verify(elsewhere).problems == ()
    for one in crowd:
        assert replay(elsewhere, one.sitting).problems == ()
