"""What other sittings were given so far, as far as a choice depends on it.

Counters are kept outside the engine and handed in; a step writes what it read from them into its
trace, from which `logged_usage` restores it for replay. Imports numpy and the exposure rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.exposure.rules import ExposureRules


@dataclass(frozen=True, eq=False)
class Usage:
    """Counters over the sittings so far.

    Parameters
    ----------
    sittings
        How many there were.
    given
        Sittings in which each item was given, shape ``(n_items,)``; for an item that is tried out,
        its responses so far.
    visits, feasible
        Sittings in which a theta of the stratum was met, and those of them in which the draw of
        eligible items left one to give at every step there, shape ``(n_strata,)``.
    taken, eligible
        Of those visits, in how many the item was given in that stratum, and in how many it was
        eligible there or the draw had to yield, shape ``(n_strata, n_items)``.
    open
        Sittings in which each item was eligible in some stratum met, or the draw had to yield,
        shape ``(n_items,)``.
    knowledge
        Information about the two parameters (a, b) of an item that is tried out, shape
        ``(n_items, 2, 2)``; for choosing by D-optimality.
    """

    sittings: int
    given: Ints
    visits: Ints
    feasible: Ints
    taken: Ints
    eligible: Ints
    open: Ints
    knowledge: Floats

    def __add__(self, other: Usage) -> Usage:
        """Counters of both."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in Usage.__annotations__)
        return Usage(*(mine + theirs for mine, theirs in pairs))


def no_usage(n_items: int, n_strata: int = 1) -> Usage:
    """Counters before the first sitting."""
    return Usage(
        sittings=0,
        given=np.zeros(n_items, dtype=np.int64),
        visits=np.zeros(n_strata, dtype=np.int64),
        feasible=np.zeros(n_strata, dtype=np.int64),
        taken=np.zeros((n_strata, n_items), dtype=np.int64),
        eligible=np.zeros((n_strata, n_items), dtype=np.int64),
        open=np.zeros(n_items, dtype=np.int64),
        knowledge=np.zeros((n_items, 2, 2)),
    )


@dataclass(frozen=True, eq=False)
class Readings:
    """What a step reads from the counters.

    Parameters
    ----------
    full
        Items at the ceiling, shape ``(n_items,)``.
    chances
        Eligibility probabilities, shape ``(n_strata, n_items)``.
    given, knowledge
        As in `Usage`, for items that are tried out.
    """

    full: Bools
    chances: Floats
    given: Ints
    knowledge: Floats


def readings(usage: Usage, rules: ExposureRules) -> Readings:
    """Read the counters under an exam's rules; `InputError` when their shapes do not fit."""
    if usage.taken.shape != (rules.n_strata, len(usage.given)):
        expected = f"counters for {rules.n_strata} strata of theta"
        raise InputError(expected, f"shape {usage.taken.shape}", column="usage")
    chances = np.ones(usage.taken.shape)
    if rules.method == "eligibility" and rules.max_rate is not None:
        chances = eligibility_chances(usage, rules.max_rate)
    return Readings(items_at_ceiling(usage, rules), chances, usage.given, usage.knowledge)


def items_at_ceiling(usage: Usage, rules: ExposureRules) -> Bools:
    """Items that so large a share of all sittings had as the rules allow, shape ``(n_items,)``."""
    ceiling = np.inf if rules.ceiling is None else rules.ceiling
    return np.asarray(usage.given >= ceiling * max(usage.sittings, 1), dtype=np.bool_)


def eligibility_chances(usage: Usage, max_rate: float) -> Floats:
    """Probability with which each item is eligible, by stratum of theta.

    ``1 - 1/P(F) + r P(E or not F) / (P(A) P(F))``, kept within 0 and 1, where A says that a sitting
    with a theta of the stratum was given the item there, E that it was eligible, and F that the
    draw left an item to give; 1 for an item that nobody had (van der Linden and Veldkamp, 2004,
    2007). A sitting passes through several strata, whose rates add up; so the same is asked over
    all strata together, and the smaller probability holds.

    Counters also average over the time before an item came up often, and follow late. So where the
    rate so far is above the target, the probability is lowered by their ratio.

    Returns
    -------
    Floats
        Shape ``(n_strata, n_items)``.
    """
    visits, feasible = usage.visits[:, None], usage.feasible[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = max_rate * usage.eligible / usage.taken * (visits / feasible)
        chances = 1.0 - visits / feasible + share
        chances *= np.minimum(1.0, max_rate * visits / usage.taken)
        overall = max_rate * usage.open / usage.given
        overall *= np.minimum(1.0, max_rate * usage.sittings / usage.given)
    known = (usage.taken > 0) & (feasible > 0)
    chances = np.clip(np.where(known, chances, 1.0), 0.0, 1.0)
    if len(chances) > 1:
        chances = np.minimum(chances, np.where(usage.given > 0, overall, 1.0))
    return chances


def trace_of(found: Readings, rules: ExposureRules, stratum: int) -> dict[str, Any]:
    """What a step read, as JSON can hold it: full items, and chances below 1 in its stratum."""
    trace: dict[str, Any] = {}
    if rules.ceiling is not None:
        trace["full"] = np.flatnonzero(found.full).tolist()
    if rules.method == "eligibility":
        trace["stratum"] = stratum
        below = np.flatnonzero(found.chances[stratum] < 1)
        trace["chances"] = {str(row): float(found.chances[stratum, row]) for row in below}
    return trace


def logged_usage(trace: Mapping[str, Any], n_items: int, n_strata: int = 1) -> Readings:
    """Restore from the trace of a step what it read, for replay."""
    empty = no_usage(n_items, n_strata)
    full = np.zeros(n_items, dtype=np.bool_)
    usage = trace.get("usage", {})
    full[usage.get("full", [])] = True
    chances = np.ones((n_strata, n_items))
    for row, chance in usage.get("chances", {}).items():
        chances[:, int(row)] = chance
    given, knowledge = empty.given, empty.knowledge
    for row, count in usage.get("pretest_given", {}).items():
        given[int(row)] = count
    for row, table in usage.get("pretest_knowledge", {}).items():
        knowledge[int(row)] = table
    return Readings(full, chances, given, knowledge)
