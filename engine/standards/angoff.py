"""Modified Angoff: judges say how a minimally competent candidate would do on each item.

A judge's ratings add up to the score that such a candidate would get; the judge's cut is the theta
at which the test characteristic curve of the rated items has that score. Called by ``item_bank``.
Imports numpy, scipy and the models.

References
----------
Angoff, W. H. (1971). Scales, norms, and equivalent scores. In R. L. Thorndike (Ed.), *Educational
measurement*. ACE.

Impara, J. C., & Plake, B. S. (1997). Standard setting: An alternative approach. *Journal of
Educational Measurement*, 34.

Cizek, G. J., & Bunch, M. B. (2007). *Standard setting*. Sage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models.dispatch import expected_score
from engine.standards.panels import (
    HIGHEST,
    LOWEST,
    JudgeCut,
    NoCut,
    PanelCut,
    jackknife_se,
    panel_cut,
)

POINTS = 321


@dataclass(frozen=True, eq=False)
class JudgeConsistency:
    """How a judge's ratings agree with the items' parameters.

    Parameters
    ----------
    n_items
        Items that the judge rated.
    correlation
        Of the ratings with the expected scores at the judge's own cut, both as shares of the item's
        maximum; None with fewer than three items or without variation.
    rmse
        Root mean square of their differences, as a share of the maximum; None without a cut.
    """

    n_items: int
    correlation: float | None
    rmse: float | None


@dataclass(frozen=True, eq=False)
class AngoffResult:
    """What a round of Angoff ratings comes to.

    Parameters
    ----------
    judges
        One cut for each panellist.
    panel
        Of them all; its ``se_jackknife`` is that of ``pooled``.
    pooled
        The cut of the mean ratings, taken as if one judge had given them.
    item_mean, item_sd
        Of the ratings of each item as shares of its maximum, shape ``(n_items,)``; NaN for an item
        that nobody (for the SD: fewer than two) rated.
    item_expected
        Expected share at the panel's mean cut, shape ``(n_items,)``; NaN without a cut.
    consistency
        One for each panellist.
    """

    judges: tuple[JudgeCut, ...]
    panel: PanelCut
    pooled: JudgeCut
    item_mean: Floats
    item_sd: Floats
    item_expected: Floats
    consistency: tuple[JudgeConsistency, ...]


def angoff(ratings: npt.ArrayLike, items: ItemParameters) -> AngoffResult:
    """Set a cut from the ratings of a panel.

    A judge's cut solves ``sum_i E_i(theta) = sum_i r_i`` over the items that the judge rated, with
    E_i the expected score of item i.

    Parameters
    ----------
    ratings
        Shape ``(n_panellists, n_items)``: the chance that a minimally competent candidate answers
        right, or the expected score of an item with more scores than two; NaN for not rated.
    items
        The rated items.

    Raises
    ------
    InputError
        When the shape is another, or a rating is not within the scores of its item.
    """
    table = np.asarray(ratings, dtype=np.float64)
    _check(table, items)
    curve = Curve(items)
    judges = tuple(curve.cut(row) for row in table)
    pooled = curve.cut(_means(table))
    panel = panel_cut(judges, se_jackknife=_jackknife(table, curve))
    shares = table / curve.top
    expected = np.full(len(items), np.nan)
    if panel.mean is not None:
        expected = expected_score(panel.mean, items)[0] / curve.top
    return AngoffResult(
        judges,
        panel,
        pooled,
        _means(shares),
        _spreads(shares),
        expected,
        tuple(_consistency(row, cut, items) for row, cut in zip(shares, judges, strict=True)),
    )


class Curve:
    """The test characteristic curves of some items, ready to be inverted.

    Parameters
    ----------
    items
        What can be rated.
    """

    def __init__(self, items: ItemParameters) -> None:
        self.items = items
        self.top: Floats = (items.n_categories - 1).astype(np.float64)
        self._theta = np.linspace(LOWEST, HIGHEST, POINTS)
        self._expected = expected_score(self._theta, items)

    def cut(self, ratings: Floats) -> JudgeCut:
        """Find the theta at which the rated items have the sum of their ratings.

        Parameters
        ----------
        ratings
            Shape ``(n_items,)``, NaN for not rated.

        Returns
        -------
        JudgeCut
            Without theta where nothing is rated, the sum lies below the curve (guessing alone gets
            more) or above it, or several thetas have it (curves of ``nrm`` may fall).
        """
        rated = np.isfinite(ratings)
        if not rated.any():
            return JudgeCut(None, NoCut.UNRATED)
        above = self._expected[:, rated].sum(axis=1) - ratings[rated].sum()
        crossings = np.flatnonzero(np.diff(above > 0))
        if len(crossings) == 0:
            return JudgeCut(None, NoCut.BELOW if above[0] > 0 else NoCut.ABOVE)
        if len(crossings) > 1:
            return JudgeCut(None, NoCut.SEVERAL)
        return JudgeCut(self._solved(int(crossings[0]), rated, float(ratings[rated].sum())))

    def _solved(self, left: int, rated: Bools, total: float) -> float:
        some = self.items.subset(rated)

        def gap(theta: float) -> float:
            return float(expected_score(theta, some).sum()) - total

        low, high = self._theta[left], self._theta[left + 1]
        if gap(low) == 0.0:
            return float(low)
        return float(brentq(gap, low, high, xtol=1e-10))


def _check(table: Floats, items: ItemParameters) -> None:
    if table.ndim != 2 or table.shape[1] != len(items):
        raise InputError(f"shape (n_panellists, {len(items)})", table.shape, column="ratings")
    wrong = (table < 0) | (table > items.n_categories - 1) | np.isinf(table)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        top = int(items.n_categories[column]) - 1
        where = f"ratings of {items.item[column]}"
        raise InputError(f"a number from 0 to {top}", float(table[row, column]), column=where)


def _jackknife(table: Floats, curve: Curve) -> float | None:
    """Standard error of the pooled cut: without each judge in turn."""
    cuts = [curve.cut(_means(np.delete(table, row, axis=0))).theta for row in range(len(table))]
    return jackknife_se([np.nan if cut is None else cut for cut in cuts])


def _means(table: Floats) -> Floats:
    """Mean of each column over the judges who rated it; NaN where none did."""
    n = np.isfinite(table).sum(axis=0)
    total = np.nansum(table, axis=0)
    means: Floats = np.divide(total, n, out=np.full(table.shape[1], np.nan), where=n > 0)
    return means


def _spreads(table: Floats) -> Floats:
    """Standard deviation of each column with n - 1; NaN with fewer than two judges."""
    n = np.isfinite(table).sum(axis=0)
    squares = np.nansum((table - _means(table)) ** 2, axis=0)
    empty = np.full(table.shape[1], np.nan)
    spreads: Floats = np.sqrt(np.divide(squares, n - 1, out=empty, where=n > 1))
    return spreads


def _consistency(shares: Floats, cut: JudgeCut, items: ItemParameters) -> JudgeConsistency:
    rated = np.isfinite(shares)
    n = int(rated.sum())
    if cut.theta is None:
        return JudgeConsistency(n, None, None)
    top = items.n_categories - 1
    model = (expected_score(cut.theta, items)[0] / top)[rated]
    given = shares[rated]
    rmse = float(np.sqrt(((given - model) ** 2).mean()))
    if n < 3 or given.std() < 1e-12 or model.std() < 1e-12:
        return JudgeConsistency(n, None, rmse)
    return JudgeConsistency(n, float(np.corrcoef(given, model)[0, 1]), rmse)
