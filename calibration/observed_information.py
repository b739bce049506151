"""The observed information of a fit: minus the second derivatives of the log posterior.

By Oakes' identity these are the second derivatives of the expected complete log posterior, plus
the change of its gradient when the posteriors of theta move with the parameters, which is in
``moving_posteriors``. Called by ``standard_errors``.

Source: Oakes (1999); Chalmers (2018) for its use with item response models.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration.design import is_sparse
from calibration.expectation import category_counts
from calibration.maximisation import latent_gradient, local_gradient
from calibration.mml import MmlFit
from calibration.moving_posteriors import change_by_person, change_by_point
from calibration.parameter_space import Family
from engine.arrays import Floats

_DIFFERENCE = 1e-5


def observed_information(fit: MmlFit) -> Floats:
    """Minus the second derivatives of the marginal log posterior, shape (n_free, n_free)."""
    change = change_by_person(fit) if is_sparse(fit.design) else change_by_point(fit)
    second = _complete_hessian(fit) + change
    return -0.5 * (second + second.T)


def _complete_hessian(fit: MmlFit) -> Floats:
    """Second derivatives at fixed expected counts, by central differences of the gradient."""
    space, mass = fit.space, fit.expectation.mass
    counts = category_counts(space, fit.design, fit.expectation.totals, mass)
    hessian = np.zeros((space.n_free, space.n_free))
    for family, local, own in zip(space.families, fit.state.local, counts, strict=True):
        for p in range(family.n_local):
            _add_item_blocks(hessian, family, local, own, p, fit)
    _add_latent_blocks(hessian, fit)
    return hessian


def _add_item_blocks(
    hessian: Floats, family: Family, local: Floats, counts: Floats, p: int, fit: MmlFit
) -> None:
    moved = []
    for sign in (1.0, -1.0):
        near = local.copy()
        near[:, p] += sign * _DIFFERENCE
        moved.append(local_gradient(family, near, counts, fit.theta, fit.priors))
    change = (moved[0] - moved[1]) / (2 * _DIFFERENCE)
    for r in range(family.index.shape[1]):
        both = family.free[:, p] & family.free[:, r]
        np.add.at(hessian, (family.index[both, r], family.index[both, p]), change[both, r])


def _add_latent_blocks(hessian: Floats, fit: MmlFit) -> None:
    state, mass = fit.state, fit.expectation.mass
    indices = (fit.space.mean_index, fit.space.sd_index)
    for column, index in enumerate(indices):
        moved = []
        for sign in (1.0, -1.0):
            by = sign * _DIFFERENCE
            near = (
                replace(state, mean=state.mean + by)
                if column == 0
                else replace(state, sd=state.sd * np.exp(by))
            )
            moved.append(latent_gradient(near, mass, fit.theta))
        for row, other in enumerate(indices):
            change = (moved[0][row] - moved[1][row]) / (2 * _DIFFERENCE)
            both = (index >= 0) & (other >= 0)
            hessian[other[both], index[both]] += change[both]
