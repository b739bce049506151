"""Randomesque selection (Kingsbury and Zara, 1989): draw each item among the best few.

Called by `engine.session` and `engine.simulation.run`. Imports numpy and `engine.randomness`.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Ints, Words
from engine.randomness import uniform


def draw(candidates: Ints, seeds: Words, position: int) -> Ints:
    """Draw one of each person's candidates, with equal chances.

    Parameters
    ----------
    candidates
        Bank rows, best first, shape ``(n_persons, k)``; -1 where fewer than k were eligible.
    seeds
        Of the sittings, shape ``(n_persons,)``.
    position
        Of the step, from 0.

    Returns
    -------
    Ints
        A row for each person; -1 for one without candidates.
    """
    if candidates.shape[1] == 1:
        return candidates[:, 0]
    count = (candidates >= 0).sum(axis=1)
    place = np.floor(uniform(seeds, position, "randomesque") * count).astype(np.int64)
    chosen: Ints = np.take_along_axis(candidates, place[:, None], axis=1)[:, 0]
    return chosen
