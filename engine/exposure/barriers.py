"""What may not be given although it is free: soft limits, which yield when nothing else is left.

In the order in which they hold: items of the candidate's earlier sittings, items at the ceiling,
and the draw of the exam's method (Sympson-Hetter or eligibility). A limit that leaves a sitting
without any item, or without a test that keeps the blueprint, yields for that step, and the step
says so by name. Called by `engine.session`, `engine.blueprints.balance` and
`engine.simulation.run`. Imports numpy and the exposure rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.exposure.rules import ExposureRules, stratum_of
from engine.exposure.usage import Readings
from engine.items import ItemParameters
from engine.randomness import uniform

BARRIERS = ("overlap", "ceiling", "sympson_hetter", "eligibility")
"""From the last to yield to the first; of the last two an exam has one at most."""
Found = TypeVar("Found")


def event_of(barrier: str) -> str:
    """Name of the event that a barrier had to yield."""
    return f"{barrier}_yielded"


def barriers(
    rules: ExposureRules,
    items: ItemParameters,
    theta: Floats,
    seeds: Words,
    found: Readings | None,
    *,
    rejected: Bools | None = None,
    excluded: Bools | None = None,
) -> dict[str, Bools]:
    """What each limit lets through.

    Parameters
    ----------
    theta, seeds
        Of each sitting, shape ``(n_persons,)``.
    found
        What the counters say; None where the rules need none.
    rejected, excluded
        Items that left the sitting after a rejection, and items of earlier sittings of the same
        person, shape ``(n_persons, n_items)`` or broadcast to it.

    Returns
    -------
    dict
        By name, in the order of ``BARRIERS``, masks of shape ``(n_persons, n_items)`` or broadcast
        to it.
    """
    limits: dict[str, Bools] = {}
    if excluded is not None:
        limits["overlap"] = ~excluded
    if rules.ceiling is not None and found is not None:
        limits["ceiling"] = ~found.full[None]
    if rules.method == "sympson_hetter":
        table = k_table(rules, items)
        passed = _draws(seeds, "sympson_hetter", len(items)) < table[stratum_of(theta, rules)]
        limits["sympson_hetter"] = passed if rejected is None else passed & ~rejected
    if rules.method == "eligibility" and found is not None:
        drawn = eligibility_draws(seeds, len(items))
        limits["eligibility"] = drawn < found.chances[stratum_of(theta, rules)]
    return limits


def narrowed(eligible: Bools, limits: Mapping[str, Bools]) -> tuple[Bools, Bools]:
    """Keep to the limits, each unless nothing would be left.

    Parameters
    ----------
    eligible
        What may be given by the rules that never yield, shape ``(n_persons, n_items)``.

    Returns
    -------
    tuple
        What may be given, same shape, and which limits yielded, shape ``(n_persons, n_limits)``.
    """
    yielded = np.zeros((len(eligible), len(limits)), dtype=np.bool_)
    some, eligible = eligible.any(axis=1), eligible.copy()
    for place, mask in enumerate(limits.values()):
        kept = eligible & mask
        holds = np.asarray(kept.any(axis=1), dtype=np.bool_)
        yielded[:, place] = some & ~holds
        eligible[holds] = kept[holds]
    return eligible, yielded


def come_up(free: Bools, limits: Mapping[str, Bools]) -> Bools:
    """Free items within all limits but Sympson-Hetter's, for the others hold before it."""
    for name, mask in limits.items():
        free = free if name == "sympson_hetter" else free & mask
    return free


def kept(
    attempt: Callable[[Bools], Found | None], free: Bools, limits: Sequence[Bools]
) -> tuple[Found | None, Bools]:
    """Keep to the limits of one sitting, each unless nothing could be found within it.

    Parameters
    ----------
    attempt
        Looks among some of the free items, shape ``(n_items,)``; None when there is nothing.
    limits
        What each lets through, in the order of ``BARRIERS``, each of shape ``(n_items,)``.

    Returns
    -------
    tuple
        What was found, and which limits yielded, shape ``(n_limits,)``. None, and no limit has
        yielded, when there is nothing without limits either.
    """
    yielded = np.zeros(len(limits), dtype=np.bool_)
    within = np.logical_and.reduce([free, *limits])
    found = attempt(within)
    if found is not None or not len(limits):
        return found, yielded
    found, allowed = attempt(free), free
    if found is None:
        return None, yielded
    for place, mask in enumerate(limits):
        closer = allowed & mask
        better = None if np.array_equal(closer, within) else attempt(closer)
        yielded[place] = better is None
        if better is not None:
            found, allowed = better, closer
    return found, yielded


def k_table(rules: ExposureRules, items: ItemParameters) -> Floats:
    """Sympson-Hetter parameters, shape ``(n_strata, n_items)``."""
    table = np.ones((rules.n_strata, len(items)))
    for name, values in rules.k:
        table[:, items.row(name)] = values
    return table


def names_of(limits: Sequence[str], yielded: Bools) -> list[str]:
    """Events of one sitting's step."""
    return [event_of(name) for name, did in zip(limits, yielded, strict=True) if did]


def eligibility_draws(seeds: Words, n_items: int) -> Floats:
    """Numbers that an item's chance must exceed to be eligible, ``(n_persons, n_items)``."""
    return _draws(seeds, "eligibility", n_items)


def _draws(seeds: Words, purpose: str, n_items: int) -> Floats:
    """One number for each item of a sitting, whatever the step, shape ``(n_persons, n_items)``.

    Tried at two steps, an item gets the same answer; in neighbouring strata of theta its chances
    overlap instead of adding up.
    """
    rows: Ints = np.arange(n_items, dtype=np.int64)
    return uniform(seeds[:, None], 0, purpose, rows[None])
