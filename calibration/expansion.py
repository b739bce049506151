"""Parameter expansion: what the expected persons say about the scale, put into the items.

Where theta is N(0, 1) by definition and every item is free, items and latent density can be moved
together without changing the likelihood. The expectation step implies a mean and a standard
deviation of theta; giving those to the density and moving everything back to N(0, 1) makes in one
step the progress that plain EM makes in many. On a grid the two are the same up to its error, so
the last steps are plain. Called by ``mml``.

Source: Liu, Rubin and Wu (1998).
"""

from __future__ import annotations

import numpy as np

from calibration.families import GRADED, LOGISTIC, NOMINAL
from calibration.parameter_space import Space, State
from calibration.priors import Priors
from engine.arrays import Floats


def is_expandable(space: Space, priors: Priors) -> bool:
    """Whether moving items and density together changes nothing.

    Not with held items or slopes, with a free density in the first group, or with a prior that
    speaks of the scale.
    """
    free = all(family.free[:, :2].all() for family in space.families)
    held = bool(space.held_moments[0].all()) and not space.histogram
    return free and held and priors.a is None and priors.b is None


def standardised(space: Space, state: State, mass: Floats, theta: Floats) -> State:
    """Move the first group's expected persons to mean 0 and standard deviation 1.

    Parameters
    ----------
    space
        What is estimated.
    state
        After a maximisation step.
    mass
        Expected persons by group and theta, shape (n_groups, n_theta).
    theta
        Shape (n_theta,).
    """
    weights = mass[0] / mass[0].sum()
    mean = float(weights @ theta)
    sd = float(np.sqrt(weights @ (theta - mean) ** 2))
    local = tuple(
        moved(family.name, own, mean, sd)
        for family, own in zip(space.families, state.local, strict=True)
    )
    latent = state.mean.copy(), state.sd.copy()
    latent[0][1:], latent[1][1:] = (state.mean[1:] - mean) / sd, state.sd[1:] / sd
    return State(local, *latent)


def moved(family: str, local: Floats, mean: float, sd: float) -> Floats:
    """Local parameters for (theta - mean) / sd instead of theta, with the same probabilities."""
    result = local.copy()
    if family == NOMINAL:
        slopes, intercepts = np.split(local, 2, axis=1)
        return np.hstack((slopes * sd, intercepts + slopes * mean))
    slopes = local[:, :1]
    if family == LOGISTIC:
        result[:, 1:2] += slopes * mean
    else:
        steps = 1.0 if family == GRADED else np.arange(1, local.shape[1])
        result[:, 1:] += slopes * mean * steps
    result[:, :1] = slopes * sd
    return result
