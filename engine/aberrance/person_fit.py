"""Whether a person answered as the model expects: lz, lz*, infit, outfit and CUSUM.

Every statistic is given for many persons at once and is NaN for a person for whom it is not
estimable: one without an estimate of theta, or whose answers could not have differed. In an
adaptive test none of them follows its textbook distribution; `engine.aberrance.person_fit_limits`
simulates the limits. Called by reports and by the limits. Imports numpy and the models.

Small lz and lz*, large infit and outfit, and a CUSUM far from 0 speak of misfit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.ability.answers import Answers
from engine.arrays import Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch

NOTHING = 1e-10
"""A share of the variance so small is rounding: theta took all that could have varied."""


@dataclass(frozen=True, eq=False)
class PersonFit:
    """The statistics of some persons, each of shape ``(n_persons,)``; NaN if not estimable.

    Parameters
    ----------
    n_answers
        How many answers they rest on.
    lz
        Standardised log likelihood (Drasgow, Levine and Williams, 1985).
    lz_star
        The same, corrected for theta being estimated (Snijders, 2001; Sinharay, 2016).
    infit, outfit
        Mean squares (Wright and Masters, 1982), expected to be 1.
    cusum_upper, cusum_lower
        The highest of the upper sums and the lowest of the lower ones (van Krimpen-Stoop and
        Meijer, 2001).
    """

    n_answers: Ints
    lz: Floats
    lz_star: Floats
    infit: Floats
    outfit: Floats
    cusum_upper: Floats
    cusum_lower: Floats


def person_fit(theta: Floats, given: Answers, items: ItemParameters) -> PersonFit:
    """All statistics at one estimate of theta for each person.

    Parameters
    ----------
    theta
        Shape ``(n_persons,)``, by any estimator; NaN where there is none.
    given
        The answers in the order given, which CUSUM depends on.

    Raises
    ------
    InputError
        When there are not as many thetas as persons.
    """
    infit, outfit = mean_squares(theta, given, items)
    upper, lower = cusum(theta, given, items)
    return PersonFit(
        n_answers=given.present.sum(axis=1),
        lz=lz(theta, given, items),
        lz_star=lz_star(theta, given, items),
        infit=infit,
        outfit=outfit,
        cusum_upper=_furthest(np.max, upper, given),
        cusum_lower=_furthest(np.min, lower, given),
    )


def lz(theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    """Standardised log likelihood, shape ``(n_persons,)`` (Drasgow, Levine and Williams, 1985).

    ``lz = (l - E l) / sqrt(Var l)`` with ``l`` the log likelihood of the scores at theta and its
    mean and variance under the model, item by item. At the true theta it has mean 0 and variance
    1; at an estimate its variance is smaller, so that normal limits flag too few.
    """
    surprise, chances = _log_chances(theta, given, items)
    return _standardised(surprise, chances, given, 0.0)


def lz_star(theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    """Log likelihood standardised for an estimated theta, shape ``(n_persons,)``.

    With ``U`` the slope of the log likelihood, ``w = log P(k) - c U(k)`` and ``c = sum Cov(log P,
    U) / sum Var(U)``, the sum of w minus its mean, over its standard deviation. Since c makes the
    expected derivative with respect to theta vanish, an error in theta does not count to first
    order: asymptotically normal at any consistent estimate. Where the estimator solves ``U + r0 =
    0`` this is the statistic of Snijders (2001; polytomous: Sinharay, 2016) with r0 = 0 for MLE,
    ``J / (2 I)`` for WLE and ``(mean - theta) / sd^2`` for MAP; for EAP the slope is taken as it
    stands.
    """
    surprise, chances = _log_chances(theta, given, items)
    slopes = _by_score("slopes", theta, given, items)
    centred = surprise - _mean(surprise, chances)[..., None]
    shared = _sum((chances * centred * slopes).sum(axis=2), given)
    information = _sum((chances * slopes**2).sum(axis=2), given)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = shared / information
    least = NOTHING * _sum(_mean(centred**2, chances), given)
    return _standardised(centred - share[:, None, None] * slopes, chances, given, least)


def mean_squares(theta: Floats, given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Infit and outfit, each of shape ``(n_persons,)`` (Wright and Masters, 1982).

    Outfit is the mean of ``(x - E x)^2 / Var x`` over the answers; infit ``sum (x - E x)^2 / sum
    Var x``.
    """
    residual, variance = _residuals(theta, given, items)
    with np.errstate(invalid="ignore", divide="ignore"):
        outfit = _sum(residual**2 / variance, given) / given.present.sum(axis=1)
        infit = _sum(residual**2, given) / _sum(variance, given)
    return infit, outfit


