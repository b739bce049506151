"""The tops of likelihoods: MAP, MLE and Warm's WLE of many persons, by Newton kept in bounds.

Called by `engine.ability.estimates`. Imports numpy, the models and `engine.ability.grids`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.ability.answers import Answers, item_sums, log_likelihood, response_sums
from engine.ability.grids import Grid, tables
from engine.ability.priors import Prior
from engine.arrays import Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch

SEARCH = Grid(-4.0, 4.0, 81)
"""Where MLE and WLE look; an end of it is returned when the likelihood is monotone."""
Ascent = Callable[[Floats], tuple[Floats, Floats]]
"""First and second derivative of what is climbed, at a theta for each person."""
NEWTON_STEPS = 20
STEPS = 80
TOLERANCE = 1e-12


def map_of(
    given: Answers, items: ItemParameters, *, prior: Prior, grid: Grid
) -> tuple[Floats, Floats]:
    """Mode of the posterior within the range of the grid, and 1 / sqrt(information + 1 / sd^2).

    Theta and se, each of shape ``(n_persons,)``; the prior for a person without answers.
    """
    heights = log_likelihood(given, items, grid) + prior.log_density(grid.points)
    theta = posterior_modes(given, items, heights, prior=prior, grid=grid)
    return theta, 1.0 / np.sqrt(_information(theta, given, items) + prior.sd**-2)


def posterior_modes(
    given: Answers, items: ItemParameters, heights: Floats, *, prior: Prior, grid: Grid
) -> Floats:
    """Mode of each posterior, found from its logs at the points of the grid.

    Parameters
    ----------
    heights
        Log posteriors up to a constant, shape ``(n_persons, n_points)``.
    """
    precision = prior.sd**-2

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        slope, bend = slope_and_bend(theta, given, items)
        return slope - (theta - prior.mean) * precision, bend - precision

    return climb(ascent, heights, grid)


def mle_of(given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Maximum of the likelihood on [-4, 4], and 1 / sqrt(information).

    Theta and se, each of shape ``(n_persons,)``; NaN and infinity for a person without answers.
    """

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        return slope_and_bend(theta, given, items)

    theta = climb(ascent, log_likelihood(given, items, SEARCH), SEARCH)
    return _with_information(theta, given, items)


def wle_of(given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Root of slope + J / (2 I) on [-4, 4] (Warm, 1989), and 1 / sqrt(information).

    Among several roots, the one at which the integral of that function is highest. Shapes and
    persons without answers as in `mle_of`.
    """

    def ascent(theta: Floats) -> tuple[Floats, Floats]:
        chances, slopes, curvatures = (
            dispatch.paired(verb, theta, given.rows, items)
            for verb in ("probabilities", "slopes", "curvatures")
        )
        information = _over(given, (chances * slopes**2).sum(axis=2))
        pull = _over(given, dispatch.bias_of(chances, slopes, curvatures))
        with np.errstate(invalid="ignore", divide="ignore"):
            weighted = _chosen(given, slopes) + pull / (2.0 * information)
        return weighted, _chosen(given, curvatures)

    return _with_information(climb(ascent, _warm_heights(given, items), SEARCH), given, items)


def _warm_heights(given: Answers, items: ItemParameters) -> Floats:
    """Integral of slope + J / (2 I) from the low end of the range to each of its points."""
    on_grid = tables(items, SEARCH)
    information = item_sums(on_grid.information, given)
    bias = item_sums(on_grid.bias_terms, given)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = response_sums(on_grid.slopes, given) + np.nan_to_num(bias / (2.0 * information))
    rises = np.cumsum(slope[:, 1:] + slope[:, :-1], axis=1)
    return np.concatenate([np.zeros((len(rises), 1)), rises], axis=1)


def _over(given: Answers, values: Floats) -> Floats:
    """Sum over a person's answers, shape ``(n_persons,)``."""
    sums: Floats = np.where(given.present, values, 0.0).sum(axis=1)
    return sums


def _chosen(given: Answers, values: Floats) -> Floats:
    """Sum over a person's answers of the values that belong to the scores given."""
    return _over(given, np.take_along_axis(values, given.scores[..., None], axis=2)[..., 0])


def _at(verb: str, theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    return _chosen(given, dispatch.paired(verb, theta, given.rows, items))


def _information(theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    return _over(given, dispatch.paired("information", theta, given.rows, items))


def _with_information(
    theta: Floats, given: Answers, items: ItemParameters
) -> tuple[Floats, Floats]:
    """Theta with 1 / sqrt(information); NaN and infinity for those without answers."""
    with np.errstate(divide="ignore"):
        se = 1.0 / np.sqrt(_information(theta, given, items))
    return np.where(given.any, theta, np.nan), np.where(given.any, se, np.inf)


def slope_and_bend(theta: Floats, given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """First and second derivative of each log likelihood, shape ``(n_persons,)`` each."""
    return _at("slopes", theta, given, items), _at("curvatures", theta, given, items)


def climb(
    ascent: Ascent,
    heights: Floats,
    grid: Grid,
    *,
    from_parabola: bool = False,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Find the top between the neighbours of the highest grid point, by Newton kept in bounds.

    The second derivative that ``ascent`` gives serves the first step; later ones take the secant
    of the last two slopes, which needs no exact derivative to converge. Each person stops moving
    once converged, so that the result does not depend on the others. A slope that points out of
    the grid leaves the estimate at its end.

    Parameters
    ----------
    from_parabola
        Start at the top of the parabola through the highest point and its neighbours: closer, for
        an ascent that is cheap to begin with.
    tolerance
        A step that is not longer is the last.
    """
    peak = _first_top(heights)
    theta = _parabola_tops(heights, peak, grid) if from_parabola else grid.points[peak]
    low, high = grid.points[np.maximum(peak - 1, 0)], grid.points[np.minimum(peak + 1, grid.n - 1)]
    moving = np.ones(len(theta), dtype=np.bool_)
    last_theta, last_slope = theta, np.full(len(theta), np.nan)
    for step in range(STEPS):
        slope, bend = ascent(theta)
        bend = _secant(bend, theta - last_theta, slope - last_slope)
        last_theta, last_slope = theta, slope
        low, high = np.where(slope > 0, theta, low), np.where(slope > 0, high, theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            newton = theta - slope / bend
        usable = (bend < 0) & (newton >= low) & (newton <= high) & (step < NEWTON_STEPS)
        target = np.where(usable, newton, 0.5 * (low + high))
        moved = np.abs(target - theta)
        theta = np.where(moving, target, theta)
        moving &= moved > tolerance
        if not moving.any():
            break
    return theta


def _parabola_tops(heights: Floats, peak: Ints, grid: Grid) -> Floats:
    """Top of the parabola through three points; the highest itself at an end of the grid."""
    inner = np.clip(peak, 1, grid.n - 2)
    left, top, right = (
        np.take_along_axis(heights, (inner + k)[:, None], axis=1)[:, 0] for k in (-1, 0, 1)
    )
    fall = left - 2.0 * top + right
    step = grid.points[1] - grid.points[0]
    aside = np.divide(0.5 * (left - right), fall, out=np.zeros_like(fall), where=fall < 0)
    tops: Floats = grid.points[peak] + np.where(peak == inner, np.clip(aside, -1, 1) * step, 0.0)
    return tops


def _secant(bend: Floats, run: Floats, rise: Floats) -> Floats:
    """Slope of the secant where there is one, else the derivative at hand."""
    moved = (run != 0.0) & np.isfinite(rise)
    return np.divide(rise, run, out=bend.copy(), where=moved)


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
