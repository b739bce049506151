"""Pages of long work: the list, one piece, stopping and trying again, documents."""

from __future__ import annotations

import re

import pytest
from support.cohort_data import add_outcomes
from support.sittings import begin, finish
from support.visitors import HTMX, Visitor

from engine.errors import AnswerIsNo
from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor
from item_bank.results.handlers import LONG
from item_bank.store import long_work
from item_bank.store.documents import PART, NewDocument, documents_of, writing_document
from item_bank.store.long_work import ask_for, run_long
from item_bank.store.schema import organisation

PASSWORD = "weigh-with-care"


@pytest.fixture
def staff(app, hall):
    """Sign in by role; gives the visitor and who acts."""

    def enter(role: str, name: str = "") -> tuple[Visitor, Actor]:
        home, email = organisation(hall.db), f"{name or role}@example.org"
        account = add_staff(hall.db, email, role, PASSWORD, organisation_id=home)
        one = Visitor(app)
        one.sign_in_staff(email, PASSWORD)
        return one, Actor(account, home, role, name or role)

    return enter


def writes(content: bytes):
    def handler(db, job, _progress):
        new = NewDocument(
            *(job.organisation_id, "letter", "A letter", "письмо.txt", "text/plain"),
            made_for=job.made_for,
            job_id=job.id,
        )
        with writing_document(db, new) as file:
            file.write(content)

    return {"letter": handler}


def test_a_list_without_anything_says_what_comes_here(staff):
    one, _ = staff("psychometrician")

    assert "No work yet" in one.get("/staff/work").text


def test_a_job_is_found_again_and_asks_again_until_it_has_ended(staff, hall):
    one, actor = staff("examiner")
    job = ask_for(hall.db, actor, "letter", "A letter to Bob", {})

    page = one.get("/staff/work").text
    assert "A letter to Bob" in page
    assert 'hx-trigger="every 2s"' in page
    assert "1<span" in page  # the number beside the link
    assert 'hx-trigger="every 2s"' in one.get(f"/staff/work/{job}").text
    part = one.get(f"/staff/work/{job}", headers=HTMX).text
    assert "<html" not in part

    run_long(hall.db, writes(b"Dear Bob"))
    for address in ("/staff/work", f"/staff/work/{job}"):
        assert "every 2s" not in one.get(address).text


def test_progress_shows_how_far_and_how_long(staff, hall, monkeypatch):
    monkeypatch.setattr(long_work, "BETWEEN_SECONDS", 0.0)
    one, actor = staff("examiner")
    job, seen = ask_for(hall.db, actor, "letter", "A letter", {}), []

    def handler(_db, _job, progress):
        progress(0, 40, "sittings")
        hall.clock.pass_seconds(100)
        progress(10, 40, "sittings")
        seen.append(one.get(f"/staff/work/{job}").text)

    run_long(hall.db, {"letter": handler})

    assert "10 of 40, sittings, about 5 minutes left" in seen[0]
    assert 'aria-label="10 of 40"' in seen[0]


def test_a_document_is_sent_part_by_part_to_who_asked_and_to_administrators(staff, hall):
    one, actor = staff("examiner")
    content = b"x" * (PART + 5)
    job = ask_for(hall.db, actor, "letter", "A letter", {})
    run_long(hall.db, writes(content))
    (document,) = documents_of(hall.db, job, actor.organisation_id)
    address = f"/staff/work/documents/{document.id}"

    assert address in one.get(f"/staff/work/{job}").text
    for reader in (one, staff("administrator")[0]):
        answer = reader.client.get(address)
        assert answer.data == content
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.mimetype == "text/plain"
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; ")
        assert "filename*=UTF-8''%D0%BF" in disposition
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()


def test_work_of_others_is_not_there_but_for_administrators(staff, hall):
    _, actor = staff("examiner")
    other, _ = staff("examiner", "eve")
    boss, _ = staff("administrator")
    job = ask_for(hall.db, actor, "letter", "A letter to Bob", {})
    run_long(hall.db, writes(b"Dear Bob"))
    (document,) = documents_of(hall.db, job, actor.organisation_id)

    for address in (f"/staff/work/{job}", f"/staff/work/documents/{document.id}"):
        assert other.get(address).status_code == 404
        assert boss.get(address).status_code == 200
    assert "A letter to Bob" not in other.get("/staff/work?whose=all").text
    assert "A letter to Bob" not in boss.get("/staff/work").text
    assert "A letter to Bob" in boss.get("/staff/work?whose=all").text
    token = {"csrf_token": other.token()}
    for act in (f"{job}/stop", f"{job}/again", f"documents/{document.id}/delete"):
        assert other.post(f"/staff/work/{act}", token).status_code == 404


