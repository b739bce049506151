"""Methods that weigh information: chance first and information later, or against a price.

Progressive and proportional selection need to know how long the test will be. Called by
`engine.pools` and `engine.simulation.choice`. Imports numpy and `engine.randomness`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.exposure.rules import ExposureRules
from engine.items import ItemParameters
from engine.randomness import uniform

SPREAD = 0.012
"""Of ``priced``: chance, as a share of the largest information at hand. Prices leave many items
equally good, above all before the first answers; a little chance shares these out."""


def progress(n: Ints, length: int, acceleration: float) -> Floats:
    """Share of the way from chance to information, 0 before the first item, 1 before the last.

    Of sittings in which ``n`` items counted so far, shape ``(n_persons,)``:

    ``sum_{j<=n} j^s / sum_{j<=length-1} j^s`` with acceleration s (Barrada, Olea, Ponsoda and
    Abad, 2008; catR).
    """
    steps = np.arange(1, max(length, 2), dtype=np.float64) ** acceleration
    sums = np.concatenate([[0.0], np.cumsum(steps)])
    if length < 2:
        return np.ones(len(n))
    shares: Floats = sums[np.minimum(n, length - 1)] / sums[-1]
    return shares


def weighed(  # noqa: PLR0913, PLR0917 - what the three methods need, each a part of it
    rules: ExposureRules,
    values: Floats,
    eligible: Bools,
    seeds: Words,
    step: int,
    counted: Ints,
    length: int,
    rows: Ints,
    items: ItemParameters,
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
    step
        Its position, from 0.
    counted
        Items that counted so far, shape ``(n_persons,)``.
    length
        Items that count in a whole test.
    rows
        Bank rows of the columns, shape ``(n_items,)``.
    items
        The bank.

    Returns
    -------
    Floats
        ``progressive`` (Revuelta and Ponsoda, 1998): ``w I + (1 - w) R`` with R uniform from 0 to
        the largest information of an eligible item. ``proportional`` (Segall, 2004; Barrada and
        others, 2008): the log of ``I^(w length)`` plus a Gumbel number, the largest of which
        belongs to each item with probability proportional to ``I^(w length)``. ``priced``:
        ``I - price`` and a Gumbel number, `SPREAD` of the largest information of an eligible item
        in size, which stays the same for the item throughout the sitting.
    """
    if rules.method == "priced":
        return _priced(rules, values, eligible, seeds, rows, items)
    weight = progress(counted, length, rules.acceleration)[:, None]
    chance = uniform(seeds[:, None], step, rules.method, rows[None])
    if rules.method == "progressive":
        largest = np.where(eligible, values, 0.0).max(axis=1, keepdims=True)
        mixed: Floats = weight * values + (1.0 - weight) * chance * largest
        return mixed
    gumbel = -np.log(-np.log(np.maximum(chance, 2.0**-54)))
    logs = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    drawn: Floats = weight * length * logs + gumbel
    return drawn


def _priced(
    rules: ExposureRules,
    values: Floats,
    eligible: Bools,
    seeds: Words,
    rows: Ints,
    items: ItemParameters,
) -> Floats:
    largest = np.where(eligible, values, 0.0).max(axis=1, keepdims=True)
    chance = uniform(seeds[:, None], 0, rules.method, rows[None])
    gumbel = -np.log(-np.log(np.maximum(chance, 2.0**-54)))
    net: Floats = values - price_table(rules, items)[rows] + SPREAD * largest * gumbel
    return net


@lru_cache(maxsize=32)
def price_table(rules: ExposureRules, items: ItemParameters) -> Floats:
    """Prices of all items, shape ``(n_items,)``."""
    table = np.zeros(len(items))
    for name, (price,) in rules.prices:
        table[items.row(name)] = price
    return table
