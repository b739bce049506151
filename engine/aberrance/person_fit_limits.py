"""Limits of the person-fit statistics, simulated for an exam as it is given.

The items that an adaptive test gives depend on the answers, so the statistics do not follow the
normal table there: the exam itself is simulated, with examinees who answer by the model, and the
limits are quantiles of what they show. Called by reports. Imports the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from engine.aberrance.person_fit import PersonFit, person_fit
from engine.ability.answers import Answers
from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.randomness import uniform
from engine.rules.designs import ExamDesign
from engine.simulation.run import Simulated, simulate

PERSONS_AT_ONCE = 1024
LEAST_BEYOND = 20
"""So many simulated examinees at least must lie beyond a limit."""


@dataclass(frozen=True)
class PersonFitLimits:
    """Beyond each limit lie a share ``level`` of examinees who answer by the model.

    Parameters
    ----------
    level
        Share flagged by each statistic; CUSUM gives half of it to either side.
    n
        Examinees simulated who had an estimate.
    lz, lz_star
        Flagged below.
    infit, outfit
        Flagged above.
    cusum_upper, cusum_lower
        Flagged above and below.
    """

    level: float
    n: int
    lz: float
    lz_star: float
    infit: float
    outfit: float
    cusum_upper: float
    cusum_lower: float


@dataclass(frozen=True, eq=False)
class PersonFitFlags:
    """Who lies beyond the limit of each statistic, shape ``(n_persons,)``.

    Never set where a statistic is not estimable.
    """

    lz: Bools
    lz_star: Bools
    infit: Bools
    outfit: Bools
    cusum: Bools


def person_fit_limits(
    items: ItemParameters,
    design: ExamDesign,
    level: float = 0.05,
    *,
    seed: int = 0,
    n: int = 5000,
    theta: Floats | None = None,
) -> PersonFitLimits:
    """Simulate the limits of an exam.

    Parameters
    ----------
    items, design
        The bank and the exam's rules.
    level
        Share of fitting examinees to flag, above 0 and at most 0.5.
    seed, n
        Of the simulation. At least 20 examinees must lie beyond each limit.
    theta
        True thetas to simulate instead, shape ``(n,)``; by default the exam's prior.

    Raises
    ------
    InputError
        For a level out of range, or too few examinees for it.
    """
    thetas = _population(design, seed, n) if theta is None else theta
    _check_level(level, len(thetas))
    return limits_of_fit(simulated_fit(simulate(items, design, theta=thetas, seed=seed)), level)


def limits_of_fit(fit: PersonFit, level: float = 0.05) -> PersonFitLimits:
    """Limits from the statistics of examinees who were simulated by the model.

    Parameters
    ----------
    fit
        Of such examinees, as from `simulated_fit`.
    level
        Share of fitting examinees to flag, above 0 and at most 0.5.

    Raises
    ------
    InputError
        For a level out of range, or too few examinees for it.
    """
    _check_level(level, len(fit.lz))
    return PersonFitLimits(
        level=level,
        n=int(np.isfinite(fit.lz).sum()),
        lz=_quantile(fit.lz, level),
        lz_star=_quantile(fit.lz_star, level),
        infit=_quantile(fit.infit, 1 - level),
        outfit=_quantile(fit.outfit, 1 - level),
        cusum_upper=_quantile(fit.cusum_upper, 1 - level / 2),
        cusum_lower=_quantile(fit.cusum_lower, level / 2),
    )


def simulated_fit(simulated: Simulated) -> PersonFit:
    """Person fit of simulated examinees at their final estimates, from the items that count."""
    counts = (simulated.rows >= 0) & ~simulated.tried_out
    given = Answers(np.maximum(simulated.rows, 0), np.maximum(simulated.scores, 0), counts)
    blocks = []
    for start in range(0, simulated.n, PERSONS_AT_ONCE):
        who = slice(start, start + PERSONS_AT_ONCE)
        some = Answers(given.rows[who], given.scores[who], given.present[who])
        blocks.append(person_fit(simulated.final_theta[who], some, simulated.items))
    return PersonFit(*(np.concatenate(parts) for parts in zip(*map(_arrays, blocks), strict=True)))


def person_fit_flags(fit: PersonFit, limits: PersonFitLimits) -> PersonFitFlags:
    """Compare persons with the limits of their exam."""
    beyond = (fit.cusum_upper > limits.cusum_upper) | (fit.cusum_lower < limits.cusum_lower)
    return PersonFitFlags(
        lz=fit.lz < limits.lz,
        lz_star=fit.lz_star < limits.lz_star,
        infit=fit.infit > limits.infit,
        outfit=fit.outfit > limits.outfit,
        cusum=beyond,
    )


def _population(design: ExamDesign, seed: int, n: int) -> Floats:
    """Thetas from the exam's prior, by inversion of numbers within (0, 1)."""
    inside = uniform(seed, np.arange(n), "person fit") * (1 - 2.0**-53) + 2.0**-54
    theta: Floats = design.prior_mean + design.prior_sd * ndtri(inside)
    return theta


def _check_level(level: float, n: int) -> None:
    if not 0 < level <= 0.5:
        raise InputError("a level above 0 and at most 0.5", level, column="level")
    if n * level / 2 < LEAST_BEYOND:
        needed = int(np.ceil(2 * LEAST_BEYOND / level))
        raise InputError(f"at least {needed} examinees at level {level:g}", n, column="n")


def _quantile(values: Floats, level: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, level)) if len(known) else float("nan")


def _arrays(fit: PersonFit) -> tuple[Floats, ...]:
    return tuple(vars(fit).values())
