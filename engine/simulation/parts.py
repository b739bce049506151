"""A simulation in parts: which examinees may go apart, and one record of them all.

An examinee's sitting depends on the examinee's place in the whole simulation, never on the part,
so parts that were simulated anywhere, in any order, join to what one machine would have found.
Called by ``calibration.simulations.cluster``. Imports `engine.simulation.run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from engine.fast.plain_simulation import persons_at_once
from engine.rules.designs import ExamDesign
from engine.simulation.run import PERSONS_AT_ONCE, Simulated

PERSONS_IN_A_PART = 2048
WHOLE = frozenset({"items", "design", "seed", "usage"})
"""What a record has once; all else has a row for each examinee."""


def is_divisible(design: ExamDesign) -> bool:
    """Whether examinees do not see what those before them were given."""
    return not (design.exposure.needs_usage or design.pretest.count)


def parts(n: int, n_items: int, design: ExamDesign, *, tried_out: bool = False) -> list[range]:
    """Places of the examinees of each part.

    A part is made of whole blocks, those in which one machine would simulate the examinees: sums
    over other blocks could differ in their last bits.

    Parameters
    ----------
    n, n_items
        Examinees, and items of the bank.
    tried_out
        Whether the bank has items that are tried out.

    Returns
    -------
    list
        Ranges that follow each other; a single one where the design is not divisible.
    """
    if not is_divisible(design):
        return [range(n)]
    plain = design.is_plain and not tried_out
    block = persons_at_once(n_items) if plain else PERSONS_AT_ONCE
    size = block * max(1, PERSONS_IN_A_PART // block)
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def joined(records: Sequence[Simulated]) -> Simulated:
    """One record of all parts, in their order; counters begin where the first part's did."""
    columns = [part.name for part in fields(Simulated) if part.name not in WHOLE]
    together: dict[str, Any] = {
        name: np.concatenate([getattr(record, name) for record in records]) for name in columns
    }
    usage = reduce(add, (record.usage for record in records))
    return replace(records[0], **together, usage=usage)
