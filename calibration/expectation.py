"""The expectation step: posteriors of theta on a grid, and the expected counts.

The responses of a block of persons are a matrix with one column per item and score above 0, and,
where responses are missing, one column per item that says who answered it. Log-likelihoods and
expected counts are then one matrix product each, dense or sparse. Sums over persons are additive,
so blocks can be worked in any order. Called by ``mml``, ``standard_errors`` and ``item_fit``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from calibration import families
from calibration.matrix import ResponseMatrix
from calibration.parameter_space import Space, State
from engine.arrays import Floats, Ints

BLOCK = 4096
_DENSE_SHARE = 0.1
_DENSE_CELLS = 60_000_000


@dataclass(frozen=True, eq=False)
class PersonBlock:
    """Some persons: their responses as indicators, and their groups.

    Parameters
    ----------
    indicators
        Dense or sparse, shape (n, n_columns).
    group
        Shape (n,).
    """

    indicators: Any
    group: Ints


@dataclass(frozen=True, eq=False)
class Design:
    """A response matrix, made ready for matrix products.

    Parameters
    ----------
    blocks
        The persons, in order.
    matrix, n_categories
        What it was made of.
    first
        Column of each item's score 1, shape (n_items,).
    n_positive
        Columns for scores above 0; one per item follows unless ``complete``.
    complete
        Whether everybody answered everything.
    n_persons, n_groups
        How many there are.
    """

    blocks: tuple[PersonBlock, ...]
    matrix: ResponseMatrix
    n_categories: Ints
    first: Ints
    n_positive: int
    complete: bool
    n_persons: int
    n_groups: int


@dataclass(frozen=True, eq=False)
class Tables:
    """What the parameters say on the grid.

    Parameters
    ----------
    by_column
        Log-likelihood that each indicator adds, shape (n_columns, n_theta).
    constant
        Log-likelihood of scores of 0 throughout, for complete data; shape (n_theta,).
    log_weights
        Log of the latent density, normalised over the grid, shape (n_groups, n_theta).
    """

    by_column: Floats
    constant: Floats
    log_weights: Floats


@dataclass(frozen=True, eq=False)
class Expectation:
    """Sums over persons.

    Parameters
    ----------
    log_likelihood
        Marginal, without priors.
    totals
        Expected counts by indicator column and theta, shape (n_columns, n_theta).
    mass
        Expected persons by group and theta, shape (n_groups, n_theta).
    """

    log_likelihood: float
    totals: Floats
    mass: Floats


def grid(n: int) -> Floats:
    """Equally spaced points on [-6, 6], shape (n,)."""
    return np.linspace(-6.0, 6.0, n)


def make_design(matrix: ResponseMatrix, n_categories: Ints, group: Ints) -> Design:
    """Lay a response matrix out in blocks of persons.

    Parameters
    ----------
    matrix
        Scores below ``n_categories`` of their item.
    n_categories
        Shape (n_items,).
    group
        Group number of each person, from 0, shape (n_persons,).
    """
    first = np.concatenate(([0], np.cumsum(n_categories - 1)))
    n_columns = int(first[-1]) + (0 if matrix.complete else matrix.n_items)
    share = matrix.n_responses / max(matrix.n_persons * matrix.n_items, 1)
    dense = share >= _DENSE_SHARE and matrix.n_persons * n_columns <= _DENSE_CELLS
    blocks = tuple(
        PersonBlock(
            _indicators(matrix, low, first, n_columns, dense=dense), group[low : low + BLOCK]
        )
        for low in range(0, matrix.n_persons, BLOCK)
    )
    n_groups = int(group.max(initial=0)) + 1
    return Design(
        blocks,
        matrix,
        n_categories,
        first[:-1],
        int(first[-1]),
        matrix.complete,
        matrix.n_persons,
        n_groups,
    )


def _indicators(
    matrix: ResponseMatrix, low: int, first: Ints, n_columns: int, *, dense: bool
) -> Any:
    part = matrix.persons(low, min(low + BLOCK, matrix.n_persons))
    rows, above = part.rows(), part.score > 0
    row, column = rows[above], first[part.column[above]] + part.score[above] - 1
    if not matrix.complete:
        row = np.concatenate((row, rows))
        column = np.concatenate((column, first[-1] + part.column))
    shape = (part.n_persons, n_columns)
    if not dense:
        return sparse.csr_array((np.ones(row.size), (row, column)), shape=shape)
    indicators = np.zeros(shape)
    indicators[row, column] = 1.0
    return indicators


def log_weights(theta: Floats, mean: Floats, sd: Floats) -> Floats:
    """Log of normal densities, normalised over the grid, shape (n_groups, n_theta)."""
    z = (theta - mean[:, None]) / sd[:, None]
    raw = -0.5 * z * z
    raw -= raw.max(axis=1, keepdims=True)
    return np.asarray(raw - np.log(np.exp(raw).sum(axis=1, keepdims=True)))


def make_tables(space: Space, state: State, design: Design, theta: Floats) -> Tables:
    """Evaluate the items and the latent densities on the grid."""
    n_items = len(space.item)
    positive = np.empty((design.n_positive, theta.size))
    base = np.empty((n_items, theta.size))
    for family, local in zip(space.families, state.local, strict=True):
        log_p = families.log_probabilities(family.name, local, theta)
        base[family.rows] = log_p[:, 0]
        for k in range(1, log_p.shape[1]):
            has = family.n_categories > k
            columns = design.first[family.rows[has]] + k - 1
            positive[columns] = log_p[has, k] - log_p[has, 0]
    weights = log_weights(theta, state.mean, state.sd)
    if design.complete:
        return Tables(positive, base.sum(axis=0), weights)
    return Tables(np.concatenate((positive, base)), np.zeros(theta.size), weights)


def posteriors(design: Design, tables: Tables) -> Iterator[tuple[PersonBlock, Floats, Floats]]:
    """Yield each block with its posteriors (n, n_theta) and marginal log-likelihoods (n,)."""
    prior = tables.log_weights + tables.constant
    for block in design.blocks:
        joint = block.indicators @ tables.by_column
        joint += prior[0] if design.n_groups == 1 else prior[block.group]
        peak = joint.max(axis=1, keepdims=True)
        joint -= peak
        np.exp(joint, out=joint)
        total = joint.sum(axis=1, keepdims=True)
        joint /= total
        yield block, joint, (np.log(total) + peak)[:, 0]


def expect(design: Design, tables: Tables) -> Expectation:
    """Run the expectation step over all persons."""
    log_likelihood = 0.0
    totals = np.zeros_like(tables.by_column)
    mass = np.zeros_like(tables.log_weights)
    for block, posterior, log_l in posteriors(design, tables):
        log_likelihood += float(log_l.sum())
        totals += block.indicators.T @ posterior
        if design.n_groups == 1:
            mass[0] += posterior.sum(axis=0)
        else:
            for g in range(design.n_groups):
                mass[g] += posterior[block.group == g].sum(axis=0)
    return Expectation(log_likelihood, totals, mass)


def category_counts(space: Space, design: Design, totals: Floats, mass: Floats) -> list[Floats]:
    """Expected counts by family, each of shape (n_items, n_categories, n_theta)."""
    everybody = mass.sum(axis=0)
    counts = []
    for family in space.families:
        n, width = len(family.rows), int(family.n_categories.max())
        own = np.zeros((n, width, totals.shape[1]))
        for k in range(1, width):
            has = family.n_categories > k
            own[has, k] = totals[design.first[family.rows[has]] + k - 1]
        answered = everybody if design.complete else totals[design.n_positive + family.rows]
        own[:, 0] = np.maximum(answered - own[:, 1:].sum(axis=1), 0.0)
        counts.append(own)
    return counts


def person_estimates(
    design: Design, tables: Tables, theta: Floats
) -> tuple[Floats, Floats, Floats]:
    """EAP, posterior standard deviation and marginal log-likelihood, each (n_persons,)."""
    found: list[npt.NDArray[np.float64]] = []
    for _block, posterior, log_l in posteriors(design, tables):
        mean = posterior @ theta
        variance = posterior @ (theta * theta) - mean * mean
        found.append(np.stack((mean, np.sqrt(np.maximum(variance, 0.0)), log_l)))
    joined = np.concatenate(found, axis=1) if found else np.zeros((3, 0))
    return joined[0], joined[1], joined[2]
