"""Linking: the constants that put new parameters on an old scale, from items in both.

theta_old = A theta_new + B, so b_old = A b_new + B and a_old = a_new / A. Called by
``recalibration``. Imports ``engine``.

Sources: Marco (1977) for mean-sigma; Stocking and Lord (1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from engine.arrays import Floats
from engine.errors import InputError
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch

NODES = np.arange(-80, 81) * 0.05
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()


@dataclass(frozen=True)
class Link:
    """theta_old = A theta_new + B, from ``n_anchors`` items by ``method``."""

    method: str
    A: float
    B: float
    n_anchors: int


def mean_shift(new: ItemParameters, old: ItemParameters) -> Link:
    """Match the mean of the anchors' difficulties, for scales of the same unit (A = 1).

    Parameters
    ----------
    new, old
        The same anchors in the same order.
    """
    x, y = _difficulties(new, old)
    if not x.size:
        raise InputError("at least one anchor", "none")
    return Link("mean-shift", 1.0, float((y - x).mean()), len(new))


def mean_sigma(new: ItemParameters, old: ItemParameters) -> Link:
    """Match mean and standard deviation of the anchors' difficulties.

    Parameters
    ----------
    new, old
        The same anchors in the same order; every threshold counts as a difficulty.

    Raises
    ------
    InputError
        With fewer than two difficulties, or when they do not differ.
    """
    x, y = _difficulties(new, old)
    if x.size < 2 or x.std() == 0:
        raise InputError("at least two anchors with different difficulties", f"{x.size} of them")
    a = float(y.std() / x.std())
    return Link("mean-sigma", a, float(y.mean() - a * x.mean()), len(new))


def stocking_lord(new: ItemParameters, old: ItemParameters) -> Link:
    """Match the anchors' test characteristic curves.

    Minimises sum_q w_q (T_old(theta_q) - T_new(theta_q; A, B))^2 over nodes from -4 to 4 by .05
    with N(0, 1) weights on the old scale, beginning from mean-sigma.

    Parameters
    ----------
    new, old
        The same anchors in the same order.
    """
    first = mean_sigma(new, old)
    target = dispatch.expected_score(NODES, old).sum(axis=1)
    root = np.sqrt(WEIGHTS)

    def residuals(constants: Floats) -> Floats:
        scaled, shift = float(np.exp(constants[0])), float(constants[1])
        curve = dispatch.expected_score((NODES - shift) / scaled, new).sum(axis=1)
        return np.asarray(root * (curve - target))

    found = least_squares(residuals, [np.log(first.A), first.B], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return Link("stocking-lord", float(np.exp(found.x[0])), float(found.x[1]), len(new))


def transformed(items: ItemParameters, link: Link) -> ItemParameters:
    """Express items on the old scale.

    Where A is not 1, ``rasch`` items become ``2pl`` and ``pcm`` items ``gpcm``: their names promise
    an a of 1.
    """
    general = {"rasch": "2pl", "pcm": "gpcm"} if link.A != 1.0 else {}
    return item_parameters(
        items.item,
        [general.get(model, model) for model in items.model],
        a=items.a / link.A,
        b=link.A * items.b + link.B,
        c=items.c,
        d=items.d,
        thresholds=link.A * items.thresholds + link.B,
        content=items.content,
    )


def _difficulties(new: ItemParameters, old: ItemParameters) -> tuple[Floats, Floats]:
    if new.item != old.item:
        raise InputError("the same anchors in the same order", "different ones")
    width = min(new.thresholds.shape[1], old.thresholds.shape[1])
    x, y = new.thresholds[:, :width], old.thresholds[:, :width]
    known = ~np.isnan(x) & ~np.isnan(y)
    return x[known], y[known]
