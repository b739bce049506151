"""Sympson-Hetter parameters by simulation, to be frozen in an exam's rules.

Called by the simulation command. Imports `engine.simulation.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.exposure.rules import ExposureRules, Parameters, stratum_of
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.simulation.run import Simulated, Surroundings, simulate

FULL_STEPS = 6
"""Rounds in which k is replaced; after them it moves by less and less, to average out chance."""
LEAST_ROUNDS, ROUNDS = 12, 25
MARGIN = 3.5
"""Rounds end once no rate is above its target by more standard errors than this."""


@dataclass(frozen=True)
class ControlParameters:
    """What the rounds of simulation led to.

    Parameters
    ----------
    k
        Parameters by item, one for each stratum; items with 1 everywhere are left out.
    highest
        The highest exposure rate in each round, over items and strata; the first is without
        control.
    converged
        Whether no rate was above the target beyond sampling error in the last round.
    """

    k: Parameters
    highest: tuple[float, ...]
    converged: bool


def sympson_hetter_parameters(
    items: ItemParameters,
    design: ExamDesign,
    target: float,
    *,
    theta: Floats,
    strata: Sequence[float] = (),
    seed: int = 0,
    pretest: Bools | None = None,
    advance: Callable[[int], object] = lambda _n: None,
) -> ControlParameters:
    """Find the parameters k under which no item is given to more than ``target`` of examinees.

    Each round simulates the examinees under the present k. An item comes up for selection in
    ``P(S) = P(A) / k`` of the sittings; ``k = min(1, target / P(S))`` for the next round (Sympson
    and Hetter, 1985; conditional on theta: Stocking and Lewis, 1998). Later rounds move log k by a
    falling share of that (Robbins and Monro, 1951). As many items as a test has keep k = 1, so that
    every test can be completed.

    Parameters
    ----------
    design
        The exam; whatever exposure method it has is replaced.
    target
        Highest exposure rate, above 0, at most 1, and at least test length over bank size.
    theta
        True thetas of the examinees, shape ``(n,)``; they should be those of the population.
    strata
        Cuts of theta, ascending, between which to control separately; a rate is then the share
        among examinees whose true theta is in the stratum.
    seed
        Of everything random.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    advance
        Called with 1 after each round.

    Returns
    -------
    ControlParameters
        Of the last round.

    Raises
    ------
    InputError
        For a target that the bank cannot meet.
    """
    check_target(target, items, design)
    rules = ExposureRules("eligibility", max_rate=target, strata=tuple(strata))
    stratum = stratum_of(theta, rules)
    k = rates = np.ones((rules.n_strata, len(items)))
    highest: list[float] = []
    converged = False
    while len(highest) < ROUNDS and not converged:
        if highest:
            k = _next(k, rates, target, len(highest), design)
        found = simulate(
            items,
            replace(design, exposure=_rules(k, items, target, strata)),
            theta=theta,
            seed=seed + len(highest),
            surroundings=Surroundings(pretest=pretest),
        )
        rates = rates_of(found, stratum, rules.n_strata)
        highest.append(float(rates.max()))
        fine = not too_high(rates, target, stratum).any()
        converged = fine and len(highest) >= LEAST_ROUNDS
        advance(1)
    return ControlParameters(_listed(k, items), tuple(highest), converged)


def _next(k: Floats, rates: Floats, target: float, done: int, design: ExamDesign) -> Floats:
    """Parameters for the next round from the rates of the last."""
    gain = 1.0 if done <= FULL_STEPS else 1.0 / (done - FULL_STEPS)
    moved = k * (target / np.maximum(rates, 1e-12)) ** gain
    return _with_enough_free(np.clip(moved, 1e-6, 1.0), design)


def check_target(target: float, items: ItemParameters, design: ExamDesign) -> None:
    """Refuse a rate at which the bank is too small for the test."""
    lowest = design.scored_length / len(items)
    if not lowest < target <= 1:
        expected = f"a rate above {lowest:.3g}, test length over bank size, and at most 1"
        raise InputError(expected, target, column="exposure.max_rate")


def _rules(
    k: Floats, items: ItemParameters, target: float, strata: Sequence[float]
) -> ExposureRules:
    return ExposureRules(
        "sympson_hetter", max_rate=target, strata=tuple(strata), k=_listed(k, items)
    )


def _listed(k: Floats, items: ItemParameters) -> Parameters:
    """By item, those below 1; all items where none is, since rules without k are refused."""
    below = np.flatnonzero((k < 1).any(axis=0))
    rows = below if len(below) else np.arange(len(items))
    return tuple((items.item[row], tuple(k[:, row].tolist())) for row in rows.tolist())


def rates_of(found: Simulated, stratum: Ints, n_strata: int) -> Floats:
    """Share of each stratum's examinees who were given each scored item, shape as k."""
    rates = np.zeros((n_strata, len(found.items)))
    for code in range(n_strata):
        here = stratum == code
        given = found.rows[here][(found.rows[here] >= 0) & ~found.tried_out[here]]
        rates[code] = np.bincount(given, minlength=len(found.items)) / max(1, here.sum())
    return rates


def too_high(rates: Floats, target: float, stratum: Ints) -> Bools:
    """Which rates are above their target beyond sampling error, shape of ``rates``."""
    counts = np.bincount(stratum, minlength=len(rates))
    error = np.sqrt(target * (1.0 - target) / np.maximum(counts, 1))
    return np.asarray(rates > target + MARGIN * error[:, None], dtype=np.bool_)


def _with_enough_free(k: Floats, design: ExamDesign) -> Floats:
    """Let as many items as a test has through always: those with the largest k."""
    for row in k:
        row[np.argsort(-row, kind="stable")[: design.scored_length]] = 1.0
    return k
