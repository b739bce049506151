"""What reports promise of decisions and bands, beside what 10,000 examinees met twice."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from engine.randomness import uniform
from engine.results.classification_accuracy import levels_at
from engine.simulation.run import Simulated, Surroundings, simulate
from item_bank.demo.build import build_demo
from item_bank.exams.designs import load_version
from item_bank.items.releases import OPERATIONAL, release_items
from item_bank.results.precision import precision, versions_without
from item_bank.store.database import Database, open_database

N = 10_000
SEED = 77


def main() -> None:
    """Study the demonstration exam, then let other examinees sit it twice."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        url = f"sqlite:///{place / 'demo.db'}"
        db = replace(open_database(url), secrets_folder=place / "secrets")
        build_demo(db, sittings=0)
        with db.read() as session:
            version = versions_without(session)[0][1]
        promised = precision(db, version, n=N).summary
        _print(promised, *_sat_twice(db, version))
        db.close()


def _sat_twice(db: Database, version_id: str) -> tuple[Simulated, Simulated]:
    version = load_version(db, version_id)
    release = release_items(db, version.release_id, "en")
    tried = np.array([status != OPERATIONAL for status in release.statuses])
    theta = ndtri(uniform(SEED, np.arange(N), "ability"))
    first, second = (
        simulate(
            release.items,
            version.plan.design,
            theta=theta,
            seed=SEED + k,
            surroundings=Surroundings(pretest=tried),
        )
        for k in (1, 2)
    )
    return first, second


def _print(promised: dict[str, float], first: Simulated, second: Simulated) -> None:
    cuts, theta = first.design.cuts, first.true_theta
    true, one, two = (
        levels_at(values, cuts) for values in (theta, first.final_theta, second.final_theta)
    )
    inside = np.abs(first.final_theta - theta) <= 1.959964 * first.final_se
    rows = (
        ("accuracy of levels", promised["accuracy"], (one == true).mean()),
        ("the same by Rudner", promised["expected_accuracy"], (one == true).mean()),
        ("consistency of levels", promised["consistency"], (one == two).mean()),
        ("the same by Rudner", promised["expected_consistency"], (one == two).mean()),
        ("coverage of 95 % bands", 0.95, inside.mean()),
    )
    print(f"{N:,} examinees of the demonstration exam, abilities from its prior")
    print(f"{'':26} {'promised':>9} {'met':>9} {'apart':>9}")
    for name, said, met in rows:
        print(f"{name:26} {said:9.4f} {met:9.4f} {met - said:+9.4f}")
