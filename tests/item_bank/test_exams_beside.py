"""What a sitting knows of its candidate: an expected theta, and the items met before."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from support.sittings import EXAM, begin, finish, open_hall

from engine.errors import InputError
from item_bank.exams.candidate_views import exams_of_candidate
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster, read_roster
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.exams.sittings import start
from item_bank.exams.verification import verify
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.sittings import PresentedItem, Sitting

EXPECTING = EXAM.replace("[stopping]", "[estimation]\ncandidate_prior = true\n[stopping]")


def presented_in(db, sitting_id):
    query = select(PresentedItem).where(PresentedItem.sitting_id == sitting_id)
    with db.read() as session:
        return session.scalars(query.order_by(PresentedItem.position)).all()


def expect(hall, theta, roster_id="A", name="Alice", exam="sums"):
    rows = [RosterRow(roster_id, name, language="en", attempts=3, prior_theta=theta)]
    import_roster(hall.db, rows, exam, organisation_id=hall.alice.organisation_id)


# --- an expected theta -------------------------------------------------------------------------


def test_a_roster_may_say_what_is_expected_of_a_person():
    rows = read_roster("roster_id,name,prior_theta\nA,Alice,-0.75\nB,Bob,\n", file="r.csv")
    assert [row.prior_theta for row in rows] == [-0.75, None]
    with pytest.raises(InputError, match=r"r\.csv:2: prior_theta: expected a number from -10 to"):
        read_roster("roster_id,name,prior_theta\nA,Alice,good\n", file="r.csv")


def test_an_expected_theta_starts_a_sitting_and_never_enters_its_result(db, small_bank):
    hall = open_hall(db, exam=EXPECTING)
    expect(hall, 1.5)
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    steps = presented_in(hall.db, end.sitting_id)
    assert steps[0].trace["theta"] == 1.5
    assert {step.trace["prior_mean"] for step in steps} == {1.5}
    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert result["prior_theta"] == 1.5
    assert result["estimate"]["prior_mean"] == 0.0
    assert result["path"][-1]["theta"] > result["estimate"]["theta"] + 0.05
    assert replay(hall.db, end.sitting_id).problems == ()
    assert verify(hall.db).problems == ()


def test_what_is_expected_later_does_not_get_into_a_replay(db, small_bank):
    hall = open_hall(db, exam=EXPECTING)
    expect(hall, 1.5)
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    expect(hall, -2.0)
    assert replay(hall.db, end.sitting_id).problems == ()


def test_a_changed_expectation_in_a_record_shows(db, small_bank):
    hall = open_hall(db, exam=EXPECTING)
    expect(hall, 1.5)
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    with hall.db.write() as session:
        session.execute(
            update(Sitting).where(Sitting.id == end.sitting_id).values(prior_theta=-1.0)
        )
    assert replay(hall.db, end.sitting_id).problems != ()
    found = [one.problem for one in verify(hall.db).problems]
    assert found == ["the sitting's prior_theta is not the one it started with"]


def test_an_exam_that_does_not_ask_refuses_an_expected_theta(db, small_bank):
    hall = open_hall(db)
    with pytest.raises(InputError, match=r"prior_theta: expected none: exam sums does not set"):
        expect(hall, 0.5)
    with hall.db.read() as session:
        assert session.scalars(select(Registration.prior_theta)).all() == [None, None]


def test_an_expected_theta_off_the_grid_is_refused_on_both_ways_in(db, small_bank):
    hall = open_hall(db, exam=EXPECTING)
    with pytest.raises(InputError, match="expected a theta from -6 to 6, found 7 for A"):
        expect(hall, 7)
    expect(hall, 5.5)
    narrow = EXPECTING.replace("candidate_prior = true", "candidate_prior = true\ngrid=[-4,4,41]")
    with pytest.raises(InputError, match=r"estimation\.grid: expected a grid that holds"):
        apply_exam(hall.db, narrow, organisation_id=organisation(hall.db), file="e.toml")


# --- items met before --------------------------------------------------------------------------


def test_a_retake_avoids_what_the_candidate_met_and_replays(db, small_bank):
    hall = open_hall(db, exam=EXAM.replace("max_items = 8", "max_items = 5"))
    first = finish(hall, hall.alice, begin(hall, hall.alice))
    second = finish(hall, hall.alice, begin(hall, hall.alice))
    met = {step.row for step in presented_in(hall.db, first.sitting_id)}
    again = presented_in(hall.db, second.sitting_id)
    assert not met & {step.row for step in again}
    assert all(step.trace["excluded"] == sorted(met) for step in again)
    assert replay(hall.db, first.sitting_id).problems == ()
    assert replay(hall.db, second.sitting_id).problems == ()


def test_a_retake_that_runs_out_of_new_items_says_so(db, small_bank):
    hall = open_hall(db)
    finish(hall, hall.alice, begin(hall, hall.alice))
    second = finish(hall, hall.alice, begin(hall, hall.alice))
    steps = presented_in(hall.db, second.sitting_id)
    for step in steps:
        yielded = "overlap_yielded" in step.trace["events"]
        assert yielded is (step.row in step.trace["excluded"])
    assert any("overlap_yielded" in step.trace["events"] for step in steps)
    assert replay(hall.db, second.sitting_id).problems == ()


def test_an_exam_may_give_the_same_items_again(db, small_bank):
    hall = open_hall(
        db, exam=EXAM.replace("[stopping]", "[exposure]\navoid_earlier = false\n[stopping]")
    )
    for _ in range(2):
        end = finish(hall, hall.alice, begin(hall, hall.alice))
    assert not any("excluded" in step.trace for step in presented_in(hall.db, end.sitting_id))


def test_items_of_another_exam_on_the_bank_count_as_met(db, small_bank):
    hall = open_hall(db, exam=EXAM.replace("max_items = 8", "max_items = 5"))
    first = finish(hall, hall.alice, begin(hall, hall.alice))
    other = EXAM.replace('code = "sums"', 'code = "more-sums"')
    apply_exam(hall.db, other, organisation_id=hall.alice.organisation_id)
    rows = [RosterRow("A", "Alice", language="en")]
    import_roster(hall.db, rows, "more-sums", organisation_id=hall.alice.organisation_id)
    second = begin_other(hall)
    met = {step.row for step in presented_in(hall.db, first.sitting_id)}
    assert presented_in(hall.db, second)[0].trace["excluded"] == sorted(met)


def begin_other(hall):
    own = {exam.exam_code: exam for exam in exams_of_candidate(hall.db, hall.alice)}
    return start(hall.db, hall.alice, own["more-sums"].registration_id, "en").sitting_id


def test_later_sittings_do_not_get_into_the_replay_of_an_earlier_one(db, small_bank):
    hall = open_hall(db, exam=EXAM.replace("max_items = 8", "max_items = 4"), attempts=3)
    ids = [finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id for _ in range(3)]
    assert [replay(hall.db, one).problems for one in ids] == [(), (), ()]
