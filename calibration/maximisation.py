"""The maximisation step: Newton steps in slopes, intercepts and logits, all items at once.

Given expected counts, each item is on its own, but for items that share a slope; the latent
densities are fitted to the expected persons. Called by ``mml`` and ``standard_errors``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration import families
from calibration.expectation import Expectation, log_weights
from calibration.histogram import histogram_step, moments_of, newton_weights, prior_persons
from calibration.parameter_space import (
    Family,
    Space,
    State,
    bounds,
    local_bounds,
)
from calibration.priors import Priors, prior_terms
from engine.arrays import Bools, Floats

_STEPS = 2
_HALVINGS = 8
_LONGEST = 2.0
_STEEPEST, _FLATTEST = -200.0, -0.02
"""Limits of -1 / (2 s^2) for a latent density: standard deviations of 0.05 and 5."""


def log_prior(space: Space, state: State, priors: Priors) -> float:
    """Log prior density of the items of a point."""
    return sum(
        float(prior_terms(priors, f.name, local, f.free, f.shared).value.sum())
        for f, local in zip(space.families, state.local, strict=True)
    )


def log_prior_of_density(state: State, mass: Floats) -> float:
    """Log prior density of the weights of a histogram, up to a constant; 0 where there is none."""
    if state.density is None or state.normal is None:
        return 0.0
    persons = prior_persons(mass, state.normal)
    return float((persons * np.log(state.density)).sum())


def gradient(
    space: Space,
    state: State,
    counts: Sequence[Floats],
    mass: Floats,
    theta: Floats,
    priors: Priors,
) -> Floats:
    """Gradient of the log posterior by the free parameters, shape (n_free,).

    With counts expected at the same point this is the gradient of the marginal log posterior
    (Fisher's identity).
    """
    found = np.zeros(space.n_free)
    for family, local, own in zip(space.families, state.local, counts, strict=True):
        by_item = local_gradient(family, local, own, theta, priors)
        np.add.at(found, family.index[family.free], by_item[family.free])
    for index, slope in zip(
        (space.mean_index, space.sd_index), latent_gradient(state, mass, theta), strict=True
    ):
        found[index[index >= 0]] = slope[index >= 0]
    return found


def projected(space: Space, vector: Floats, slope: Floats) -> Floats:
    """Set to 0 what points out of the admissible region from its edge."""
    low, high = bounds(space)
    outward = ((vector <= low) & (slope < 0)) | ((vector >= high) & (slope > 0))
    return np.where(outward, 0.0, slope)


def local_gradient(
    family: Family, local: Floats, counts: Floats, theta: Floats, priors: Priors
) -> Floats:
    """Gradient by local parameters, free or not, shape (n_items, width)."""
    scores = families.score_functions(family.name, local, theta, family.n_local)
    found = np.zeros(family.index.shape)
    found[:, : family.n_local] = np.einsum("nkq,nkqp->np", counts, scores, optimize=True)
    return found + prior_terms(priors, family.name, local, family.free, family.shared).gradient


def latent_gradient(state: State, mass: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Gradient by latent means and log standard deviations, each (n_groups,)."""
    by_mean, by_log_sd = latent_score_functions(state, theta)
    return (mass * by_mean).sum(axis=1), (mass * by_log_sd).sum(axis=1)


def latent_score_functions(state: State, theta: Floats) -> tuple[Floats, Floats]:
    """Derivatives of the log latent density on the grid, each (n_groups, n_theta)."""
    weights = np.exp(log_weights(theta, state.mean, state.sd))
    away = theta - state.mean[:, None]
    variance = state.sd[:, None] ** 2
    by_mean = (away - (weights * away).sum(axis=1, keepdims=True)) / variance
    squares = away * away
    by_log_sd = (squares - (weights * squares).sum(axis=1, keepdims=True)) / variance
    return by_mean, by_log_sd


def maximise(
    space: Space,
    state: State,
    counts: Sequence[Floats],
    mass: Floats,
    theta: Floats,
    priors: Priors,
) -> State:
    """Raise the expected log posterior by a few Newton steps; never lowers it."""
    local = tuple(
        _maximised_items(family, start, own, theta, priors)
        for family, start, own in zip(space.families, state.local, counts, strict=True)
    )
    if state.density is not None:
        density = histogram_target(space, state, mass, theta)
        return with_density(replace(state, local=local), density, theta)
    mean, sd = state.mean.copy(), state.sd.copy()
    for g in range(mean.size):
        free = (bool(space.mean_index[g] >= 0), bool(space.sd_index[g] >= 0))
        if any(free):
            mean[g], sd[g] = _latent_normal(mass[g], theta, mean[g], sd[g], free)
    return State(local, mean, sd)


def histogram_target(space: Space, state: State, mass: Floats, theta: Floats) -> Floats:
    """Weights of the latent densities that the expected persons ask for."""
    assert state.normal is not None
    return histogram_step(mass, theta, state.normal, space.held_moments)


def with_density(state: State, density: Floats, theta: Floats) -> State:
    """Give a point other latent weights, and their moments."""
    mean, sd = moments_of(density, theta)
    return replace(state, mean=mean, sd=sd, density=density)


def with_newton_density(
    space: Space, safe: State, at: State, expectation: Expectation, theta: Floats
) -> State:
    """The point after a maximisation step, with the weights of a Newton step from before it."""
    if at.density is None or at.normal is None:
        return safe
    prior = prior_persons(expectation.mass, at.normal)
    groups = zip(
        at.density, expectation.mass, prior, expectation.cross, space.held_moments, strict=True
    )
    density = np.array(
        [
            newton_weights(own, mass, add, cross, theta, held)
            for own, mass, add, cross, held in groups
        ]
    )
    return with_density(safe, density, theta)


def _maximised_items(
    family: Family, start: Floats, counts: Floats, theta: Floats, priors: Priors
) -> Floats:
    """Work on the items that have a free parameter."""
    has = family.free.any(axis=1)
    if not has.any():
        return start
    part = Family(
        family.name,
        family.rows[has],
        family.n_categories[has],
        family.n_local,
        family.index[has],
        family.shared[has],
    )
    local, own = start[has], counts[has]
    value = _expected(part, local, own, theta, priors)
    for _ in range(_STEPS):
        step = _newton_step(part, local, own, theta, priors)
        local, value = _without_loss(part, local, step, own, theta, priors, value)
    result = start.copy()
    result[has] = local
    return result


def _expected(
    family: Family, local: Floats, counts: Floats, theta: Floats, priors: Priors
) -> Floats:
    """Expected log posterior of each item; items with a common slope all have their sum.

    -inf for graded items out of order, also where nobody is expected in the category that is lost.
    """
    log_p = families.log_probabilities(family.name, local, theta)
    terms = np.where(counts > 0, log_p, 0.0) * counts
    value = terms.sum(axis=(1, 2))
    value += prior_terms(priors, family.name, local, family.free, family.shared).value
    value[family.shared] = value[family.shared].sum()
    value[~families.ordered(family.name, local)] = -np.inf
    return np.asarray(np.where(np.isnan(value), -np.inf, value))


def _newton_step(
    family: Family, local: Floats, counts: Floats, theta: Floats, priors: Priors
) -> Floats:
    """Newton step with the expected (Fisher) information, shape (n_items, width)."""
    n, width = family.index.shape
    p = family.n_local
    scores = families.score_functions(family.name, local, theta, p)
    probability = np.exp(families.log_probabilities(family.name, local, theta))
    prior = prior_terms(priors, family.name, local, family.free, family.shared)
    flat = scores.reshape(n, -1, p)
    slope = (counts.reshape(n, 1, -1) @ flat)[:, 0] + prior.gradient[:, :p]
    weight = (probability * counts.sum(axis=1, keepdims=True)).reshape(n, -1, 1)
    information = flat.transpose(0, 2, 1) @ (weight * flat) + prior.curvature[:, :p, :p]
    free = family.free[:, :p] & ~_leaving(family, local[:, :p], slope)
    slope, information = _only_free(slope, information, free)
    step = np.zeros((n, width))
    step[:, :p] = np.linalg.solve(information, slope[..., None])[..., 0]
    if family.shared.any():
        _share_slope(step, slope, information, family)
    return np.clip(step, -_LONGEST, _LONGEST)


def _leaving(family: Family, local: Floats, slope: Floats) -> Bools:
    """Parameters at an end of their range that the gradient pushes out of it."""
    low, high = local_bounds(family.name, local.shape[1])
    return np.asarray(((local <= low) & (slope < 0)) | ((local >= high) & (slope > 0)))


def _only_free(slope: Floats, information: Floats, free: Bools) -> tuple[Floats, Floats]:
    """Take held parameters out of the system, and keep it solvable where data say nothing."""
    both = free[:, :, None] & free[:, None, :]
    information = np.where(both, information, 0.0)
    at = np.arange(free.shape[1])
    information[:, at, at] += np.where(free, 1e-9, 1.0)
    return np.where(free, slope, 0.0), information


def _share_slope(step: Floats, slope: Floats, information: Floats, family: Family) -> None:
    """Solve for the one slope first (Schur complement), then for each intercept."""
    s = family.shared
    ratio = information[s, 0, 1] / information[s, 1, 1]
    top = (slope[s, 0] - ratio * slope[s, 1]).sum()
    bottom = (information[s, 0, 0] - ratio * information[s, 0, 1]).sum()
    step[s, 0] = top / bottom
    step[s, 1] = slope[s, 1] / information[s, 1, 1] - ratio * step[s, 0]


def _without_loss(
    family: Family,
    local: Floats,
    step: Floats,
    counts: Floats,
    theta: Floats,
    priors: Priors,
    value: Floats,
) -> tuple[Floats, Floats]:
    """Take the step, halved item by item until nothing is lost."""
    size = np.ones(len(local))
    for _ in range(_HALVINGS):
        tried = _inside(family, local + size[:, None] * step)
        new = _expected(family, tried, counts, theta, priors)
        worse = new < value - 1e-12 * np.abs(value)
        if not worse.any():
            return tried, new
        size = np.where(worse, size / 2, size)
    tried[worse] = local[worse]
    return tried, np.where(worse, value, new)


def _inside(family: Family, local: Floats) -> Floats:
    """Clip free parameters to their bounds."""
    return np.where(family.free, np.clip(local, *local_bounds(family.name, local.shape[1])), local)


def _latent_normal(
    mass: Floats, theta: Floats, mean: float, sd: float, free: tuple[bool, bool]
) -> tuple[float, float]:
    """Fit a normal density, normalised over the grid, to expected persons.

    Newton in the natural parameters m / s^2 and -1 / (2 s^2), where the log-likelihood is concave.
    """
    natural = np.array([mean / sd**2, -0.5 / sd**2])
    statistics = np.stack((theta, theta * theta))
    target = statistics @ mass / mass.sum()
    chosen = np.flatnonzero(_natural_freedom(mean, free))
    for _ in range(25):
        centre, spread = -0.5 * natural[0] / natural[1], np.sqrt(-0.5 / natural[1])
        weights = np.exp(log_weights(theta, np.array([centre]), np.array([spread])))[0]
        expected = statistics @ weights
        covariance = (statistics * weights) @ statistics.T - np.outer(expected, expected)
        slope = (target - expected)[chosen]
        step = np.linalg.solve(covariance[np.ix_(chosen, chosen)], slope)
        new = natural.copy()
        new[chosen] += step
        while not _STEEPEST <= new[1] < _FLATTEST and np.abs(step).max() > 0:
            step /= 2
            new = natural.copy()
            new[chosen] += step
        natural = new
        if np.abs(slope).max() < 1e-14:
            break
    return -0.5 * natural[0] / natural[1], float(np.sqrt(-0.5 / natural[1]))


def _natural_freedom(mean: float, free: tuple[bool, bool]) -> list[bool]:
    if free[0] != free[1] and (mean != 0.0 or free[0]):
        raise AssertionError("a latent mean is free with its variance, or held at 0")
    return [free[0], free[1]]
