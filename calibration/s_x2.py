"""S-X2: observed and expected shares of each score, by the total score.

Needs the total score, so it is inadmissible where an adaptive test chose the items; with missing
responses, persons who answered everything are used. Called by ``item_fit``. Imports ``engine``.

Sources: Orlando and Thissen (2000); Kang and Chen (2008) for polytomous items; Lord and Wingersky
(1984) for the distribution of the total score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from calibration import families
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from engine.arrays import Floats, Ints

_SMALLEST = 1.0
_MOST_POINTS = 2000


@dataclass(frozen=True, eq=False)
class ScoreFit:
    """S-X2 by item, NaN where it is not estimable or not admissible.

    Parameters
    ----------
    statistic, df, p
        Shape (n_items,); ``df`` is cells left after collapsing minus the item's free parameters.
    reasons
        Why it is missing, '' where it is not.
    """

    statistic: Floats
    df: Floats
    p: Floats
    reasons: tuple[str, ...]


def s_x2(matrix: ResponseMatrix, fit: MmlFit) -> ScoreFit:
    """Compute S-X2 of every item.

    Cells are the scores of an item within each total score but the lowest and the highest; those
    with an expectation below 1 are joined, adjacent categories first, then adjacent total scores.

    Parameters
    ----------
    matrix
        The data; only persons who answered everything count.
    fit
        The fitted parameters and latent densities.
    """
    blank = np.full(matrix.n_items, np.nan)
    full = matrix.person_counts() == matrix.n_items
    reason = _inadmissible(matrix, fit, int(full.sum()))
    if reason:
        return ScoreFit(blank, blank, blank, (reason,) * matrix.n_items)
    scores = matrix.score[np.repeat(full, matrix.person_counts())].reshape(-1, matrix.n_items)
    total = scores.sum(axis=1, dtype=np.int64)
    curves = _curves(fit)
    density = np.exp(fit.tables.log_weights[0])
    highest = int(sum(len(curve) - 1 for curve in curves))
    persons = np.bincount(total, minlength=highest + 1)
    found = np.full((matrix.n_items, 3), np.nan)
    reasons = []
    free = _free_parameters(fit)
    for k, rest in enumerate(_rest_distributions(curves)):
        expected = _expected(curves[k], rest, density, highest)
        observed = _observed(scores[:, k], total, len(curves[k]), highest)
        cells = _collapsed(observed, expected * persons[:, None])
        reasons.append(_judge(found[k], cells, int(free[k])))
    return ScoreFit(found[:, 0], found[:, 1], found[:, 2], tuple(reasons))


def _inadmissible(matrix: ResponseMatrix, fit: MmlFit, full: int) -> str:
    if matrix.routed:
        return "S-X2 is not admissible for routed data"
    if "nrm" in fit.items.model:
        return "no S-X2: a total score needs categories with an order, and nrm has none"
    if fit.design.n_groups > 1:
        return "S-X2 is not computed for several groups at once"
    if full < 3:
        return "no S-X2: fewer than 3 persons answered all items"
    if int((fit.items.n_categories - 1).sum()) > _MOST_POINTS:
        return f"no S-X2: more than {_MOST_POINTS} points in total"
    return ""


def _curves(fit: MmlFit) -> list[Floats]:
    """Category probabilities of each item, shape (n_categories, n_theta)."""
    curves: dict[int, Floats] = {}
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        p = np.exp(families.log_probabilities(family.name, local, fit.theta))
        for k, row in enumerate(family.rows):
            curves[int(row)] = p[k, : family.n_categories[k]]
    return [curves[row] for row in sorted(curves)]


def _free_parameters(fit: MmlFit) -> Ints:
    free = np.zeros(len(fit.items), dtype=np.int64)
    for family in fit.space.families:
        free[family.rows] = family.free.sum(axis=1)
    return free


def _with_item(distribution: Floats, curve: Floats) -> Floats:
    """Add an item to the distribution of the total score, shape (n_scores, n_theta)."""
    longer = np.zeros((len(distribution) + len(curve) - 1, distribution.shape[1]))
    for score, p in enumerate(curve):
        longer[score : score + len(distribution)] += distribution * p
    return longer


def _rest_distributions(curves: list[Floats]) -> list[Floats]:
    """Distribution of the total score without each item, by halving the list again and again.

    Each item is added to the rest of the others about log2(n_items) times, and nothing is divided
    out, which would lose all digits.
    """
    start = np.ones((1, curves[0].shape[1]))
    return _leave_one_out(curves, start)


def _leave_one_out(curves: list[Floats], outside: Floats) -> list[Floats]:
    if len(curves) == 1:
        return [outside]
    half = len(curves) // 2
    left, right = curves[:half], curves[half:]
    with_right, with_left = outside, outside
    for curve in right:
        with_right = _with_item(with_right, curve)
    for curve in left:
        with_left = _with_item(with_left, curve)
    return _leave_one_out(left, with_right) + _leave_one_out(right, with_left)


def _expected(curve: Floats, rest: Floats, density: Floats, highest: int) -> Floats:
    """Share of each score of the item given the total score, shape (highest + 1, n_categories)."""
    joint = np.zeros((highest + 1, len(curve)))
    for score, p in enumerate(curve):
        joint[score : score + len(rest), score] = (rest * p) @ density
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _observed(score: Ints, total: Ints, n_categories: int, highest: int) -> Floats:
    cells = np.bincount(total * n_categories + score, minlength=(highest + 1) * n_categories)
    return cells.reshape(highest + 1, n_categories).astype(np.float64)


Cells = tuple[Floats, Floats]


def _collapsed(observed: Floats, expected: Floats) -> list[Cells]:
    """Observed and expected cells of each total score that is left; the extreme totals are out.

    A total whose categories join to a single cell is joined whole with the next total towards the
    middle, and its categories are joined anew.
    """
    rows = list(zip(observed[1:-1], expected[1:-1], strict=True))
    rows = [(o, e) for o, e in rows if e.sum() > 0]
    while len(rows) > 1:
        cells = [_joined_categories(o, e) for o, e in rows]
        single = [k for k, (_o, e) in enumerate(cells) if e.size < 2]
        if not single:
            return cells
        k = min(single, key=lambda at: rows[at][1].sum())
        low = k if k < (len(rows) - 1) / 2 else k - 1
        (o1, e1), (o2, e2) = rows[low : low + 2]
        rows[low : low + 2] = [(o1 + o2, e1 + e2)]
    return [_joined_categories(o, e) for o, e in rows]


def _joined_categories(observed: Floats, expected: Floats) -> Cells:
    """Join the smallest expectation below 1 with its smaller neighbour, again and again."""
    o, e = observed[expected > 0], expected[expected > 0]
    while e.size > 1 and e.min() < _SMALLEST:
        at = int(np.argmin(e))
        near = [j for j in (at - 1, at + 1) if 0 <= j < e.size]
        to = min(near, key=lambda j: e[j])
        o[to], e[to] = o[to] + o[at], e[to] + e[at]
        o, e = np.delete(o, at), np.delete(e, at)
    return o, e


def _judge(found: Floats, cells: list[Cells], free: int) -> str:
    """Put statistic, df and p into ``found``, or say why there are none."""
    df = sum(e.size - 1 for _o, e in cells) - free
    if df < 1:
        return "no S-X2: too few cells with an expectation of at least 1"
    statistic = sum(float(((o - e) ** 2 / e).sum()) for o, e in cells)
    found[:] = statistic, df, chi2.sf(statistic, df)
    return ""
