"""Scales: a link between two, and parameters and their errors carried over.

``theta_old = A theta_new + B``, so ``b_old = A b_new + B`` and ``a_old = a_new / A``; of nominal
items, ``slope_old = slope_new / A`` and ``intercept_old = intercept_new - B slope_new / A``. Called
by the rest of this folder and by ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.parameter_file import StandardErrors
from engine.arrays import Floats
from engine.items import ItemParameters, item_parameters

ONE_UNIT = frozenset({"rasch", "pcm"})
"""Models whose a is 1 on every scale: between two of their scales, A is 1."""


@dataclass(frozen=True)
class Link:
    """theta_old = A theta_new + B, from ``n_anchors`` items by ``method``."""

    method: str
    A: float
    B: float
    n_anchors: int


def inverse(link: Link) -> Link:
    """Return the link in the other direction: theta_new = (theta_old - B) / A."""
    return replace(link, A=1.0 / link.A, B=-link.B / link.A)


def transformed(items: ItemParameters, link: Link) -> ItemParameters:
    """Express items on the old scale.

    Where A is not 1, ``rasch`` items become ``2pl`` and ``pcm`` items ``gpcm``: their names promise
    an a of 1.
    """
    general = {"rasch": "2pl", "pcm": "gpcm"} if link.A != 1.0 else {}
    made = item_parameters(
        items.item,
        [general.get(model, model) for model in items.model],
        a=items.a / link.A,
        b=link.A * items.b + link.B,
        c=items.c,
        d=items.d,
        thresholds=link.A * items.thresholds + link.B,
        slopes=items.slopes / link.A,
        intercepts=items.intercepts - link.B / link.A * items.slopes,
        content=items.content,
    )
    return replace(made, attributes=items.attributes)


def transformed_errors(errors: StandardErrors, link: Link) -> StandardErrors:
    """Express standard errors on the old scale; those of the link itself are not in them.

    An intercept moves with its slope; their errors are taken as independent.
    """
    slopes = errors.slopes / link.A
    return StandardErrors(
        errors.a / link.A,
        errors.b * link.A,
        errors.c,
        errors.d,
        errors.thresholds * link.A,
        slopes,
        np.hypot(errors.intercepts, link.B * slopes),
    )


def discriminations(items: ItemParameters) -> Floats:
    """One discrimination by item, shape ``(n_items,)``: a, or the mean square root of ``nrm``.

    All are divided by A when the scale is changed.
    """
    if not items.slopes.shape[1]:
        return items.a
    with np.errstate(invalid="ignore"):
        size = np.sqrt(np.nansum(items.slopes**2, axis=1))
    return np.where(np.isnan(items.a), size, items.a)


def locations(items: ItemParameters) -> Floats:
    """One difficulty by item, shape ``(n_items,)``: b, or the mean of the thresholds.

    For ``nrm``, the theta from which the intercepts lie nearest to 0: ``-sum(slope intercept) /
    sum(slope^2)``. All become A times themselves plus B when the scale is changed.
    """
    counts = np.isfinite(items.thresholds).sum(axis=1)
    found = np.nansum(items.thresholds, axis=1) / np.maximum(counts, 1)
    if items.slopes.shape[1]:
        squares = np.nansum(items.slopes**2, axis=1)
        nearest = -np.nansum(items.slopes * items.intercepts, axis=1) / np.where(
            squares > 0, squares, 1.0
        )
        found = np.where(counts > 0, found, nearest)
    return np.asarray(found)


def location_errors(items: ItemParameters, se: StandardErrors) -> Floats:
    """Standard error of each location: of b, or of the mean of thresholds taken as independent."""
    steps = se.thresholds if se.thresholds.shape[1] else np.full((len(items), 1), np.nan)
    known = np.isfinite(steps).sum(axis=1)
    pooled = np.sqrt(np.nansum(steps**2, axis=1)) / np.maximum(known, 1)
    complete = known == items.n_categories - 1
    return np.where(items.is_dichotomous, se.b, np.where(complete, pooled, np.nan))


def log_size_errors(items: ItemParameters, se: StandardErrors) -> Floats:
    """Standard error of log a, ``se_a / a``; NaN where it is not known."""
    return np.asarray(se.a / items.a)
