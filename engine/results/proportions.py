"""How sure a share is that was counted. Called by reports on groups; imports nothing of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Proportion:
    """A share that was counted, with an interval.

    Parameters
    ----------
    count, n
        How many of how many.
    low, high
        Ends of the interval.
    """

    count: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """``count / n``."""
        return self.count / self.n


def wilson(count: int, n: int, *, level: float = 0.95) -> Proportion | None:
    """Share with Wilson's score interval (Wilson, 1927).

    ``(p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)``: it holds its level for small n
    and for shares near 0 and 1, where the plain interval does not.

    Parameters
    ----------
    count, n
        How many of how many.
    level
        Of the interval, two-sided.

    Returns
    -------
    Proportion or None
        None of nothing, ``n = 0``.
    """
    if n == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, weight = count / n, z * z / n
    half = z * math.sqrt(p * (1 - p) / n + weight / (4 * n))
    low, high = ((p + weight / 2 + side * half) / (1 + weight) for side in (-1, 1))
    return Proportion(count, n, max(0.0, min(low, p)), min(1.0, max(high, p)))
