"""The expectation step: posteriors of theta on a grid, and the expected counts.

With the indicators of ``design``, log-likelihoods and expected counts are one matrix product each,
dense or sparse. Sums over persons are additive: each part of the persons gives its own, and they
are added in the order of the parts, so that it does not matter where they were worked. Called by
``mml``, ``standard_errors``, ``cluster`` and ``item_fit``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration import families
from calibration.design import Design, PersonBlock, is_sparse, parts
from calibration.parameter_space import Space, State
from engine.arrays import Floats


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
    histogram
        Whether the densities are free weights: products of posteriors are then summed, too.
    """

    by_column: Floats
    constant: Floats
    log_weights: Floats
    histogram: bool = False


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
    cross
        Products of posteriors by group, shape (n_groups, n_theta, n_theta); 0 unless asked for.
    """

    log_likelihood: float
    totals: Floats
    mass: Floats
    cross: Floats


@dataclass(frozen=True, eq=False)
class Sums:
    """What some persons add to an `Expectation`, with the same fields."""

    log_likelihood: float
    totals: Floats
    mass: Floats
    cross: Floats


PartSums = Callable[[Tables], Iterable[Sums]]
"""Works out the sums of all parts, in their order."""


def grid(n: int) -> Floats:
    """Equally spaced points on [-6, 6], shape (n,)."""
    return np.linspace(-6.0, 6.0, n)


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
            positive[columns] = log_p[has, k] - (log_p[has, 0] if design.complete else 0.0)
    weights = log_weights(theta, state.mean, state.sd)
    if state.density is not None:
        weights = np.log(state.density)
    histogram = state.density is not None
    if design.complete:
        return Tables(positive, base.sum(axis=0), weights, histogram)
    both = np.concatenate((positive, base))
    return Tables(both, np.zeros(theta.size), weights, histogram)


def posteriors(design: Design, tables: Tables) -> Iterator[tuple[PersonBlock, Floats, Floats]]:
    """Yield each block with its posteriors (n, n_theta) and marginal log-likelihoods (n,)."""
    for block in design.blocks:
        yield block, *block_posteriors(block, tables)


def block_posteriors(block: PersonBlock, tables: Tables) -> tuple[Floats, Floats]:
    """Posteriors (n, n_theta) and marginal log-likelihoods (n,) of some persons."""
    prior = tables.log_weights + tables.constant
    joint = block.indicators @ tables.by_column
    joint += prior[0] if len(prior) == 1 else prior[block.group]
    peak = joint.max(axis=1, keepdims=True)
    joint -= peak
    np.exp(joint, out=joint)
    total = joint.sum(axis=1, keepdims=True)
    joint /= total
    return joint, (np.log(total) + peak)[:, 0]


def part_sums(blocks: Iterable[PersonBlock], tables: Tables) -> Sums:
    """Run the expectation step over some blocks."""
    log_likelihood, totals, mass, cross = _nothing(tables)
    for block in blocks:
        posterior, log_l = block_posteriors(block, tables)
        log_likelihood += float(log_l.sum())
        totals += block.indicators.T @ posterior
        for g in range(len(mass)):
            own = posterior if len(mass) == 1 else posterior[block.group == g]
            mass[g] += own.sum(axis=0)
            if tables.histogram:
                cross[g] += own.T @ own
    return Sums(log_likelihood, totals, mass, cross)


def _nothing(tables: Tables) -> tuple[float, Floats, Floats, Floats]:
    """Where sums begin."""
    n_groups, n_theta = tables.log_weights.shape
    square = np.zeros((n_groups, n_theta, n_theta if tables.histogram else 0))
    return 0.0, np.zeros_like(tables.by_column), np.zeros((n_groups, n_theta)), square


def expect(design: Design, tables: Tables, sums: PartSums | None = None) -> Expectation:
    """Run the expectation step over all persons.

    Parameters
    ----------
    design, tables
        The persons, and what the parameters say.
    sums
        Works out the sums of the parts of the design, elsewhere perhaps; here where not given.
    """
    log_likelihood, totals, mass, cross = _nothing(tables)
    for own in sums(tables) if sums else _local_sums(design, tables):
        log_likelihood += own.log_likelihood
        totals += own.totals
        mass += own.mass
        cross += own.cross
    return Expectation(log_likelihood, totals, mass, cross)


def _local_sums(design: Design, tables: Tables) -> Iterator[Sums]:
    """Sums by part; sparse products use one thread each, so parts are worked side by side."""
    pieces = parts(design)
    threads = min(os.cpu_count() or 1, len(pieces))
    if threads < 2 or not is_sparse(design):
        yield from (part_sums(piece, tables) for piece in pieces)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda piece: part_sums(piece, tables), pieces)


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
        if design.complete:
            own[:, 0] = np.maximum(everybody - own[:, 1:].sum(axis=1), 0.0)
        else:
            own[:, 0] = totals[design.n_positive + family.rows]
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
