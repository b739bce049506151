"""Counters in a simulation: read before a block of examinees, added to after it.

A live site reads its counters before every step; here the examinees of a block do not see each
other, so blocks are small while few have sat. Called by `engine.simulation.run`. Imports numpy and
the exposure rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.exposure.barriers import eligibility_draws
from engine.exposure.usage import Readings, Usage
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.rules.pretest import item_knowledge

FIRST_BLOCK = 10
SHARE = 0.02
"""A block is at most this share of those who have sat, after the first."""


def block_size(design: ExamDesign, sittings: int, most: int) -> int:
    """How many examinees may go at once without seeing each other's items."""
    if not (design.exposure.needs_usage or design.pretest.count):
        return most
    return min(most, max(FIRST_BLOCK, int(SHARE * sittings)))


@dataclass(frozen=True, eq=False)
class Block:
    """What happened in a block of sittings.

    Parameters
    ----------
    rows, strata
        Bank rows given and the strata of theta in which they were chosen, shape
        ``(n_persons, longest)``, -1 after the last.
    theta, seeds
        Final estimates, and of the sittings, shape ``(n_persons,)``.
    visited, feasible
        Strata of theta met, and whether the draw of eligible items never yielded there, shape
        ``(n_persons, n_strata)``.
    """

    rows: Ints
    strata: Ints
    theta: Floats
    seeds: Words
    visited: Bools
    feasible: Bools


def block_usage(
    block: Block,
    design: ExamDesign,
    items: ItemParameters,
    found: Readings | None,
    pretest: Bools,
) -> Usage:
    """Counters of one block.

    Parameters
    ----------
    found
        What the block read.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    """
    n_items, visits = len(items), block.visited.astype(np.int64)
    given, n_strata = _uses(block.rows, n_items), block.visited.shape[1]
    eligible, open_ = _eligible(block, design, found, n_items)
    return Usage(
        sittings=len(block.rows),
        given=given,
        visits=visits.sum(axis=0),
        feasible=(visits * block.feasible).sum(axis=0),
        taken=np.array([_uses(block.rows[block.strata == s], n_items) for s in range(n_strata)]),
        eligible=eligible,
        open=open_,
        knowledge=_knowledge(design, items, block, pretest),
    )


def _uses(rows: Ints, n_items: int) -> Ints:
    """How many of the sittings gave each item, shape ``(n_items,)``; none gave one twice."""
    return np.bincount(rows[rows >= 0], minlength=n_items).astype(np.int64)


def _eligible(
    block: Block, design: ExamDesign, found: Readings | None, n_items: int
) -> tuple[Ints, Ints]:
    """Visits in which each item was eligible or the draw yielded, by stratum; and sittings."""
    visited, feasible = block.visited, block.feasible
    if design.exposure.method != "eligibility" or found is None:
        counts = np.repeat(visited.sum(axis=0)[:, None], n_items, axis=1).astype(np.int64)
        return counts, np.full(n_items, len(visited), dtype=np.int64)
    counts = np.empty((visited.shape[1], n_items), dtype=np.int64)
    draws = eligibility_draws(block.seeds, n_items)
    ever = np.zeros(draws.shape, dtype=np.bool_)
    for stratum, chances in enumerate(found.chances):
        allowed = (draws < chances) | ~feasible[:, stratum, None]
        allowed &= visited[:, stratum, None]
        counts[stratum] = allowed.sum(axis=0)
        ever |= allowed
    return counts, ever.sum(axis=0).astype(np.int64)


def _knowledge(design: ExamDesign, items: ItemParameters, block: Block, pretest: Bools) -> Floats:
    """What the block says about the parameters of items that are tried out."""
    knowledge = np.zeros((len(items), 2, 2))
    if design.pretest.choice == "d_optimal" and pretest.any():
        rows = np.flatnonzero(pretest)
        at = np.where(np.isfinite(block.theta), block.theta, design.prior_mean)
        given = np.array([(block.rows == row).any(axis=1) for row in rows]).T
        tables = item_knowledge(at, items, rows)
        knowledge[rows] = (given[..., None, None] * tables).sum(axis=0)
    return knowledge
