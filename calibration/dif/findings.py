"""What a method says of one item in one comparison, and the correction for many items at once.

Made by the methods of this folder, put together by ``study``. Imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from engine.arrays import Floats

NAN = float("nan")


@dataclass(frozen=True)
class Finding:
    """One item, one reference group, one focal group.

    Parameters
    ----------
    statistic, df, p
        Of the method's test; NaN where it could not be computed, and ``note`` says why.
    effect
        How large the difference is, in the method's own measure; NaN where unknown.
    ets_class
        A (negligible), B or C (large) where the method defines classes, else ''.
    note
        Why something is missing, or what to keep in mind.
    more
        Further figures of the method by column name.
    """

    statistic: float
    df: float
    p: float
    effect: float
    ets_class: str = ""
    note: str = ""
    more: dict[str, float] = field(default_factory=dict)

    def with_note(self, text: str) -> Finding:
        """Add a remark."""
        return replace(self, note="; ".join(part for part in (self.note, text) if part))


def blank(note: str) -> Finding:
    """Make the finding of an item for which nothing can be computed."""
    return Finding(NAN, NAN, NAN, NAN, "", note)


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjust p values so that the expected share of false discoveries stays below the level.

    p_(i) becomes min over j >= i of p_(j) m / j, with m the number of p values that are there.

    Parameters
    ----------
    p
        Shape (n,); NaN stays NaN and does not count.

    References
    ----------
    Benjamini and Hochberg (1995).
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    from_above = np.minimum.accumulate((p[order] * order.size / ranks)[::-1])[::-1]
    adjusted[order] = np.minimum(from_above, 1.0)
    return adjusted
