"""Prices of items by simulation, under which none is given too often; frozen in an exam's rules.

A limit of exposure has a shadow price: what a sitting would gain by one more use of the item. An
item whose price is taken off its information goes to the sittings in which it has the largest
advantage over others, where drawing lots would give it to any. Called by the simulation command.
Imports `engine.simulation.run`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Bools, Floats
from engine.exposure.parameters import check_target, rates_of, too_high
from engine.exposure.rules import ExposureRules, Parameters
from engine.items import ItemParameters
from engine.models import dispatch
from engine.rules.designs import ExamDesign
from engine.simulation.run import Surroundings, simulate

STEP, SLOWER = 0.5, 6.0
"""How far a price moves by a rate above its target, in units of the best item's information; after
so many rounds half as far."""
LEAST_ROUNDS, ROUNDS = 30, 60


@dataclass(frozen=True)
class Prices:
    """What the rounds of simulation led to.

    Parameters
    ----------
    prices
        By item, in units of information; items without a price are left out.
    highest
        The highest exposure rate in each round; the first is without prices.
    converged
        Whether no rate was above the target beyond sampling error in the last round.
    """

    prices: Parameters
    highest: tuple[float, ...]
    converged: bool


def exposure_prices(
    items: ItemParameters,
    design: ExamDesign,
    target: float,
    *,
    theta: Floats,
    seed: int = 0,
    pretest: Bools | None = None,
    advance: Callable[[int], object] = lambda _n: None,
) -> Prices:
    """Find the prices under which no item is given to more than ``target`` of examinees.

    After each round of simulation a price rises or falls with the item's rate above or below the
    target, by less and less, and never below 0: a stochastic subgradient of the dual of maximum
    information under limits of exposure (Robbins and Monro, 1951).

    Parameters
    ----------
    design
        The exam; whatever exposure method it has is replaced.
    target
        Highest exposure rate, above test length over bank size, at most 1.
    theta
        True thetas of the examinees, shape ``(n,)``; they should be those of the population.
    seed
        Of everything random.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    advance
        Called with 1 after each round.

    Raises
    ------
    InputError
        For a target that the bank cannot meet.
    """
    check_target(target, items, design)
    unit = float(dispatch.information(theta[:500], items).max(axis=1).mean())
    highest: list[float] = []
    price, converged = np.zeros(len(items)), False
    everyone = np.zeros(len(theta), dtype=np.int64)
    while len(highest) < ROUNDS and not converged:
        rules = ExposureRules("priced", max_rate=target, prices=_listed(price, items))
        found = simulate(
            items,
            replace(design, exposure=rules),
            theta=theta,
            seed=seed + len(highest),
            surroundings=Surroundings(pretest=pretest),
        )
        rates = rates_of(found, everyone, 1)
        highest.append(float(rates.max()))
        fine = not too_high(rates, target, everyone).any()
        converged = fine and len(highest) >= LEAST_ROUNDS
        if not converged and len(highest) < ROUNDS:
            gain = STEP * unit / (1.0 + (len(highest) - 1) / SLOWER)
            price = np.maximum(price + gain * (rates[0] - target), 0.0)
        advance(1)
    return Prices(_listed(price, items), tuple(highest), converged)


def _listed(price: Floats, items: ItemParameters) -> Parameters:
    """By item, those above 0; all items where none is, since rules without prices are refused."""
    above = np.flatnonzero(price > 0)
    rows = above if len(above) else np.arange(len(items))
    return tuple((items.item[row], (float(price[row]),)) for row in rows.tolist())
