"""Standard errors from the observed information, by Oakes' identity.

The second derivatives of the marginal log posterior are those of the expected complete log
posterior, plus the change of its gradient when the posteriors of theta move with the parameters.
The delta method takes slopes and intercepts to a, b, c, d. Called by the command line and
``recalibration``. Imports ``engine``.

Source: Oakes (1999); Chalmers (2018) for its use with item response models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, sparse
from scipy.special import expit

from calibration import families
from calibration.expectation import PersonBlock, category_counts, posteriors
from calibration.families import LOGISTIC, PARTIAL_CREDIT
from calibration.maximisation import (
    latent_gradient,
    latent_score_functions,
    local_gradient,
    projected,
)
from calibration.mml import MmlFit
from calibration.parameter_file import StandardErrors, no_errors
from calibration.parameter_space import Family, State, bounds, thresholds_of, to_vector
from engine.arrays import Bools, Floats, Ints

_DIFFERENCE = 1e-5


@dataclass(frozen=True, eq=False)
class ErrorEstimate:
    """What the observed information says.

    Parameters
    ----------
    se
        Of a, b, c, d and thresholds, rows as the fit's items; NaN where held, at a bound, or not
        estimable.
    latent_mean, latent_sd
        Standard errors by group, NaN where held, shape (n_groups,).
    covariance
        Of the free slopes, intercepts, logits, latent means and log standard deviations, shape
        (n_free, n_free); NaN where not estimable.
    positive_definite
        Whether the information was; otherwise every error is NaN.
    """

    se: StandardErrors
    latent_mean: Floats
    latent_sd: Floats
    covariance: Floats
    positive_definite: bool


def standard_errors(fit: MmlFit) -> ErrorEstimate:
    """Standard errors of a fit at its last point.

    Parameters
    ----------
    fit
        Best one that converged: away from the maximum the information means little.
    """
    information = observed_information(fit)
    covariance = _inverted(information, _inside_bounds(fit))
    known = not np.isnan(covariance).all()
    return ErrorEstimate(
        _by_item(fit, covariance),
        _latent_errors(covariance, fit.space.mean_index, np.ones_like(fit.latent_mean)),
        _latent_errors(covariance, fit.space.sd_index, fit.latent_sd),
        covariance,
        known or fit.n_parameters == 0,
    )


def observed_information(fit: MmlFit) -> Floats:
    """Minus the second derivatives of the marginal log posterior, shape (n_free, n_free)."""
    second = _complete_hessian(fit) + _posterior_change(fit)
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


@dataclass(frozen=True, eq=False)
class _Linear:
    """The gradient as a linear function of expected counts.

    ``by_column`` (n_columns, n_theta, n_local) and ``by_person`` (n_items, n_theta, n_local) hold
    derivatives, ``column_index`` and ``person_index`` the parameters that they belong to.
    """

    by_column: Floats
    column_index: Ints
    by_person: Floats
    person_index: Ints
    latent: tuple[Floats, Floats]


def _posterior_change(fit: MmlFit) -> Floats:
    """Change of the gradient as the posteriors move, one row per moving parameter."""
    linear = _linear_gradient(fit)
    change = np.zeros((fit.space.n_free, fit.space.n_free))
    for block, posterior, _log_l in posteriors(fit.design, fit.tables):
        for rows, index, score in _moving(fit, block, linear):
            own = posterior if rows is None else posterior[rows]
            # The posterior of a person moves by its covariance with the score function.
            moved = own[:, :, None] * (score - np.einsum("bq,bqp->bp", own, score)[:, None, :])
            part = block.indicators if rows is None else block.indicators[rows]
            group = block.group if rows is None else block.group[rows]
            for parameter, row in zip(index, _gradients(fit, linear, part, group, moved), strict=True):
                change[parameter] += row
    return change


def _moving(
    fit: MmlFit, block: PersonBlock, linear: _Linear
) -> Iterator[tuple[Ints | None, Ints, Floats]]:
    """Yield, item by item, who answered, the free parameters and the persons' score functions."""
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        scores = families.score_functions(family.name, local, fit.theta, family.n_local)
        for k, row in enumerate(family.rows):
            free = np.flatnonzero(family.free[k, : family.n_local])
            if free.size:
                rows, score = _answers(fit, block, int(row), int(family.n_categories[k]))
                yield rows, family.index[k, free], scores[k][score][:, :, free]
    for g in range(fit.design.n_groups):
        rows = np.flatnonzero(block.group == g)
        for index, by in zip((fit.space.mean_index, fit.space.sd_index), linear.latent, strict=True):
            if index[g] >= 0 and rows.size:
                yield rows, index[g : g + 1], np.broadcast_to(by[g], (rows.size, by.shape[1]))[..., None]


def _answers(
    fit: MmlFit, block: PersonBlock, item: int, n_categories: int
) -> tuple[Ints | None, Ints]:
    """Rows of a block that answered an item (None: all), and their scores."""
    first = fit.design.first[item]
    columns = block.indicators[:, first : first + n_categories - 1]
    steps = np.arange(1, n_categories)
    score = np.asarray(columns @ steps).astype(np.int64)
    if fit.design.complete:
        return None, score
    answered = block.indicators[:, [fit.design.n_positive + item]]
    if sparse.issparse(answered):
        rows = np.unique(answered.nonzero()[0]).astype(np.int64)
    else:
        rows = np.flatnonzero(answered[:, 0])
    return rows, score[rows]


