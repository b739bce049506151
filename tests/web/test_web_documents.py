"""Who gets a report as PDF, and the reports of many candidates as one ZIP."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import threading
import zipfile

import pytest
from sqlalchemy import select, update
from support.sittings import EXAM, begin, close_over, finish

from item_bank.exams.actors import command_line
from item_bank.exams.designs import apply_exam
from item_bank.exams.outcomes import AWAITING, HELD, INVALIDATED
from item_bank.results.deciding import make_stand
from item_bank.results.report_facts import Wanted, report_facts
from item_bank.store import fonts
from item_bank.store.documents import document_parts, documents_of
from item_bank.store.long_work import ask_for, run_long
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.records import Job
from item_bank.store.tables.sittings import Result, Sitting
from web.documents import views
from web.documents.batches import KIND, payload_for, title_for
from web.documents.checking import grouped
from web.documents.handlers import LONG

BASE = "https://exams.example.org"


@pytest.fixture
def finished(hall) -> str:
    """A sitting of Alice that ended."""
    return finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id


def set_state(hall, sitting: str, state: str) -> None:
    with hall.db.write() as session:
        session.execute(update(Outcome).where(Outcome.sitting_id == sitting).values(state=state))


def test_a_candidate_downloads_the_report_in_the_language_of_the_page(hall, alice, finished):
    alice.get(f"/sitting/{finished}/result")
    assert f'href="/results/{finished}/report.pdf"' in alice.page
    found = alice.get(f"/results/{finished}/report.pdf?lang=ru")
    facts = report_facts(hall.db, finished, candidate=hall.alice)
    assert found.status_code == 200
    assert found.mimetype == "application/pdf"
    assert f"sums-{facts.verification}.pdf" in found.headers["Content-Disposition"]
    assert b"/Lang(ru" in found.data
    assert found.data == alice.get(f"/results/{finished}/report.pdf").data


@pytest.mark.parametrize("state", [AWAITING, HELD, INVALIDATED])
def test_a_result_that_is_not_released_has_no_report(hall, alice, staff, finished, state):
    set_state(hall, finished, state)
    assert alice.get(f"/results/{finished}/report.pdf").status_code == 404
    examiner = staff("examiner")
    address = f"/staff/sittings/{finished}/candidate-report.pdf"
    assert examiner.get(address).status_code == 404


def test_nobody_else_gets_a_candidates_report(hall, app, visitor, finished):
    visitor.sign_in(hall.codes["Bob"])
    assert visitor.get(f"/results/{finished}/report.pdf").status_code == 404


def test_staff_get_the_report_in_the_candidates_language(hall, staff, finished):
    found = staff("administrator").get(f"/staff/sittings/{finished}/candidate-report.pdf")
    assert found.mimetype == "application/pdf"
    assert b"/Lang(en" in found.data


def test_a_missing_font_is_said_on_a_page_and_in_the_log(alice, finished, monkeypatch):
    none = fonts.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    monkeypatch.setattr("web.documents.typesetting.system_fonts", lambda: none)
    assert alice.get(f"/results/{finished}/report.pdf").status_code == 503
    assert "This document cannot be made now" in alice.page


def test_documents_are_not_set_all_at_once(alice, finished, monkeypatch):
    monkeypatch.setattr("web.documents.views.AT_ONCE", threading.BoundedSemaphore(1))
    monkeypatch.setattr("web.documents.views.PATIENCE", 0.01)
    with views.AT_ONCE:
        assert alice.get(f"/results/{finished}/report.pdf").status_code == 429
    assert alice.get(f"/results/{finished}/report.pdf").status_code == 200


def batch(hall, wanted: Wanted, base: str = BASE) -> tuple[str, dict[str, bytes]]:
    """The status of a job that makes reports, and the files of its ZIP."""
    actor = command_line(hall.alice.organisation_id)
    job = ask_for(hall.db, actor, KIND, title_for(wanted), payload_for(wanted, base))
    run_long(hall.db, LONG)
    with hall.db.read() as session:
        status = session.get_one(Job, job).status
    made = documents_of(hall.db, job, hall.alice.organisation_id)
    if not made:
        return status, {}
    content = b"".join(document_parts(hall.db, made[0].id))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return status, {name: archive.read(name) for name in archive.namelist()}


def listed(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["reports.csv"].decode())))


def test_the_reports_of_an_exam_come_as_one_file_each_in_its_language(hall, finished):
    bobs = finish(hall, hall.bob, begin(hall, hall.bob)).sitting_id
    held = finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id
    set_state(hall, held, HELD)
    status, files = batch(hall, Wanted("sums"))
    assert status == "done"
    lines = listed(files)
    assert [line["name"] for line in lines] == ["Alice", "Bob"]
    assert set(files) == {"reports.csv", *(line["file"] for line in lines)}
    assert b"/Lang(ru" in files[lines[1]["file"]]
    facts = report_facts(hall.db, bobs, candidate=hall.bob)
    assert lines[1]["code"].replace("-", "") == facts.verification
    assert BASE.encode() in files[lines[1]["file"]]


def test_reports_are_chosen_by_date_and_level(hall, finished):
    with hall.db.read() as session:
        row = session.scalars(select(Outcome)).one()
        ended, level = row.finished_at, row.level
    for wanted, n in (
        (Wanted("sums", since=ended, until=ended + 1, level=str(level)), 1),
        (Wanted("sums", since=ended + 1), 0),
        (Wanted("sums", until=ended), 0),
        (Wanted("sums", level="other"), 0),
        (Wanted("other"), 0),
    ):
        assert len(listed(batch(hall, wanted)[1])) == n


def test_a_report_that_cannot_be_set_is_named_and_the_others_are_made(hall, finished):
    finish(hall, hall.bob, begin(hall, hall.bob))
    with hall.db.write() as session:
        bob = session.scalars(select(CandidateDetails).where(CandidateDetails.name == "Bob")).one()
        bob.name = "=Bob \U00030000"  # an ideograph that no common font has
    status, files = batch(hall, Wanted("sums"))
    lines = listed(files)
    assert status == "done"
    assert len(files) == 2
    assert lines[1]["file"] == ""
    assert "for Chinese characters" in lines[1]["not_made"]
    assert lines[1]["name"].startswith("'=Bob")


def test_a_machine_without_fonts_makes_no_empty_file(hall, finished, monkeypatch):
    none = fonts.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    monkeypatch.setattr("web.documents.typesetting.system_fonts", lambda: none)
    status, files = batch(hall, Wanted("sums"))
    assert status == "failed"
    assert files == {}


def test_staff_see_how_many_reports_there_are_before_they_are_made(hall, staff, finished):
    examiner = staff("examiner")
    examiner.get("/staff/exams/sums")
    assert 'href="/staff/exams/sums/reports"' in examiner.page
    examiner.get("/staff/exams/sums/reports")
    assert "Make the report" in examiner.page
    examiner.get("/staff/exams/sums/reports?since=2100-01-01")
    assert "No released result" in examiner.page
    assert examiner.get("/staff/exams/sums/reports?since=never").status_code == 422
    assert examiner.get("/staff/exams/none/reports").status_code == 404


def test_asking_for_reports_leads_to_the_work(hall, staff, finished):
    examiner = staff("examiner")
    examiner.get("/staff/exams/sums/reports")
    found = examiner.post("/staff/exams/sums/reports", {"level": "certified"})
    assert found.status_code == 303
    assert "/staff/work/" in found.headers["Location"]
    with hall.db.read() as session:
        job = session.scalars(select(Job).where(Job.kind == KIND)).one()
    assert job.payload["level"] == "certified"
    assert job.payload["base"] == "http://localhost"


def text_of(document: bytes, folder, unavailable) -> list[str]:
    """The pages of a PDF as text without spaces."""
    tool = shutil.which("pdftotext")
    if tool is None:
        unavailable("no pdftotext (Debian: poppler-utils)")
    file = folder / "document.pdf"
    file.write_bytes(document)
    run = subprocess.run([tool, file, "-"], capture_output=True, check=True)
    return [re.sub(r"\s", "", page) for page in run.stdout.decode().strip("\f\n").split("\f")]


def test_the_examiners_report_has_what_the_page_has(hall, staff, finished, tmp_path, unavailable):
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{finished}")
    assert f'href="/staff/sittings/{finished}/report.pdf"' in examiner.page
    found = examiner.get(f"/staff/sittings/{finished}/report.pdf")
    assert found.mimetype == "application/pdf"
    assert found.data == examiner.get(f"/staff/sittings/{finished}/report.pdf").data
    pages = text_of(found.data, tmp_path, unavailable)
    facts = report_facts(hall.db, finished, candidate=hall.alice)
    code = grouped(facts.verification)
    assert all("Notforthecandidate" in page and code in page for page in pages)
    whole = "".join(pages)
    result = facts.result
    for said in (
        "theta and difficulty", "Chance of each level", "Gave way", "What stands out",
        "prior N(0.0, 1.0)", "result released", result["candidate"], result["software"],
        *(step["item"] for step in result["path"]),
    ):  # fmt: skip
        assert re.sub(r"\s", "", said) in whole, said


def test_the_examiners_report_of_a_sitting_without_a_score(hall, staff, tmp_path, unavailable):
    change = ("[stopping]", '[stopping]\nout_of_time = "no_score"')
    apply_exam(hall.db, EXAM.replace(*change, 1), organisation_id=hall.alice.organisation_id)
    begun = begin(hall, hall.alice)
    hall.clock.pass_seconds(31 * 60)
    close_over(hall.db)
    found = staff("administrator").get(f"/staff/sittings/{begun.sitting_id}/report.pdf")
    assert "Insufficientdata:noscore" in "".join(text_of(found.data, tmp_path, unavailable))


def test_a_sitting_that_runs_has_no_report_yet(hall, staff):
    begun = begin(hall, hall.alice)
    examiner = staff("examiner")
    assert examiner.get(f"/staff/sittings/{begun.sitting_id}/report.pdf").status_code == 404
    examiner.get(f"/staff/sittings/{begun.sitting_id}")
    assert "report.pdf" not in examiner.page


def amend(hall, sitting: str) -> None:
    """Let another result of a sitting stand, with a correction that candidates are told of."""
    with hall.db.write() as session:
        row = session.get_one(Sitting, sitting)
        outcome = session.get_one(Outcome, sitting)
        content = dict(session.get_one(Result, (sitting, outcome.result_number)).content)
        session.add(a_correction(hall))
        content["corrections"] = [{"id": "c" * 32, "number": 1}]
        content["score"] = 333.0
        actor = command_line(hall.alice.organisation_id)
        make_stand(session, hall.db, row, content, "correction 1", actor=actor, by="correction 1")


def a_correction(hall) -> Correction:
    return Correction(
        id="c" * 32,
        organisation_id=hall.alice.organisation_id,
        number=1,
        kind="drop",
        change={},
        reason="two keys",
        notice={"en": "Question 7 was unclear.", "ru": "Вопрос 7 был неясен."},
        salt="s" * 32,
        status="applied",
        proposed_at=hall.clock.at,
        effect={},
    )


def test_an_amended_result_names_what_it_replaces_on_the_page(hall, alice, finished):
    before = report_facts(hall.db, finished, candidate=hall.alice)
    amend(hall, finished)
    alice.get(f"/sitting/{finished}/result?lang=ru")
    assert "Вопрос 7 был неясен." in alice.page
    assert "333" in alice.page
    after = report_facts(hall.db, finished, candidate=hall.alice)
    assert after.superseded[0].score == before.result["score"]
    assert after.verification == before.verification


def test_a_result_that_the_candidate_never_saw_is_not_named(hall):
    signed = f'{EXAM}[results]\nrelease = "signed"\n'
    apply_exam(hall.db, signed, organisation_id=hall.alice.organisation_id)
    sitting = finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id
    amend(hall, sitting)
    assert report_facts(hall.db, sitting, candidate=hall.alice).superseded == ()
