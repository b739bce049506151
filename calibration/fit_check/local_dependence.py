"""Pairs of items that go together more, or less, than theta explains: Q3 and LD-X2.

Called by ``check``. Imports scipy.

Sources: Yen (1984) for Q3; Christensen, Makransky and Horton (2017) for judging it against its
mean; Chen and Thissen (1997) for LD-X2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import chi2

from calibration import families
from calibration.fit_check.moments import category_curves, pairs
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from engine.arrays import Bools, Floats, Ints

LARGE_Q3 = 0.2
Q3_ERRORS = 3.5
LARGE_LD = 10.0
FEWEST = 30
ROUTED = "LD-X2 needs that who answered a pair was not chosen by ability, and these were routed"
GROUPED = "LD-X2 is not computed for several groups at once"


@dataclass(frozen=True, eq=False)
class PairFit:
    """Statistics by pair; NaN where there is none, with the reason in ``notes``.

    Parameters
    ----------
    first, second
        Columns of the items of each pair, shape (n_pairs,).
    n
        Persons who answered both.
    q3, q3_corrected
        Correlation of the residuals at EAP, and less the mean over all pairs.
    ld_x2, ld_df, ld_p
        Chi-square of the two-way table.
    ld_standardised
        (X2 - df) / sqrt(2 df).
    v
        Cramer's V of the table against the model, with the sign of the unexplained covariance.
    flagged
        |corrected Q3| above 0.2, and above 3.5 / sqrt(n) where few persons met the pair; or a
        standardised LD-X2 above 10.
    notes
        Why something is missing, '' otherwise.
    left_out
        Pairs of routed data that fewer than 30 persons met.
    """

    first: Ints
    second: Ints
    n: Ints
    q3: Floats
    q3_corrected: Floats
    ld_x2: Floats
    ld_df: Floats
    ld_p: Floats
    ld_standardised: Floats
    v: Floats
    flagged: Bools
    notes: tuple[str, ...]
    left_out: int


def local_dependence(matrix: ResponseMatrix, found: MmlFit, theta: Floats) -> PairFit:
    """Compute the statistics of every pair of items.

    Parameters
    ----------
    matrix, found
        The data and the fit.
    theta
        EAP of each person, shape (n_persons,).

    Returns
    -------
    PairFit
        All pairs; of routed data only those that at least 30 persons met, as a large bank has
        millions of others.
    """
    first, second = pairs(matrix.n_items)
    q3, n = q3_matrix(matrix, found, theta)
    own_n, own_q3 = n[first, second], q3[first, second]
    kept = own_n >= (FEWEST if matrix.routed else 0)
    first, second, own_n, own_q3 = first[kept], second[kept], own_n[kept], own_q3[kept]
    enough = own_n >= FEWEST
    own_q3 = np.where(enough, own_q3, np.nan)
    corrected = own_q3 - _mean(own_q3)
    reason = ROUTED if matrix.routed else GROUPED if found.design.n_groups > 1 else ""
    x2, df, v = np.full((3, first.size), np.nan)
    if not reason:
        x2, df, v = ld_x2(matrix, found, first, second)
        x2, df, v = (np.where(enough, values, np.nan) for values in (x2, df, v))
    with np.errstate(invalid="ignore"):
        standard = (x2 - df) / np.sqrt(2 * df)
        limit = np.maximum(LARGE_Q3, Q3_ERRORS / np.sqrt(own_n))
        flagged = (np.abs(corrected) > limit) | (standard > LARGE_LD)
    few = [f"only {count} persons answered both" if count < FEWEST else "" for count in own_n]
    notes = tuple("; ".join(text for text in (reason, one) if text) for one in few)
    p = np.asarray(chi2.sf(x2, df))
    return PairFit(
        first,
        second,
        own_n,
        own_q3,
        corrected,
        x2,
        df,
        p,
        standard,
        v,
        flagged,
        notes,
        int((~kept).sum()),
    )


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def q3_matrix(matrix: ResponseMatrix, found: MmlFit, theta: Floats) -> tuple[Floats, Ints]:
    """Correlate the residuals x - E(x | EAP) of each pair of items.

    Returns
    -------
    tuple
        Correlations over the persons who answered both, NaN where a residual does not vary, and
        their number; each (n_items, n_items).
    """
    rows = matrix.rows()
    residual = matrix.score - expected_scores(matrix, found, theta)
    shape = (matrix.n_persons, matrix.n_items)
    values = sparse.csr_array((residual, (rows, matrix.column)), shape=shape)
    squares = sparse.csr_array((residual**2, (rows, matrix.column)), shape=shape)
    seen = sparse.csr_array((np.ones(residual.size), (rows, matrix.column)), shape=shape)
    n = (seen.T @ seen).toarray()
    sums, second = (values.T @ seen).toarray(), (squares.T @ seen).toarray()
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = (values.T @ values).toarray() - sums * sums.T / n
        spread = second - sums**2 / n
        found_q3 = cross / np.sqrt(spread * spread.T)
    found_q3[~np.isfinite(found_q3)] = np.nan
    return found_q3, np.round(n).astype(np.int64)


def expected_scores(matrix: ResponseMatrix, found: MmlFit, theta: Floats) -> Floats:
    """Expected score of each response at the person's theta, shape (n_responses,)."""
    expected = np.empty(matrix.n_responses)
    order = np.argsort(matrix.column, kind="stable")
    ends = np.concatenate(([0], np.cumsum(matrix.item_counts())))
    rows = matrix.rows()
    for family, local in zip(found.space.families, found.state.local, strict=True):
        for k, item in enumerate(family.rows):
            own = order[ends[item] : ends[item + 1]]
            if own.size:
                p = np.exp(
                    families.log_probabilities(family.name, local[k : k + 1], theta[rows[own]])
                )
                expected[own] = np.arange(p.shape[1]) @ p[0]
    return expected


