"""The technical report: who asks for it, what stands in it, and that it is one tagged PDF."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from support.cohort_data import add_outcomes, add_usage
from support.sittings import begin, finish

from engine.errors import InputError
from item_bank.exams.actors import command_line
from item_bank.items.releases import release_items
from item_bank.results.cohorts.cohort import Wanted
from item_bank.results.cohorts.item_statistics import record
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.audit import append_site_event
from item_bank.store.clock import SECOND
from item_bank.store.documents import document_parts, documents_of
from item_bank.store.long_work import ask_for, run_long
from web.cohorts.technical.facts import read_facts
from web.cohorts.technical.job import (
    KIND,
    payload_for,
    period,
    report_data,
    report_pdf,
    title_for,
)
from web.documents.handlers import LONG
from web.documents.speaking import speaking

YEARS = period("2026-01-01", "2027-12-31")
HERE = "/staff/exams/sums/cohort/report"


@pytest.fixture
def made(hall):
    release = release_items(hall.db, hall.exam.release_id, "en")
    add_usage(hall.db, hall.exam, list(release.items.item), 300)
    return add_outcomes(hall.db, hall.exam, 300, simulated=0.1)


def facts_of(hall, when=YEARS):
    home = hall.alice.organisation_id
    return read_facts(hall.db, "sums", when.wanted, organisation_id=home)


def words_of(hall):
    """Everything that the report says, as one text."""
    with speaking("en"):
        return json.dumps(report_data(facts_of(hall), YEARS, hall.clock.at), ensure_ascii=False)


def test_its_figures_are_those_of_the_cohort(hall, made):
    facts = facts_of(hall)

    where = (made["state"] != "invalidated") & (made["attempt"] == 1)
    assert facts.first.n == where.sum()
    assert facts.scores.n == (made["state"] != "invalidated").sum()
    assert facts.around.states["invalidated"] == (made["state"] == "invalidated").sum()
    assert [(one.number, one.sittings) for one in facts.around.versions] == [(1, facts.scores.n)]
    said = words_of(hall)
    assert f"{facts.scores.n} sittings ended in the period" in said
    assert f'["Sittings", "{facts.scores.n}", "{facts.first.n}"]' in said
    assert "fewer than 10" in said


def test_it_names_what_is_not_known(hall, made):
    said = words_of(hall)

    for words in (
        "No calibration on recorded answers",
        "The exam version has not been simulated",
        "Nothing is known of differential item functioning",
        "Nothing is known of drift",
        "The source of the cut scores is not stated",
        "are simulated",
    ):
        assert words in said


def test_studies_outages_and_item_statistics_stand_in_it(hall):
    finish(hall, hall.alice, begin(hall, hall.alice))
    home = hall.alice.organisation_id
    record(hall.db, hall.exam.exam_id, home, "worker")
    outage = {"from": hall.clock.at, "to": hall.clock.at + 90 * SECOND, "sittings": 7}
    flagged = {"item": "S-01", "flag": "easier", "d_b": -0.7, "d_a": 0.0}
    with hall.db.write() as session:
        append_site_event(session, "outage_credited", outage, hall.clock.at)
        new = NewStudy("drift", home, "command line", {}, [flagged], bank_id=hall.exam.bank_id)
        record_study(hall.db, session, new)

    said = words_of(hall)

    assert '"1 min 30 s", "7"' in said
    assert "it may be known outside" in said
    assert "1 sittings are few" in said


def test_it_is_a_tagged_pdf_and_the_same_facts_give_the_same_bytes(hall, made):
    facts = facts_of(hall)

    content = report_pdf(facts, YEARS, hall.clock.at)

    assert content == report_pdf(facts, YEARS, hall.clock.at)
    assert content.startswith(b"%PDF")
    assert b"/MarkInfo" in content
    assert b"pdfuaid" in content or b"/StructTreeRoot" in content


def test_its_pages_read_in_order(hall, made, tmp_path, unavailable):
    if shutil.which("pdftotext") is None:
        unavailable("no pdftotext on this machine")
    file = tmp_path / "report.pdf"
    file.write_bytes(report_pdf(facts_of(hall), YEARS, hall.clock.at))
    said = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)

    places = [said.stdout.index(words) for words in (
        "Sums", "Contents", "This report says how", "ended in the period", "Limitations",
    )]  # fmt: skip
    assert places[:4] == sorted(places[:4])
    assert "Page 1 of" in said.stdout


def test_without_any_sitting_it_says_so(hall):
    with speaking("en"):
        data = report_data(facts_of(hall, period("2001-01-01", "2001-12-31")),
                           period("2001-01-01", "2001-12-31"), hall.clock.at)  # fmt: skip

    assert data["period"] == "2001"
    assert "No sitting ended in the period." in json.dumps(data)


def test_it_is_asked_for_on_its_page_and_made_by_long_work(staff, hall, made):
    one = staff("psychometrician")
    one.get("/staff/exams/sums/cohort")
    assert f'href="{HERE}"' in one.page
    one.get(HERE)
    year = datetime.fromtimestamp(hall.clock.at / SECOND, UTC).year
    assert f'value="{year}-01-01"' in one.page

    asked = one.post(HERE, {"first": "2026-01-01", "last": "2026-12-31"})
    assert asked.status_code == 303
    assert run_long(hall.db, LONG) == 1
    one.get(asked.headers["Location"])

    assert "Technical report of sums, 2026" in one.page
    assert "technical-report-sums-2026.pdf" in one.page


def test_the_document_is_kept_with_what_it_was_made_from(hall, made):
    actor = command_line(hall.alice.organisation_id)
    payload = payload_for("sums", YEARS)
    job = ask_for(hall.db, actor, KIND, title_for("sums", YEARS), payload)

    run_long(hall.db, LONG)

    (document,) = documents_of(hall.db, job, actor.organisation_id)
    assert document.about == payload
    assert b"".join(document_parts(hall.db, document.id)).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [("2026-13-01", "2026-12-31", "'2026-13-01'"), ("", "2026-12-31", "''"),
     ("2026-12-31", "2026-01-01", "2026-12-31 and 2026-01-01")],
)  # fmt: skip
def test_a_period_that_is_none_is_refused(first, last, found):
    with pytest.raises(InputError) as refused:
        period(first, last)

    assert found in str(refused.value)


def test_a_wrong_day_is_said_on_the_page(staff, hall):
    one = staff("examiner")
    one.get(HERE)

    assert one.post(HERE, {"first": "soon", "last": "2026-12-31"}).status_code == 422
    assert "Expected a day such as 2026-12-31" in one.page


def test_a_period_of_everything_is_no_filter_on_people():
    assert YEARS.wanted == Wanted(since=YEARS.wanted.since, until=YEARS.wanted.until)
    assert YEARS.name == "2026-01-01 to 2027-12-31"
