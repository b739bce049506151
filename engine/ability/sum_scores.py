"""EAP from the sum score: theta of a fixed form from the number of points alone.

The chances of each total come from the recursion of Lord and Wingersky (1984), in its form for
several categories (Hanson, 1994; Thissen, Pommerich, Billeaud and Williams, 1995), here in logs, so
that long forms do not underflow. Called by reports and calibration. Imports numpy, the models and
the engine's grids and priors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from engine.ability.answers import check_matrix
from engine.ability.estimates import AbilityEstimate, eap_of
from engine.ability.grids import USUAL_GRID, Grid
from engine.ability.priors import STANDARD_NORMAL, Prior
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch


@dataclass(frozen=True, eq=False)
class SumScores:
    """What every total of a form says about theta.

    Parameters
    ----------
    total
        0 to the largest total, shape ``(n_totals,)``.
    theta, se
        Posterior mean and standard deviation, same shape.
    chance
        Of each total in the population that the prior describes, same shape; adds up to 1.
    """

    total: Ints
    theta: Floats
    se: Floats
    chance: Floats


def log_total_chances(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Log probability of each total score.

    Parameters
    ----------
    theta
        Shape ``(n_theta,)``.
    items
        Those of the form, of any models; each answered by everybody.

    Returns
    -------
    Floats
        Shape ``(n_theta, n_totals)``; each row's probabilities add up to 1.
    """
    logs = dispatch.log_probabilities(theta, items)
    sums = np.zeros((len(logs), 1))
    for row, categories in enumerate(items.n_categories.tolist()):
        sums = _with_one_more(sums, logs[:, row, :categories])
    return sums


def total_chances(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Probability of each total score, shape ``(n_theta, n_totals)``; see `log_total_chances`."""
    return np.exp(log_total_chances(theta, items))


def sum_score_table(
    items: ItemParameters, *, prior: Prior = STANDARD_NORMAL, grid: Grid = USUAL_GRID
) -> SumScores:
    """Tabulate theta by total score, for a form that is scored by its points.

    Parameters
    ----------
    items
        Those of the form, dichotomous and polytomous mixed as they are.
    prior, grid
        As for EAP from the answers themselves.
    """
    logs = log_total_chances(grid.points, items).T
    theta, se = eap_of(logs, prior=prior, grid=grid)
    weights = prior.log_density(grid.points) + grid.log_weights
    chance = np.exp(logsumexp(logs + weights, axis=1) - logsumexp(weights))
    return SumScores(np.arange(len(theta), dtype=np.int64), theta, se, chance)


def estimate_from_sum(
    total: int,
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> AbilityEstimate:
    """Estimate theta by EAP from one total score.

    Raises
    ------
    InputError
        For a total that the form cannot have.
    """
    table = sum_score_table(items, prior=prior, grid=grid)
    if not 0 <= total < len(table.total):
        raise InputError(f"a total from 0 to {len(table.total) - 1}", total, column="total")
    return AbilityEstimate(float(table.theta[total]), float(table.se[total]))


def sum_scores(
    scores: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    prior: Prior = STANDARD_NORMAL,
    grid: Grid = USUAL_GRID,
) -> tuple[Floats, Floats]:
    """Estimate theta of each person of a response matrix from the sum over the items answered.

    For fixed forms: which items a person was given may differ, but must not depend on the answers,
    as it does in an adaptive test.

    Parameters
    ----------
    scores, observed
        Shape ``(n_persons, n_items)``; scores are ignored where not observed. Each set of items
        that occurs is tabulated once.

    Returns
    -------
    tuple of Floats
        Theta and se, each of shape ``(n_persons,)``; the prior for a person without answers.

    Raises
    ------
    InputError
        For a score that its item does not have.
    """
    check_matrix(scores, observed, items)
    totals = np.where(observed, scores, 0).sum(axis=1)
    theta, se = np.empty(len(scores)), np.empty(len(scores))
    forms, form_of = np.unique(observed, axis=0, return_inverse=True)
    for place, form in enumerate(forms):
        here = np.flatnonzero(form_of.ravel() == place)
        table = sum_score_table(items.subset(form), prior=prior, grid=grid)
        theta[here], se[here] = table.theta[totals[here]], table.se[totals[here]]
    return theta, se


def _with_one_more(sums: Floats, logs: Floats) -> Floats:
    """Chances of totals with an item more: each score moves a copy of them up by itself."""
    n, width, categories = len(sums), sums.shape[1], logs.shape[1]
    moved = np.full((categories, n, width + categories - 1), -np.inf)
    for score in range(categories):
        moved[score, :, score : score + width] = sums + logs[:, score, None]
    added: Floats = np.logaddexp.reduce(moved, axis=0)
    return added
