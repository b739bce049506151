"""From the cuts of single judges to the cut of a panel, with its standard errors.

Called by `angoff`, `bookmark` and whoever reports rounds. Imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats
from engine.errors import InputError

LOWEST, HIGHEST = -8.0, 8.0
"""Cuts are sought between these."""


class NoCut(StrEnum):
    """Why a judge's ratings give no cut."""

    UNRATED = "unrated"
    BELOW = "below"
    ABOVE = "above"
    SEVERAL = "several"


@dataclass(frozen=True)
class JudgeCut:
    """The cut of one judge.

    Parameters
    ----------
    theta
        None where the ratings give none.
    reason
        Why not; None where there is a cut.
    """

    theta: float | None
    reason: NoCut | None = None


@dataclass(frozen=True)
class PanelCut:
    """The cut of a panel: what its judges' cuts have in common, and how far they differ.

    Parameters
    ----------
    n, left_out
        Judges with a cut, and without.
    mean, median
        Of the judges' cuts; None without a judge.
    sd
        Of the judges' cuts, with n - 1; None with fewer than two.
    se
        ``sd / sqrt(n)``; with clusters the one that `clustered_se` gives.
    se_jackknife
        Of the statistic that the method states; None where it is not estimable.
    lowest, highest
        Of the judges' cuts.
    intraclass
        Correlation of cuts within clusters; None without clusters.
    """

    n: int
    left_out: int
    mean: float | None = None
    median: float | None = None
    sd: float | None = None
    se: float | None = None
    se_jackknife: float | None = None
    lowest: float | None = None
    highest: float | None = None
    intraclass: float | None = None

    @property
    def se_median(self) -> float | None:
        """Standard error of the median: ``se sqrt(pi / 2)``, for cuts that are normal."""
        return None if self.se is None else self.se * (math.pi / 2) ** 0.5


def panel_cut(
    cuts: Sequence[JudgeCut],
    *,
    clusters: Sequence[str] | None = None,
    se_jackknife: float | None = None,
) -> PanelCut:
    """Sum the judges' cuts up.

    ``SE = SD / sqrt(n)`` takes judges as drawn from many who could have sat on the panel. Judges
    who sat at one table heard each other; then the SE is that of `clustered_se`.

    Parameters
    ----------
    cuts
        One for each judge.
    clusters
        The table of each judge; None, or the same for all, for no tables.
    se_jackknife
        What the method found by leaving one judge out.

    References
    ----------
    Cizek, G. J., & Bunch, M. B. (2007). *Standard setting*. Sage.
    """
    theta = np.array([cut.theta for cut in cuts if cut.theta is not None], dtype=np.float64)
    n, left_out = len(theta), len(cuts) - len(theta)
    if n == 0:
        return PanelCut(0, left_out)
    sd = float(theta.std(ddof=1)) if n > 1 else None
    rho = None
    if clusters is not None:
        tables = [c for c, cut in zip(clusters, cuts, strict=True) if cut.theta is not None]
        rho = intraclass_correlation(theta, tables)
        se = None if sd is None else clustered_se(theta, tables)
    else:
        se = None if sd is None else sd / n**0.5
    return PanelCut(
        n,
        left_out,
        float(theta.mean()),
        float(np.median(theta)),
        sd,
        se,
        se_jackknife,
        float(theta.min()),
        float(theta.max()),
        rho,
    )


def jackknife_se(left_one_out: npt.ArrayLike) -> float | None:
    """Standard error from the statistic computed without each judge in turn.

    ``SE = sqrt((n - 1) / n * sum((t_i - mean(t))^2))`` (Tukey, 1958); of a mean it equals
    ``SD / sqrt(n)``.

    Parameters
    ----------
    left_one_out
        Shape ``(n_judges,)``.

    Returns
    -------
    float or None
        None with fewer than two judges, or where a statistic is not finite.
    """
    t = np.asarray(left_one_out, dtype=np.float64)
    if len(t) < 2 or not np.isfinite(t).all():
        return None
    return float(np.sqrt((len(t) - 1) * t.var()))


def intraclass_correlation(cuts: Floats, clusters: Sequence[str]) -> float | None:
    """Correlation of cuts within clusters, from a one-way analysis of variance.

    ``rho = (MSB - MSW) / (MSB + (m - 1) MSW)`` with m the mean cluster size weighted for unequal
    ones, not below 0.

    Parameters
    ----------
    cuts
        Shape ``(n_judges,)``.
    clusters
        The cluster of each.

    Returns
    -------
    float or None
        None with one cluster, or with nobody beside another.

    References
    ----------
    Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations. *Psychological Bulletin*, 86.
    """
    if len(clusters) != len(cuts):
        raise InputError(f"{len(cuts)} clusters, one by judge", len(clusters))
    names, of = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    n, k = len(cuts), len(names)
    if k < 2 or n == k:
        return None
    sizes = np.bincount(of).astype(np.float64)
    means = np.bincount(of, cuts) / sizes
    between = float((sizes * (means - cuts.mean()) ** 2).sum()) / (k - 1)
    within = float(((cuts - means[of]) ** 2).sum()) / (n - k)
    size = (n - float((sizes**2).sum()) / n) / (k - 1)
    total = between + (size - 1) * within
    return 0.0 if total <= 0 else max(0.0, (between - within) / total)


def clustered_se(cuts: Floats, clusters: Sequence[str]) -> float:
    """Standard error of the mean cut of judges who sat at tables.

    ``SE = sqrt(S^2 / n * (1 + (m - 1) rho))``, S^2 the variance of the cuts, m the mean number of
    judges at a table and rho their intraclass correlation.

    Parameters
    ----------
    cuts
        Shape ``(n_judges,)``, at least two.
    clusters
        The table of each.

    References
    ----------
    Lewis, D. M., Green, D. R., Mitzel, H. C., Baum, K., & Patz, R. J. (1998). *The bookmark
    standard setting procedure: Methodology and recent implementations*. NCME, after Cochran (1963).
    """
    n, k = len(cuts), len(set(clusters))
    rho = intraclass_correlation(cuts, clusters) or 0.0
    return float((cuts.var(ddof=1) / n * (1 + (n / k - 1) * rho)) ** 0.5)


@dataclass(frozen=True)
class Movement:
    """What a round changed.

    Parameters
    ----------
    moved
        Judges whose cut changed by more than ``tolerance``, among those with a cut in both rounds.
    shift
        Change of the mean cut of these judges; None without any.
    sd_ratio
        SD after divided by SD before: below 1 the judges came nearer to each other; None where
        either is missing or 0.
    """

    judges: int
    moved: int
    shift: float | None
    sd_ratio: float | None


def movement(
    before: Sequence[JudgeCut], after: Sequence[JudgeCut], *, tolerance: float = 1e-6
) -> Movement:
    """Compare two rounds of the same judges, in the same order."""
    pairs = [
        (one.theta, two.theta)
        for one, two in zip(before, after, strict=True)
        if one.theta is not None and two.theta is not None
    ]
    if not pairs:
        return Movement(0, 0, None, None)
    old, new = np.array(pairs, dtype=np.float64).T
    ratio = None
    if len(pairs) > 1 and old.std() > 0:
        ratio = float(new.std() / old.std())
    moved = int((np.abs(new - old) > tolerance).sum())
    return Movement(len(pairs), moved, float((new - old).mean()), ratio)
