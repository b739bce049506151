"""How well each item fits: classical figures, infit and outfit at EAP, RMSD, and S-X2.

Every statistic says whether data with routed missingness admit it; where not, it is NaN and the
notes give the reason. Called by the command line. Imports ``engine``.

Sources: Wright and Masters (1982) for infit and outfit; von Davier and others for RMSD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration import families
from calibration.expectation import category_counts
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from calibration.s_x2 import ScoreFit, s_x2
from engine.arrays import Floats, Ints

NOMINAL_SCORES = "categories of nrm have no order: no score, no total score"
ROUTED = "point-biserial and S-X2 need that all persons met the same items, and these were routed"


@dataclass(frozen=True, eq=False)
class ItemFit:
    """Statistics by item; NaN where not estimable or not admissible, with the reason in ``notes``.

    Parameters
    ----------
    n
        Responses.
    p_value
        Mean score divided by the highest score.
    point_biserial
        Correlation of the item's score with the total score of all items, itself included.
    infit, outfit
        Weighted and unweighted mean square residual at EAP; 1 is expected, below 1 is usual at
        EAP because the item itself moved it.
    rmsd
        Root mean squared difference between the category probabilities that the posteriors imply
        and those of the model, weighted by who answered.
    s_x2
        Orlando and Thissen's statistic.
    notes
        Why something is missing, '' otherwise.
    """

    item: tuple[str, ...]
    n: Ints
    p_value: Floats
    point_biserial: Floats
    infit: Floats
    outfit: Floats
    rmsd: Floats
    s_x2: ScoreFit
    notes: tuple[str, ...]


def item_fit(matrix: ResponseMatrix, fit: MmlFit, theta: Floats) -> ItemFit:
    """Compute the statistics of every item.

    Parameters
    ----------
    matrix
        The data of the fit.
    fit
        The fitted parameters.
    theta
        EAP of each person, shape (n_persons,).
    """
    infit, outfit = residual_fit(matrix, fit, theta)
    correlation, reason = point_biserial(matrix)
    scores = s_x2(matrix, fit)
    nominal = np.array([model == "nrm" for model in fit.items.model])
    if nominal.any():
        correlation, reason = np.full(matrix.n_items, np.nan), NOMINAL_SCORES
    p_value = np.where(nominal, np.nan, _p_values(matrix, fit.items.n_categories))
    infit, outfit = np.where(nominal, np.nan, infit), np.where(nominal, np.nan, outfit)
    notes = tuple(_note(reason, own, matrix) for own in scores.reasons)
    n = matrix.item_counts()
    return ItemFit(matrix.item, n, p_value, correlation, infit, outfit, rmsd(fit), scores, notes)


def _note(reason: str, own: str, matrix: ResponseMatrix) -> str:
    if matrix.routed:
        return ROUTED
    return "; ".join(dict.fromkeys(text for text in (reason, own) if text))


def _p_values(matrix: ResponseMatrix, n_categories: Ints) -> Floats:
    total = np.bincount(matrix.column, matrix.score, minlength=matrix.n_items)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / (matrix.item_counts() * (n_categories - 1)))


def point_biserial(matrix: ResponseMatrix) -> tuple[Floats, str]:
    """Correlate each item's score with the total score, over persons who answered everything.

    Returns
    -------
    tuple
        Shape (n_items,), NaN where a score does not vary or the data do not allow it, and the
        reason why everything is missing or who was left out ('' = nothing to say).
    """
    blank = np.full(matrix.n_items, np.nan)
    if matrix.routed:
        return blank, ROUTED
    full = matrix.person_counts() == matrix.n_items
    if full.sum() < 3:
        return blank, "no total score: fewer than 3 persons answered all items"
    scores = matrix.score[np.repeat(full, matrix.person_counts())].reshape(-1, matrix.n_items)
    away = scores - scores.mean(axis=0)
    total = away.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = away.T @ total / np.sqrt((away**2).sum(axis=0) * (total @ total))
    left_out = int((~full).sum())
    remark = f"point-biserial without {left_out} persons with missing responses" if left_out else ""
    return np.where(np.isfinite(found), found, np.nan), remark


def residual_fit(matrix: ResponseMatrix, fit: MmlFit, theta: Floats) -> tuple[Floats, Floats]:
    """Infit and outfit mean squares.

    Outfit is the mean of z^2 = (x - E)^2 / V over the persons who answered the item, infit the
    sum of (x - E)^2 divided by the sum of V, with E and V of the model at each person's theta.

    Returns
    -------
    tuple of Floats
        Infit and outfit, each (n_items,); NaN for an item without responses.
    """
    infit, outfit = np.full((2, matrix.n_items), np.nan)
    narrow = np.uint16 if matrix.n_items <= np.iinfo(np.uint16).max else np.int64
    order = np.argsort(matrix.column.astype(narrow), kind="stable")  # 16 bits: by radix
    ends = np.concatenate(([0], np.cumsum(matrix.item_counts())))
    rows = matrix.rows()
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        for k, item in enumerate(family.rows):
            own = order[ends[item] : ends[item + 1]]
            if own.size:
                expected, variance = _moments(family.name, local[k : k + 1], theta[rows[own]])
                squares = (matrix.score[own] - expected) ** 2
                infit[item] = squares.sum() / variance.sum()
                outfit[item] = (squares / variance).mean()
    return infit, outfit


def _moments(family: str, local: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of one item's score at each theta."""
    p = np.exp(families.log_probabilities(family, local, theta))[0]
    scores = np.arange(p.shape[0])[:, None]
    mean = (scores * p).sum(axis=0)
    variance = ((scores - mean) ** 2 * p).sum(axis=0)
    return mean, np.maximum(variance, np.finfo(float).tiny)


def rmsd(fit: MmlFit) -> Floats:
    """Root mean squared difference of observed and model curves.

    sqrt of the mean over categories of sum_q w_q (P_observed - P_model)^2, where the observed
    curve is the posterior-expected share of each category at grid point q and w_q the expected
    share of the item's respondents there. Admissible for routed data.

    Returns
    -------
    Floats
        Shape (n_items,); NaN for an item without responses.
    """
    found = np.full(len(fit.items), np.nan)
    counts = category_counts(fit.space, fit.design, fit.expectation.totals, fit.expectation.mass)
    for family, local, own in zip(fit.space.families, fit.state.local, counts, strict=True):
        model = np.exp(families.log_probabilities(family.name, local, fit.theta))
        people = own.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(people > 0, own / people, model)
            weight = people[:, 0] / people[:, 0].sum(axis=1, keepdims=True)
        squares = ((share - model) ** 2).sum(axis=1) / family.n_categories[:, None]
        found[family.rows] = np.sqrt((weight * squares).sum(axis=1))
    return found
