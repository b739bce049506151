"""Long work: a lane of its own, progress, stopping, taking up again; documents that are whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select, update
from support.sittings import SetClock

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.personal.retention import apply_daily
from item_bank.store import documents, long_work
from item_bank.store.asked_work import asked_work, cancel, one_work, try_again, under_way
from item_bank.store.clock import DAY, MINUTE
from item_bank.store.documents import (
    PART,
    NewDocument,
    document,
    document_parts,
    documents_of,
    writing_document,
)
from item_bank.store.jobs import MAX_TRIES, run_pending
from item_bank.store.long_work import ask_for, plan, run_long
from item_bank.store.schema import organisation
from item_bank.store.tables.records import Job
from item_bank.store.tables.studies import Document, DocumentPart


@dataclass(frozen=True)
class Asking:
    organisation_id: str
    id: str | None = None


@pytest.fixture
def site(db, monkeypatch):
    """A database with a clock that can be set, whose progress is noted every time."""
    monkeypatch.setattr(long_work, "BETWEEN_SECONDS", 0.0)
    clock = SetClock()
    return replace(db, clock=clock), clock, Asking(organisation(db))


def new(home, job=None, **more):
    about = {"kind": "letter", "title": "A letter", "file_name": "letter.txt"}
    return NewDocument(home, **about | more, media_type="text/plain", job_id=job)


def letters(db):
    """Everything there is of documents: rows and parts, complete or not."""
    with db.read() as session:
        counts = [session.scalar(select(func.count()).select_from(t)) for t in (Document,)]
        return (*counts, session.scalar(select(func.count()).select_from(DocumentPart)))


def half_written(db, new_document):
    """What a process that is killed leaves behind."""
    document_id = documents._begin(db, new_document)
    file = documents.DocumentFile(db, document_id, new_document.organisation_id)
    file.write(b"x" * (PART + 1))


def state(db, job_id, home):
    return one_work(db, job_id, home.organisation_id)


def writes(content=b"whole", then=lambda progress: None):
    def handler(db, job, progress):
        with writing_document(db, new(job.organisation_id, job.id)) as file:
            file.write(content)
            then(progress)

    return handler


def test_long_work_is_done_in_its_own_lane(site):
    db, _, home = site
    job = ask_for(db, home, "letter", "Write", {"to": "Bob"})
    done = []

    assert run_pending(db, {}) == 0
    assert state(db, job, home).state == "waiting"
    assert run_long(db, {"letter": lambda _db, job, _p: done.append(job.payload)}) == 1

    assert done == [{"to": "Bob"}]
    assert state(db, job, home).state == "done"


def test_short_work_is_not_done_in_the_long_lane(site):
    db, clock, _ = site
    with db.write() as session:
        long_work.jobs.enqueue(session, "greet", "a", {}, due_at=clock.at)

    assert run_long(db, {}) == 0
    assert run_pending(db, {"greet": lambda *_: None}) == 1


def test_asking_again_gives_the_same_job_until_it_is_done(site):
    db, _, home = site
    first = ask_for(db, home, "letter", "Write", {"to": "Bob"})

    assert ask_for(db, home, "letter", "Write", {"to": "Bob"}) == first
    assert ask_for(db, home, "letter", "Write", {"to": "Eve"}) != first
    run_long(db, {"letter": lambda *_: None})
    assert ask_for(db, home, "letter", "Write", {"to": "Bob"}) != first


def test_planned_work_is_made_once_for_each_key(site):
    db, clock, home = site
    for _ in range(2):
        with db.write() as session:
            about = {"organisation_id": home.organisation_id, "due_at": clock.at}
            plan(session, "letter", "weekly 1", "Weekly", {}, **about)

    page = asked_work(db, home.organisation_id)
    assert [(row.title, row.asked_by) for row in page.rows] == [("Weekly", None)]


def test_progress_is_seen_with_the_time_that_is_left(site):
    db, clock, home = site
    job, seen = ask_for(db, home, "letter", "Write", {}), []

    def handler(_db, _job, progress):
        progress(0, 4, "writing")
        clock.at += 2 * MINUTE
        progress(1, 4, "writing")
        seen.append(state(db, job, home))

    run_long(db, {"letter": handler})

    assert (seen[0].state, seen[0].done, seen[0].total, seen[0].stage) == (
        *("running", 1, 4),
        "writing",
    )
    assert seen[0].seconds_left == pytest.approx(360)
    assert state(db, job, home).done == state(db, job, home).total == 4


def test_progress_lengthens_the_lease(site):
    db, clock, home = site
    job = ask_for(db, home, "letter", "Write", {})

    def handler(_db, _job, progress):
        for done in range(3):
            clock.at += long_work.LEASE - MINUTE
            progress(done, 3)
            assert long_work._claim(db) is None

    assert run_long(db, {"letter": handler}) == 1
    assert state(db, job, home).state == "done"


def test_progress_is_written_once_a_second_only(db, monkeypatch):
    home = Asking(organisation(db))
    ask_for(db, home, "letter", "Write", {})
    notes = []
    monkeypatch.setattr(
        long_work.Progress, "_note", lambda self, session, *said: notes.append(said)
    )

    run_long(db, {"letter": lambda _db, _job, progress: [progress(n, 999) for n in range(999)]})

    assert len(notes) < 10
    assert notes[0] == (0, 999, "")


def test_a_job_that_is_asked_to_stop_ends_at_its_next_progress(site):
    db, _, home = site
    job = ask_for(db, home, "letter", "Write", {})

    def asks(progress):
        assert cancel(db, job, home.organisation_id)
        assert state(db, job, home).state == "stopping"
        progress(1, 2)
        raise AssertionError("went on")

    assert run_long(db, {"letter": writes(then=asks)}) == 0
    assert state(db, job, home).state == "cancelled"
    assert letters(db) == (0, 0)


def test_a_job_that_nobody_began_is_stopped_at_once_and_can_be_tried_again(site):
    db, _, home = site
    job = ask_for(db, home, "letter", "Write", {})

    assert cancel(db, job, home.organisation_id)
    assert state(db, job, home).state == "cancelled"
    assert run_long(db, {"letter": writes()}) == 0
    assert not cancel(db, job, home.organisation_id)
    assert try_again(db, job, home.organisation_id)
    assert run_long(db, {"letter": writes()}) == 1
    assert not try_again(db, job, home.organisation_id)
    assert state(db, job, home).documents == 1


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (AnswerIsNo("nobody has finished yet"), "nobody has finished yet"),
        (
            InputError("an exam", "'none'", column="--exam"),
            "--exam: expected an exam, found 'none'",
        ),
    ],
)
def test_a_refusal_is_told_and_not_tried_again(site, refusal, said):
    db, _, home = site
    job = ask_for(db, home, "letter", "Write", {})

    def refuses(_db, _job, _progress):
        raise refusal

    run_long(db, {"letter": refuses})

    assert (state(db, job, home).state, state(db, job, home).error) == ("failed", said)


def test_a_fault_is_tried_again_and_set_aside_in_the_end_without_its_details(site):
    db, clock, home = site
    job, tries = ask_for(db, home, "letter", "Write", {}), []

    def fails(progress):
        tries.append(clock.at)
        raise ValueError("Alice Alisdottir")

    for _ in range(MAX_TRIES + 2):
        run_long(db, {"letter": writes(then=fails)})
        clock.at += 2 * 60 * MINUTE
        if len(tries) == 1:
            assert state(db, job, home).state == "again"

    assert len(tries) == MAX_TRIES
    assert state(db, job, home).state == "failed"
    assert "ValueError" in state(db, job, home).error
    assert "Alice" not in state(db, job, home).error
    assert letters(db) == (0, 0)


def test_a_worker_that_is_asked_to_stop_gives_its_job_back(site):
    db, _, home = site
    job, told = ask_for(db, home, "letter", "Write", {}), []

    def stops(progress):
        told.append(True)
        progress(1, 2)

    assert run_long(db, {"letter": writes(then=stops)}, stopping=lambda: bool(told)) == 0
    assert state(db, job, home).state == "waiting"
    assert letters(db) == (0, 0)
    assert run_long(db, {"letter": writes()}) == 1
    with db.read() as session:
        assert session.get_one(Job, job).tries == 1


def test_a_job_of_a_killed_worker_is_taken_again_after_its_lease_with_one_document(site):
    db, clock, home = site
    job = ask_for(db, home, "letter", "Write", {})
    long_work._claim(db)
    with writing_document(db, new(home.organisation_id, job)) as file:
        file.write(b"of the first try")
    half_written(db, new(home.organisation_id, job))

    assert run_long(db, {"letter": writes(b"of the second")}) == 0
    clock.at += long_work.LEASE + 1
    assert run_long(db, {"letter": writes(b"of the second")}) == 1

    (only,) = documents_of(db, job, home.organisation_id)
    assert b"".join(document_parts(db, only.id)) == b"of the second"
    assert letters(db) == (1, 1)


def test_a_job_that_kills_its_worker_every_time_is_set_aside(site):
    db, clock, home = site
    job = ask_for(db, home, "letter", "Write", {})
    for _ in range(MAX_TRIES):
        assert long_work._claim(db)
        clock.at += long_work.LEASE + 1

    assert long_work._claim(db) is None
    assert state(db, job, home).state == "failed"
    assert state(db, job, home).error == long_work.DIED


def test_a_worker_whose_job_was_taken_over_changes_nothing_of_it(site):
    db, clock, home = site
    job = ask_for(db, home, "letter", "Write", {})

    def slow(_db, _job, progress):
        clock.at += long_work.LEASE + 1
        assert long_work._claim(db)
        progress(1, 2)

    assert run_long(db, {"letter": slow}) == 0
    assert state(db, job, home).state == "running"
    assert state(db, job, home).done is None


def test_a_job_of_another_organisation_is_neither_seen_nor_stopped(site):
    db, _, home = site
    job = ask_for(db, home, "letter", "Write", {})

    assert one_work(db, job, "0" * 32) is None
    assert not cancel(db, job, "0" * 32)
    assert asked_work(db, "0" * 32).rows == ()
    with db.read() as session:
        assert under_way(session, home.organisation_id) == 1
        assert under_way(session, "0" * 32) == 0


# --- documents -------------------------------------------------------------------------------


def test_a_document_reads_back_in_parts(db):
    home, content = organisation(db), os.urandom(2 * PART + 17)

    with writing_document(db, new(home, about={"exam": "sums"})) as file:
        for start in range(0, len(content), 100_001):
            file.write(content[start : start + 100_001])
        assert document(db, file.document_id, home) is None

    found = document(db, file.document_id, home)
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert found.about == {"exam": "sums"}
    parts = list(document_parts(db, found.id))
    assert b"".join(parts) == content
    assert max(map(len, parts)) == PART
    assert document(db, found.id, "0" * 32) is None


def test_an_empty_document_is_a_document(db):
    with writing_document(db, new(organisation(db))) as file:
        pass

    assert document(db, file.document_id, organisation(db)).size == 0


def test_a_half_written_document_disappears(db):
    with (
        contextlib.suppress(ZeroDivisionError),
        writing_document(db, new(organisation(db))) as file,
    ):
        file.write(b"x" * (3 * PART))
        _ = 1 / 0

    assert letters(db) == (0, 0)


def test_documents_expire_and_what_nobody_finished_is_cleaned_up(site):
    db, clock, home = site
    with writing_document(db, new(home.organisation_id, title="old")):
        pass
    with writing_document(db, new(home.organisation_id, title="for ever", days=None)):
        pass
    clock.at += 29 * DAY
    half_written(db, new(home.organisation_id))
    apply_daily(db, {})
    assert letters(db) == (3, 1)
    clock.at += 2 * DAY

    apply_daily(db, {})

    assert letters(db) == (1, 0)


def test_long_work_of_long_ago_is_forgotten(site):
    db, clock, home = site
    ask_for(db, home, "letter", "Write", {})
    run_long(db, {"letter": writes()})
    clock.at += 91 * DAY
    with db.write() as session:
        session.execute(update(Document).values(expires_at=None))
    apply_daily(db, {})
    assert asked_work(db, home.organisation_id).total == 1
    with db.write() as session:
        session.execute(update(Document).values(expires_at=clock.at))
    clock.at += DAY

    apply_daily(db, {})

    assert asked_work(db, home.organisation_id).total == 0
