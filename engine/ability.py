"""Where an examinee stands: EAP, MAP, MLE and Warm's WLE, each with its standard error.

`estimate` serves one sitting; the functions on arrays serve simulation and calibration and are the
same computation, row by row. Imports numpy, the models and `engine.grids`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.grids import Grid, tables
from engine.items import ItemParameters
from engine.models import dispatch

ESTIMATORS = ("eap", "map", "mle", "wle")
SEARCH = Grid(-4.0, 4.0, 81)
"""Where MLE and WLE look; an end of it is returned when the likelihood is monotone."""
PERSONS_AT_ONCE = 4096
NEWTON_STEPS = 20
STEPS = 80
TOLERANCE = 1e-12


@dataclass(frozen=True)
class AbilityEstimate:
    """An estimate of theta and its standard error, both in units of theta."""

    theta: float
    se: float


@dataclass(frozen=True)
class Prior:
    """A normal prior for theta; ``sd`` above 0."""

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.mean):
            raise InputError("a finite prior mean", self.mean, column="prior_mean")
        if not (np.isfinite(self.sd) and self.sd > 0):
            raise InputError("a prior standard deviation above 0", self.sd, column="prior_sd")

    def log_density(self, theta: Floats) -> Floats:
        """Log density up to a constant, shaped as ``theta``."""
        density: Floats = -0.5 * ((theta - self.mean) / self.sd) ** 2
        return density


@dataclass(frozen=True)
class Answers:
    """The answers of some persons, each to items of their own.

    Parameters
    ----------
    rows
        Bank rows, shape ``(n_persons, n)``.
    scores
        From 0, same shape.
    present
        False where a row is padding, same shape.
    """

    rows: Ints
    scores: Ints
    present: Bools

    @property
    def any(self) -> Bools:
        """Who has an answer at all, shape ``(n_persons,)``."""
        return np.asarray(self.present.any(axis=1), dtype=np.bool_)


def answers(rows: Ints, scores: Ints) -> Answers:
    """Answers without padding, shapes ``(n_persons, n)``."""
    return Answers(rows, scores, np.ones(rows.shape, dtype=np.bool_))


def estimate(
    method: str,
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = Prior(),
    grid: Grid = Grid(),  # noqa: B008 - frozen
) -> AbilityEstimate:
    """Estimate theta of one person by a named method.

    Parameters
    ----------
    method
        ``eap``, ``map``, ``mle`` or ``wle``.
    rows, scores
        Bank rows answered, and the scores from 0.
    prior, grid
        Not used by ``mle`` and ``wle``, which search [-4, 4]. ``map`` searches the range of the
        grid.

    Returns
    -------
    AbilityEstimate
        Without answers: the prior for ``eap`` and ``map``; theta NaN and se infinite for ``mle``
        and ``wle``, which are then not estimable.
    """
    _check_answers(rows, scores, items)
    one = answers(np.array([rows], dtype=np.int64), np.array([scores], dtype=np.int64))
    theta, se = estimates(method, one, items, prior=prior, grid=grid)
    return AbilityEstimate(float(theta[0]), float(se[0]))


def estimate_eap(
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = Prior(),
    grid: Grid = Grid(),  # noqa: B008 - frozen
) -> AbilityEstimate:
    """Mean and standard deviation of the posterior (Bock and Mislevy, 1982); see `estimate`."""
    return estimate("eap", rows, scores, items, prior=prior, grid=grid)


def estimate_map(
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    *,
    prior: Prior = Prior(),
    grid: Grid = Grid(),  # noqa: B008 - frozen
) -> AbilityEstimate:
    """Mode of the posterior; se = 1 / sqrt(information + 1 / sd^2); see `estimate`."""
    return estimate("map", rows, scores, items, prior=prior, grid=grid)


def estimate_mle(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters
) -> AbilityEstimate:
    """Maximum of the likelihood on [-4, 4]; se = 1 / sqrt(information); see `estimate`."""
    return estimate("mle", rows, scores, items)


def estimate_wle(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters
) -> AbilityEstimate:
    """Weighted likelihood estimate (Warm, 1989) on [-4, 4]; se = 1 / sqrt(information)."""
    return estimate("wle", rows, scores, items)


def estimates(
    method: str, given: Answers, items: ItemParameters, *, prior: Prior, grid: Grid
) -> tuple[Floats, Floats]:
    """Estimate theta of many persons; theta and se, each of shape ``(n_persons,)``."""
    if method == "eap":
        return eap_of(log_likelihood(given, items, grid), prior=prior, grid=grid)
    if method == "map":
        return _map(given, items, prior, grid)
    if method == "mle":
        return _mle(given, items)
    if method == "wle":
        return _wle(given, items)
    raise InputError(f"one of {', '.join(ESTIMATORS)}", repr(method), column="estimator")


def eap_scores(
    scores: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    prior: Prior = Prior(),
    grid: Grid = Grid(),  # noqa: B008 - frozen
) -> tuple[Floats, Floats]:
    """EAP of a whole response matrix, by one matrix product for each score.

    Parameters
    ----------
    scores
        Shape ``(n_persons, n_items)``; ignored where not observed.
    observed
        Which cells were answered, same shape.

    Returns
    -------
    tuple of Floats
        Theta and se, each of shape ``(n_persons,)``; the prior for a person without answers.

    Raises
    ------
    InputError
        For a score that its item does not have.
    """
    check_matrix(scores, observed, items)
    table = _finite(tables(items, grid).log_probabilities)
    theta, se = np.empty(len(scores)), np.empty(len(scores))
    for start in range(0, len(scores), PERSONS_AT_ONCE):
        block = slice(start, start + PERSONS_AT_ONCE)
        sums = np.zeros((len(scores[block]), grid.n))
        for score in range(items.max_categories):
            chosen = observed[block] & (scores[block] == score)
            sums += chosen.astype(np.float64) @ table[:, score]
        theta[block], se[block] = eap_of(sums, prior=prior, grid=grid)
    return theta, se


def matrix_scores(
    method: str,
    scores: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    prior: Prior = Prior(),
    grid: Grid = Grid(),  # noqa: B008 - frozen
) -> tuple[Floats, Floats]:
    """Estimate theta for a whole response matrix by any method; see `eap_scores`, `estimate`."""
    if method == "eap":
        return eap_scores(scores, observed, items, prior=prior, grid=grid)
    check_matrix(scores, observed, items)
    theta, se = np.empty(len(scores)), np.empty(len(scores))
    rows = np.arange(len(items), dtype=np.int64)
    for start in range(0, len(scores), PERSONS_AT_ONCE // 16):
        block = slice(start, start + PERSONS_AT_ONCE // 16)
        seen = observed[block]
        given = Answers(np.broadcast_to(rows, seen.shape), np.where(seen, scores[block], 0), seen)
        theta[block], se[block] = estimates(method, given, items, prior=prior, grid=grid)
    return theta, se


def eap_of(log_likelihood: Floats, *, prior: Prior, grid: Grid) -> tuple[Floats, Floats]:
    """Posterior mean and standard deviation from log likelihoods ``(n_persons, n_points)``."""
    log_posterior = log_likelihood + (prior.log_density(grid.points) + grid.log_weights)
    weights = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    # Sums, not matrix products: their last bits do not depend on how many persons there are.
    theta = (weights * grid.points).sum(axis=1)
    variance = (weights * (grid.points - theta[:, None]) ** 2).sum(axis=1)
    return theta, np.sqrt(variance)


def log_likelihood(given: Answers, items: ItemParameters, grid: Grid) -> Floats:
    """Log likelihood at the points of a grid, shape ``(n_persons, n_points)``."""
    return _response_sums(tables(items, grid).log_probabilities, given)


def check_matrix(scores: Ints, observed: Bools, items: ItemParameters) -> None:
    """Refuse a response matrix with a score that its item does not have."""
    if scores.shape != observed.shape or scores.shape[1:] != (len(items),):
        found = f"{scores.shape} with mask {observed.shape}"
        raise InputError(f"scores and mask of shape (n_persons, {len(items)})", found)
    wrong = observed & ((scores < 0) | (scores >= items.n_categories))
    if wrong.any():
        person, row = np.argwhere(wrong)[0].tolist()
        _refuse_score(items, row, int(scores[person, row]))


def _check_answers(rows: Sequence[int], scores: Sequence[int], items: ItemParameters) -> None:
    if len(rows) != len(scores):
        raise InputError(f"{len(rows)} scores", len(scores), column="scores")
    for row, score in zip(rows, scores, strict=True):
        if not 0 <= row < len(items):
            raise InputError(f"a row from 0 to {len(items) - 1}", row, column="row")
        if not 0 <= score < items.n_categories[row]:
            _refuse_score(items, row, score)


def _refuse_score(items: ItemParameters, row: int, score: int) -> None:
    top = items.n_categories[row] - 1
    raise InputError(f"a score from 0 to {top}", score, column=f"item {items.item[row]}")


def _finite(table: Floats) -> Floats:
    """0 for scores that an item lacks: 0 times minus infinity would be NaN in a product."""
    return np.where(np.isneginf(table), 0.0, table)


def _response_sums(table: Floats, given: Answers) -> Floats:
    picked = table[given.rows, given.scores]
    if not given.present.all():
        picked = np.where(given.present[..., None], picked, 0.0)
    sums: Floats = picked.sum(axis=1)
    return sums


def _item_sums(table: Floats, given: Answers) -> Floats:
    """Sum a table ``(n_items, n_points)`` over the items answered."""
    sums: Floats = np.where(given.present[..., None], table[given.rows], 0.0).sum(axis=1)
    return sums


def _at(verb: str, theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    """Sum over a person's answers of slopes or curvatures at that person's theta."""
    values = dispatch.paired(verb, theta, given.rows, items)
    chosen = np.take_along_axis(values, given.scores[..., None], axis=2)[..., 0]
    sums: Floats = np.where(given.present, chosen, 0.0).sum(axis=1)
    return sums


def _information(theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    values = dispatch.paired("information", theta, given.rows, items)
    sums: Floats = np.where(given.present, values, 0.0).sum(axis=1)
    return sums


def _map(given: Answers, items: ItemParameters, prior: Prior, grid: Grid) -> tuple[Floats, Floats]:
    precision = prior.sd**-2

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        slope = _at("slopes", theta, given, items) - (theta - prior.mean) * precision
        return slope, _at("curvatures", theta, given, items) - precision

    heights = log_likelihood(given, items, grid) + prior.log_density(grid.points)
    theta = _climb(ascent, heights, grid)
    return theta, 1.0 / np.sqrt(_information(theta, given, items) + precision)


def _mle(given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        return _at("slopes", theta, given, items), _at("curvatures", theta, given, items)

    theta = _climb(ascent, log_likelihood(given, items, SEARCH), SEARCH)
    return _with_information(theta, given, items)


def _wle(given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Root of slope + J / (2 I); among several, the highest by the integral of that function."""
    on_grid = tables(items, SEARCH)
    information = _item_sums(on_grid.information, given)
    bias = _item_sums(on_grid.bias_terms, given)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = _response_sums(on_grid.slopes, given) + np.nan_to_num(bias / (2.0 * information))
    rises = np.cumsum(slope[:, 1:] + slope[:, :-1], axis=1)
    heights = np.concatenate([np.zeros((len(rises), 1)), rises], axis=1)

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        curve = _information(theta, given, items)
        pulls = dispatch.paired_bias_terms(theta, given.rows, items)
        pull = np.where(given.present, pulls, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _at("slopes", theta, given, items) + pull / (2.0 * curve), -curve

    return _with_information(_climb(ascent, heights, SEARCH), given, items)


def _with_information(
    theta: Floats, given: Answers, items: ItemParameters
) -> tuple[Floats, Floats]:
    """Theta with 1 / sqrt(information); NaN and infinity for those without answers."""
    with np.errstate(divide="ignore"):
        se = 1.0 / np.sqrt(_information(theta, given, items))
    return np.where(given.any, theta, np.nan), np.where(given.any, se, np.inf)


def _climb(
    ascent: Callable[[Floats], tuple[Floats, Floats]], heights: Floats, grid: Grid
) -> Floats:
    """Find the top between the neighbours of the highest grid point, by Newton kept in bounds.

    Each person stops moving once converged, so that the result does not depend on the others. A
    slope that points out of the grid leaves the estimate at its end.
    """
    peak = _first_top(heights)
    theta = grid.points[peak]
    low, high = grid.points[np.maximum(peak - 1, 0)], grid.points[np.minimum(peak + 1, grid.n - 1)]
    moving = np.ones(len(theta), dtype=np.bool_)
    for step in range(STEPS):
        slope, bend = ascent(theta)
        low, high = np.where(slope > 0, theta, low), np.where(slope > 0, high, theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            newton = theta - slope / bend
        usable = (bend < 0) & (newton >= low) & (newton <= high) & (step < NEWTON_STEPS)
        target = np.where(usable, newton, 0.5 * (low + high))
        moved = np.abs(target - theta)
        theta = np.where(moving, target, theta)
        moving &= moved > TOLERANCE
        if not moving.any():
            break
    return theta


def _first_top(heights: Floats) -> Ints:
    """Lowest of the grid points that are tops and within 1e-9 of the highest.

    One answer in the middle category can leave two tops of equal height; which of them is higher
    by the last bit must not decide.
    """
    outside = np.full((len(heights), 1), -np.inf)
    left = np.concatenate([outside, heights[:, :-1]], axis=1)
    right = np.concatenate([heights[:, 1:], outside], axis=1)
    best = heights.max(axis=1, keepdims=True)
    top = (heights >= best - 1e-9) & (heights >= left) & (heights >= right)
    peak: Ints = top.argmax(axis=1)
    return peak