def ld_x2(
    matrix: ResponseMatrix, found: MmlFit, first: Ints, second: Ints
) -> tuple[Floats, Floats, Floats]:
    """Compare each two-way table with what the model implies for as many persons.

    X2 = sum (O - E)^2 / E with df (K_1 - 1)(K_2 - 1).

    Returns
    -------
    tuple of Floats
        X2, df and the signed V = sqrt(X2 / (N min(K - 1))), each (n_pairs,).
    """
    curves = category_curves(found)
    weights = np.exp(found.tables.log_weights[0])
    tables, starts = pair_tables(matrix, [len(curve) for curve in curves])
    values = np.full((3, first.size), np.nan)
    for at, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        observed = tables[starts[i] : starts[i + 1], starts[j] : starts[j + 1]]
        n = observed.sum()
        if n:
            expected = n * (curves[i] * weights) @ curves[j].T
            values[:, at] = _chi_square(observed, expected, float(n))
    return values[0], values[1], values[2]


def _chi_square(observed: Floats, expected: Floats, n: float) -> tuple[float, float, float]:
    x2 = float(((observed - expected) ** 2 / expected).sum())
    width = min(observed.shape) - 1
    size = np.sqrt(x2 / (n * width))
    sign = np.sign(_correlation(observed) - _correlation(expected))
    return x2, float((observed.shape[0] - 1) * (observed.shape[1] - 1)), float(size * sign)


def _correlation(table: Floats) -> float:
    share = table / table.sum()
    x, y = np.arange(table.shape[0]), np.arange(table.shape[1])
    by_row, by_column = share.sum(axis=1), share.sum(axis=0)
    spread = (x**2 @ by_row - (x @ by_row) ** 2) * (y**2 @ by_column - (y @ by_column) ** 2)
    if spread <= 0:
        return 0.0
    return float((x @ share @ y - (x @ by_row) * (y @ by_column)) / np.sqrt(spread))


def pair_tables(matrix: ResponseMatrix, n_categories: list[int]) -> tuple[Floats, Ints]:
    """Two-way tables of all pairs at once, as one product of indicators.

    Returns
    -------
    tuple
        Shape (sum of categories, same); and where each item's categories begin, one more at the
        end.
    """
    starts = np.concatenate(([0], np.cumsum(n_categories))).astype(np.int64)
    column = starts[matrix.column] + matrix.score
    shape = (matrix.n_persons, int(starts[-1]))
    indicators = sparse.csr_array((np.ones(column.size), (matrix.rows(), column)), shape=shape)
    return (indicators.T @ indicators).toarray(), starts
