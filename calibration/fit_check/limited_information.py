"""M2* and C2: whether the test as a whole follows the model, judged by single items and pairs.

Called by ``check``. Imports scipy.

Sources: Maydeu-Olivares and Joe (2006); Cai and Hansen (2013); Cai and Monroe (2014);
Maydeu-Olivares and Joe (2014) for RMSEA and SRMSR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, lstsq, solve_triangular
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from calibration.fit_check.moments import (
    Curves,
    add_item,
    category_curves,
    covariance,
    curves_of,
    derivatives,
    expected_moments,
    make_curves,
    observed_moments,
    pairs,
)
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from engine.arrays import Bools, Floats, Ints

MOST_MOMENTS = 6000
FEWEST_PERSONS = 10
NAN = float("nan")


@dataclass(frozen=True)
class ModelFit:
    """A statistic of the whole test; NaN throughout where ``note`` says why there is none.

    Parameters
    ----------
    statistic, df, p
        Of the chi-square test.
    rmsea, rmsea_low, rmsea_high
        Root mean square error of approximation with its 90 % interval.
    srmsr
        Root mean squared difference of observed and implied correlations of the scores.
    cfi, tli
        Against the model in which the items are independent; NaN where that has no df.
    n
        Persons who answered everything.
    note
        Why it is missing, or '' .
    """

    statistic: float = NAN
    df: int = 0
    p: float = NAN
    rmsea: float = NAN
    rmsea_low: float = NAN
    rmsea_high: float = NAN
    srmsr: float = NAN
    cfi: float = NAN
    tli: float = NAN
    n: int = 0
    note: str = ""


def model_fit(matrix: ResponseMatrix, found: MmlFit, *, by_category: bool) -> ModelFit:
    """Compute C2 or M2*.

    With e the observed less the implied moments, X their covariance and D their derivatives by
    the free parameters, the statistic is N e' (X^-1 - X^-1 D (D' X^-1 D)^-1 D' X^-1) e and its df
    the moments less the free parameters. For dichotomous items both are the M2 of Maydeu-Olivares
    and Joe.

    Parameters
    ----------
    matrix
        The data; only persons who answered everything count.
    found
        The fit, of one group.
    by_category
        Moments of single items are each score above 0 (C2), or the mean score (M2*).

    Returns
    -------
    ModelFit
        With a note and no figures for routed data, several groups, too few persons who answered
        everything, too few moments (df below 1), or more than 6,000 of them.
    """
    full = matrix.person_counts() == matrix.n_items
    n = int(full.sum())
    curves = curves_of(found, by_category=by_category)
    n_moments = len(curves.item) + matrix.n_items * (matrix.n_items - 1) // 2
    df = n_moments - found.space.n_free
    reason = _inadmissible(matrix, found, n, n_moments, df)
    if reason:
        return ModelFit(n=n, note=reason)
    scores = complete_scores(matrix, full)
    away = observed_moments(scores, curves) - expected_moments(curves)
    statistic = _quadratic(away, covariance(curves), derivatives(found, curves), n)
    if np.isnan(statistic):
        return ModelFit(n=n, note="the covariance of the moments is singular: a score never occurs")
    null, null_df = _independent(scores, found, by_category=by_category)
    low, high = rmsea_interval(statistic, df, n)
    cfi, tli = _relative(statistic, df, null, null_df)
    return ModelFit(
        statistic,
        df,
        float(chi2.sf(statistic, df)),
        rmsea(statistic, df, n),
        low,
        high,
        srmsr(scores, curves),
        cfi,
        tli,
        n,
    )


def _inadmissible(matrix: ResponseMatrix, found: MmlFit, n: int, n_moments: int, df: int) -> str:
    if matrix.routed:
        return "not admissible for routed data: it needs that all persons met the same items"
    if found.design.n_groups > 1:
        return "not computed for several groups at once"
    if n < FEWEST_PERSONS:
        return f"only {n} persons answered all items"
    if df < 1:
        return f"{n_moments} moments are too few for {found.space.n_free} free parameters"
    if n_moments > MOST_MOMENTS:
        return f"{n_moments} moments are more than {MOST_MOMENTS}"
    return ""


def complete_scores(matrix: ResponseMatrix, full: Bools) -> Ints:
    """Scores of the persons who answered everything, shape (n, n_items)."""
    kept = matrix.score[np.repeat(full, matrix.person_counts())]
    return kept.reshape(-1, matrix.n_items).astype(np.int64)


def _quadratic(away: Floats, spread: Floats, slopes: Floats, n: int) -> float:
    """Residual sum of squares of the whitened moments after the whitened derivatives."""
    try:
        root = cholesky(spread, lower=True)
    except np.linalg.LinAlgError:
        return NAN
    left = solve_triangular(root, away, lower=True)
    if not slopes.shape[1]:
        return float(n * (left @ left))
    right = solve_triangular(root, slopes, lower=True)
    solution = lstsq(right, left)[0]
    rest = left - right @ solution
    return float(n * (rest @ rest))


def _independent(scores: Ints, found: MmlFit, *, by_category: bool) -> tuple[float, int]:
    """Find the statistic and df of the model in which the items are independent."""
    counts = [len(curve) for curve in category_curves(found)]
    shares = [
        np.bincount(scores[:, k], minlength=width)[:, None] / len(scores)
        for k, width in enumerate(counts)
    ]
    curves = make_curves(shares, np.ones(1), by_category=by_category)
    df = len(curves.item) + len(pairs(len(counts))[0]) - sum(counts) + len(counts)
    if df < 1:
        return NAN, df
    slopes = np.zeros((len(curves.item) + len(pairs(len(counts))[0]), sum(counts) - len(counts)))
    column = 0
    for item, share in enumerate(shares):
        for score in range(1, len(share)):
            change = np.zeros((len(share), 1))
            change[0], change[score] = -1.0, 1.0
            add_item(slopes[:, column], curves, item, change)
            column += 1
    away = observed_moments(scores, curves) - expected_moments(curves)
    return _quadratic(away, covariance(curves), slopes, len(scores)), df


def _relative(statistic: float, df: int, null: float, null_df: int) -> tuple[float, float]:
    """Comparative fit index and Tucker-Lewis index."""
    if np.isnan(null) or null_df < 1:
        return NAN, NAN
    worst = max(null - null_df, statistic - df, 0.0)
    cfi = 1.0 - max(statistic - df, 0.0) / worst if worst > 0 else 1.0
    ratio = null / null_df
    tli = (ratio - statistic / df) / (ratio - 1.0) if ratio != 1.0 else NAN
    return cfi, tli


def rmsea(statistic: float, df: int, n: int) -> float:
    """Root mean square error of approximation: sqrt(max(X - df, 0) / (df (N - 1)))."""
    return float(np.sqrt(max(statistic - df, 0.0) / (df * (n - 1))))


def rmsea_interval(statistic: float, df: int, n: int, level: float = 0.90) -> tuple[float, float]:
    """Interval of the RMSEA, from the noncentralities that put the statistic at its ends."""
    ends = ((1 + level) / 2, (1 - level) / 2)
    low, high = (_noncentrality(statistic, df, chance) / (df * (n - 1)) for chance in ends)
    return float(np.sqrt(low)), float(np.sqrt(high))


def _noncentrality(statistic: float, df: int, chance: float) -> float:
    """Find the noncentrality at which P(X <= statistic) is ``chance``; 0 where there is none."""
    if chi2.cdf(statistic, df) < chance:
        return 0.0
    top = max(4.0 * statistic, 10.0)
    while ncx2.cdf(statistic, df, top) > chance:
        top *= 2
    return float(brentq(lambda value: ncx2.cdf(statistic, df, value) - chance, 1e-9, top))


def srmsr(scores: Ints, curves: Curves) -> float:
    """Root mean squared difference of observed and implied correlations."""
    observed = np.corrcoef(scores, rowvar=False)
    joint = (curves.score * curves.weights) @ curves.score.T
    np.fill_diagonal(joint, curves.square @ curves.weights)
    mean = curves.score @ curves.weights
    spread = joint - np.outer(mean, mean)
    implied = spread / np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    return float(np.sqrt(np.mean((observed - implied)[pairs(len(mean))] ** 2)))
