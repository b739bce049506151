"""Results: what the rule for time leaves, and scores of content areas."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.sittings import EXAM, begin, close_over, finish, open_hall, respond

from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import view
from item_bank.exams.designs import apply_exam
from item_bank.exams.exam_reviews import exam_overview
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.exams.reviews import search_sittings
from item_bank.exams.verification import verify
from item_bank.store.tables.sittings import Result


def timed(rule):
    return EXAM.replace("[stopping]", f"[stopping]\n{rule}\n")


def run_out(hall, answers, *, choose=0):
    """Answer so many questions and let the time run out."""
    now = begin(hall, hall.alice)
    for _ in range(answers):
        respond(hall, hall.alice, now, choice=choose)
        now = view(hall.db, hall.alice, now.sitting_id)
    hall.clock.pass_seconds(31 * 60)
    close_over(hall.db)
    return result_of(hall.db, now.sitting_id, candidate=hall.alice)


@pytest.mark.parametrize(
    ("rule", "answers", "spoke", "has_score", "has_level"),
    [
        ('out_of_time = "score"', 2, "score", True, True),
        ('out_of_time = "score"', 5, "enough", True, True),
        ('out_of_time = "no_score"', 0, "no_score", False, False),
        ('out_of_time = "no_score"', 3, "no_score", False, False),
        ('out_of_time = "no_score"', 4, "enough", True, True),
        ('out_of_time = "last_estimates"\nlast_estimates = 2', 3, "last_estimates", False, True),
        ('out_of_time = "last_estimates"\nlast_estimates = 2', 1, "last_estimates", False, True),
    ],
)
def test_the_rule_for_time_says_what_a_result_holds(
    db, small_bank, rule, answers, spoke, has_score, has_level
):
    hall = open_hall(db, exam=timed(rule))
    result = run_out(hall, answers)

    assert (result["stop_reason"], result["time_rule"]) == ("time", spoke)
    for name in ("score", "score_se", "band", "estimate"):
        assert (result[name] is not None) is has_score, name
    assert (result["level"] is not None) is has_level
    chances = [level["probability"] for level in result["levels"]]
    assert (None not in chances) is has_score
    assert replay(hall.db, result["sitting"]).problems == ()
    assert verify(hall.db).problems == ()


def test_last_estimates_below_the_cut_reach_the_lowest_level_only(db, small_bank):
    hall = open_hall(db, exam=timed('out_of_time = "last_estimates"\nlast_estimates = 2'))
    result = run_out(hall, 1)
    assert result["level"]["code"] == "below"


def test_lists_and_counts_cope_with_a_sitting_without_a_score(db, small_bank):
    hall = open_hall(db, exam=timed('out_of_time = "no_score"'))
    run_out(hall, 2)
    finish(hall, hall.bob, begin(hall, hall.bob, "ru"))
    home = hall.alice.organisation_id
    rows = {row.roster_id: row for row in search_sittings(hall.db, organisation_id=home).rows}
    assert (rows["A"].score, rows["A"].level_name, rows["A"].passed) == (None, None, None)
    assert rows["B"].score is not None
    overview = exam_overview(hall.db, organisation_id=home)[0]
    assert (overview.finished, overview.without_score) == (2, 1)
    with hall.db.read() as session:
        assert sum(score is None for score in session.scalars(select(Result.score))) == 1


def test_an_estimator_that_nothing_determines_gives_no_score(db, small_bank):
    text = timed("").replace("[stopping]", '[estimation]\nfinal = "mle"\n[stopping]')
    hall = open_hall(db, exam=text)
    result = run_out(hall, 0)
    assert (result["score"], result["estimate"], result["time_rule"]) == (None, None, "score")
    assert replay(hall.db, result["sitting"]).problems == ()


def test_a_late_answer_under_no_score_is_kept_and_scores_nothing(db, small_bank):
    hall = open_hall(db, exam=timed('out_of_time = "no_score"'))
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(31 * 60)
    assert respond(hall, hall.alice, now) is Outcome.LATE
    assert result_of(hall.db, now.sitting_id, candidate=hall.alice)["score"] is None


def test_areas_get_a_score_where_it_is_exact_enough_and_else_the_reason(db, small_bank):
    hall = open_hall(db, exam=EXAM.replace("se = 0.3\nmin_items = 4\nmax_items = 8", "length = 12"))
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    domains = result_of(hall.db, end.sitting_id, candidate=hall.alice)["domains"]
    assert [domain["n"] for domain in domains] == [6, 6]
    for domain in domains:
        assert (domain["score"] is None) is (domain["withheld"] is not None)
        assert (domain["score"] is None) is (domain["score_se"] is None)
        assert 0 <= domain["points"] <= domain["max_points"] == 6
    few = open_and_finish_short(hall)
    assert {domain["withheld"] for domain in few} == {"too_few_items"}
    assert {domain["score"] for domain in few} == {None}


def open_and_finish_short(hall):
    apply_exam(hall.db, EXAM, organisation_id=hall.alice.organisation_id)
    end = finish(hall, hall.bob, begin(hall, hall.bob, "ru"))
    return result_of(hall.db, end.sitting_id, candidate=hall.bob)["domains"]
