"""Linking: the constants that put new parameters on an old scale, from items in both.

``theta_old = A theta_new + B``. Between two scales whose anchors are all ``rasch`` or ``pcm``, A is
1, as these models fix the unit. ``1pl`` items have a unit of their own (their common a), so A is
estimated. Called by the commands of this folder and by ``recalibration``. Imports ``engine``.

Sources: Loyd and Hoover (1980) for mean-mean; Marco (1977) for mean-sigma; Haebara (1980);
Stocking and Lord (1983); Kim and Lee (2006) for mixed formats.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from calibration.linking.scales import ONE_UNIT, Link, discriminations, locations
from engine.arrays import Floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch

STOCKING_LORD = "stocking-lord"
HAEBARA = "haebara"
MEAN_SIGMA = "mean-sigma"
MEAN_MEAN = "mean-mean"
METHODS = (STOCKING_LORD, HAEBARA, MEAN_SIGMA, MEAN_MEAN)
NORMAL, UNIFORM = "normal", "uniform"
NODES: Floats = np.arange(-80, 81).astype(np.float64) * 0.05
WEIGHTS: dict[str, Floats] = {
    NORMAL: np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum(),
    UNIFORM: np.full(NODES.size, 1.0 / NODES.size),
}
EXACT = 1e-14

_Start = tuple[float, float]
_Curves = Callable[[Floats, ItemParameters], Floats]


def linked(
    method: str,
    new: ItemParameters,
    old: ItemParameters,
    *,
    weights: str = NORMAL,
    counts: Floats | None = None,
    start: _Start | None = None,
    precision: float = EXACT,
) -> Link:
    """Link by a method.

    Parameters
    ----------
    method
        One of ``METHODS``.
    new, old
        The same anchors in the same order.
    weights
        Of the nodes of the two methods by curves, ``normal`` or ``uniform``.
    counts
        How often each anchor counts, shape ``(n_anchors,)``; once by default.
    start, precision
        Constants to begin the search with, and where it ends.

    Raises
    ------
    InputError
        For an unknown method or weights, anchors that differ, or anchors that do not give the
        constants by this method.
    """
    for column, value, known in (("--method", method, METHODS), ("--weights", weights, WEIGHTS)):
        if value not in known:
            raise InputError(" or ".join(known), value, column=column)
    if new.item != old.item:
        raise InputError("the same anchors in the same order", "different ones")
    if not len(new):
        raise InputError("at least one anchor", "none")
    times = np.ones(len(new)) if counts is None else counts
    if method in {MEAN_SIGMA, MEAN_MEAN}:
        scale, shift = _by_moments(method, new, old, times)
    else:
        curves = _test_curve(times) if method == STOCKING_LORD else _category_curves(times)
        begin = start or _first_guess(new, old, times)
        found = _searched(curves, new, old, WEIGHTS[weights], begin, precision)
        scale, shift = found if start else _better(found, curves, new, old, WEIGHTS[weights])
    return Link(method, scale, shift, len(new))


def mean_sigma(new: ItemParameters, old: ItemParameters) -> Link:
    """Match mean and standard deviation of the anchors' difficulties; see ``linked``."""
    return linked(MEAN_SIGMA, new, old)


def mean_mean(new: ItemParameters, old: ItemParameters) -> Link:
    """Match the means of the anchors' discriminations and difficulties; see ``linked``."""
    return linked(MEAN_MEAN, new, old)


def haebara(new: ItemParameters, old: ItemParameters, *, weights: str = NORMAL) -> Link:
    """Match the curve of every category of every anchor; see ``linked``.

    Minimises ``sum_q w_q sum_i sum_k (P_old - P_new)^2`` over the nodes on the old scale. All
    categories count, also the lowest (Kim and Lee, 2006): of items with two, that doubles every
    square and changes nothing.
    """
    return linked(HAEBARA, new, old, weights=weights)


def stocking_lord(new: ItemParameters, old: ItemParameters, *, weights: str = NORMAL) -> Link:
    """Match the anchors' test characteristic curves; see ``linked``.

    Minimises ``sum_q w_q (T_old(theta_q) - T_new(theta_q; A, B))^2`` over nodes from -4 to 4 by .05
    on the old scale, with N(0, 1) or equal weights.
    """
    return linked(STOCKING_LORD, new, old, weights=weights)


