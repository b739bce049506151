"""What a set of items measures at each theta: expected total, information and error.

A fixed form, or everything that one examinee was given. The conditional standard error of
measurement is a function of the true theta; it is not the posterior standard deviation of an
estimate. Called by reports, by calibration and by whoever compares forms. Imports numpy, the models
and `engine.ability.priors`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.ability.priors import Prior
from engine.arrays import Floats
from engine.items import ItemParameters
from engine.models import dispatch


def characteristic_curve(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Expected total score, the characteristic curve of the test.

    Parameters
    ----------
    theta
        Shape ``(n_theta,)``.
    items
        Those of the form.

    Returns
    -------
    Floats
        Shape ``(n_theta,)``, from 0 to the largest total.
    """
    total: Floats = dispatch.expected_score(theta, items).sum(axis=1)
    return total


def form_information(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Fisher information of all items together, shape ``(n_theta,)``."""
    total: Floats = dispatch.information(theta, items).sum(axis=1)
    return total


def conditional_sem(
    theta: npt.ArrayLike, items: ItemParameters, *, prior: Prior | None = None
) -> Floats:
    """Standard error of measurement of theta at each true theta, shape ``(n_theta,)``.

    Parameters
    ----------
    prior
        None for MLE and WLE, ``1 / sqrt(information)``, infinite where there is none. With a
        prior, ``1 / sqrt(information + 1 / sd^2)``.
    """
    precision = 0.0 if prior is None else prior.sd**-2
    with np.errstate(divide="ignore"):
        sem: Floats = 1.0 / np.sqrt(form_information(theta, items) + precision)
    return sem


def total_sem(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Standard deviation of the total score at each true theta, shape ``(n_theta,)``.

    The conditional standard error of measurement on the scale of totals (Lord, 1980; Kolen, Hanson
    and Brennan, 1992).
    """
    chances = dispatch.probabilities(theta, items)
    scores = np.arange(items.max_categories, dtype=np.float64)
    mean = (chances * scores).sum(axis=2, keepdims=True)
    variance = (chances * (scores - mean) ** 2).sum(axis=2)
    spread: Floats = np.sqrt(variance.sum(axis=1))
    return spread
