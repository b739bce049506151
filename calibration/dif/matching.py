"""On what persons of two groups are matched: the total score, or theta from the other items.

A matcher tells, item by item, who answered, in which group, and how each stands. Called by
``study``. Imports ``engine``.

Source for theta: the posterior mean under the density of the person's own group, which is what
the regression correction of Nandakumar and Roussos (2004) aims at: a mean under one density for
all would put persons of a less able group too high, and find differences where there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.expectation import log_weights
from calibration.matrix import ResponseMatrix
from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch

REFERENCE, FOCAL = "0", "1"
"""Names of the two groups within a comparison: the first in order is the reference."""
FEWEST_IN_STRATUM = 20
MOST_STRATA = 40
PERSONS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Matched:
    """The persons who answered an item.

    Parameters
    ----------
    score, focal
        Their scores, and who is in the focal group, shape (n,).
    standing
        Total score or theta, shape (n,).
    stratum
        Whom to compare with whom, shape (n,).
    """

    score: Ints
    focal: Bools
    standing: Floats
    stratum: Ints


Matcher = Callable[[int], Matched]


def on_total_score(pair: ResponseMatrix, left_out: frozenset[int]) -> Matcher:
    """Match on the sum of all items but those left out; the studied item is always in it.

    Parameters
    ----------
    pair
        Persons of two groups, named as above; only those who answered every item count.
    left_out
        Columns that are not in the sum.
    """
    full = pair.person_counts() == pair.n_items
    scores = pair.score[np.repeat(full, pair.person_counts())].reshape(-1, pair.n_items)
    scores = scores.astype(np.int64)
    focal = (np.array(pair.group) == FOCAL)[full]
    kept = np.array([k not in left_out for k in range(pair.n_items)])
    total = scores[:, kept].sum(axis=1)

    def matched(k: int) -> Matched:
        own = total if kept[k] else total + scores[:, k]
        return Matched(scores[:, k], focal, own.astype(np.float64), own)

    return matched


def on_theta(
    pair: ResponseMatrix,
    items: ItemParameters,
    operational: Bools,
    density: tuple[Floats, Floats],
    grid: Floats,
    *,
    strata: int = 0,
) -> Matcher:
    """Match on the posterior mean of theta from the operational items other than the studied one.

    Parameters
    ----------
    pair
        Persons of two groups.
    items
        Parameters of its items, in its order.
    operational
        Items that theta is estimated from, shape (n_items,).
    density
        Mean and standard deviation of theta in the two groups, each shape (2,).
    grid
        Points of theta, shape (n_theta,).
    strata
        How many strata of equal size; 0 chooses by the number of persons.
    """
    focal = np.array(pair.group) == FOCAL
    log_p = dispatch.log_probabilities(grid, items)
    log_p = np.where(np.isneginf(log_p), -745.0, log_p)
    rows = pair.rows()
    joint = log_weights(grid, *density)[focal.astype(np.int64)]
    _add_answers(joint, pair, log_p, operational)
    order = np.argsort(pair.column, kind="stable")
    ends = np.concatenate(([0], np.cumsum(pair.item_counts())))

    def matched(k: int) -> Matched:
        own = order[ends[k] : ends[k + 1]]
        person, score = rows[own], pair.score[own].astype(np.int64)
        rest = joint[person] - (log_p[:, k, score].T if operational[k] else 0.0)
        theta = _means(rest, grid)
        return Matched(score, focal[person], theta, quantile_strata(theta, strata))

    return matched


def _add_answers(joint: Floats, pair: ResponseMatrix, log_p: Floats, operational: Bools) -> None:
    """Add the log-likelihood of each person's operational answers, some persons at a time."""
    for low in range(0, pair.n_persons, PERSONS_AT_ONCE):
        part = pair.persons(low, min(low + PERSONS_AT_ONCE, pair.n_persons))
        used = operational[part.column]
        rows = part.rows()[used]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        if starts.size:
            answers = log_p[:, part.column[used], part.score[used]].T
            joint[low + rows[starts]] += np.add.reduceat(answers, starts, axis=0)


def _means(log_posterior: Floats, grid: Floats) -> Floats:
    weight = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(weight @ grid / weight.sum(axis=1))


def quantile_strata(standing: Floats, strata: int = 0) -> Ints:
    """Cut persons into strata of equal size, 20 persons each and 40 strata at most by default."""
    wanted = strata or min(max(standing.size // FEWEST_IN_STRATUM, 1), MOST_STRATA)
    if not standing.size:
        return np.zeros(0, dtype=np.int64)
    edges = np.quantile(standing, np.linspace(0, 1, wanted + 1)[1:-1])
    return np.searchsorted(edges, standing, side="right").astype(np.int64)
