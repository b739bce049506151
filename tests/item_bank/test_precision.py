"""What a study of precision promises is what examinees of the exam meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri
from sqlalchemy import select

from engine.randomness import uniform
from engine.results.classification_accuracy import levels_at
from engine.simulation.run import Surroundings, simulate
from item_bank.demo.build import build_demo
from item_bank.exams.designs import load_version
from item_bank.items.releases import OPERATIONAL, release_items
from item_bank.results.precision import plan_precision, precision, versions_without
from item_bank.results.studies import newest_study, record_study
from item_bank.store.database import open_database
from item_bank.store.tables.records import Job

FEW = 800


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision")
    database = replace(
        open_database(f"sqlite:///{folder / 'demo.db'}"), secrets_folder=folder / "secrets"
    )
    build_demo(database, sittings=0)
    yield database
    database.close()


@pytest.fixture(scope="module")
def study(demo):
    """A study of the demonstration exam, of few examinees."""
    return precision(demo, version_of(demo), n=FEW)


def version_of(database) -> str:
    with database.read() as session:
        return versions_without(session)[0][1]


def sat_twice(database, version_id: str, n: int, seed: int):
    """True thetas, and the estimates of two sittings of each examinee with other answers."""
    version = load_version(database, version_id)
    release = release_items(database, version.release_id, "en")
    tried = np.array([status != OPERATIONAL for status in release.statuses])
    theta = ndtri(uniform(seed, np.arange(n), "ability"))
    estimates = [
        simulate(release.items, version.plan.design, theta=theta, seed=seed + k,
                 surroundings=Surroundings(pretest=tried)).final_theta
        for k in (1, 2)
    ]  # fmt: skip
    return version.plan.design, theta, estimates


def check_promises(database, said, n: int, margin: float) -> None:
    design, theta, (first, second) = sat_twice(database, version_of(database), n, seed=77)
    true, one, two = (levels_at(values, design.cuts) for values in (theta, first, second))
    assert said["accuracy"] == pytest.approx((one == true).mean(), abs=margin)
    assert said["consistency"] == pytest.approx((one == two).mean(), abs=margin)
    assert said["expected_accuracy"] == pytest.approx((one == true).mean(), abs=margin)
    assert said["expected_consistency"] == pytest.approx((one == two).mean(), abs=margin)
    assert said["coverage_95"] == pytest.approx(0.95, abs=margin / 2)


def test_promised_accuracy_and_consistency_are_met_within_sampling_error(demo, study):
    check_promises(demo, study.summary, FEW, margin=0.06)  # four standard errors of a share


@pytest.mark.long
def test_ten_thousand_sittings_agree_within_two_points_and_bands_cover_within_one(demo):
    said = precision(demo, version_of(demo), n=10_000).summary
    check_promises(demo, said, 10_000, margin=0.02)


def test_each_cut_has_its_own_rates_and_errors_to_both_sides(study):
    said = study.summary
    assert [row["level"] for row in said["by_cut"]] == ["certified", "distinction"]
    for row in said["by_cut"]:
        assert row["accuracy"] + row["wrongly_reached"] + row["wrongly_missed"] == pytest.approx(1)
    assert said["person_fit"]["lz_star_low"] < 0 < said["person_fit"]["cusum_high"]


def test_conditional_errors_stand_by_ability_and_shares_make_a_whole(study):
    rows = study.rows
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert [row["theta"] for row in rows] == sorted(row["theta"] for row in rows)
    middle = next(row for row in rows if row["theta"] == 0)
    assert middle["csem"] == pytest.approx(50 * middle["csem_theta"])


def jobs(database) -> list[Job]:
    with database.read() as session:
        return list(session.scalars(select(Job).where(Job.kind == "precision")))


def test_a_version_is_planned_and_studied_once(demo, study):
    version = version_of(demo)
    plan_precision(demo)
    plan_precision(demo)
    assert [job.payload for job in jobs(demo)] == [{"exam_version": version}]
    with demo.write() as session:
        record_study(demo, session, study)
    with demo.read() as session:
        assert versions_without(session) == []
        exam = load_version(demo, version)
        found = newest_study(
            session, "precision", organisation_id=exam.organisation_id, exam_id=exam.exam_id
        )
    assert found is not None
    assert found.settings["exam_version"] == version
