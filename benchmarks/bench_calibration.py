"""Calibration: CPU seconds of fits and their standard errors, against targets and other packages.

Everything on one thread. 2PL on 10,000 persons by 100 items beside girth and PyPI's mirt (SQUAREM,
61 points), where it is installed; its parameters are judged by our likelihood on 61 points. girth
gets all persons where a trial on fewer says that it needs less than a minute; otherwise as many as
it can do in one, which is said.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable

import numpy as np

from calibration.matrix import ResponseMatrix, from_dense, numbered, response_matrix_from_codes
from calibration.mml import MmlFit, Settings, at_parameters, fit
from calibration.priors import default_priors
from calibration.standard_errors import standard_errors
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch

PERSONS, ITEMS = 10_000, 100
TRIAL = 500
MOST_SECONDS = 60.0


def drawn(items: ItemParameters, n_persons: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    chances = np.cumsum(dispatch.probabilities(rng.normal(size=n_persons), items), axis=2)
    scores = (rng.random(chances.shape[:2])[:, :, None] > chances).sum(axis=2)
    return np.minimum(scores, items.n_categories - 1)


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


def fitted(matrix: ResponseMatrix, model: str = "2pl") -> tuple[float, MmlFit]:
    """The median of three fits."""
    models, settings = [model] * matrix.n_items, Settings(default_priors([model]))
    runs = [cpu_seconds(lambda: fit(matrix, models, settings)) for _ in range(3)]
    found = runs[-1][1]
    assert isinstance(found, MmlFit)
    return sorted(seconds for seconds, _found in runs)[1], found


def told(label: str, seconds: float, found: MmlFit, target: float | None) -> None:
    aim = "" if target is None else f" (target {target:g})"
    print(
        f"{label}: {seconds:.2f} CPU s{aim}, {found.iterations} expectation steps, "
        f"converged {found.converged}"
    )


def told_errors(found: MmlFit) -> None:
    seconds, _errors = cpu_seconds(lambda: standard_errors(found))
    print(f"  its standard errors (Oakes): {seconds:.2f} CPU s")


def bench_complete() -> None:
    scores, b = scores_of(PERSONS, ITEMS)
    own, found = fitted(from_dense(scores))
    told(f"2PL {PERSONS:,} x {ITEMS}", own, found, None)
    print(f"  RMSE of b {rmse(found.items.b, b):.3f}, log-likelihood {found.log_likelihood:,.4f}")
    told_errors(found)
    if importlib.util.find_spec("mirt"):
        against_mirt(scores, own, found)
    against_girth(scores, b)


def against_mirt(scores: np.ndarray, own: float, found: MmlFit) -> None:
    from mirt import fit_mirt  # noqa: PLC0415 - only where it is installed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds, other = cpu_seconds(
            lambda: fit_mirt(
                scores,
                model="2PL",
                n_quadpts=61,
                accelerate="squarem",
                compute_standard_errors=False,
                use_rust=False,
            )
        )
    parameters = other.model.parameters  # type: ignore[attr-defined]
    a, b = (np.ravel(parameters[name]) for name in ("discrimination", "difficulty"))
    items = item_parameters(found.items.item, "2pl", a=a, b=b)
    theirs = at_parameters(from_dense(scores), items, Settings()).log_likelihood
    # It integrates over Gauss-Hermite points, too far apart for 100 items: no tolerance brings its
    # log-likelihood to ours, which 241 points instead of 61 change by less than 1e-4.
    print(
        f"  mirt, SQUAREM, 61 points: {seconds:.2f} CPU s; ratio {seconds / own:.1f} (target 5); "
        f"log-likelihood of its parameters {theirs - found.log_likelihood:+.4f} from ours"
    )


def against_girth(scores: np.ndarray, b: np.ndarray) -> None:
    trial, _b = girth_seconds(scores[:TRIAL])
    share = min(1.0, MOST_SECONDS / (trial * PERSONS / TRIAL))
    persons = PERSONS if share == 1.0 else max(TRIAL, int(PERSONS * share) // TRIAL * TRIAL)
    same, _found = fitted(from_dense(scores[:persons]))
    theirs, difficulty = girth_seconds(scores[:persons])
    size = "the same data" if persons == PERSONS else f"{persons:,} persons (all would take longer)"
    print(
        f"  girth's twopl_mml on {size}: {theirs:.2f} CPU s, RMSE of b {rmse(difficulty, b):.3f}; "
        f"ratio {theirs / same:.0f} (target 100)"
    )


def bench_many() -> None:
    seconds, found = fitted(from_dense(scores_of(100_000, ITEMS)[0]))
    told(f"2PL 100,000 x {ITEMS}", seconds, found, 1.5)


def bench_other_models() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(0.2, 0.3, ITEMS), rng.normal(size=ITEMS)
    steps = np.sort(rng.normal(0, 1.2, (ITEMS, 4)), axis=1) + np.array([-0.3, -0.1, 0.1, 0.3])
    graded = item_parameters(numbered(ITEMS), "grm", a=a, thresholds=steps)
    guessing = item_parameters(numbered(ITEMS), "3pl", a=a, b=b, c=rng.uniform(0.1, 0.3, ITEMS))
    for label, items in (("GRM, five categories", graded), ("3PL with prior", guessing)):
        seconds, found = fitted(from_dense(drawn(items, PERSONS, 4)), items.model[0])
        told(f"{label}, {PERSONS:,} x {ITEMS}", seconds, found, 1.0)
        told_errors(found)


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
    seconds, found = fitted(matrix)
    told(f"2PL {n_persons:,} x {length} of {n_items:,}, sparse", seconds, found, None)
    told_errors(found)


def main() -> None:
    bench_complete()
    bench_many()
    bench_other_models()
    bench_sparse()


if __name__ == "__main__":
    main()
