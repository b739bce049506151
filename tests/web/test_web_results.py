"""Results that are not plain: without a score, with items that were tried out."""

from __future__ import annotations

import json

import pytest
from support.banks import small_bank_document
from support.sittings import EXAM, close_over, finish
from support.visitors import Visitor

from item_bank.exams.candidate_views import view
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.results import result_of
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish


def change_exam(hall, old, new):
    apply_exam(hall.db, EXAM.replace(old, new, 1), organisation_id=hall.alice.organisation_id)


def run_out(hall, alice: Visitor, answers: int) -> str:
    sitting = alice.begin()
    for _ in range(answers):
        alice.get(alice.answer(sitting).headers["Location"])
    hall.clock.pass_seconds(31 * 60)
    close_over(hall.db)
    return sitting


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_result_without_a_score_says_so_to_candidate_and_examiner(hall, alice, staff, language):
    change_exam(hall, "[stopping]", '[stopping]\nout_of_time = "no_score"')
    sitting = run_out(hall, alice, 2)

    alice.get(f"/sitting/{sitting}/result?lang={language}")
    said = {"en": "Insufficient data: no score", "ru": "Данных недостаточно: балл не определён"}
    assert said[language] in alice.page
    assert "19 in 20" not in alice.page
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "Insufficient data: no score" in examiner.page
    assert "by its rule there is no score" in examiner.page
    examiner.get("/staff/sittings")
    assert sitting in examiner.page
    examiner.get("/staff/exams")
    assert "Without a score" in examiner.page


def test_a_level_by_the_last_estimates_is_shown_without_a_score(hall, alice, staff):
    change_exam(hall, "[stopping]", '[stopping]\nout_of_time = "last_estimates"')
    sitting = run_out(hall, alice, 2)

    alice.get(f"/sitting/{sitting}/result")
    assert "your level was decided by how your last answers compare" in alice.page
    level = result_of(hall.db, sitting, candidate=hall.alice)["level"]
    assert level["name"]["en"] in alice.page
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "the level is the highest whose cut the last estimates all reached" in examiner.page


def test_a_time_that_ran_out_after_enough_questions_says_that_they_count(hall, alice, staff):
    change_exam(hall, "min_items = 4", 'min_items = 1\nout_of_time = "no_score"')
    sitting = run_out(hall, alice, 2)
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "The score rests on the questions answered in time" in examiner.page


def test_items_that_were_tried_out_stand_apart_and_the_candidate_hears_only_how_many(
    hall, alice, staff, tmp_path
):
    document = small_bank_document(16)
    for item in document["items"][4:8]:
        item["status"] = "pretest"
    (tmp_path / "trial.json").write_text(json.dumps(document))
    home = hall.alice.organisation_id
    import_bank(hall.db, read_json(tmp_path / "trial.json"), organisation_id=home)
    publish(hall.db, "small", organisation_id=home)
    change_exam(hall, "[stopping]", "[pretest]\ncount = 2\npositions = [1, 4]\n[stopping]")
    sitting = alice.begin()
    finish(hall, hall.alice, view(hall.db, hall.alice, sitting))

    result = result_of(hall.db, sitting, candidate=hall.alice)
    alice.get(f"/sitting/{sitting}/result")
    assert f"Questions: {result['n_items'] + 2}. Time used" in alice.page
    assert "tried out and do not count: 2" in alice.page
    assert not any(step["item"] in alice.page for step in result["tried_out"])
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "Questions that were tried out: 2, not scored" in examiner.page
    assert all(step["item"] in examiner.page for step in result["tried_out"])


def test_an_expected_theta_is_shown_to_examiners_only(hall, alice, staff):
    change_exam(hall, "[stopping]", "[estimation]\ncandidate_prior = true\n[stopping]")
    rows = [RosterRow("A", "Alice", language="en", attempts=2, prior_theta=1.25)]
    import_roster(hall.db, rows, "sums", organisation_id=hall.alice.organisation_id)
    sitting = alice.begin()
    alice.finish(sitting)
    assert "1.25" not in alice.page
    examiner = staff("examiner")
    examiner.get(f"/staff/sittings/{sitting}")
    assert "Expected beforehand" in examiner.page
    assert "+1.25" in examiner.page
