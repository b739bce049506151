"""Calibration: CPU seconds of a 2PL fit, with its ratio to girth's on the same data.

10,000 persons by 100 items. girth gets them all where a trial on fewer persons says that it needs
less than a minute; otherwise as many as it can do in one, which is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from calibration.matrix import ResponseMatrix, from_dense, numbered, response_matrix_from_codes
from calibration.mml import MmlFit, fit
from calibration.standard_errors import standard_errors

PERSONS, ITEMS = 10_000, 100
TRIAL = 500
MOST_SECONDS = 60.0


def scores_of(n_persons: int, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20_261)
    a, b = rng.lognormal(0.0, 0.3, n_items), rng.normal(size=n_items)
    theta = rng.normal(size=n_persons)
    chance = 1.0 / (1.0 + np.exp(-a * (theta[:, None] - b)))
    return (rng.random(chance.shape) < chance).astype(np.int64), b


def cpu_seconds(work: Callable[[], object]) -> tuple[float, object]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def girth_seconds(scores: np.ndarray) -> tuple[float, np.ndarray]:
    import girth  # noqa: PLC0415 - only where it is timed

    seconds, found = cpu_seconds(lambda: girth.twopl_mml(scores.T.copy()))
    return seconds, np.asarray(found["Difficulty"])  # type: ignore[index]


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - truth) ** 2)))


def fitted(matrix: ResponseMatrix) -> tuple[float, MmlFit]:
    fit(matrix, ["2pl"] * matrix.n_items)
    seconds, found = cpu_seconds(lambda: fit(matrix, ["2pl"] * matrix.n_items))
    assert isinstance(found, MmlFit)
    return seconds, found


def bench_complete() -> None:
    scores, b = scores_of(PERSONS, ITEMS)
    own, found = fitted(from_dense(scores))
    print(
        f"2PL {PERSONS:,} x {ITEMS}: {own:.2f} CPU s, {found.iterations} expectation steps, "
        f"converged {found.converged}, RMSE of b {rmse(found.items.b, b):.3f}"
    )
    errors, _found = cpu_seconds(lambda: standard_errors(found))
    print(f"  its standard errors (Oakes): {errors:.2f} CPU s")
    trial, _b = girth_seconds(scores[:TRIAL])
    share = min(1.0, MOST_SECONDS / (trial * PERSONS / TRIAL))
    persons = PERSONS if share == 1.0 else max(TRIAL, int(PERSONS * share) // TRIAL * TRIAL)
    same, _found = fitted(from_dense(scores[:persons]))
    theirs, difficulty = girth_seconds(scores[:persons])
    size = "the same data" if persons == PERSONS else f"{persons:,} persons (all would take longer)"
    print(
        f"  girth's twopl_mml on {size}: {theirs:.2f} CPU s, RMSE of b {rmse(difficulty, b):.3f}; "
        f"ratio {theirs / same:.0f}"
    )


def bench_sparse() -> None:
    n_persons, n_items, length = 100_000, 1000, 25
    rng = np.random.default_rng(5)
    a, b = rng.lognormal(0.0, 0.3, n_items), rng.normal(0.0, 1.2, n_items)
    theta = np.repeat(rng.normal(size=n_persons), length)
    start = rng.integers(0, n_items, n_persons)
    column = ((start[:, None] + 37 * np.arange(length)) % n_items).ravel()
    score = (rng.random(theta.size) < 1 / (1 + np.exp(-a[column] * (theta - b[column])))).astype(
        int
    )
    rows = np.repeat(np.arange(n_persons), length)
    codes = (rows, column, score)
    matrix = response_matrix_from_codes(numbered(n_persons), numbered(n_items), codes, routed=True)
    seconds, found = cpu_seconds(lambda: fit(matrix, ["2pl"] * n_items))
    assert isinstance(found, MmlFit)
    print(
        f"2PL {n_persons:,} x {length} of {n_items:,}, sparse: {seconds:.1f} CPU s, "
        f"{found.iterations} expectation steps, {seconds / found.iterations:.2f} CPU s each"
    )


def main() -> None:
    bench_complete()
    bench_sparse()


if __name__ == "__main__":
    main()
