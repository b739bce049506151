"""Item statistics from recorded answers: what numpy finds, and what the model expects."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select
from support.sittings import begin, finish, respond

from engine.models.dispatch import expected_score
from item_bank.exams.candidate_views import view
from item_bank.exams.errors import NotFound
from item_bank.items.releases import release_items
from item_bank.results.cohorts.cohort import Wanted
from item_bank.results.cohorts.frames import frame
from item_bank.results.cohorts.item_statistics import STATISTICS, record
from item_bank.results.cohorts.item_use import bank_use
from item_bank.results.studies import newest_study
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import PresentedItem, Response


def recorded(db, exam_id, home):
    record(db, exam_id, home, "worker")
    with db.read() as session:
        return newest_study(session, STATISTICS, organisation_id=home, exam_id=exam_id)


def test_statistics_of_a_few_answers_are_what_was_answered(hall):
    home = hall.alice.organisation_id
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(40)
    respond(hall, hall.alice, now)
    finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))

    study = recorded(hall.db, hall.exam.exam_id, home)

    release = release_items(hall.db, hall.exam.release_id, "en")
    with hall.db.read() as session:
        theta = session.get_one(Outcome, now.sitting_id).theta
        answers = session.execute(
            select(PresentedItem.row, Response.score)
            .join(Response, (Response.sitting_id == PresentedItem.sitting_id)
                  & (Response.position == PresentedItem.position))
        ).all()  # fmt: skip
        n = session.scalar(select(func.count()).select_from(Response))
    rows = {row["item"]: row for row in study.rows}
    assert study.summary == {"sittings": 1, "answers": n}
    expected = expected_score(np.array([theta]), release.items)[0]
    for row, score in answers:
        found = rows[release.items.item[row]]
        assert found["n"] == 1
        assert found["mean"] == score
        assert found["expected"] == pytest.approx(expected[row])
        assert found["difference"] == pytest.approx(score - expected[row])
        assert found["rmsd"] is None
    assert {row["seconds"] for row in study.rows} == {40.0, 20.0}
    own = frame(hall.db, "sums", Wanted(), organisation_id=home)
    assert sum(one.statistics.get("n", 0) for one in bank_use(hall.db, own).items) == n


def test_without_sittings_there_is_a_study_without_rows(hall):
    study = recorded(hall.db, hall.exam.exam_id, hall.alice.organisation_id)

    assert study.summary == {"sittings": 0, "answers": 0}
    assert study.rows == []


def test_another_organisations_exam_is_not_found(hall):
    with pytest.raises(NotFound):
        record(hall.db, hall.exam.exam_id, "0" * 32, "worker")
