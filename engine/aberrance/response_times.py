"""How long answers take: the lognormal model of response times, its fit, and residuals.

``log T = beta - tau + e``, e normal with standard deviation ``1 / alpha`` (van der Linden, 2006):
beta is the item's time intensity, alpha its discrimination, tau the person's speed, N(0, sigma^2)
in the reference population. Times stand in long form, one element for each answer, so that nobody
need have met every item. Called by reports and by flags. Imports numpy and scipy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError

LEAST_TIMES = 20
"""An item with fewer times has no estimate."""
LARGEST_ALPHA = 100.0
"""Times that never differ would make alpha infinite."""

_Parameters = tuple[Floats, Floats, float]
"""beta, alpha and sigma."""


@dataclass(frozen=True, eq=False)
class Times:
    """Response times in long form, each array of shape ``(n_times,)``. Made by `times`.

    Parameters
    ----------
    person, row
        From 0.
    logs
        Natural logarithm of the seconds.
    n_persons, n_items
        Of the whole matrix.
    """

    person: Ints
    row: Ints
    logs: Floats
    n_persons: int
    n_items: int

    def by_person(self, values: Floats) -> Floats:
        """Sum over each person's answers, shape ``(n_persons,)``."""
        return np.bincount(self.person, values, self.n_persons).astype(np.float64)

    def by_item(self, values: Floats) -> Floats:
        """Sum over each item's answers, shape ``(n_items,)``."""
        return np.bincount(self.row, values, self.n_items).astype(np.float64)

    def only(self, keep: Bools) -> Times:
        """Some of the times, of the same persons and items."""
        return Times(
            self.person[keep], self.row[keep], self.logs[keep], self.n_persons, self.n_items
        )


