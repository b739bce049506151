"""Progressive and proportional selection: chance first, information later.

Both need to know how long the test will be. Called by `engine.session` and
`engine.simulated_choice`. Imports numpy and `engine.randomness`.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.exposure.rules import ExposureRules
from engine.randomness import uniform


def progress(n: int, length: int, acceleration: float) -> float:
    """Share of the way from chance to information, 0 before the first item, 1 before the last.

    ``sum_{j<=n} j^s / sum_{j<=length-1} j^s`` with acceleration s (Barrada, Olea, Ponsoda and
    Abad, 2008; catR).
    """
    if n >= length - 1:
        return 1.0
    steps = np.arange(1, length, dtype=np.float64) ** acceleration
    return float(steps[:n].sum() / steps.sum())


def weighed(
    rules: ExposureRules,
    values: Floats,
    eligible: Bools,
    seeds: Words,
    position: tuple[int, int, int],
    rows: Ints,
) -> Floats:
    """Values by which a weighing method picks the best item.

    Parameters
    ----------
    values
        Information, shape ``(n_persons, n_items)``.
    eligible
        Same shape.
    seeds
        Of the sittings, shape ``(n_persons,)``.
    position
        Of the step, from 0; items that counted so far; items of a whole test.
    rows
        Bank rows of the columns, shape ``(n_items,)``.

    Returns
    -------
    Floats
        ``progressive`` (Revuelta and Ponsoda, 1998): ``w I + (1 - w) R`` with R uniform from 0 to
        the largest information of an eligible item. ``proportional`` (Segall, 2004; Barrada and
        others, 2008): the log of ``I^(w length)`` plus a Gumbel number, the largest of which
        belongs to each item with probability proportional to ``I^(w length)``.
    """
    step, counted, length = position
    weight = progress(counted, length, rules.acceleration)
    chance = uniform(seeds[:, None], step, rules.method, rows[None])
    if rules.method == "progressive":
        largest = np.where(eligible, values, 0.0).max(axis=1, keepdims=True)
        mixed: Floats = weight * values + (1.0 - weight) * chance * largest
        return mixed
    gumbel = -np.log(-np.log(np.maximum(chance, 2.0**-54)))
    logs = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    drawn: Floats = weight * length * logs + gumbel
    return drawn