def _linear_gradient(fit: MmlFit) -> _Linear:
    n_columns, n_theta = fit.expectation.totals.shape
    width = max(family.index.shape[1] for family in fit.space.families)
    n_items = len(fit.space.item)
    by_column, column_index = np.zeros((n_columns, n_theta, width)), np.full((n_columns, width), -1)
    by_person, person_index = np.zeros((n_items, n_theta, width)), np.full((n_items, width), -1)
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        p, wide = family.n_local, family.index.shape[1]
        scores = families.score_functions(family.name, local, fit.theta, p)
        by_person[family.rows, :, :p] = scores[:, 0]
        person_index[family.rows, :wide] = family.index
        for k in range(1, scores.shape[1]):
            has = family.n_categories > k
            columns = fit.design.first[family.rows[has]] + k - 1
            by_column[columns, :, :p] = scores[has, k] - scores[has, 0]
            column_index[columns, :wide] = family.index[has]
    if not fit.design.complete:
        by_column[fit.design.n_positive :] = by_person
        column_index[fit.design.n_positive :] = person_index
    return _Linear(
        by_column, column_index, by_person, person_index, latent_score_functions(fit.state, fit.theta)
    )


def _gradients(
    fit: MmlFit, linear: _Linear, indicators: Floats, group: Ints, moved: Floats
) -> Iterator[Floats]:
    """Gradients that the moved posteriors (n, n_theta, n_moving) give, each (n_free,)."""
    n, q, count = moved.shape
    totals = np.asarray(indicators.T @ moved.reshape(n, q * count)).reshape(-1, q, count)
    for k in range(count):
        found = np.zeros(fit.space.n_free + 1)
        _scatter(found, linear.column_index, np.einsum("cq,cqp->cp", totals[:, :, k], linear.by_column))
        if fit.design.complete:
            everybody = moved[:, :, k].sum(axis=0)
            _scatter(found, linear.person_index, np.einsum("q,iqp->ip", everybody, linear.by_person))
        for index, by in zip((fit.space.mean_index, fit.space.sd_index), linear.latent, strict=True):
            for g in np.flatnonzero(index >= 0):
                found[index[g]] += moved[group == g, :, k].sum(axis=0) @ by[g]
        yield found[:-1]


def _scatter(found: Floats, index: Ints, values: Floats) -> None:
    """Add values at their parameters; what has none (-1) falls into the last place."""
    found += np.bincount(index.ravel() % found.size, values.ravel(), minlength=found.size)


def _inside_bounds(fit: MmlFit) -> Bools:
    vector = to_vector(fit.space, fit.state)
    low, high = bounds(fit.space)
    return np.asarray((vector > low) & (vector < high))


def _inverted(information: Floats, inside: Bools) -> Floats:
    """Invert the information of parameters that are not at a bound; NaN elsewhere."""
    covariance = np.full_like(information, np.nan)
    at = np.flatnonzero(inside)
    try:
        factor = linalg.cho_factor(information[np.ix_(at, at)])
    except linalg.LinAlgError:
        return covariance
    covariance[np.ix_(at, at)] = linalg.cho_solve(factor, np.eye(at.size))
    return covariance


def _latent_errors(covariance: Floats, index: Ints, scale: Floats) -> Floats:
    errors = np.full(index.size, np.nan)
    free = index >= 0
    errors[free] = scale[free] * np.sqrt(np.diag(covariance)[index[free]])
    return errors


def _by_item(fit: MmlFit, covariance: Floats) -> StandardErrors:
    se = no_errors(len(fit.items), fit.items.thresholds.shape[1])
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        own = _item_covariances(covariance, family)
        free, rows = family.free, family.rows
        se.a[rows] = np.where(free[:, 0], np.sqrt(own[:, 0, 0]), np.nan)
        steps = np.where(free[:, 1:2], _threshold_errors(family, local, own), np.nan)
        if family.name == LOGISTIC:
            se.b[rows] = steps[:, 0]
            for column, values in ((2, se.c), (3, se.d)):
                slope = expit(local[:, column]) * expit(-local[:, column])
                error = slope * np.sqrt(own[:, column, column])
                values[rows] = np.where(free[:, column], error, np.nan)
        else:
            se.thresholds[rows, : steps.shape[1]] = steps
    return se


def _item_covariances(covariance: Floats, family: Family) -> Floats:
    """Covariances of each item's local parameters; 0 where held, shape (n, width, width)."""
    index, free = family.index, family.free
    own = covariance[index[:, :, None], index[:, None, :]]
    return np.where(free[:, :, None] & free[:, None, :], own, 0.0)


def _threshold_errors(family: Family, local: Floats, own: Floats) -> Floats:
    """Delta method for b = -(differences of intercepts) / slope, shape (n, n_thresholds)."""
    last = 2 if family.name == LOGISTIC else local.shape[1]
    steps = thresholds_of(family.name, local)
    count = steps.shape[1]
    differences = np.eye(count)
    if family.name == PARTIAL_CREDIT:
        differences -= np.eye(count, k=-1)
    a = local[:, 0][:, None, None]
    jacobian = np.concatenate((-steps[:, :, None] / a, -differences / a), axis=2)
    jacobian = np.nan_to_num(jacobian)
    variance = np.einsum("nvp,npr,nvr->nv", jacobian, own[:, :last, :last], jacobian)
    return np.where(np.isnan(steps), np.nan, np.sqrt(variance))


