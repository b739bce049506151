"""The maximum priority index: information weighted by how much each constraint still asks for.

Cheng and Chang (2009), with their two phases: first the minimums are filled, then the rest up to
the maximums. It steers; that no bound is broken is the work of the masks. Called by
`engine.blueprints.balance`. Imports numpy and `engine.blueprints.constraints`.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats
from engine.blueprints.constraints import TOTALS, Constraints
from engine.blueprints.look_ahead import Progress


def priorities(bound: Constraints, now: Progress, values: Floats, eligible: Bools) -> Floats:
    """Weigh criterion values by the constraints on numbers of items.

    An item's value is multiplied, for each bound it counts towards, by the share of the bound
    that is still open: of the minimum while any minimum is unmet, 0 for a bound whose minimum is
    met, and of the maximum afterwards, or where every eligible item would have 0.

    Parameters
    ----------
    values
        Not negative, shape ``(n_persons, n_items)``.
    eligible
        By the masks, same shape.

    Returns
    -------
    Floats
        Same shape.
    """
    counts = np.flatnonzero([kind != TOTALS for kind in bound.kinds])
    inside, held = bound.weights[counts] > 0, now.held[:, counts]
    lower = np.maximum(bound.lower[counts], 0.0)
    upper = np.minimum(bound.upper[counts], bound.length)
    asked = _factors(inside, np.where(lower > 0, np.maximum(lower - held, 0.0), 1.0), lower)
    room = _factors(inside, np.maximum(upper - held, 0.0), upper)
    first: Bools = np.asarray((held < lower).any(axis=1) & (eligible & (asked > 0)).any(axis=1))
    weighed: Floats = values * np.where(first[:, None], asked, room)
    return weighed


def _factors(inside: Bools, open_: Floats, whole: Floats) -> Floats:
    """Product over an item's bounds of the open share, shape ``(n_persons, n_items)``."""
    factors = np.ones((len(open_), inside.shape[1]))
    share = np.where(whole > 0, open_ / np.where(whole > 0, whole, 1.0), open_)
    for place, members in enumerate(inside):
        factors[:, members] *= share[:, [place]]
    return factors
