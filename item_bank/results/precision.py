"""How exact an exam is: a simulation of one exam version by its own rules and parameters.

True abilities are drawn from the exam's prior. From the same simulated sittings come the accuracy
and the consistency of decisions, the coverage of the bands, the conditional standard error and the
limits of person fit; reports and cohort pages print them. Kept as a study, once for each version;
run by the worker's long lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.aberrance.person_fit_limits import PersonFitLimits, limits_of_fit, simulated_fit
from engine.arrays import Floats
from engine.randomness import uniform
from engine.results.classification_accuracy import ClassificationRates, simulated_rates
from engine.results.decisions import scaled, score_band, theta_cut
from engine.session import ExamDesign
from engine.simulation.run import Simulated, Surroundings, simulate
from engine.simulation.summary import Band, summarise
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.items.releases import OPERATIONAL, ReleaseItems, release_items
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.clock import MINUTE
from item_bank.store.database import Database
from item_bank.store.long_work import LongJob, Progress, plan
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.records import Job
from item_bank.store.tables.studies import Study

KIND = "precision"
N = 10_000
SEED = 20_260_101
LEVEL = 0.05
SETTLED = 5 * MINUTE  # an exam file is often applied again soon


def precision(
    db: Database,
    version_id: str,
    *,
    n: int = N,
    seed: int = SEED,
    advance: Callable[[int], object] = lambda _n: None,
) -> NewStudy:
    """Simulate an exam version and return what a study keeps of it.

    Parameters
    ----------
    n, seed
        Of the simulation.
    advance
        Called with the number of sittings done since the last call.
    """
    version = load_version(db, version_id)
    release = release_items(db, version.release_id, version.plan.languages[0])
    simulated = _simulated(version, release, n, seed, advance)
    return NewStudy(
        kind=KIND,
        organisation_id=version.organisation_id,
        recorded_by="worker",
        exam_id=version.exam_id,
        settings={"exam_version": version_id, "number": version.number, "n": n, "seed": seed},
        summary=_summary(simulated),
        rows=[_row(band, simulated) for band in summarise(simulated).bands],
    )


def study_precision(db: Database, job: LongJob, progress: Progress) -> None:
    """Simulate an exam version and record the study; the handler of the job."""
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        progress(done, N, "simulated sittings")

    with db.read() as session:
        if (job.organisation_id, job.payload["exam_version"]) not in versions_without(session):
            return
    found = precision(db, job.payload["exam_version"], advance=advance)
    with db.write() as session:
        record_study(db, session, found)


def plan_precision(db: Database) -> None:
    """Ask for the study of every exam version that has none and was not replaced at once."""
    with db.read() as session:
        now = db.now(session)
        waiting = versions_without(session, before=now - SETTLED)
        keys = {_key(version): (owner, version) for owner, version in waiting}
        asked = set(session.scalars(select(Job.key).where(Job.key.in_(keys))))
    for key in keys.keys() - asked:
        owner, version = keys[key]
        exam = load_version(db, version)
        title = f"Precision of {exam.plan.code}, version {exam.number}"
        with db.write() as session:
            payload = {"exam_version": version}
            plan(session, KIND, key, title, payload, organisation_id=owner, due_at=now)


def _key(version_id: str) -> str:
    return f"{KIND} {version_id}"


def versions_without(session: Session, before: int | None = None) -> list[tuple[str, str]]:
    """Newest versions of open exams that have no such study: organisation and version.

    ``before`` leaves out those that were applied later.
    """
    known = {
        settings["exam_version"]
        for settings in session.scalars(select(Study.settings).where(Study.kind == KIND))
    }
    newest: dict[str, tuple[str, str, int]] = {}
    rows = session.execute(
        select(
            ExamVersion.exam_id,
            ExamVersion.organisation_id,
            ExamVersion.id,
            ExamVersion.applied_at,
        )
        .join(Exam, Exam.id == ExamVersion.exam_id)
        .where(Exam.status == "open")
        .order_by(ExamVersion.number)
    )
    for exam, organisation, version, at in rows:
        newest[exam] = (organisation, version, at)
    return [
        (organisation, version)
        for organisation, version, at in newest.values()
        if version not in known and (before is None or at < before)
    ]


def _simulated(
    version: LoadedExam,
    release: ReleaseItems,
    n: int,
    seed: int,
    advance: Callable[[int], object],
) -> Simulated:
    design = version.plan.design
    theta = design.prior_mean + design.prior_sd * ndtri(uniform(seed, np.arange(n), "true ability"))
    tried = np.array([status != OPERATIONAL for status in release.statuses])
    around = Surroundings(pretest=tried)
    return simulate(
        release.items, design, theta=theta, seed=seed, surroundings=around, advance=advance
    )


def _summary(simulated: Simulated) -> dict[str, Any]:
    found, design = summarise(simulated), simulated.design
    rates = found.decisions
    happened, expected = (rates.simulated, rates.expected) if rates else (None, None)
    known = np.isfinite(simulated.final_theta)
    theta, estimates = simulated.true_theta[known], simulated.final_theta[known]
    return {
        "n": int(simulated.n),
        "accuracy": _rate(happened, "accuracy"),
        "consistency": _rate(happened, "consistency"),
        "expected_accuracy": _rate(expected, "accuracy"),
        "expected_consistency": _rate(expected, "consistency"),
        "by_cut": _by_cut(design, theta, estimates),
        "coverage_95": found.accuracy.coverage_95,
        "coverage_of_scores": _coverage_of_scores(simulated),
        "bias": found.accuracy.bias,
        "rmse": found.accuracy.rmse,
        "mean_se": found.accuracy.mean_se,
        "mean_items": found.accuracy.mean_length,
        "reliability": float(np.corrcoef(theta, estimates)[0, 1] ** 2) if len(theta) > 2 else None,
        "stop_reasons": found.stop_reasons,
        "max_exposure": float(found.exposure.max()),
        "overlap": found.overlap,
        "person_fit": _limits(limits_of_fit(simulated_fit(simulated), LEVEL)),
    }


def _rate(rates: ClassificationRates | None, name: str) -> float | None:
    return None if rates is None else float(getattr(rates, name))


def _by_cut(design: ExamDesign, theta: Floats, estimates: Floats) -> list[dict[str, Any]]:
    """Accuracy and consistency of each cut score by itself: reached or not."""
    rows = []
    for level in sorted(design.levels, key=lambda one: one.minimum):
        if level.minimum <= design.scale.minimum:
            continue
        rates = simulated_rates(theta, estimates, [theta_cut(level.minimum, design.scale)])
        rows.append(
            {
                "level": level.name,
                "minimum": level.minimum,
                "accuracy": _rate(rates, "accuracy"),
                "consistency": _rate(rates, "consistency"),
                "wrongly_reached": _rate(rates, "too_high"),
                "wrongly_missed": _rate(rates, "too_low"),
            }
        )
    return rows


def _coverage_of_scores(simulated: Simulated) -> float | None:
    """Share of printed bands that hold the true score as it would be printed."""
    scale, held = simulated.design.scale, []
    rows = zip(simulated.true_theta, simulated.final_theta, simulated.final_se, strict=True)
    for true, theta, se in rows:
        if np.isfinite(theta) and np.isfinite(se):
            low, high = score_band(float(theta), float(se), scale)
            held.append(low <= scaled(float(true), scale) <= high)
    return float(np.mean(held)) if held else None


def _limits(limits: PersonFitLimits) -> dict[str, Any]:
    return {
        "level": limits.level,
        "n": limits.n,
        "lz_star_low": limits.lz_star,
        "outfit_high": limits.outfit,
        "infit_high": limits.infit,
        "cusum_high": limits.cusum_upper,
        "cusum_low": limits.cusum_lower,
    }


def _row(band: Band, simulated: Simulated) -> dict[str, Any]:
    scale = simulated.design.scale
    sem = band.sem_simulated
    return {
        "theta": band.theta,
        "score": scaled(band.theta, scale),
        "csem": None if sem is None else sem * scale.slope,
        "csem_theta": sem,
        "bias": band.accuracy.bias,
        "mean_items": band.accuracy.mean_length,
        "coverage_95": band.accuracy.coverage_95,
        "share": band.accuracy.n / simulated.n,
    }
