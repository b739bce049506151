"""Jobs: done once for each key, retried with longer waits, never shared between workers."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

from sqlalchemy import select
from support.sittings import SetClock

from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.jobs import (
    LEASE,
    MAX_TRIES,
    backoff,
    beat,
    claim,
    enqueue,
    failed_jobs,
    finish,
    run_pending,
)
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import Worker


def with_clock(db):
    clock = SetClock()
    return replace(db, clock=clock), clock


def add(db, key, at=0, kind="greet"):
    with db.write() as session:
        enqueue(session, kind, key, {"to": key}, due_at=at)


def test_a_job_is_done_once_for_each_key(db):
    done = []
    for key in ("a", "b", "a"):
        add(db, key)

    count = run_pending(db, {"greet": lambda _db, payload: done.append(payload["to"])})

    assert count == 2
    assert sorted(done) == ["a", "b"]
    assert run_pending(db, {}) == 0


def test_a_job_in_the_future_waits(db):
    db, clock = with_clock(db)
    add(db, "later", at=clock.at + MINUTE)

    assert claim(db) == []
    clock.at += MINUTE

    assert [job.payload for job in claim(db)] == [{"to": "later"}]


def test_a_claimed_job_is_free_again_when_its_lease_ends(db):
    db, clock = with_clock(db)
    add(db, "a")

    assert len(claim(db)) == 1
    assert claim(db) == []
    clock.at += LEASE + 1

    assert [job.tries for job in claim(db)] == [2]


def test_a_failing_job_is_tried_again_and_then_set_aside(db):
    db, clock = with_clock(db)
    add(db, "a")
    tries = []

    def fails(_db, _payload):
        tries.append(clock.at)
        raise ValueError("no")

    for _ in range(MAX_TRIES + 3):
        run_pending(db, {"greet": fails})
        clock.at += 2 * 60 * MINUTE

    assert len(tries) == MAX_TRIES
    with db.read() as session:
        job = session.scalars(select(Job)).one()
        assert (job.status, job.last_error) == ("failed", "ValueError('no')")
        assert failed_jobs(session) == 1


def test_one_failing_job_does_not_stop_the_others(db):
    done = []

    def greet(_db, payload):
        if payload["to"] == "a":
            raise ValueError("no")
        done.append(payload["to"])

    for key in ("a", "b"):
        add(db, key)

    assert run_pending(db, {"greet": greet}) == 1
    assert done == ["b"]


def test_a_job_of_an_unknown_kind_fails_and_stays(db):
    add(db, "a", kind="unheard_of")

    assert run_pending(db, {}) == 0
    with db.read() as session:
        assert session.scalars(select(Job.status)).one() == "waiting"


def test_waits_double_up_to_an_hour():
    assert [backoff(tries) for tries in (1, 2, 3, 20)] == [
        10 * SECOND,
        20 * SECOND,
        40 * SECOND,
        60 * MINUTE,
    ]


def test_two_workers_never_claim_the_same_job(db):
    for number in range(30):
        add(db, str(number))
    claimed, lock = [], threading.Lock()

    def work():
        while jobs := claim(db, 3):
            with lock:
                claimed.extend(job.id for job in jobs)
            finish(db, [job.id for job in jobs])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 30


def test_a_job_is_kept_only_with_its_transaction(db):
    with contextlib.suppress(ZeroDivisionError), db.write() as session:
        enqueue(session, "greet", "a", {}, due_at=0)
        _ = 1 / 0

    assert claim(db) == []


def test_a_worker_that_lives_is_seen(db):
    db, clock = with_clock(db)
    beat(db, "w1", {"pid": 1})
    clock.at += 61 * MINUTE
    beat(db, "w2", {"pid": 2})

    with db.read() as session:
        assert [w.id for w in session.scalars(select(Worker))] == ["w2"]
