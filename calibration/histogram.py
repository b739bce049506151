"""An empirical latent density: weights on the points of theta instead of a normal curve.

The maximisation step takes the expected persons as they are. Two things make the answer unique: a
group whose scale defines theta keeps mean 0 and standard deviation 1, and a few persons of a normal
population are added as a prior, since the weights of neighbouring points alone can hardly be told
apart. Called by ``mml`` and ``maximisation``. Imports numpy.

Sources: Bock and Aitkin (1981) and Woods (2007) for empirical histograms; Owen (2001) for weights
with given moments.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats

SMOOTHING = 2.0
"""Persons of the prior, in multiples of the square root of the persons."""
LOWEST = 1e-20


def histogram_step(mass: Floats, theta: Floats, normal: Floats, held: Bools) -> Floats:
    """Weights that maximise the expected log posterior, shape (n_groups, n_theta).

    Parameters
    ----------
    mass
        Expected persons by group and theta, shape (n_groups, n_theta).
    theta
        Shape (n_theta,).
    normal
        Weights of the prior's normal densities, shape (n_groups, n_theta).
    held
        Whether the mean is held at 0 and the standard deviation at 1, shape (n_groups, 2).
    """
    persons = mass + prior_persons(mass, normal)
    return np.array(
        [with_moments(own, theta, fixed) for own, fixed in zip(persons, held, strict=True)]
    )


def prior_persons(mass: Floats, normal: Floats) -> Floats:
    """Persons that the prior adds, by group and theta."""
    return np.asarray(SMOOTHING * np.sqrt(mass.sum(axis=1, keepdims=True)) * normal)


def newton_weights(
    density: Floats, persons: Floats, prior: Floats, cross: Floats, theta: Floats, held: Bools
) -> Floats:
    """Weights of one group after a Newton step at given items, far ahead of one of EM.

    In relative changes u of the weights, the log posterior has the gradient ``persons + prior`` and
    minus its second derivatives are ``cross + diag(prior)``; the sum and the moments stay.

    Parameters
    ----------
    density, persons, prior
        Weights, expected persons and those of the prior, each (n_theta,).
    cross
        Sum over persons of the products of their posteriors, shape (n_theta, n_theta).
    theta, held
        As in ``with_moments``.
    """
    rules = np.stack((np.ones_like(theta), theta, theta * theta))
    rules = rules[np.concatenate(([True], held))] * density
    ridge = 1e-12 * persons.sum()
    curvature = cross + np.diag(prior + ridge)
    n, m = theta.size, len(rules)
    system = np.block([[curvature, rules.T], [rules, np.zeros((m, m))]])
    change = np.linalg.solve(system, np.concatenate((persons + prior, np.zeros(m))))[:n]
    size = min(1.0, 0.9 / max(float(-change.min()), 1e-300))
    return with_moments(np.maximum(density * (1.0 + size * change), LOWEST), theta, held)


def with_moments(persons: Floats, theta: Floats, held: Bools) -> Floats:
    """Weights closest to the shares of persons that have the moments that are held.

    The most likely weights under sum w h(theta) = 0 are p / (1 + l h(theta)), where the
    multiplier l of each moment is found by Newton's method (Owen, 2001).

    Parameters
    ----------
    persons
        Shape (n_theta,), none negative.
    theta
        Shape (n_theta,).
    held
        Mean at 0; mean square at 1.
    """
    shares = persons / persons.sum()
    away = np.stack((theta, theta * theta - 1.0))[np.flatnonzero(held)]
    multiplier = np.zeros(len(away))
    for _ in range(100):
        scaled = away / (1.0 + multiplier @ away)
        slope = scaled @ shares
        if np.abs(slope).max(initial=0.0) < 1e-14:
            break
        step = np.linalg.solve((scaled * shares) @ scaled.T, slope)
        before = _merit(multiplier, away, shares)
        while _merit(multiplier + step, away, shares) < before - 1e-15:
            step /= 2
        multiplier = multiplier + step
    weights = np.maximum(shares / (1.0 + multiplier @ away), LOWEST)
    return np.asarray(weights / weights.sum())


def _merit(multiplier: Floats, away: Floats, shares: Floats) -> float:
    below = 1.0 + multiplier @ away
    return -np.inf if (below <= 0.0).any() else float(shares @ np.log(below))


def moments_of(density: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations of weights, each (n_groups,)."""
    mean = density @ theta
    return mean, np.sqrt(density @ (theta * theta) - mean**2)