def one_unit(new: ItemParameters, old: ItemParameters) -> bool:
    """Whether the models of all anchors demand A = 1."""
    return set(new.model) | set(old.model) <= ONE_UNIT


def _by_moments(
    method: str, new: ItemParameters, old: ItemParameters, counts: Floats
) -> tuple[float, float]:
    for name, model in zip(new.item, new.model, strict=True):
        if model == "nrm":
            expected = f"anchors with difficulties for {method} (stocking-lord, haebara: any)"
            raise InputError(expected, f"item {name} of model nrm")
    x, y, times = _difficulties(new, old, counts)
    x_mean, y_mean = np.average(x, weights=times), np.average(y, weights=times)
    if one_unit(new, old):
        scale = 1.0
    elif method == MEAN_MEAN:
        scale = float(np.average(new.a, weights=counts) / np.average(old.a, weights=counts))
    else:
        spread = np.average((x - x_mean) ** 2, weights=times)
        if spread <= 0:
            found = f"{np.unique(x).size} of them" if x.size > 1 else "one"
            raise InputError("at least two anchors with different difficulties", found)
        scale = float(np.sqrt(np.average((y - y_mean) ** 2, weights=times) / spread))
        if scale <= 0:
            raise InputError("old difficulties that differ", "one value")
    return scale, float(y_mean - scale * x_mean)


def _difficulties(
    new: ItemParameters, old: ItemParameters, counts: Floats
) -> tuple[Floats, Floats, Floats]:
    """All thresholds on both sides, and how often each counts."""
    width = min(new.thresholds.shape[1], old.thresholds.shape[1])
    x, y = new.thresholds[:, :width], old.thresholds[:, :width]
    known = ~np.isnan(x) & ~np.isnan(y)
    return x[known], y[known], np.broadcast_to(counts[:, None], x.shape)[known]


def _first_guess(new: ItemParameters, old: ItemParameters, counts: Floats) -> _Start:
    if one_unit(new, old):
        scale = 1.0
    else:
        sizes = np.log(discriminations(new) / discriminations(old))
        scale = float(np.exp(np.average(sizes, weights=counts)))
    shifts = locations(old) - scale * locations(new)
    return scale, float(np.average(shifts, weights=counts))


def _test_curve(counts: Floats) -> _Curves:
    return lambda theta, items: dispatch.expected_score(theta, items) @ counts


def _category_curves(counts: Floats) -> _Curves:
    root = np.sqrt(counts)[None, :, None]
    return lambda theta, items: (dispatch.probabilities(theta, items) * root).reshape(
        theta.size, -1
    )


def _searched(
    curves: _Curves,
    new: ItemParameters,
    old: ItemParameters,
    weights: Floats,
    start: _Start,
    precision: float,
) -> tuple[float, float]:
    """Least squares in log A and B, or in B alone where A is 1."""
    target, free = curves(NODES, old), not one_unit(new, old)
    root = np.sqrt(weights)[:, None] if target.ndim == 2 else np.sqrt(weights)

    def constants(point: Floats) -> tuple[float, float]:
        return (float(np.exp(point[0])), float(point[1])) if free else (1.0, float(point[0]))

    def residuals(point: Floats) -> Floats:
        scale, shift = constants(point)
        return np.asarray(root * (curves((NODES - shift) / scale, new) - target)).ravel()

    begin = [np.log(start[0]), start[1]] if free else [start[1]]
    found = least_squares(residuals, begin, xtol=precision, ftol=precision, gtol=precision)
    return constants(found.x)


def _better(
    found: tuple[float, float],
    curves: _Curves,
    new: ItemParameters,
    old: ItemParameters,
    weights: Floats,
) -> tuple[float, float]:
    """Search again from equal scales: the criterion can have more than one valley."""
    other = _searched(curves, new, old, weights, (1.0, 0.0), EXACT)
    target = curves(NODES, old)
    side = weights[:, None] if target.ndim == 2 else weights

    def height(constants: tuple[float, float]) -> float:
        curve = curves((NODES - constants[1]) / constants[0], new)
        return float((side * (curve - target) ** 2).sum())

    return other if height(other) < 0.999 * height(found) else found
