"""What watchers of the site read: metrics, health, and the beat of each web process."""

from __future__ import annotations

import re
import sqlite3
import urllib.request
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError
from support.processes import Server
from support.visitors import Visitor

from item_bank.exams import answering
from web import site
from web.app import create_app
from web.beats import Beats, Heard, Hearing
from web.settings import Settings

TOKEN = "weigh-weigh-weigh-weigh"


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_requests_answers_and_the_state_of_the_site_are_counted(alice, visitor):
    before = visitor.get("/metrics").text
    sitting = alice.begin()
    alice.answer(sitting)
    after = visitor.get("/metrics").text

    assert value(after, 'tarozu_answers_total{outcome="accepted"}') >= 1
    assert value(after, "tarozu_running_sittings") == 1
    assert value(after, "tarozu_database_up") == 1
    assert value(after, "tarozu_selection_seconds_count") >= 1
    assert "tarozu_running_sittings 0.0" in before
    assert sitting not in after
    assert 'route="/sitting/<sitting_id>/answer"' in after


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("203.0.113.7", {}, 404),
        ("203.0.113.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("203.0.113.7", {"Authorization": "Bearer guess"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
def test_metrics_are_for_this_host_and_for_the_token(hall, address, headers, status):
    visitor = Visitor(create_app(hall.db, Settings(metrics_token=TOKEN)))
    found = visitor.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})

    assert found.status_code == status


def test_a_forwarded_address_opens_nothing_where_a_proxy_is_trusted(hall):
    visitor = Visitor(create_app(hall.db, Settings(trusted_proxies=1)))
    base = {"REMOTE_ADDR": "203.0.113.7"}
    found = visitor.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, environ_base=base)

    assert found.status_code == 404


@pytest.fixture
def two_processes(database_url, codes, tmp_path) -> Iterator[Server]:
    one = Server(database_url, tmp_path / "secrets", tmp_path / "server.log", "--workers", "2")
    one.start()
    yield one
    one.stop()


def test_the_processes_of_a_server_give_one_sum(two_processes):
    for _ in range(30):
        urllib.request.urlopen(f"{two_processes.address}/").close()
    wanted = 'tarozu_requests_total{method="GET",route="/",status="200"}'
    for _ in range(4):  # whichever process answers
        with urllib.request.urlopen(f"{two_processes.address}/metrics") as answer:
            assert value(answer.read().decode(), wanted) == 30


def test_health_is_red_and_no_exam_begins_when_the_disk_is_full(alice, app, hall, monkeypatch):
    sitting = alice.begin()
    monkeypatch.setattr(site, "free_bytes", lambda _db: 10 * 2**20)
    health = alice.get("/healthz")

    assert health.status_code == 503
    assert health.json["disk"] == "full"
    assert alice.get(f"/sitting/{sitting}").status_code == 200
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    address = re.search(r'href="(/start/\w+)"', bob.page)
    bob.get(address[1])
    assert bob.post(address[1], {"language": "en"}).status_code == 503


@pytest.mark.parametrize("said", ["database or disk is full", "database is locked"])
def test_a_database_that_cannot_be_written_is_a_503_that_says_when_to_try_again(
    alice, monkeypatch, said
):
    def fail(*_args, **_more):
        raise OperationalError("INSERT", {}, sqlite3.OperationalError(said))

    sitting = alice.begin()
    monkeypatch.setattr(answering, "take", fail)
    found = alice.answer(sitting)

    assert found.status_code == 503
    assert found.headers["Retry-After"] == "5"


def test_a_beat_outlives_a_database_that_is_away_and_keeps_what_it_heard():
    beaten, kept, heard = [], [], Hearing()
    away = [True]

    def beat():
        beaten.append(1)
        if away[0]:
            raise OSError("the database is away")

    def keep(pages):
        if away[0]:
            raise OSError("the database is away")
        kept.extend(pages)

    beats = Beats(beat, keep, heard, every=0.02)
    heard.note(Heard("s", "o", "203.0.113.7", "old"))
    beats.start()
    assert beaten == [1]
    heard.note(Heard("s", "o", "203.0.113.7", "new"))
    while len(beaten) < 3:
        pass
    away[0] = False
    beats.stop()

    assert [one.agent for one in kept] == ["new"]
    assert heard.take() == []
