"""Person fit of sittings: rates of flags near what is promised, and planted aberrance found."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from support.banks import small_bank_document
from support.sittings import EXAM, open_hall

from engine.models.dispatch import probabilities
from engine.rules.states import SittingState
from engine.session import next_step, record_response
from engine.simulation.run import simulate
from item_bank.exams.snapshots import Snapshot
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import Holds
from item_bank.items.releases import publish, release_items
from item_bank.results.flags.fit import fit_of
from item_bank.results.flags.limits import limits_in, precision_of
from item_bank.results.precision import precision
from item_bank.results.studies import record_study
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting

LONGER = EXAM.replace("max_items = 8", "max_items = 30").replace("se = 0.3", "se = 0.1")
N = 500


@pytest.fixture
def database_url(tmp_path, template_folder, monkeypatch) -> str:
    """One database is enough: nothing here depends on which."""
    shutil.copytree(template_folder / "secrets", tmp_path / "secrets")
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    shutil.copy(template_folder / "tarozu.db", tmp_path / "tarozu.db")
    return f"sqlite:///{tmp_path / 'tarozu.db'}"


@pytest.fixture
def studied(db, tmp_path):
    """An exam of 30 questions out of 90, its limits as recorded, and its release."""
    file = tmp_path / "bank.json"
    file.write_text(json.dumps(small_bank_document(90)), encoding="utf-8")
    home = organisation(db)
    import_bank(db, read_json(file), organisation_id=home)
    publish(db, "small", organisation_id=home)
    hall = open_hall(db, exam=LONGER)
    with db.write() as session:
        record_study(db, session, precision(db, hall.exam.version_id, n=3000))
    with db.read() as session:
        study = precision_of(
            session,
            organisation_id=home,
            exam_id=hall.exam.exam_id,
            version_id=hall.exam.version_id,
        )
    limits = limits_in(study)
    assert limits
    release = release_items(db, hall.exam.release_id, "en")
    return SimpleNamespace(hall=hall, limits=limits, release=release)


def sitting_of(studied, rows, scores) -> Snapshot:
    """A finished sitting with these answers, as it would be read from the log."""
    exam, release = studied.hall.exam, studied.release
    sitting = Sitting(
        id="s", exam_id=exam.exam_id, seed=1, language="en", status="finished",
        stop_reason="max_items", prior_theta=None,
    )  # fmt: skip
    trace = {"events": []}
    presented = [
        PresentedItem(position=place, row=int(row), revision_id=release.revision_ids[row],
                      trace=trace)
        for place, row in enumerate(rows, start=1)
    ]  # fmt: skip
    responses = [
        Response(position=place, score=int(score), late=False)
        for place, score in enumerate(scores, start=1)
    ]
    none = Holds(frozenset(), frozenset())
    return Snapshot(sitting, exam, release, tuple(presented), tuple(responses), none, 0)


def test_of_those_who_answer_by_the_model_about_one_in_twenty_stands_out(studied):
    theta = np.random.default_rng(5).normal(size=N)
    design = studied.hall.exam.plan.design
    crowd = simulate(studied.release.items, design, theta=theta, seed=99)
    found = [
        fit_of(sitting_of(studied, rows[rows >= 0], scores[rows >= 0]), studied.limits)
        for rows, scores in zip(crowd.rows, crowd.scores, strict=True)
    ]
    beyond = [name for one in found for name in one.values["beyond"]]

    assert 0.02 <= np.mean([one.flagged for one in found]) <= 0.08
    for name in ("lz_star", "cusum", "outfit"):
        assert 0.02 <= beyond.count(name) / N <= 0.085, name
    assert {one.study_id for one in found} == {studied.limits.study_id}


def guessing_from(studied, half: int, theta: float, seed: int):
    """Rows and scores of somebody who guesses among four from a question on."""
    rng, items = np.random.default_rng(seed), studied.release.items
    design, state = studied.hall.exam.plan.design, SittingState(seed=seed)
    while (row := next_step(state, items, design).next_item) is not None:
        knows = float(probabilities(theta, items.subset([row]))[0, 0, 1])
        chance = knows if state.n < half else 0.25
        state = record_response(state, row, int(rng.random() < chance))
    return state.administered, state.scores


def test_a_sitting_whose_second_half_was_guessed_is_mostly_found(studied):
    found = [
        fit_of(sitting_of(studied, *guessing_from(studied, 15, 1.0, seed)), studied.limits)
        for seed in range(1, 31)
    ]

    assert np.mean([one.flagged for one in found]) >= 0.6


def test_without_limits_nothing_stands_out_however_odd(studied):
    rows = np.argsort(studied.release.items.b)[::3]
    odd = sitting_of(studied, rows, [0] * 15 + [1] * 15)

    assert fit_of(odd, studied.limits).flagged
    found = fit_of(odd, None)
    assert not found.flagged
    assert found.values["limits"] is None
    assert found.values["lz_star"] < -3


def test_a_sitting_without_answers_has_no_statistics(studied):
    found = fit_of(sitting_of(studied, [], []), studied.limits)

    assert not found.flagged
    assert found.values["reason"] == "no_estimate"
