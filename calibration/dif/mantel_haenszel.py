"""Mantel-Haenszel and Mantel: compare groups within strata of persons of equal standing.

Dichotomous items: the common odds ratio, its test and the classes of the Educational Testing
Service. Polytomous items: Mantel's test and the standardised mean difference. Called by ``study``.

Sources: Mantel and Haenszel (1959); Mantel (1963); Holland and Thayer (1988); Robins, Breslow and
Greenland (1986); Zwick and Ercikan (1989); Dorans and Schmitt (1991); Zwick, Thayer and Mazzeo
(1997).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from calibration.dif.findings import NAN, Finding, blank
from engine.arrays import Bools, Floats, Ints

DELTA = -2.35
LEVEL = 0.05
ONE_SIDED = 1.6448536269514722
SMD_B, SMD_C = 0.17, 0.25


def strata_table(score: Ints, focal: Bools, stratum: Ints, n_categories: int) -> Floats:
    """Count persons by stratum, group (reference first) and score.

    Returns
    -------
    Floats
        Shape (n_strata, 2, n_categories), only strata in which both groups stand.
    """
    _values, code = np.unique(stratum, return_inverse=True)
    cells = (code * 2 + focal) * n_categories + score
    width = (int(code.max(initial=-1)) + 1) * 2 * n_categories
    table = np.bincount(cells, minlength=width).reshape(-1, 2, n_categories)
    both = (table.sum(axis=2) > 0).all(axis=1)
    return np.asarray(table[both], dtype=np.float64)


def mantel_haenszel(score: Ints, focal: Bools, stratum: Ints, n_categories: int) -> Finding:
    """Test an item, dichotomous or polytomous.

    Parameters
    ----------
    score
        Of the persons who answered the item, shape (n,).
    focal
        Who of them is in the focal group, shape (n,).
    stratum
        Whom to compare with whom: equal numbers, shape (n,).
    n_categories
        Of the item.

    Returns
    -------
    Finding
        Two categories: chi-square with a continuity correction of 0.5, which is left out where
        |sum(A - E)| is smaller (as R's ``mantelhaen.test`` does); effect
        delta = -2.35 ln(odds of reference / odds of focal). More categories: Mantel's chi-square;
        effect the standardised mean difference, focal minus reference, in score points. Negative
        is harder
        for the focal group. Blank where no stratum has both groups, or no score varies.
    """
    table = strata_table(score, focal, stratum, n_categories)
    if not table.size:
        return blank("no stratum with persons of both groups")
    if n_categories == 2:
        return _dichotomous(table)
    return _polytomous(table)


def _dichotomous(table: Floats) -> Finding:
    a, b, c, d = table[:, 0, 1], table[:, 0, 0], table[:, 1, 1], table[:, 1, 0]
    statistic = _corrected_chi_square(table)
    if np.isnan(statistic):
        return blank("the score does not vary within any stratum of both groups")
    total = a + b + c + d
    right, wrong = (a * d / total).sum(), (b * c / total).sum()
    p = float(chi2.sf(statistic, 1))
    if right == 0 or wrong == 0:
        found = Finding(statistic, 1.0, p, NAN)
        return found.with_note("no delta: the common odds ratio is 0 or infinite")
    delta = float(DELTA * np.log(right / wrong))
    error = abs(DELTA) * _log_odds_error(a, b, c, d)
    more = {"odds_ratio": float(right / wrong), "effect_se": error}
    return Finding(statistic, 1.0, p, delta, ets_class(delta, error, p), "", more)


def _corrected_chi_square(table: Floats) -> float:
    """(|sum(A - E)| - 0.5)^2 / sum V, without the 0.5 where it is the larger; NaN where V is 0."""
    away, variance = _hypergeometric(table)
    if variance <= 0:
        return NAN
    correction = 0.5 if abs(away) >= 0.5 else 0.0
    return float((abs(away) - correction) ** 2 / variance)


def _hypergeometric(table: Floats) -> tuple[float, float]:
    """Sum of scores of the focal group less what is expected, and its variance."""
    scores = np.arange(table.shape[2])
    by_group, people = table @ scores, table.sum(axis=2)
    total, both = people.sum(axis=1), table.sum(axis=1)
    first, second = both @ scores, both @ scores**2
    expected = people[:, 1] * first / total
    spread = people[:, 0] * people[:, 1] * (total * second - first**2)
    variance = spread / (total**2 * np.maximum(total - 1, 1))
    return float((by_group[:, 1] - expected).sum()), float(variance.sum())


def _log_odds_error(a: Floats, b: Floats, c: Floats, d: Floats) -> float:
    """Standard error of the log of the common odds ratio (Robins, Breslow and Greenland)."""
    total = a + b + c + d
    agree, cross = (a + d) / total, (b + c) / total
    right, wrong = a * d / total, b * c / total
    r, s = right.sum(), wrong.sum()
    variance = (
        (agree * right).sum() / (2 * r**2)
        + (agree * wrong + cross * right).sum() / (2 * r * s)
        + (cross * wrong).sum() / (2 * s**2)
    )
    return float(np.sqrt(variance))


def ets_class(delta: float, error: float, p: float) -> str:
    """Class of a delta: C is large and significantly above 1, A is small or not significant.

    A: p of the chi-square at least .05, or |delta| < 1. C: |delta| >= 1.5 and (|delta| - 1) / SE
    above 1.645. B: what is left.
    """
    size = abs(delta)
    if p >= LEVEL or size < 1.0:
        return "A"
    return "C" if size >= 1.5 and (size - 1.0) > ONE_SIDED * error else "B"


def _polytomous(table: Floats) -> Finding:
    away, variance = _hypergeometric(table)
    if variance <= 0:
        return blank("the score does not vary within any stratum of both groups")
    statistic = away**2 / variance
    p = float(chi2.sf(statistic, 1))
    smd = _standardised_difference(table)
    spread = _deviation(table.sum(axis=(0, 1)))
    letter = _smd_class(smd / spread, p)
    return Finding(float(statistic), 1.0, p, smd, letter, "", {"effect_in_sd": smd / spread})


def _standardised_difference(table: Floats) -> float:
    """Mean score of the focal group less that of the reference group weighted like it."""
    people = table.sum(axis=2)
    means = table @ np.arange(table.shape[2]) / people
    weights = people[:, 1] / people[:, 1].sum()
    return float((weights * (means[:, 1] - means[:, 0])).sum())


def _deviation(counts: Floats) -> float:
    scores, n = np.arange(counts.size), counts.sum()
    mean = counts @ scores / n
    return float(np.sqrt(counts @ (scores - mean) ** 2 / (n - 1)))


def _smd_class(ratio: float, p: float) -> str:
    if p >= LEVEL or abs(ratio) <= SMD_B:
        return "A"
    return "C" if abs(ratio) > SMD_C else "B"
