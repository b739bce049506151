"""Flags of real sittings: at sealing, by the look through a whole exam, and what is kept."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select
from support.sittings import begin, finish, respond

from item_bank.exams.actors import command_line
from item_bank.exams.candidate_views import view
from item_bank.exams.errors import NotFound
from item_bank.exams.personal.held import held_about
from item_bank.exams.results import result_of
from item_bank.items.items import hold_item
from item_bank.results.flags.exam_flags import STUDY, flag_exam
from item_bank.results.flags.long import plan_flags
from item_bank.results.flags.records import (
    COMPROMISED,
    KINDS,
    LIKENESS,
    OVERLAP,
    PERSON_FIT,
    RAPID,
    Found,
    flags_of,
    keep,
)
from item_bank.results.handlers import LONG
from item_bank.results.precision import precision
from item_bank.results.short_work import HANDLERS
from item_bank.results.studies import newest_study, record_study
from item_bank.store.jobs import run_pending
from item_bank.store.long_work import run_long
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Flag
from item_bank.store.tables.sittings import ResponseContent


@pytest.fixture
def database_url(tmp_path, template_folder, monkeypatch) -> str:
    """What differs between databases is tested where the tables are."""
    shutil.copytree(template_folder / "secrets", tmp_path / "secrets")
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    shutil.copy(template_folder / "tarozu.db", tmp_path / "tarozu.db")
    return f"sqlite:///{tmp_path / 'tarozu.db'}"


def flags(hall, sitting_id: str):
    with hall.db.read() as session:
        return {one.kind: one for one in flags_of(session, sitting_id)}


def sit(hall, candidate, seconds: float = 20.0) -> str:
    now = begin(hall, candidate)
    while now.question is not None:
        hall.clock.pass_seconds(seconds)
        respond(hall, candidate, now)
        now = view(hall.db, candidate, now.sitting_id)
    return now.sitting_id


def test_a_sealed_sitting_has_the_flags_that_need_it_alone_once(hall):
    sitting = sit(hall, hall.alice, seconds=1.0)
    assert flags(hall, sitting) == {}
    run_pending(hall.db, HANDLERS)
    found = flags(hall, sitting)

    assert set(found) == {PERSON_FIT, RAPID, COMPROMISED, OVERLAP}
    assert found[RAPID].flagged
    assert found[RAPID].values["effort"] == 0
    assert found[PERSON_FIT].values["limits"] is None
    assert not found[COMPROMISED].flagged
    HANDLERS["seal_sitting"](hall.db, {"sitting": sitting})
    assert set(flags(hall, sitting)) == set(found)


def test_a_second_attempt_that_meets_the_same_questions_says_so(hall):
    first, second = sit(hall, hall.alice), sit(hall, hall.alice)
    run_pending(hall.db, HANDLERS)
    met = flags(hall, second)[OVERLAP]

    assert flags(hall, first)[OVERLAP].values["items"] == []
    assert met.flagged
    assert {one["sitting"] for one in met.values["items"]} == {first}


def test_items_that_became_known_outside_count_from_the_next_look_on(hall):
    sitting = sit(hall, hall.alice)
    run_pending(hall.db, HANDLERS)
    home = organisation(hall.db)
    hold_item(hall.db, "small", "S-06", "on a forum", organisation_id=home, compromised=True)
    flag_exam(hall.db, hall.exam.exam_id, home, "worker")
    seen = flags(hall, sitting)[COMPROMISED]
    path = result_of(hall.db, sitting, candidate=hall.alice)["path"]
    codes = {step["item"] for step in path}

    assert seen.flagged == ("S-06" in codes)
    assert [one["item"] for one in seen.values["items"]] == [c for c in ("S-06",) if c in codes]


def test_a_look_through_an_exam_compares_limits_times_and_neighbours_and_is_a_study(hall):
    alice, bob = begin(hall, hall.alice), begin(hall, hall.bob)
    finish(hall, hall.alice, alice)
    finish(hall, hall.bob, bob)
    home, said = organisation(hall.db), []
    with hall.db.write() as session:
        record_study(hall.db, session, precision(hall.db, hall.exam.version_id, n=1700))
    study_id = flag_exam(
        hall.db, hall.exam.exam_id, home, "worker", lambda *about: said.append(about)
    )
    found = flags(hall, alice.sitting_id)
    with hall.db.read() as session:
        study = newest_study(session, STUDY, organisation_id=home, exam_id=hall.exam.exam_id)

    assert tuple(found) == KINDS
    assert study
    assert found[LIKENESS].study_id == study.id == study_id
    assert study.summary["sittings"] == 2
    assert set(study.summary["flagged"]) == set(KINDS)
    assert found[PERSON_FIT].values["limits"]["level"] == 0.05
    assert found[PERSON_FIT].study_id not in {None, study_id}
    assert said[-1][:2] == (2, 2)


def test_nobody_looks_through_an_exam_of_others(hall):
    with pytest.raises(NotFound):
        flag_exam(hall.db, hall.exam.exam_id, "0" * 32, "worker")
    with pytest.raises(NotFound):
        flag_exam(hall.db, "0" * 32, organisation(hall.db), "worker")


def test_an_exam_without_sittings_has_a_study_of_none(hall):
    flag_exam(hall.db, hall.exam.exam_id, organisation(hall.db), "worker")

    with hall.db.read() as session:
        assert session.scalars(select(Flag)).all() == []


def test_flags_are_found_again_after_answers_were_erased(hall):
    sitting = sit(hall, hall.alice)
    with hall.db.write() as session:
        for row in session.scalars(select(ResponseContent)):
            session.delete(row)
    flag_exam(hall.db, hall.exam.exam_id, organisation(hall.db), "worker")
    found = flags(hall, sitting)

    assert found[LIKENESS].values["reason"] == "nobody_near"
    assert found[RAPID].values["answers"] >= 4


def test_after_new_limits_the_sittings_before_them_are_looked_at_once_more(hall):
    sitting = sit(hall, hall.alice)
    run_pending(hall.db, HANDLERS)
    plan_flags(hall.db)
    assert run_long(hall.db, LONG) == 0
    with hall.db.write() as session:
        record_study(hall.db, session, precision(hall.db, hall.exam.version_id, n=1700))
    for _ in range(2):
        plan_flags(hall.db)
    assert run_long(hall.db, LONG) == 1
    assert flags(hall, sitting)[PERSON_FIT].values["limits"]["level"] == 0.05


def test_what_is_held_about_a_person_has_what_was_found_of_their_sittings_alone(hall):
    sitting, home = sit(hall, hall.alice), organisation(hall.db)
    alike = Found(LIKENESS, flagged=True, values={"sitting": "of somebody else", "p": 0.001})
    with hall.db.write() as session:
        keep(session, sitting, home, [alike], hall.db.now(session))
    held = held_about(hall.db, command_line(home), "A")

    assert held["sittings"][0]["flags"][0]["found"] == {"p": 0.001}
    assert "of somebody else" not in str(held)