def test_work_is_stopped_and_tried_again(staff, hall):
    one, actor = staff("examiner")
    job = ask_for(hall.db, actor, "letter", "A letter", {})

    one.get(f"/staff/work/{job}")
    answer = one.post(f"/staff/work/{job}/stop")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/staff/work/{job}")
    assert "Try again" in one.get(f"/staff/work/{job}").text
    one.post(f"/staff/work/{job}/again")
    assert run_long(hall.db, writes(b"Dear Bob")) == 1
    assert "Download" in one.get(f"/staff/work/{job}").text


def test_a_refusal_is_told_on_the_page(staff, hall):
    one, actor = staff("examiner")
    job = ask_for(hall.db, actor, "letter", "A letter", {})

    def refuses(*_):
        raise AnswerIsNo("nobody has <finished> yet")

    run_long(hall.db, {"letter": refuses})

    assert "nobody has &lt;finished&gt; yet" in one.get(f"/staff/work/{job}").text


def test_a_document_can_be_deleted_before_its_time(staff, hall):
    one, actor = staff("examiner")
    job = ask_for(hall.db, actor, "letter", "A letter", {})
    run_long(hall.db, writes(b"Dear Bob"))
    (document,) = documents_of(hall.db, job, actor.organisation_id)

    one.get(f"/staff/work/{job}")
    one.post(f"/staff/work/documents/{document.id}/delete")

    assert documents_of(hall.db, job, actor.organisation_id) == []
    assert one.get(f"/staff/work/documents/{document.id}").status_code == 404
    assert one.get(f"/staff/work/{job}").status_code == 200


# --- exports ---------------------------------------------------------------------------------


@pytest.fixture
def sat(hall):
    """The hall after Alice has sat the exam."""
    finish(hall, hall.alice, begin(hall, hall.alice))
    return hall


def test_an_export_is_counted_and_then_made_and_downloaded(staff, sat):
    one, _ = staff("psychometrician")
    assert "/staff/exams/sums/export" in one.get("/staff/exams/sums").text
    assert "Make the file" not in one.get("/staff/exams/sums/export").text

    page = one.get("/staff/exams/sums/export?what=results&format=csv&simulated=without").text
    assert "1 sitting" in page
    assert "Make the file" in page
    answer = one.post("/staff/exams/sums/export", {"what": "results", "mark": "1"})
    assert answer.status_code == 303
    assert run_long(sat.db, LONG) == 1
    page = one.get(answer.headers["Location"]).text
    address = re.search(r"/staff/work/documents/\w+", page)
    assert address
    assert b"sums" in one.client.get(address[0]).data
    assert 'name="names"' not in one.get("/staff/exams/sums/export").text


def test_names_are_exported_by_administrators_alone(staff, sat):
    one, _ = staff("psychometrician")
    one.get("/staff/exams/sums/export?what=results")
    assert one.post("/staff/exams/sums/export", {"names": "1"}).status_code == 409
    boss, _ = staff("administrator")
    boss.get("/staff/exams/sums/export?what=results&names=on")
    assert boss.field("names") == "1"
    assert boss.post("/staff/exams/sums/export", {"names": "1"}).status_code == 303


def test_a_wrong_choice_comes_back_with_what_is_wrong(staff, sat):
    one, _ = staff("administrator")
    for address in ("export?what=results&since=yesterday", "export/research?k=2"):
        answer = one.get(f"/staff/exams/sums/{address}")
        assert answer.status_code == 200
        assert "expected" in answer.text
    one.get("/staff/exams/sums/export?what=results")
    answer = one.post("/staff/exams/sums/export", {"since": "yesterday"})
    assert (answer.status_code, "a day as YYYY-MM-DD" in answer.text) == (422, True)
    one.get("/staff/exams/sums/export/research")
    answer = one.post("/staff/exams/sums/export/research", {"k": "10"})
    assert (answer.status_code, "licence" in answer.text) == (422, True)


def test_a_research_export_says_first_what_would_be_in_it(staff, sat):
    one, _ = staff("administrator")

    page = one.get("/staff/exams/sums/export/research?k=5").text
    assert "1 without consent" in page
    assert "Make the export" not in page

    add_outcomes(sat.db, sat.exam, 200, days=20)
    page = one.get("/staff/exams/sums/export/research?k=5&simulated=on&anybody=on").text
    assert "Suppressed, in sittings" in page
    form = {"k": "5", "anybody": "1", "licence": "CC0", "basis": "approval 7"}
    assert one.post("/staff/exams/sums/export/research", form).status_code == 303
