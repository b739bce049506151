"""Reliability of a test: from the model, from the estimates, and alpha.

Called by ``check``.

Sources: Green and others (1984) for marginal reliability; Cronbach (1951).
"""

from __future__ import annotations

from dataclasses import dataclass

from calibration.fit_check.limited_information import complete_scores
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from calibration.summary import reliabilities
from engine.arrays import Floats

ROUTED = "alpha is not admissible for routed data"


@dataclass(frozen=True)
class Reliability:
    """Reliabilities; NaN where there is none.

    Parameters
    ----------
    marginal, empirical
        As in ``summary.reliabilities``; for adaptive data ``marginal`` is that of all items
        together, which nobody meets.
    alpha
        Cronbach's, over the persons who answered everything.
    note
        Why alpha is missing, '' otherwise.
    """

    marginal: float
    empirical: float
    alpha: float
    note: str


def reliability(matrix: ResponseMatrix, found: MmlFit, theta: Floats, se: Floats) -> Reliability:
    """Compute the reliabilities.

    Parameters
    ----------
    matrix, found
        The data and the fit.
    theta, se
        EAP and posterior standard deviation by person.
    """
    marginal, empirical = reliabilities(found, theta, se)
    alpha, note = cronbach_alpha(matrix)
    return Reliability(marginal, empirical, alpha, note)


def cronbach_alpha(matrix: ResponseMatrix) -> tuple[float, str]:
    """Alpha = J / (J - 1) (1 - sum of item variances / variance of the total score).

    Returns
    -------
    tuple
        NaN with the reason for routed data, fewer than 3 complete persons, or a total score that
        does not vary.
    """
    if matrix.routed:
        return float("nan"), ROUTED
    full = matrix.person_counts() == matrix.n_items
    if full.sum() < 3:
        return float("nan"), "no alpha: fewer than 3 persons answered all items"
    scores = complete_scores(matrix, full)
    total = float(scores.sum(axis=1).var(ddof=1))
    if total == 0:
        return float("nan"), "no alpha: the total score does not vary"
    j = matrix.n_items
    return j / (j - 1) * (1 - float(scores.var(axis=0, ddof=1).sum()) / total), ""
