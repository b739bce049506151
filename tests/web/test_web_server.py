"""The commands that serve, and the processes that they start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from item_bank.exams.signing_in import candidate_by_code, staff_by_password
from item_bank.exams.upkeep import HANDLERS
from item_bank.store.clock import SECOND
from item_bank.store.database import open_database
from item_bank.store.jobs import enqueue
from item_bank.store.schema import initialise
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import Site, Worker
from web import upkeep
from web.companions import FOLLOW
from web.demonstration import log_ins, prepare


def new_worker(db, known: set[int]) -> int:
    """Wait for the heartbeat of a worker process that was not known."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with db.read() as session:
            seen = {worker.about["process"] for worker in session.scalars(select(Worker))}
        if seen - known:
            return (seen - known).pop()
        time.sleep(0.2)
    raise AssertionError("no worker beats")


def test_a_server_answers_does_its_upkeep_and_stops_when_asked(server, db):
    assert server.health() == {"status": "ok", "database": "reachable", "schema": "known"}
    with db.read() as session:  # it beat before it answered
        assert db.now(session) - session.get_one(Site, 1).pulse_at < 60 * SECOND
    first = new_worker(db, known=set())
    os.kill(first, signal.SIGKILL)
    assert new_worker(db, known={first}) != first

    assert server.stop() == 0
    server.wait_until_gone()
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[0] == "{"]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_nothing_is_left_running_when_the_server_is_killed(server):
    server.kill_master()
    server.wait_until_gone()


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_busy_port_is_named(busy_port, run_command, database_url):
    status, _, said = run_command("--database", database_url, "serve", "--port", busy_port)

    assert status == 2
    assert f"port {busy_port} in use" in said


def test_serve_refuses_a_demonstration(tmp_path, run_command, monkeypatch):
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "demo-secrets"))
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    database = open_database(url)
    initialise(database, kind="demonstration")
    database.close()
    status, _, said = run_command("--database", url, "serve")

    assert status == 2
    assert "demonstration" in said


def test_serve_refuses_a_database_without_a_schema(tmp_path, run_command):
    status, _, said = run_command("--database", f"sqlite:///{tmp_path / 'none.db'}", "serve")

    assert status == 2
    assert "tarozu init" in said


def test_serve_refuses_a_setting_that_it_does_not_know(run_command, database_url, monkeypatch):
    monkeypatch.setenv("TAROZU_WEB_COLOUR", "blue")
    status, _, said = run_command("--database", database_url, "serve")

    assert status == 2
    assert "TAROZU_WEB_COLOUR" in said


def test_accounts_are_added_and_listed(run_command, database_url, db):
    add = ("--database", database_url, "user", "add", "eva@example.org", "--password-stdin")
    status, said, _ = run_command(*add, "--role", "examiner", stdin="weigh-with-care\n")
    assert (status, said) == (0, "eva@example.org added as examiner\n")
    assert staff_by_password(db, "eva@example.org", "weigh-with-care", address="10.0.0.1")

    status, said, _ = run_command("--json", "--database", database_url, "user", "list")
    assert [one["email"] for one in json.loads(said)] == ["eva@example.org"]
    assert run_command(*add, "--role", "examiner", stdin="weigh-with-care\n")[0] == 2


def test_a_short_password_is_refused(run_command, database_url):
    command = ("user", "add", "eva@example.org", "--role", "examiner", "--password-stdin")
    status, _, said = run_command("--database", database_url, *command, stdin="short\n")

    assert status == 2
    assert "10 to 200 characters" in said


def test_a_candidate_gets_an_access_code(run_command, database_url, db, codes):
    command = ("user", "add", "zara@example.org", "--role", "candidate", "--exam", "sums")
    status, said, _ = run_command("--json", "--database", database_url, *command)
    code = json.loads(said)["access_code"]

    assert status == 0
    assert re.fullmatch(r"\w{5}-\w{5}-\w{5}", code)
    assert candidate_by_code(db, code, address="10.0.0.1").name == "zara"


def test_the_worker_does_what_waits_and_outlives_a_fault(db, monkeypatch):
    with db.write() as session:
        enqueue(session, "greet", "once", {"who": "all"}, due_at=0)
    greeted = []
    handlers = dict(HANDLERS) | {"greet": lambda _db, payload: greeted.append(payload["who"])}
    monkeypatch.setattr(upkeep, "HANDLERS", handlers)
    monkeypatch.setattr(upkeep, "close_abandoned", _fails_once([]))
    for number in range(2):
        upkeep._round(db, "w" * 32, number)

    assert greeted == ["all"]
    with db.read() as session:
        greeting = select(Job.status).where(Job.kind == "greet")
        assert session.scalars(greeting).all() == ["done"]


def _fails_once(calls):
    def close(_db):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the database is away")
        return 0

    return close


def test_a_worker_ends_with_its_server(db, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    upkeep.run_worker(db, {FOLLOW: "1"})
    upkeep.run_long_lane(db, {FOLLOW: "1"})


@pytest.mark.parametrize("strange", ["thesis.txt", "photos"])
def test_a_folder_with_anything_else_is_never_cleared(tmp_path, strange):
    (tmp_path / strange).mkdir()
    with pytest.raises(ValueError, match=strange):
        prepare(None, tmp_path, fresh=True)

    assert (tmp_path / strange).exists()


def test_the_demonstration_names_addresses_and_ways_in():
    data, said = log_ins(8081, "sqlite:///demo.db")

    assert data["address"] == "http://127.0.0.1:8081/"
    assert {one["role"] for one in data["log_ins"]} >= {"candidate", "examiner"}
    for one in data["log_ins"]:
        assert one["secret"] in said


def test_the_demonstration_takes_the_next_free_port(run_command, monkeypatch, tmp_path, busy_port):
    served = []
    monkeypatch.setattr("web.server.serve", served.append)
    monkeypatch.setattr("web.demonstration.prepare", lambda *_a, **_k: f"sqlite:///{tmp_path}/x.db")
    status, _, said = run_command("demo", "--port", busy_port)

    assert status == 0
    assert f"port {busy_port} is in use" in said
    assert served[0].port > busy_port
    assert served[0].host == "127.0.0.1"
