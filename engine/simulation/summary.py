"""What a simulation says: error, length, exposure, overlap and blueprint, in all and by theta.

Called by the simulation command. Imports numpy and `engine.simulation.run`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.balance import EVENTS, packed
from engine.blueprints.constraints import broken, constraints_of
from engine.blueprints.content_shares import area_masks, violations
from engine.exposure.barriers import BARRIERS
from engine.models import dispatch
from engine.results.classification_accuracy import (
    ClassificationRates,
    conditional_sem,
    expected_estimate,
    rudner_rates,
    simulated_rates,
)
from engine.rules.stopping import REASONS
from engine.simulation.run import Simulated

NORMAL_95 = 1.959963984540054
MAX_POINTS = 25
"""Up to so many different true thetas are summarised one by one, more in bands."""
BAND = 0.5
OUTERMOST = 3.0


@dataclass(frozen=True)
class Accuracy:
    """How well theta was recovered by some examinees; None where that is not known.

    Parameters
    ----------
    n
        Examinees with an estimate.
    bias, rmse
        Mean and root mean square of estimate minus target.
    mean_se
        Mean standard error of the final estimates; None if one is infinite.
    coverage_95
        Share of the intervals estimate +- 1.96 se that hold the true theta; None without one.
    mean_length
        Items given.
    """

    n: int
    bias: float | None
    rmse: float | None
    mean_se: float | None
    coverage_95: float | None
    mean_length: float


@dataclass(frozen=True)
class Band:
    """The examinees of one true theta, or around it.

    Parameters
    ----------
    theta
        The true theta, or the middle of the band.
    accuracy
        Of these examinees.
    sem_simulated
        Conditional standard error of measurement: standard deviation of estimate minus true theta;
        None for fewer than two estimates.
    sem_information
        The same from the information of the items given, by `conditional_sem`; the root of its mean
        square.
    max_exposure, overlap
        Highest exposure rate, and overlap of two tests, among these examinees.
    """

    theta: float
    accuracy: Accuracy
    sem_simulated: float | None
    sem_information: float | None
    max_exposure: float
    overlap: float | None


@dataclass(frozen=True)
class Decisions:
    """How well the levels are told apart.

    Parameters
    ----------
    cuts
        On the theta scale.
    simulated
        Rates of the simulated tests; None where true thetas or estimates are missing.
    expected
        Rates by information (Rudner, 2001, 2005), with the estimator's sampling error.
    """

    cuts: tuple[float, ...]
    simulated: ClassificationRates | None
    expected: ClassificationRates | None


@dataclass(frozen=True, eq=False)
class Summary:
    """A simulation in numbers.

    Parameters
    ----------
    accuracy
        Over all examinees.
    exposure
        Share of the examinees who met each item, shape ``(n_items,)``.
    overlap
        Share of a test that two examinees have in common, on average over pairs (Chen, Ankenmann
        and Spray, 2003, for unequal lengths: mean number in common over mean length); None for
        fewer than two examinees or empty tests.
    blueprint_violations
        Examinees whose test misses its content shares by a whole item or more, or breaks its
        blueprint.
    blueprint_events
        Examinees to whom each of ``engine.blueprints.balance.EVENTS`` happened.
    areas_missing
        Examinees for whom at some step the needed content area had no item left.
    stop_reasons
        Number of examinees by reason.
    bands
        By true theta, ascending; empty where it is not known.
    yielded
        Steps at which a limit on exposure or overlap had to yield, by its name.
    pretest_missing
        Places for items to try out at which none was free.
    decisions
        None where the design has no cuts, or true thetas are not known.
    """

    accuracy: Accuracy
    exposure: Floats
    overlap: float | None
    blueprint_violations: int
    blueprint_events: dict[str, int]
    areas_missing: int
    stop_reasons: dict[str, int]
    bands: tuple[Band, ...]
    yielded: dict[str, int]
    pretest_missing: int
    decisions: Decisions | None


def summarise(simulated: Simulated, target: Floats | None = None) -> Summary:
    """Summarise a simulation.

    Parameters
    ----------
    target
        What to compare the estimates with where there are no true thetas, shape ``(n,)``; no
        coverage is given then, since the standard error is not about that difference.
    """
    everyone = np.ones(simulated.n, dtype=np.bool_)
    known = bool(np.isfinite(simulated.true_theta).all())
    wanted = simulated.true_theta if known or target is None else target
    counts = _uses(simulated, everyone)
    steps = simulated.yielded.sum(axis=0).tolist()
    return Summary(
        accuracy=_accuracy(simulated, wanted, everyone, covers=known),
        exposure=counts / simulated.n,
        overlap=_overlap(counts, simulated.length),
        blueprint_violations=_violations(simulated),
        blueprint_events=_events(simulated),
        areas_missing=int(simulated.area_missing.sum()),
        stop_reasons=_reasons(simulated),
        bands=_bands(simulated) if known else (),
        yielded={name: count for name, count in zip(BARRIERS, steps, strict=True) if count},
        pretest_missing=int(simulated.pretest_missing.sum()),
        decisions=_decisions(simulated) if known and simulated.design.cuts else None,
    )


def _decisions(simulated: Simulated) -> Decisions:
    """Accuracy and consistency of the simulated decisions, and as information promises."""
    design, theta = simulated.design, simulated.true_theta
    information = _information(simulated)
    measured = information > 0
    expected = None
    if measured.any():
        true, known = theta[measured], information[measured]
        expected = rudner_rates(
            true,
            conditional_sem(design.final, known, design.prior),
            design.cuts,
            center=expected_estimate(design.final, true, known, design.prior),
        )
    return Decisions(
        design.cuts, simulated_rates(theta, simulated.final_theta, design.cuts), expected
    )


def _information(simulated: Simulated) -> Floats:
    """Information at the true theta of the items that counted, shape ``(n,)``."""
    counts = (simulated.rows >= 0) & ~simulated.tried_out
    rows = np.maximum(simulated.rows, 0)
    values = dispatch.paired("information", simulated.true_theta, rows, simulated.items)
    total: Floats = np.where(counts, values, 0.0).sum(axis=1)
    return total


def _uses(simulated: Simulated, who: Bools) -> Ints:
    given = simulated.rows[who]
    given = given[given >= 0]
    return np.bincount(given, minlength=len(simulated.items)).astype(np.int64)


def _accuracy(simulated: Simulated, target: Floats, who: Bools, *, covers: bool) -> Accuracy:
    se = simulated.final_se[who]
    error = simulated.final_theta[who] - target[who]
    estimable = np.isfinite(error)
    known, error = estimable.any(), error[estimable]
    inside = np.abs(error) <= NORMAL_95 * se[estimable]
    return Accuracy(
        n=int(np.isfinite(simulated.final_theta[who]).sum()),
        bias=float(error.mean()) if known else None,
        rmse=float(np.sqrt((error**2).mean())) if known else None,
        mean_se=float(se.mean()) if np.isfinite(se).all() else None,
        coverage_95=float(inside.mean()) if known and covers else None,
        mean_length=float(simulated.length[who].mean()),
    )


def _overlap(counts: Ints, length: Ints) -> float | None:
    n = len(length)
    if n < 2 or not length.any():
        return None
    shared = float((counts * (counts - 1)).sum()) / (n * (n - 1))
    return shared / float(length.mean())


def _violations(simulated: Simulated) -> int:
    """Examinees whose test misses a content share by a whole item, or breaks the blueprint."""
    design, scored = simulated.design, (simulated.rows >= 0) & ~simulated.tried_out
    missed = np.zeros(simulated.n, dtype=np.bool_)
    if design.content_shares:
        masks = area_masks(design.content_shares, simulated.items)
        areas = masks[:, np.maximum(simulated.rows, 0)] & scored
        counts = areas.sum(axis=2).T.astype(np.int64)
        shares = [share for _, share in design.content_shares]
        missed |= violations(counts, scored.sum(axis=1), shares)
    if design.blueprint is not None:
        bound = constraints_of(simulated.items, design.blueprint, design.scored_length)
        rows = packed(simulated.rows, scored)
        missed |= np.array([bool(names) for names in broken(bound, rows)])
    return int(missed.sum())


def _events(simulated: Simulated) -> dict[str, int]:
    met = (simulated.blueprint_events > 0).sum(axis=0).tolist()
    return {name: count for name, count in zip(EVENTS, met, strict=True) if count}


def _reasons(simulated: Simulated) -> dict[str, int]:
    counts = np.bincount(simulated.stop_code, minlength=len(REASONS)).tolist()
    pairs = zip(REASONS, counts, strict=True)
    return {str(reason): count for reason, count in pairs if count}


def _bands(simulated: Simulated) -> tuple[Band, ...]:
    theta = simulated.true_theta
    points = np.unique(theta)
    place = theta
    if len(points) > MAX_POINTS:
        place = np.clip(np.round(theta / BAND) * BAND, -OUTERMOST, OUTERMOST) + 0.0
        points = np.unique(place)
    information = _information(simulated)
    return tuple(_band(simulated, float(point), place == point, information) for point in points)


def _band(simulated: Simulated, point: float, who: Bools, information: Floats) -> Band:
    error = (simulated.final_theta - simulated.true_theta)[who]
    error = error[np.isfinite(error)]
    sem = conditional_sem(simulated.design.final, information[who], simulated.design.prior)
    uses = _uses(simulated, who)
    return Band(
        theta=point,
        accuracy=_accuracy(simulated, simulated.true_theta, who, covers=True),
        sem_simulated=float(error.std(ddof=1)) if len(error) > 1 else None,
        sem_information=float(np.sqrt((sem**2).mean())) if np.isfinite(sem).all() else None,
        max_exposure=float(uses.max() / who.sum()),
        overlap=_overlap(uses, simulated.length[who]),
    )
