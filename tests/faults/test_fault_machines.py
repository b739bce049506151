"""A database that is locked or away, a full disk, a clock that jumps, lines that trickle.

Cases 9, 10, 11 and 28.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.fault_sites import Site, serve_site
from support.holding import before_commit, until
from support.postgres import OwnServer, Unavailable, own_server
from support.processes import Server

from item_bank.store.clock import SECOND
from item_bank.store.database import open_database
from item_bank.store.schema import initialise

AWAY_SECONDS = 10
HERE = Path(__file__).parent


# --- the database ------------------------------------------------------------------------------


def test_fault_09_a_file_that_is_locked_for_ten_seconds_delays_an_answer(site):
    one = site.begun()
    reader = site.begun()
    form = one.form.filled()
    with ThreadPoolExecutor(1) as pool:
        with before_commit(site):
            reply = pool.submit(one.say, form)
            end = time.monotonic() + AWAY_SECONDS
            assert reader.open().question.position == 1  # who only looks does not wait
            time.sleep(max(0, end - time.monotonic()))
            assert not reply.done()
        assert reply.result(30).status == 303

    assert site.counts(one.sitting) == (1, 2)
    site.check(one.sitting)


@pytest.fixture(scope="module")
def own_postgres(unavailable) -> Iterator[OwnServer]:
    """A PostgreSQL server that a test may stop."""
    try:
        with own_server() as one:
            yield one
    except Unavailable as reason:
        unavailable(str(reason))


@pytest.fixture
def fragile_site(own_postgres, fresh_folder) -> Iterator[Site]:
    """A site on a PostgreSQL server that a test may stop."""
    folder = fresh_folder("fragile")
    url = own_postgres.url.render_as_string(hide_password=False)
    db = replace(open_database(url), secrets_folder=folder / "secrets")
    initialise(db)
    db.close()
    with serve_site(url, folder, candidates=3) as one:
        yield one


@pytest.mark.postgres
def test_fault_09_a_database_server_that_crashes_and_returns_costs_no_answer_and_no_time(
    own_postgres, fragile_site
):
    site, one = fragile_site, fragile_site.begun()
    deadline = site.sitting(one.sitting).deadline_at
    form = one.form.filled()
    own_postgres.stop(signal.SIGQUIT)
    gone = time.monotonic()
    try:
        reply = one.say(form)
        health = site.server.health()
        time.sleep(max(0, gone + AWAY_SECONDS - time.monotonic()))
    finally:
        own_postgres.start()

    assert reply.status == 503
    assert reply.headers["Retry-After"] == "5"
    assert reply.says("your answer is kept on this page")
    assert not reply.says("Traceback")
    assert health.get("status") != "ok"
    assert one.persist(form).status == 303
    assert site.counts(one.sitting) == (1, 2)
    until(lambda: site.sitting(one.sitting).deadline_at > deadline, "time is given back", 15)
    given = (site.sitting(one.sitting).deadline_at - deadline) / SECOND
    assert AWAY_SECONDS - 2 <= given <= time.monotonic() - gone + 4
    assert "outage_credited" in site.events(one.sitting)
    site.check(one.sitting)


# --- the disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path, unavailable) -> Iterator[Path]:
    """A disk of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        unavailable(f"no disk of our own: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill a disk to its last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink()


def test_fault_10_a_full_disk_refuses_what_is_new_and_says_so_to_who_is_there(
    small_disk, template_folder
):
    shutil.copytree(template_folder, small_disk, dirs_exist_ok=True)
    url = f"sqlite:///{small_disk / 'tarozu.db'}"
    with serve_site(url, small_disk, candidates=12, TAROZU_WEB_LEAST_FREE_MIB="1") as site:
        people = [site.begun() for _ in range(8)]
        late = site.candidate()
        with full(small_disk):
            until(lambda: not site.server.health(), "the health check is red")  # urllib: 503
            assert refused(late)
            unsaved = [one for one in people if not saved_to_the_end(one)]
            assert unsaved  # the journal has room for some, not for all
        until(lambda: site.server.health().get("status") == "ok", "the health check is green")

        for one in unsaved:
            assert one.persist(one.unsaved).status == 303
            one.open()
            one.finish()
        late.begin()
        for one in people:
            assert site.sitting(one.sitting).status == "finished"
            site.check(one.sitting)
        assert torn(site.server.log) <= len(TORN_BY)


TORN_BY = ("web process", "worker")


def torn(log: Path) -> int:
    """How many lines of a log are no JSON; none of them has swallowed the line after it."""
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    halves = [line for line in lines if not line.endswith("}")]
    for line in set(lines) - set(halves):
        json.loads(line)
    return len(halves)


def refused(one) -> bool:
    """Whether somebody who wants to start is told, in words, to wait."""
    address = one.page.text.partition('href="/start/')[2].partition('"')[0]
    form = one.get(f"/start/{address}").form(f"/start/{address}")
    reply = one.post(f"/start/{address}", form.filled())
    return reply.status == 503 and reply.says("no exam can start now")


def saved_to_the_end(one) -> bool:
    """Answer until the end, or until the site says that it cannot save."""
    while one.page.has_question:
        one.unsaved = one.form.filled()
        reply = one.say(one.unsaved)
        if reply.status == 503:
            assert reply.says("your answer is kept on this page")
            return False
        shown = one.follow(reply)
        assert shown.status == 200, shown.text  # who only looks needs no room
    return True


# --- the clock ---------------------------------------------------------------------------------


def test_fault_11_a_wall_clock_that_jumps_an_hour_ends_and_extends_nothing(site, tmp_path):
    off = tmp_path / "off"
    off.write_text("0")
    path = f"{HERE / 'another_clock'}:{os.environ.get('PYTHONPATH', '')}"
    environment = {"PYTHONPATH": path, "TAROZU_TEST_WALL_CLOCK": str(off)}
    secrets = site.folder / "secrets"
    server = Server(site.url, secrets, tmp_path / "server.log", **environment)
    server.start()
    try:
        one = site.candidate(server)
        one.begin()
        for seconds in (3600, -3600, 7200, 0):
            before = left(one)
            off.write_text(str(seconds))
            assert before - 20 < left(one) <= before
            assert one.answer().question.position  # still signed in, and in time
    finally:
        server.stop()

    kept = site.responses(one.sitting)
    assert [row.late for row in kept] == [False] * 4
    times = [row.received_at for row in kept]
    assert times == sorted(times)
    assert times[-1] - times[0] < 60 * SECOND
    site.check(one.sitting)


def left(one) -> float:
    """Seconds that the server says are left."""
    return json.loads(one.get(f"{one.at}/clock").text)["left"] / 1000


# --- the line ----------------------------------------------------------------------------------


def test_fault_28_a_huge_upload_is_refused(site):
    one = site.begun()
    reply = one.say(one.form.filled() | {"text": "a" * 300_000})

    assert reply.status == 413
    assert site.counts(one.sitting) == (0, 1)


def test_fault_28_trickling_lines_keep_nobody_waiting(site):
    one = site.begun()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ncode="
    lines = [socket.create_connection(("127.0.0.1", site.server.port)) for _ in range(30)]
    stop = threading.Event()

    def trickle():
        while not stop.wait(0.2):
            for line in lines:
                line.sendall(b"a")

    for line in lines:
        line.sendall(head)
    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        begun = time.monotonic()
        one.answer()
        assert one.answer().question.position == 3
        assert time.monotonic() - begun < 10
    finally:
        stop.set()
        thread.join()
        for line in lines:
            line.close()
