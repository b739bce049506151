"""Priors of item parameters: their text form, log densities and derivatives.

``normal-logit`` is a density in the logit of an asymptote, without a Jacobian; ``lognormal`` a
density in a; ``normal`` a density in b, and in each threshold of a polytomous item, not in the
intercept. Nominal items have none of these and no prior. Called by the maximisation and error steps
and the command line. Imports ``engine``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from calibration.families import LOGISTIC, NOMINAL, PARTIAL_CREDIT
from engine.arrays import Bools, Floats
from engine.errors import InputError

_FORM = {"a": "lognormal", "b": "normal", "c": "normal-logit", "d": "normal-logit"}
_TEXT = re.compile(r"([abcd])=([a-z-]+)\(([^,()]+),([^,()]+)\)", re.ASCII)
_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class Density:
    """Mean and standard deviation of a normal density, on the scale that its parameter names."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Priors:
    """The prior of each parameter; None is flat.

    Parameters
    ----------
    a
        Lognormal: of log a.
    b
        Normal: of b, or of every threshold.
    c, d
        Normal: of logit c and logit d.
    """

    a: Density | None = None
    b: Density | None = None
    c: Density | None = None
    d: Density | None = None

    def text(self) -> list[str]:
        """The priors as ``--prior`` takes them."""
        found = ((name, getattr(self, name)) for name in "abcd")
        return [f"{name}={_FORM[name]}({p.mean},{p.sd})" for name, p in found if p]


C_DEFAULT = Density(-1.386294, 0.5)
D_DEFAULT = Density(2.944, 0.5)
RECALIBRATION = Priors(a=Density(0.0, 0.5), b=Density(0.0, 2.0), c=C_DEFAULT, d=D_DEFAULT)


def default_priors(models: Iterable[str]) -> Priors:
    """The priors of a fit that names none: logit c for 3PL and 4PL, logit d for 4PL."""
    found = set(models)
    return Priors(
        c=C_DEFAULT if found & {"3pl", "4pl"} else None, d=D_DEFAULT if "4pl" in found else None
    )


def parse_priors(texts: Iterable[str], default: Priors) -> Priors:
    """Read priors as ``a=lognormal(0,0.5)``; ``none`` removes the default.

    Raises
    ------
    InputError
        For a text of another form, or a standard deviation that is not above 0.
    """
    texts = tuple(texts)
    priors = Priors() if "none" in texts else default
    for text in texts:
        if text != "none":
            name, density = _parsed(text)
            priors = replace(priors, **{name: density})
    return priors


def _parsed(text: str) -> tuple[str, Density]:
    found = _TEXT.fullmatch(text.replace(" ", ""))
    if not found or found[2] != _FORM[found[1]]:
        forms = ", ".join(f"{name}={form}(MEAN,SD)" for name, form in _FORM.items())
        raise InputError(f"one of {forms}, none", repr(text), column="--prior")
    try:
        density = Density(float(found[3]), float(found[4]))
    except ValueError:
        raise InputError("two numbers", repr(text), column="--prior") from None
    if not (np.isfinite(density.mean) and 0 < density.sd < np.inf):
        raise InputError("a finite mean and a standard deviation above 0", text, column="--prior")
    return found[1], density


@dataclass(frozen=True, eq=False)
class PriorTerms:
    """Log prior and its derivatives by the local parameters of a family's items.

    Parameters
    ----------
    value
        Shape (n_items,).
    gradient
        Shape (n_items, n_local).
    curvature
        Minus the second derivatives, at least positive semidefinite (Gauss-Newton), shape
        (n_items, n_local, n_local).
    """

    value: Floats
    gradient: Floats
    curvature: Floats


def prior_terms(
    priors: Priors, family: str, parameters: Floats, free: Bools, shared: Bools
) -> PriorTerms:
    """Evaluate the priors of a family's items.

    Parameters
    ----------
    priors
        Applied to the free parameters only.
    family, parameters
        As in ``families``; ``parameters`` of shape (n_items, n_local).
    free
        Which local parameters are estimated, the same shape.
    shared
        Items whose slope is one common parameter: its prior counts once, shape (n_items,).
    """
    n, width = parameters.shape
    terms = PriorTerms(np.zeros(n), np.zeros((n, width)), np.zeros((n, width, width)))
    if family == NOMINAL:
        return terms
    if priors.a:
        weight = np.where(shared, 1.0 / max(int(shared.sum()), 1), 1.0) * free[:, 0]
        _add_slope(terms, priors.a, parameters, weight)
    if priors.b:
        _add_difficulty(terms, priors.b, family, parameters, free)
    for column, density in ((2, priors.c), (3, priors.d)):
        if density and family == LOGISTIC:
            _add_logit(terms, density, parameters, free, column)
    return terms


def _log_normal_density(x: Floats, density: Density) -> Floats:
    z = (x - density.mean) / density.sd
    return np.asarray(-0.5 * z * z - np.log(density.sd) - _HALF_LOG_2PI)


def _add_slope(terms: PriorTerms, density: Density, parameters: Floats, weight: Floats) -> None:
    a = parameters[:, 0]
    log_a, variance = np.log(a), density.sd**2
    terms.value[:] += weight * (_log_normal_density(log_a, density) - log_a)
    terms.gradient[:, 0] -= weight * (1.0 + (log_a - density.mean) / variance) / a
    terms.curvature[:, 0, 0] += weight / (variance * a * a)


def _add_difficulty(
    terms: PriorTerms, density: Density, family: str, parameters: Floats, free: Bools
) -> None:
    a, last = parameters[:, :1], 2 if family == LOGISTIC else parameters.shape[1]
    intercepts = parameters[:, 1:last]
    count = intercepts.shape[1]
    differences = np.eye(count)
    if family == PARTIAL_CREDIT:
        differences -= np.eye(count, k=-1)
    b = -(intercepts @ differences.T) / a if count == 1 else _thresholds(intercepts, differences, a)
    known = np.isfinite(b) & free[:, 1:last]
    safe = np.where(known, b, density.mean)
    terms.value[:] += (_log_normal_density(safe, density) * known).sum(axis=1)
    # d b_v / d (slope, intercepts), shape (n_items, n_thresholds, 1 + n_thresholds).
    slope = -(safe / a)[:, :, None]
    jacobian = np.concatenate((slope, -differences / a[:, :, None]), axis=2) * known[:, :, None]
    residual = (safe - density.mean) / density.sd**2
    terms.gradient[:, :last] -= np.einsum("nv,nvp->np", residual, jacobian)
    squares = np.einsum("nvp,nvr->npr", jacobian, jacobian) / density.sd**2
    terms.curvature[:, :last, :last] += squares


def _thresholds(intercepts: Floats, differences: Floats, a: Floats) -> Floats:
    known = np.isfinite(intercepts)
    b = -(np.where(known, intercepts, 0.0) @ differences.T) / a
    return np.where(known, b, np.nan)


def _add_logit(
    terms: PriorTerms, density: Density, parameters: Floats, free: Bools, column: int
) -> None:
    known = free[:, column]
    x = np.where(known, parameters[:, column], density.mean)
    terms.value[:] += _log_normal_density(x, density) * known
    terms.gradient[:, column] -= known * (x - density.mean) / density.sd**2
    terms.curvature[:, column, column] += known / density.sd**2
