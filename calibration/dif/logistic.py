"""Logistic regression of an item's score on standing, group, and their product.

Called by ``study``. Imports scipy.

Sources: Swaminathan and Rogers (1990); Zumbo (1999) for the change of R2; Nagelkerke (1991);
Jodoin and Gierl (2001) for the classes.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from calibration.dif.cumulative_logit import fit_cumulative
from calibration.dif.findings import NAN, Finding, blank
from engine.arrays import Bools, Floats, Ints

LEVEL = 0.05
CLASS_B, CLASS_C = 0.035, 0.07


def logistic(score: Ints, focal: Bools, standing: Floats, n_categories: int) -> Finding:
    """Test an item for uniform and non-uniform DIF together.

    Three models: standing; and group; and their product. The statistic is the likelihood-ratio
    of the last against the first (df 2); ``uniform`` and ``nonuniform`` are its two steps (df 1
    each). The effect is the change of Nagelkerke's R2.

    Parameters
    ----------
    score, focal
        Of the persons who answered the item, shape (n,).
    standing
        What they are matched on, shape (n,).
    n_categories
        Of the item; more than two are fitted by cumulative logits.

    Returns
    -------
    Finding
        Blank where a score is missing from the data, standing does not vary, or the columns
        separate the scores, so that there is no maximum.
    """
    columns, counts = _counted(score, focal, standing, n_categories)
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2 or np.ptp(standing) == 0:
        return blank("the score or the matching variable does not vary")
    fits = [fit_cumulative(columns[:, :width], counts) for width in (0, 1, 2, 3)]
    values = np.array([fit.log_likelihood for fit in fits])
    if np.isnan(values).any():
        return blank("no maximum of the likelihood: group and standing separate the scores")
    steps = np.maximum(2 * np.diff(values[1:]), 0.0)
    r2 = _nagelkerke(values, float(counts.sum()))
    total = float(steps.sum())
    p, effect = float(chi2.sf(total, 2)), float(r2[3] - r2[1])
    more = {
        "uniform": float(steps[0]),
        "uniform_p": float(chi2.sf(steps[0], 1)),
        "nonuniform": float(steps[1]),
        "nonuniform_p": float(chi2.sf(steps[1], 1)),
        "log_odds": float(fits[2].beta[1]),
    }
    return Finding(total, 2.0, p, effect, jodoin_gierl_class(effect, p), "", more)


def jodoin_gierl_class(change: float, p: float) -> str:
    """A: p at least .05 or a change of R2 below .035; B: below .07; C: from .07 on."""
    if np.isnan(change):
        return ""
    if p >= LEVEL or change < CLASS_B:
        return "A"
    return "B" if change < CLASS_C else "C"


def _counted(
    score: Ints, focal: Bools, standing: Floats, n_categories: int
) -> tuple[Floats, Floats]:
    """Columns (standing, group, product) of distinct persons, and how often each score occurs."""
    spread = float(standing.std()) or 1.0
    z = (standing - standing.mean()) / spread
    pairs, code = np.unique(np.column_stack((z, focal)), axis=0, return_inverse=True)
    cells = code.ravel() * n_categories + score
    counts = np.bincount(cells, minlength=len(pairs) * n_categories)
    columns = np.column_stack((pairs, pairs[:, 0] * pairs[:, 1]))
    return columns, counts.reshape(-1, n_categories).astype(np.float64)


def _nagelkerke(log_likelihood: Floats, n: float) -> Floats:
    """R2 of each model against the first, which has no columns."""
    null = log_likelihood[0]
    highest = -np.expm1(2 * null / n)
    if highest <= 0:
        return np.full(log_likelihood.shape, NAN)
    return np.asarray(-np.expm1(2 * (null - log_likelihood) / n) / highest)
