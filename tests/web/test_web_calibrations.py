"""Pages on calibration: what commands recorded, who may look, and what differs between releases."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.calibrated import kept_study, record_calibration

from item_bank.items.releases import publish
from item_bank.store.schema import organisation
from item_bank.store.tables.releases import ReleaseItem

BANK = "/staff/calibration/banks/small"


def calibrated(hall, **given) -> str:
    return record_calibration(hall.db, "small", organisation(hall.db), **given)


def test_a_bank_without_runs_says_what_will_be_here(staff):
    visitor = staff("psychometrician")
    visitor.get(BANK)
    assert "No calibration run yet" in visitor.page
    assert "tarozu calibrate recalibrate --bank small" in visitor.page


@pytest.mark.parametrize("role", ["examiner", "administrator", "psychometrician"])
def test_run_draft_and_publish_decision_are_visible(hall, staff, role):
    run = calibrated(hall)
    visitor = staff(role)
    visitor.get(BANK)
    assert "Draft 2 waits for a decision" in visitor.page
    assert "Nothing stands against publishing it" in visitor.page
    assert "9,876 answers of 1,234 persons to 12 items" in visitor.page

    publish(hall.db, "small", organisation_id=organisation(hall.db))
    visitor.get(BANK)
    assert "waits for a decision" not in visitor.page
    assert "draft 2, published as release 2" in visitor.page
    visitor.get(f"/staff/calibration/runs/{run}")
    assert "was published as release 2" in visitor.page
    assert "b 0.75 ± 0.05" in visitor.page
    assert "Few answers." in visitor.page


def test_a_draft_that_cannot_be_published_says_why(hall, staff):
    calibrated(hall, new=as_released(hall))
    visitor = staff("psychometrician")
    visitor.get(BANK)
    assert "It cannot be published as it is" in visitor.page
    assert "is as release 1 has it" in visitor.page


def as_released(hall) -> tuple[dict, dict]:
    """Parameters and standard errors of the first item in the release."""
    with hall.db.read() as session:
        row = session.scalars(select(ReleaseItem).where(ReleaseItem.code == "S-01")).first()
        return row.parameters, row.se


def test_a_run_that_did_not_converge_warns_and_has_no_draft(hall, staff):
    run = calibrated(hall, converged=False)
    visitor = staff("examiner")
    visitor.get(f"/staff/calibration/runs/{run}")
    assert "It did not converge" in visitor.page
    assert "No draft was made" in visitor.page


def test_the_report_is_a_file_beside_the_site(hall, staff):
    run = calibrated(hall)
    visitor = staff("psychometrician")
    answer = visitor.client.get(f"/staff/calibration/runs/{run}/report")
    assert answer.data == b"<h1>The report</h1>"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_two_releases_are_compared_item_by_item(hall, staff):
    calibrated(hall)
    visitor = staff("examiner")
    visitor.get("/staff/calibration/diff/small")
    assert "From release 1 to the draft" in visitor.page
    publish(hall.db, "small", organisation_id=organisation(hall.db))
    visitor.get("/staff/calibration/diff/small?from=1&to=2")
    assert "Items: 1 changed." in visitor.page
    assert visitor.page.count("<code>S-") == 1
    assert "S-01" in visitor.page
    visitor.get("/staff/calibration/diff/small?from=2&to=2")
    assert "Nothing differs" in visitor.page
    assert visitor.client.get("/staff/calibration/diff/small?from=1&to=9").status_code == 404


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("dif", {"item": "S-03", "effect": -1.7, "ets_class": "C", "flagged": 1}, "Effect"),
        ("drift", {"item": "S-03", "d_a": 0.3, "d_b": 0.9, "flag": "b"}, "Change of difficulty"),
    ],
)
def test_a_recorded_study_has_a_reading_a_picture_and_a_table(hall, staff, kind, row, words):
    plain = {**row, "item": "S-04", "flagged": 0, "flag": ""}
    rows = [row, {name: plain[name] for name in row}]
    study = kept_study(hall.db, "small", organisation(hall.db), kind, rows)
    visitor = staff("psychometrician")
    visitor.get(BANK)
    assert f"/staff/calibration/studies/{study}" in visitor.page
    visitor.get(f"/staff/calibration/studies/{study}")
    assert "1 of 2 items stand out: S-03." in visitor.page
    assert words in visitor.page
    assert "<circle" in visitor.page


def test_unknown_banks_runs_and_studies_are_not_there(staff):
    visitor = staff("administrator")
    for place in ("banks/none", "runs/none", "runs/none/report", "diff/none", "studies/none"):
        assert visitor.client.get(f"/staff/calibration/{place}").status_code == 404
