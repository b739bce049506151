"""Where a sitting starts: at a set theta, or at one drawn from a range.

Called by `engine.session` and `engine.simulation.run`. Imports numpy and `engine.randomness`.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats, Words
from engine.randomness import uniform
from engine.rules.designs import ExamDesign


def starting_thetas(design: ExamDesign, seeds: Words) -> Floats:
    """Theta at which each sitting's first item is selected, shape ``(n_persons,)``."""
    if not design.start_range:
        return np.full(len(seeds), design.start_theta)
    low, high = design.start_range
    return low + (high - low) * uniform(seeds, 0, "start")
