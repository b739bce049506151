"""Tetrachoric and polychoric correlations by two-step maximum likelihood, all pairs at once.

Step one: thresholds from the margins of each item. Step two: for each pair, the correlation of a
bivariate normal that makes its two-way table most likely, by Fisher scoring with the derivative
dP(X <= h, Y <= k) / d rho, which is the bivariate density. Called by ``dimensionality``.

Sources: Olsson (1979); Drezner and Wesolowsky (1990) for the bivariate normal as an integral.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from engine.arrays import Floats, Ints

LARGEST = 0.999
FAR = 8.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_STEPS = 50
_TOLERANCE = 1e-9
_AT_ONCE = 400


def polychoric_matrix(tables: Floats, starts: Ints) -> Floats:
    """Correlate every pair of items.

    Parameters
    ----------
    tables
        Two-way tables of all pairs as ``local_dependence.pair_tables`` makes them; the block of an
        item with itself holds its margins.
    starts
        Where each item's categories begin, one more at the end, shape (n_items + 1,).

    Returns
    -------
    Floats
        Shape (n_items, n_items), 1 on the diagonal; NaN for pairs that nobody answered, and for
        items of which everybody had the same score.
    """
    n_items = len(starts) - 1
    width = int(np.diff(starts).max())
    edges = np.stack([_thresholds(tables, starts, k, width) for k in range(n_items)])
    first, second = np.triu_indices(n_items, 1)
    found = np.eye(n_items)
    for low in range(0, first.size, _AT_ONCE):
        i, j = first[low : low + _AT_ONCE], second[low : low + _AT_ONCE]
        counts = np.stack([_padded(tables, starts, a, b, width) for a, b in zip(i, j, strict=True)])
        found[i, j] = found[j, i] = polychoric(counts, edges[i], edges[j])
    return found


def _thresholds(tables: Floats, starts: Ints, k: int, width: int) -> Floats:
    """Cut points of an item with its ends at +-8, shape (width + 1,); +8 after its last."""
    own = slice(starts[k], starts[k + 1])
    margin = np.diag(tables[own, own])
    edges = np.full(width + 1, FAR)
    edges[0] = -FAR
    if margin.sum() > 0:
        inside = norm.ppf(np.cumsum(margin)[:-1] / margin.sum())
        edges[1 : margin.size] = np.clip(inside, -FAR, FAR)
    return edges


def _padded(tables: Floats, starts: Ints, i: int, j: int, width: int) -> Floats:
    block = tables[starts[i] : starts[i + 1], starts[j] : starts[j + 1]]
    counts = np.zeros((width, width))
    counts[: block.shape[0], : block.shape[1]] = block
    return counts


def polychoric(counts: Floats, rows: Floats, columns: Floats) -> Floats:
    """Correlations of many tables.

    Parameters
    ----------
    counts
        Shape (n_pairs, n_rows, n_columns).
    rows, columns
        Thresholds with both ends, shapes (n_pairs, n_rows + 1) and (n_pairs, n_columns + 1).

    Returns
    -------
    Floats
        Shape (n_pairs,), within +-0.999; NaN where a table is empty or an item does not vary.
    """
    rho = _starting_values(counts)
    open_pairs = np.flatnonzero(~np.isnan(rho))
    for _ in range(_STEPS):
        if not open_pairs.size:
            break
        own = open_pairs
        slope, information = _score(counts[own], rows[own], columns[own], rho[own])
        step = np.clip(slope / np.maximum(information, 1e-12), -0.3, 0.3)
        new = np.clip(rho[own] + step, -LARGEST, LARGEST)
        moved = np.abs(new - rho[own])
        rho[own] = new
        open_pairs = own[moved > _TOLERANCE]
    return rho


def _starting_values(counts: Floats) -> Floats:
    """Pearson correlations of the scores, NaN where there is none."""
    n = counts.sum(axis=(1, 2))
    x, y = np.arange(counts.shape[1]), np.arange(counts.shape[2])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = counts / n[:, None, None]
        by_row, by_column = share.sum(axis=2), share.sum(axis=1)
        mean_x, mean_y = by_row @ x, by_column @ y
        spread = (by_row @ x**2 - mean_x**2) * (by_column @ y**2 - mean_y**2)
        cross = np.einsum("pij,i,j->p", share, x, y) - mean_x * mean_y
        start = cross / np.sqrt(np.where(spread > 1e-15, spread, np.nan))
    return np.asarray(np.clip(start, -0.95, 0.95))


def _score(counts: Floats, rows: Floats, columns: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Derivative of the log-likelihood by rho, and its information, each (n_pairs,)."""
    h, k = rows[:, :, None], columns[:, None, :]
    below = bivariate_normal(h, k, rho[:, None, None])
    p = np.maximum(np.diff(np.diff(below, axis=1), axis=2), 1e-12)
    change = np.diff(np.diff(_density(h, k, rho[:, None, None]), axis=1), axis=2)
    n = counts.sum(axis=(1, 2))
    slope = (counts * change / p).sum(axis=(1, 2))
    return slope, n * (change**2 / p).sum(axis=(1, 2))


def _density(h: Floats, k: Floats, rho: Floats) -> Floats:
    rest = 1.0 - rho * rho
    power = -(h * h - 2 * rho * h * k + k * k) / (2 * rest)
    return np.asarray(np.exp(power) / (2 * np.pi * np.sqrt(rest)))


def bivariate_normal(h: Floats, k: Floats, rho: Floats) -> Floats:
    """P(X <= h, Y <= k) of a standard bivariate normal, by broadcasting.

    P = Phi(h) Phi(k) + 1 / (2 pi) integral from 0 to arcsin rho of
    exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt, by 32 Gauss-Legendre points in two halves;
    exact to about 1e-12.
    """
    angle = np.arcsin(rho)
    total = np.zeros(np.broadcast_shapes(h.shape, k.shape, rho.shape))
    squares, product = h * h + k * k, h * k
    for start in (0.0, 0.5):
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            t = angle * (start + (node + 1) / 4)
            sine, cosine2 = np.sin(t), np.cos(t) ** 2
            total += weight * np.exp(-(squares - 2 * product * sine) / (2 * cosine2))
    return np.asarray(norm.cdf(h) * norm.cdf(k) + total * angle / 4 / (2 * np.pi))
