"""Counters in a simulation: read before a block of examinees, added to after it.

A live site reads its counters before every step; here the examinees of a block do not see each
other, so blocks are small while few have sat. Called by `engine.simulation`. Imports numpy and the
exposure rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.designs import ExamDesign
from engine.exposure.barriers import eligibility_draws
from engine.exposure.usage import Readings, Usage
from engine.items import ItemParameters
from engine.pretest import item_knowledge

FIRST_BLOCK = 10
SHARE = 0.1
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
    rows
        Bank rows given, shape ``(n_persons, longest)``, -1 after the last.
    theta, seeds
        Final estimates, and of the sittings, shape ``(n_persons,)``.
    visited, feasible
        Strata of theta met, and whether the draw of eligible items never yielded there, shape
        ``(n_persons, n_strata)``.
    """

    rows: Ints
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
    # One column more takes the -1 after a sitting's last item.
    given = np.zeros((len(block.rows), len(items) + 1), dtype=np.int64)
    np.put_along_axis(given, block.rows, 1, axis=1)
    given = given[:, :-1]
    visits = block.visited.astype(np.int64)
    return Usage(
        sittings=len(block.rows),
        given=given.sum(axis=0),
        visits=visits.sum(axis=0),
        feasible=(visits * block.feasible).sum(axis=0),
        taken=visits.T @ given,
        eligible=_eligible(block, design, found, len(items)),
        knowledge=_knowledge(design, items, given, block.theta, pretest),
    )


def _eligible(block: Block, design: ExamDesign, found: Readings | None, n_items: int) -> Ints:
    """Visits in which each item was eligible or the draw yielded, ``(n_strata, n_items)``."""
    visited, feasible = block.visited, block.feasible
    if design.exposure.method != "eligibility" or found is None:
        return np.repeat(visited.sum(axis=0)[:, None], n_items, axis=1).astype(np.int64)
    draws = eligibility_draws(block.seeds, n_items)
    counts = np.empty((visited.shape[1], n_items), dtype=np.int64)
    for stratum, chances in enumerate(found.chances):
        allowed = (draws < chances) | ~feasible[:, stratum, None]
        counts[stratum] = allowed[visited[:, stratum]].sum(axis=0)
    return counts


def _knowledge(
    design: ExamDesign, items: ItemParameters, given: Ints, theta: Floats, pretest: Bools
) -> Floats:
    """What the block says about the parameters of items that are tried out."""
    knowledge = np.zeros((len(items), 2, 2))
    if design.pretest.choice == "d_optimal":
        rows = np.flatnonzero(pretest)
        at = np.where(np.isfinite(theta), theta, design.prior_mean)
        tables = item_knowledge(at, items, rows)
        knowledge[rows] = (given[:, rows, None, None] * tables).sum(axis=0)
    return knowledge