@dataclass(frozen=True, eq=False)
class TimeModel:
    """The lognormal model as fitted.

    Parameters
    ----------
    intensity
        beta, log seconds that the item takes at speed 0, shape ``(n_items,)``, usually 2 to 6;
        NaN for an item with fewer than 20 times.
    discrimination
        alpha, shape ``(n_items,)``, usually 1 to 4; NaN as above.
    speed_sd
        Standard deviation of speed in the reference population.
    n_times
        Times by item.
    log_likelihood, cycles, converged
        Of the fit.
    """

    intensity: Floats
    discrimination: Floats
    speed_sd: float
    n_times: Ints
    log_likelihood: float
    cycles: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Speed:
    """Speed of each person, shapes ``(n_persons,)``.

    Parameters
    ----------
    tau, se
        Maximum likelihood: ``sum alpha^2 (beta - log t) / sum alpha^2`` and ``1 / sqrt(sum
        alpha^2)``; NaN and infinite without times.
    eap, sd
        Mean and standard deviation of the posterior under N(0, speed_sd^2).
    misfit_p
        Chance of times as uneven as these or more, from chi-square with n - 1 degrees of freedom
        (Marianti, Fox, Avetisyan, Veldkamp and Tijmstra, 2014); NaN with fewer than two times.
    """

    tau: Floats
    se: Floats
    eap: Floats
    sd: Floats
    misfit_p: Floats


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Posterior of speed given the items, shapes ``(n_persons,)``."""

    mean: Floats
    variance: Floats
    log_likelihood: float


def times(person: Ints, row: Ints, seconds: Floats, *, n_persons: int, n_items: int) -> Times:
    """Check response times and take logs.

    Raises
    ------
    InputError
        For a time not above 0, or a person or row out of range; leave out answers without a time.
    """
    if not len(person) == len(row) == len(seconds):
        found = f"{len(person)}, {len(row)} and {len(seconds)}"
        raise InputError("as many persons as rows and seconds", found)
    wrong = np.flatnonzero(~(np.isfinite(seconds) & (seconds > 0)))
    if len(wrong):
        raise InputError("seconds above 0", seconds[wrong[0]], line=int(wrong[0]) + 1)
    for name, values, n in (("person", person, n_persons), ("row", row, n_items)):
        if len(values) and not 0 <= values.min() <= values.max() < n:
            found = f"{values.min()} to {values.max()}"
            raise InputError(f"from 0 to {n - 1}", found, column=name)
    return Times(person, row, np.log(seconds), n_persons, n_items)


def fit_times(given: Times, *, tolerance: float = 1e-8, max_cycles: int = 1000) -> TimeModel:
    """Marginal maximum likelihood of beta, alpha and sigma, by EM with closed-form steps.

    The E-step is normal; the M-step a mean, a mean square and a variance. The mean of speed is
    freed in each M-step and moved into beta after it (parameter expansion: Liu, Rubin and Wu,
    1998), without which persons and items would shift together only slowly. Speed is integrated
    out: treating it as fixed would make alpha too large by a factor of about ``sqrt(n / (n -
    1))`` with n times for each person.

    Parameters
    ----------
    tolerance
        Converged when the log likelihood changes by less than this, relative to its size, and no
        parameter by more than the square root of it.

    Returns
    -------
    TimeModel
        NaN for items with fewer than 20 times, which are left out. Without any other item, sigma
        is NaN and nothing converged.
    """
    n_times = np.bincount(given.row, minlength=given.n_items)
    usable = n_times >= LEAST_TIMES
    used = given.only(usable[given.row])
    if not usable.any():
        nothing = np.full(given.n_items, np.nan)
        return TimeModel(nothing, nothing.copy(), np.nan, n_times, np.nan, 0, converged=False)
    parameters, before, converged, cycles = _start(used), -np.inf, False, 0
    while cycles < max_cycles and not converged:
        posterior, cycles = _speeds(used, *parameters), cycles + 1
        renewed = _maximised(used, posterior)
        risen = posterior.log_likelihood - before
        still = _largest_change(parameters, renewed) < np.sqrt(tolerance)
        parameters, before = renewed, posterior.log_likelihood
        converged = bool(still and abs(risen) < tolerance * abs(before))
    beta, alpha, sigma = parameters
    reached = _speeds(used, *parameters).log_likelihood
    blank = np.where(usable, 0.0, np.nan)
    return TimeModel(beta + blank, alpha + blank, sigma, n_times, reached, cycles, converged)


def speeds(given: Times, model: TimeModel) -> Speed:
    """Speed of each person, from the items that have estimates."""
    used = _estimable(given, model)
    beta, precision = model.intensity[used.row], model.discrimination[used.row] ** 2
    weight = used.by_person(precision)
    n = np.bincount(used.person, minlength=used.n_persons)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau = used.by_person(precision * (beta - used.logs)) / weight
        se = 1.0 / np.sqrt(weight)
    uneven = used.by_person(precision * (used.logs - beta + tau[used.person]) ** 2)
    posterior = _speeds(used, model.intensity, model.discrimination, model.speed_sd)
    misfit = np.where(n >= 2, chdtrc(np.maximum(n - 1, 1), uneven), np.nan)
    return Speed(tau, se, posterior.mean, np.sqrt(posterior.variance), misfit)


def time_residuals(given: Times, model: TimeModel) -> Floats:
    """Standardised residual of each log time given the person's other times.

    ``(log t - beta + tau') / sqrt(1 / alpha^2 + v')`` with tau' and v' the mean and variance of
    the posterior of speed from the other times (van der Linden and Guo, 2008): exactly N(0, 1)
    under the model, large and negative for an answer too fast.

    Returns
    -------
    Floats
        Shape ``(n_times,)``, NaN for items without estimates.
    """
    residuals = np.full(len(given.logs), np.nan)
    known = np.isfinite(model.intensity[given.row])
    used = given.only(known)
    beta, precision = model.intensity[used.row], model.discrimination[used.row] ** 2
    pull = precision * (beta - used.logs)
    others = used.by_person(precision)[used.person] + model.speed_sd**-2 - precision
    tau = (used.by_person(pull)[used.person] - pull) / others
    residuals[known] = (used.logs - beta + tau) / np.sqrt(1.0 / precision + 1.0 / others)
    return residuals


def too_fast(residuals: Floats, level: float = 0.01) -> Bools:
    """Which answers were faster than the model lets a share ``level`` of answers be.

    Right answers among them to hard items point to knowledge of the items before the test; wrong
    ones to guessing. Never set where the residual is NaN.
    """
    if not 0 < level < 1:
        raise InputError("a level between 0 and 1", level, column="level")
    with np.errstate(invalid="ignore"):
        return np.asarray(ndtr(residuals) < level, dtype=np.bool_)


def _estimable(given: Times, model: TimeModel) -> Times:
    return given.only(np.isfinite(model.intensity[given.row]))


def _start(given: Times) -> _Parameters:
    """Means and standard deviations of the log times, half of the variance given to speed."""
    n = np.maximum(given.by_item(np.ones(len(given.logs))), 1)
    beta = given.by_item(given.logs) / n
    spread = given.by_item((given.logs - beta[given.row]) ** 2) / n
    alpha = np.minimum(1.0 / np.sqrt(np.maximum(spread / 2, LARGEST_ALPHA**-2)), LARGEST_ALPHA)
    return beta, alpha, float(np.sqrt(max(spread[n > 1].mean() / 2, LARGEST_ALPHA**-2)))


def _largest_change(old: _Parameters, new: _Parameters) -> float:
    moved = [np.abs(after - before).max() for before, after in zip(old[:2], new[:2], strict=True)]
    return float(max(*moved, abs(new[2] - old[2])))


def _speeds(given: Times, beta: Floats, alpha: Floats, sigma: float) -> _Posterior:
    precision = alpha[given.row] ** 2
    rest = given.logs - beta[given.row]
    weight, pull = given.by_person(precision), given.by_person(precision * rest)
    variance = 1.0 / (weight + sigma**-2)
    heights = np.log(2 * np.pi / precision) + precision * rest**2
    log_likelihood = -0.5 * (
        heights.sum() + np.log1p(sigma**2 * weight).sum() - (pull**2 * variance).sum()
    )
    return _Posterior(-pull * variance, variance, float(log_likelihood))


def _maximised(given: Times, speed: _Posterior) -> _Parameters:
    n = np.maximum(given.by_item(np.ones(len(given.logs))), 1)
    corrected = given.logs + speed.mean[given.person]
    beta = given.by_item(corrected) / n
    error = (corrected - beta[given.row]) ** 2 + speed.variance[given.person]
    alpha = np.minimum(1.0 / np.sqrt(given.by_item(error) / n + LARGEST_ALPHA**-2), LARGEST_ALPHA)
    timed = np.bincount(given.person, minlength=given.n_persons) > 0
    centre = float(speed.mean[timed].mean())
    spread = (speed.mean[timed] - centre) ** 2 + speed.variance[timed]
    return beta - centre, alpha, float(np.sqrt(spread.mean()))
