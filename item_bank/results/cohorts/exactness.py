"""How exact the scores of a cohort are, and how often decisions on it are right.

Two sources stand beside each other: the simulation of the exam version (study "precision"), and the
cohort's own estimates and standard errors, put together in bins of theta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.results.classification_accuracy import ClassificationRates
from engine.results.observed_precision import (
    BinnedEstimates,
    empirical_reliability,
    observed_rates,
)
from item_bank.exams.exam_files import LevelNames
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.sums import Moments, bin_of, moments
from item_bank.results.studies import RecordedStudy, as_recorded
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.studies import Study

LOW, WIDTH = -8.0, 0.1
BAND = 0.5
"""Width on theta of what is shown as one band of scores."""
PRECISION = "precision"


@dataclass(frozen=True)
class ScoreBand:
    """Scores near one another.

    Parameters
    ----------
    n
        Sittings of the cohort there.
    posterior_se
        Their mean standard error as reported, in score points: the posterior SD for EAP.
    csem
        Conditional standard error of measurement there, by simulation, in score points.
    """

    score: float
    n: int
    posterior_se: float | None
    csem: float | None


@dataclass(frozen=True)
class CutPrecision:
    """How exact the scores are at a cut, and decisions by it alone.

    Parameters
    ----------
    within
        Sittings of the cohort whose score is no further than one CSEM from the cut.
    study
        Of the simulation: accuracy, consistency; {} without it.
    cohort
        Of the cohort, by Rudner's method.
    """

    code: str
    name: dict[str, str]
    minimum: float
    csem: float | None
    posterior_se: float | None
    within: int | None
    study: dict[str, Any]
    cohort: ClassificationRates | None


@dataclass(frozen=True)
class Exactness:
    """How exact the scores of a cohort are.

    Parameters
    ----------
    theta
        Of the final estimates.
    mean_error_variance
        Mean squared standard error of theta.
    reliability
        Empirical, of this cohort.
    study
        The simulation of the exam version; None before it was run.
    rates
        Of all levels together, by Rudner's method on this cohort.
    """

    theta: Moments
    mean_error_variance: float | None
    reliability: float | None
    bands: tuple[ScoreBand, ...]
    cuts: tuple[CutPrecision, ...]
    rates: ClassificationRates | None
    study: RecordedStudy | None

    @property
    def simulated(self) -> Mapping[str, Any]:
        """Accuracy and consistency by simulation; {} where the cut scores are others since."""
        fits = self.study is not None and all(cut.study for cut in self.cuts)
        return self.study.summary if fits and self.study is not None else {}


def exactness(db: Database, frame: Frame) -> Exactness:
    """Find how exact a cohort's scores are: one pass over its outcomes, by bins of theta."""
    with db.read() as session:
        theta, found = binned(session, frame)
        study = precision_study(session, frame)
    error = found.mean_error_variance if theta.n else None
    reliability = None
    if theta.variance is not None and error is not None:
        reliability = empirical_reliability(frame.estimator, theta.variance, error)
    return Exactness(
        theta=theta,
        mean_error_variance=error,
        reliability=reliability,
        bands=_bands(frame, found, study),
        cuts=tuple(_cut(frame, found, study, at) for at in range(len(frame.cuts))),
        rates=_rates(frame, found, frame.cuts),
        study=study,
    )


def precision_study(session: Session, frame: Frame) -> RecordedStudy | None:
    """Return the newest simulation of the version by which a cohort is read."""
    recorded = session.scalars(
        select(Study)
        .where(
            Study.organisation_id == frame.cohort.organisation_id,
            Study.kind == PRECISION,
            Study.exam_id == frame.version.exam_id,
        )
        .order_by(Study.at.desc(), Study.id)
    )
    own = (one for one in recorded if one.settings.get("exam_version") == frame.version.version_id)
    study = next(own, None)
    return None if study is None else as_recorded(study)


def binned(session: Session, frame: Frame) -> tuple[Moments, BinnedEstimates]:
    """Sums of a cohort's final estimates, over all and by narrow bins of theta."""
    place = bin_of(Outcome.theta, LOW, WIDTH).label("place")
    rows = session.execute(
        select(place, *moments(Outcome.theta, 0.0), func.avg(Outcome.se * Outcome.se))
        .where(*frame.cohort.conditions, Outcome.theta.is_not(None), Outcome.se.is_not(None))
        .group_by(place)
        .order_by(place)
    ).all()
    n, total, squares, error = np.array([row[1:] for row in rows], dtype=float).reshape(-1, 4).T
    found = BinnedEstimates(n, total / n, error)
    return Moments(int(n.sum()), float(total.sum()), float(squares.sum())), found


def _rates(
    frame: Frame, found: BinnedEstimates, cuts: Sequence[float]
) -> ClassificationRates | None:
    if not cuts:
        return None
    return observed_rates(frame.estimator, found, cuts, frame.prior)


def _is_of(row: Mapping[str, Any], level: LevelNames) -> bool:
    """Whether a simulation decided a level at the cut that is in force."""
    return bool(row["level"] == level.code and row.get("minimum", level.minimum) == level.minimum)


def _csem_at(study: RecordedStudy | None, theta: float) -> float | None:
    """Conditional SEM in score points between the simulation's thetas; None beyond them."""
    rows = [row for row in study.rows if row["csem"] is not None] if study else []
    if not rows or not rows[0]["theta"] <= theta <= rows[-1]["theta"]:
        return None
    return float(np.interp(theta, [row["theta"] for row in rows], [row["csem"] for row in rows]))


def _bands(
    frame: Frame, found: BinnedEstimates, study: RecordedStudy | None
) -> tuple[ScoreBand, ...]:
    """Bands of theta that hold sittings, as scores."""
    scale = frame.version.plan.design.scale
    places = np.floor(found.theta / BAND + 0.5).astype(int)
    bands = []
    for place in np.unique(places):
        here, theta = places == place, float(place * BAND)
        n = float(found.n[here].sum())
        error = float(np.average(found.error_variance[here], weights=found.n[here]))
        bands.append(
            ScoreBand(
                score=min(max(scale.intercept + scale.slope * theta, scale.minimum), scale.maximum),
                n=int(n),
                posterior_se=scale.slope * error**0.5,
                csem=_csem_at(study, theta),
            )
        )
    return tuple(bands)


def _cut(
    frame: Frame, found: BinnedEstimates, study: RecordedStudy | None, at: int
) -> CutPrecision:
    scale, level, theta = (
        frame.version.plan.design.scale, frame.levels_with_cut[at], frame.cuts[at],
    )  # fmt: skip
    by_cut = study.summary.get("by_cut", []) if study else []
    csem = _csem_at(study, theta)
    near = np.abs(found.theta - theta) <= BAND / 2
    posterior = None
    if found.n[near].sum():
        mean = np.average(found.error_variance[near], weights=found.n[near])
        posterior = scale.slope * float(mean) ** 0.5
    within = None
    if csem is not None:
        within = int(found.n[np.abs(found.theta - theta) <= csem / scale.slope].sum())
    return CutPrecision(
        code=level.code,
        name=level.name,
        minimum=level.minimum,
        csem=csem,
        posterior_se=posterior,
        within=within,
        study=next((row for row in by_cut if _is_of(row, level)), {}),
        cohort=_rates(frame, found, [theta]),
    )
