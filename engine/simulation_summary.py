"""What a simulation says: error, length, exposure, overlap and blueprint, in all and by theta.

Called by the simulation command. Imports numpy and `engine.simulation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.content_shares import area_masks, violations
from engine.simulation import Simulated
from engine.stopping import REASONS

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
    """The examinees of one true theta, or around it."""

    theta: float
    accuracy: Accuracy


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
        Examinees whose test misses its content shares by a whole item or more.
    areas_missing
        Examinees for whom at some step the needed content area had no item left.
    stop_reasons
        Number of examinees by reason.
    bands
        Accuracy by true theta, ascending; empty where it is not known.
    """

    accuracy: Accuracy
    exposure: Floats
    overlap: float | None
    blueprint_violations: int
    areas_missing: int
    stop_reasons: dict[str, int]
    bands: tuple[Band, ...]


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
    counts = _uses(simulated)
    return Summary(
        accuracy=_accuracy(simulated, wanted, everyone, covers=known),
        exposure=counts / simulated.n,
        overlap=_overlap(counts, simulated.length),
        blueprint_violations=_violations(simulated),
        areas_missing=int(simulated.area_missing.sum()),
        stop_reasons=_reasons(simulated),
        bands=_bands(simulated) if known else (),
    )


def _uses(simulated: Simulated) -> Ints:
    given = simulated.rows[simulated.rows >= 0]
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
    shares = simulated.design.content_shares
    if not shares:
        return 0
    masks = area_masks(shares, simulated.items)
    given = simulated.rows >= 0
    areas = masks[:, np.maximum(simulated.rows, 0)] & given
    counts = areas.sum(axis=2).T.astype(np.int64)
    return int(violations(counts, simulated.length, [share for _, share in shares]).sum())


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
    return tuple(
        Band(float(point), _accuracy(simulated, theta, place == point, covers=True))
        for point in points
    )
