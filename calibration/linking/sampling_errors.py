"""How sure linking constants are: by drawing other anchors, and by drawing other parameters.

Called by the commands of this folder and by ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calibration.linking.anchors import Anchors
from calibration.linking.constants import NORMAL, linked
from calibration.linking.scales import Link
from calibration.parameter_file import StandardErrors
from engine.arrays import Floats
from engine.errors import InputError
from engine.items import HAS_C, HAS_D, ItemParameters, item_parameters

PRECISION = 1e-9
LOWEST_A = 0.05


@dataclass(frozen=True)
class ConstantErrors:
    """Standard errors of A and B and their covariance, from ``n`` draws."""

    A: float
    B: float
    covariance: float
    n: int


def by_anchors(
    link: Link, anchors: Anchors, *, n: int, seed: int, weights: str = NORMAL
) -> ConstantErrors:
    """Bootstrap over the anchors: as many anchors, drawn with replacement, ``n`` times.

    It answers how the constants would vary with other items from which these might have been
    chosen; errors of the parameters are in it, too. Draws that give no constants, as when one
    anchor was drawn throughout, are drawn again.

    Parameters
    ----------
    link
        The constants from all of these anchors.
    """
    rng = np.random.default_rng(seed)
    size = len(anchors.new)

    def draws() -> Iterator[tuple[float, float]]:
        while True:
            counts = rng.multinomial(size, np.full(size, 1.0 / size)).astype(np.float64)
            if (counts > 0).sum() < min(2, size):
                continue
            rows = np.flatnonzero(counts)
            sides = anchors.new.subset(rows), anchors.old.subset(rows)
            try:
                found = _again(link, *sides, weights, counts[rows])
            except InputError:  # difficulties of the drawn anchors are all equal
                continue
            yield found.A, found.B

    return _spread(draws(), n)


def by_parameters(
    link: Link, anchors: Anchors, *, n: int, seed: int, weights: str = NORMAL
) -> ConstantErrors | None:
    """Parametric bootstrap: parameters drawn around the estimates with their standard errors.

    The anchors stay. a is drawn lognormal, b, thresholds and asymptotes normal (asymptotes cut to
    where they may be), each by itself: parameter files hold no covariances. An error that is
    missing counts as none.

    Returns
    -------
    ConstantErrors or None
        None when neither side has errors of difficulties.
    """
    if not any(_has_errors(se) for se in (anchors.new_se, anchors.old_se)):
        return None
    rng = np.random.default_rng(seed)

    def draws() -> Iterator[tuple[float, float]]:
        while True:
            new = drawn(anchors.new, anchors.new_se, rng)
            old = drawn(anchors.old, anchors.old_se, rng)
            found = _again(link, new, old, weights, None)
            yield found.A, found.B

    return _spread(draws(), n)


def drawn(items: ItemParameters, se: StandardErrors, rng: np.random.Generator) -> ItemParameters:
    """Draw parameters around their estimates; graded thresholds are put in order."""

    def noise(errors: Floats) -> Floats:
        return np.asarray(rng.standard_normal(errors.shape) * np.nan_to_num(errors))

    fixed = np.array([model in {"rasch", "pcm"} for model in items.model])
    a = np.where(fixed, items.a, items.a * np.exp(noise(se.a / items.a)))
    c = np.clip(items.c + noise(se.c), 0.0, 0.9)
    d = np.clip(items.d + noise(se.d), c + 0.05, 1.0)
    errors: Floats = np.zeros((len(items), items.thresholds.shape[1]))
    width = min(items.thresholds.shape[1], se.thresholds.shape[1])
    errors[:, :width] = se.thresholds[:, :width]
    errors[items.is_dichotomous, 0] = se.b[items.is_dichotomous]
    steps = items.thresholds + noise(errors)
    graded = np.array([model == "grm" for model in items.model])
    steps[graded] = np.sort(steps[graded], axis=1)
    return item_parameters(
        items.item,
        items.model,
        a=np.maximum(a, LOWEST_A),
        b=np.where(items.is_dichotomous, steps[:, 0], np.nan),
        c=np.where([model in HAS_C for model in items.model], c, items.c),
        d=np.where([model in HAS_D for model in items.model], d, items.d),
        thresholds=steps,
        slopes=items.slopes + _sized(noise(se.slopes), items.slopes),
        intercepts=items.intercepts + _sized(noise(se.intercepts), items.intercepts),
    )


def _has_errors(se: StandardErrors) -> bool:
    return any(np.isfinite(table).any() for table in (se.b, se.thresholds, se.intercepts))


def _sized(noise: Floats, wanted: Floats) -> Floats:
    """Nothing is drawn where a file has no columns of errors."""
    return noise if noise.shape == wanted.shape else np.zeros(wanted.shape)


def _again(
    link: Link, new: ItemParameters, old: ItemParameters, weights: str, counts: Floats | None
) -> Link:
    return linked(
        link.method,
        new,
        old,
        weights=weights,
        counts=counts,
        start=(link.A, link.B),
        precision=PRECISION,
    )


def _spread(draws: Iterator[tuple[float, float]], n: int) -> ConstantErrors:
    values = np.array([next(draws) for _draw in range(n)])
    covariance: Floats = np.cov(values, rowvar=False)
    deviations = np.sqrt(np.diag(covariance))
    return ConstantErrors(float(deviations[0]), float(deviations[1]), float(covariance[0, 1]), n)