def cusum(theta: Floats, given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Upper and lower cumulative sums after each answer, each of shape ``(n_persons, n)``.

    ``C+ = max(0, C+ + T)`` and ``C- = min(0, C- + T)`` with ``T = (x - E x) / n``, n the length of
    the test: a run of answers better or worse than expected (van Krimpen-Stoop and Meijer, 2001;
    polytomous: 2002).

    Parameters
    ----------
    theta
        Shape ``(n_persons,)``, or ``(n_persons, n)``: the estimates at which each item was
        chosen.

    Returns
    -------
    tuple
        NaN for a person without theta; unchanged where an answer is padding.
    """
    residual, _ = _residuals(theta, given, items)
    length = np.maximum(given.present.sum(axis=1), 1)
    steps = np.where(given.present, residual, 0.0) / length[:, None]
    upper, lower = np.zeros(steps.shape), np.zeros(steps.shape)
    high = low = np.zeros(len(steps))
    for place in range(steps.shape[1]):
        high = np.maximum(high + steps[:, place], 0.0)
        low = np.minimum(low + steps[:, place], 0.0)
        upper[:, place], lower[:, place] = high, low
    return upper, lower


def _log_chances(theta: Floats, given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Log probability (0 for a score that an item lacks) and probability of each score."""
    logs = _by_score("log_probabilities", theta, given, items)
    chances = np.exp(logs)
    return np.where(np.isneginf(logs), 0.0, logs), chances


def _by_score(verb: str, theta: Floats, given: Answers, items: ItemParameters) -> Floats:
    """One verb at the items answered, shape ``(n_persons, n, max_categories)``."""
    shape = given.rows.shape
    if theta.shape not in (shape[:1], shape):
        expected = f"thetas of shape {shape[:1]} or {shape}"
        raise InputError(expected, f"shape {theta.shape}", column="theta")
    known = np.isfinite(theta)
    usable = np.where(known, theta, 0.0)
    if theta.ndim == 1:
        table = dispatch.paired(verb, usable, given.rows, items)
    else:
        table = dispatch.paired(verb, usable.ravel(), given.rows.reshape(-1, 1), items)
    table = table.reshape(*shape, -1)
    table[~known] = np.nan
    return table


def _residuals(theta: Floats, given: Answers, items: ItemParameters) -> tuple[Floats, Floats]:
    """Score minus expected score, and the score's variance, shape ``(n_persons, n)``."""
    chances = _by_score("probabilities", theta, given, items)
    points = np.broadcast_to(np.arange(items.max_categories, dtype=np.float64), chances.shape)
    mean = _mean(points, chances)
    return given.scores - mean, _mean((points - mean[..., None]) ** 2, chances)


def _standardised(values: Floats, chances: Floats, given: Answers, least: Floats | float) -> Floats:
    """Sum of the values of the scores given, minus its mean, over its standard deviation.

    NaN where the variance is not above the least.
    """
    centred = values - _mean(values, chances)[..., None]
    taken = np.take_along_axis(centred, given.scores[..., None], axis=2)[..., 0]
    variance = _sum(_mean(centred**2, chances), given)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variance > least, _sum(taken, given) / np.sqrt(variance), np.nan)


def _mean(values: Floats, chances: Floats) -> Floats:
    """Expected value over the scores."""
    mean: Floats = (chances * values).sum(axis=2)
    return mean


def _sum(values: Floats, given: Answers) -> Floats:
    sums: Floats = np.where(given.present, values, 0.0).sum(axis=1)
    return sums


def _furthest(reduce: Callable[..., Floats], sums: Floats, given: Answers) -> Floats:
    """The furthest sum of each person; NaN for one without answers."""
    return np.where(given.any, reduce(sums, axis=1, initial=0.0), np.nan)
