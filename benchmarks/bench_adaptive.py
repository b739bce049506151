"""Calibration from adaptive data: 4,000 sittings of 25 items from a bank of 500, ours and mirt's.

The sittings are the engine's own, with exposure control. Ours is fitted with the priors of
`tarozu calibrate recalibrate`, since some items have a handful of responses; mirt as it is. What is
compared is how well difficulty is recovered for items with 200 responses or more: the slope of
estimated on true b, and the RMSE.
"""

from __future__ import annotations

import importlib.util
import time
import warnings

import numpy as np

from calibration.matrix import ResponseMatrix, response_matrix_from_codes
from calibration.mml import Settings, fit
from calibration.priors import RECALIBRATION
from engine.arrays import Bools, Floats
from engine.items import ItemParameters, item_parameters
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate

PERSONS, ITEMS, LENGTH, ENOUGH = 4000, 500, 25, 200


def bank(n_items: int = ITEMS) -> ItemParameters:
    rng = np.random.default_rng(11)
    names = [f"i{k:03d}" for k in range(n_items)]
    a, b = rng.lognormal(0.1, 0.25, n_items), rng.normal(0.0, 1.1, n_items)
    return item_parameters(names, "2pl", a=a, b=b)


def sittings(items: ItemParameters, n_persons: int, length: int = LENGTH) -> ResponseMatrix:
    """Recorded adaptive sittings: maximum information among the ten best at random."""
    theta = np.random.default_rng(12).normal(size=n_persons)
    design = ExamDesign(stop=StoppingRules(length=length), randomesque=10)
    found = simulate(items, design, theta=theta, seed=13)
    rows = np.repeat(np.arange(n_persons), length)
    codes = (rows, found.rows[:, :length].ravel(), found.scores[:, :length].ravel())
    names = tuple(f"p{k}" for k in range(n_persons))
    return response_matrix_from_codes(names, items.item, codes, routed=True)


def recovery(b: Floats, truth: Floats, judged: Bools) -> tuple[float, float]:
    """Slope of estimated on true b, and RMSE."""
    slope = np.polyfit(truth[judged], b[judged], 1)[0]
    return float(slope), float(np.sqrt(np.mean((b[judged] - truth[judged]) ** 2)))


def estimable(matrix: ResponseMatrix) -> ResponseMatrix:
    """Without items that everybody, or nobody, solved, which have no estimate."""
    right = np.bincount(matrix.column, matrix.score, minlength=matrix.n_items)
    return matrix.items(np.flatnonzero((right > 0) & (right < matrix.item_counts())).tolist())


def mirt_difficulty(matrix: ResponseMatrix) -> tuple[float, Floats]:
    from mirt import fit_mirt  # noqa: PLC0415 - only where it is installed

    scores, observed = matrix.dense()
    data = np.where(observed, scores, -1).astype(np.int64)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fit_mirt(data, model="2PL", n_quadpts=61, compute_standard_errors=False)
    return time.process_time() - started, np.ravel(found.model.parameters["difficulty"])


def main() -> None:
    items = bank()
    matrix = estimable(sittings(items, PERSONS))
    truth = items.b[[items.row(name) for name in matrix.item]]
    judged = matrix.item_counts() >= ENOUGH
    started = time.process_time()
    found = fit(matrix, ["2pl"] * matrix.n_items, Settings(RECALIBRATION))
    seconds = time.process_time() - started
    slope, error = recovery(found.items.b, truth, judged)
    print(
        f"{PERSONS:,} sittings of {LENGTH} of {ITEMS}; {judged.sum()} items with {ENOUGH} responses"
        f" or more: slope of b {slope:.3f} (target 0.95 to 1.05), RMSE {error:.4f}; converged"
        f" {found.converged}, {found.iterations} expectation steps, {seconds:.2f} CPU s"
    )
    if importlib.util.find_spec("mirt"):
        theirs, b = mirt_difficulty(matrix)
        slope, other = recovery(b, truth, judged)
        print(
            f"  mirt, 61 points: slope {slope:.3f}, RMSE {other:.4f}, {theirs:.1f} CPU s; RMSE"
            f" ratio {error / other:.3f} (target at most 1.05)"
        )


if __name__ == "__main__":
    main()
