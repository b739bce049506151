"""Standard errors from the observed information, by the delta method to a, b, c, d.

Called by the command line and ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit

from calibration.families import LOGISTIC, NOMINAL, PARTIAL_CREDIT
from calibration.mml import MmlFit
from calibration.observed_information import observed_information
from calibration.parameter_file import StandardErrors, no_errors
from calibration.parameter_space import Family, bounds, thresholds_of, to_vector
from engine.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class ErrorEstimate:
    """What the observed information says.

    Parameters
    ----------
    se
        Of a, b, c, d and thresholds, rows as the fit's items; NaN where held, at a bound, without
        any information (nobody answered, and no prior), or not estimable.
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
    told = information.any(axis=1)
    covariance = _inverted(information, _inside_bounds(fit) & told)
    known = not np.isnan(covariance).all()
    return ErrorEstimate(
        _by_item(fit, covariance),
        _latent_errors(covariance, fit.space.mean_index, np.ones_like(fit.latent_mean)),
        _latent_errors(covariance, fit.space.sd_index, fit.latent_sd),
        covariance,
        known or fit.n_parameters == 0,
    )


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
    width = fit.items.slopes.shape[1]
    se = no_errors(len(fit.items), fit.items.thresholds.shape[1], width)
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        own = _item_covariances(covariance, family)
        free, rows = family.free, family.rows
        if family.name == NOMINAL:
            error = np.where(free, np.sqrt(np.diagonal(own, axis1=1, axis2=2)), np.nan)
            se.slopes[rows], se.intercepts[rows] = np.split(error, 2, axis=1)
            continue
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
