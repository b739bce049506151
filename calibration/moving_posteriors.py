"""How the gradient changes as the posteriors of theta move with the parameters.

Summed over persons it is the posterior covariance of their score functions: the part of the
information that is missing because theta is not seen. Two routes to it: for dense data, point by
point of theta, where one matrix product serves all pairs of items; for sparse data, person by
person, who met few items. Called by ``observed_information``.

Source: Louis (1982).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from calibration import families
from calibration.design import PersonBlock
from calibration.expectation import block_posteriors, posteriors
from calibration.maximisation import latent_score_functions
from calibration.mml import MmlFit
from engine.arrays import Floats, Ints

_CHUNK = 512
_AT_ONCE = 16
_GRAM_CELLS = 30_000_000
_NEGLIGIBLE = 1e-14
"""Posterior probability of a point below which a person does not count there."""


@dataclass(frozen=True, eq=False)
class _Linear:
    """Score functions of persons as linear functions of their indicators.

    The columns are those of the design, then one per group, which everybody in it has. ``values``
    (n_entries, n_theta) are derivatives, ``column`` and ``parameter`` (n_entries,) say which.
    """

    values: Floats
    column: Ints
    parameter: Ints
    shape: tuple[int, int]

    def at(self, point: int) -> Any:
        """Score functions at one point, transposed: sparse, shape (n_free, n_columns)."""
        shape = self.shape[::-1]
        return sparse.csr_array((self.values[:, point], (self.parameter, self.column)), shape=shape)


def change_by_point(fit: MmlFit) -> Floats:
    """Sum of the posterior covariances of score functions, shape (n_free, n_free)."""
    linear = _linear(fit)
    width, n_free = linear.shape
    change = np.zeros((n_free, n_free))
    at_once = max(1, _GRAM_CELLS // width**2)
    for low in range(0, fit.theta.size, at_once):
        points = range(low, min(low + at_once, fit.theta.size))
        grams = np.zeros((len(points), width, width))
        for block, posterior, _log_l in posteriors(fit.design, fit.tables):
            persons = _with_groups(block, fit.design.n_groups)
            if low == 0:
                means = _mean_scores(linear, persons, posterior)
                change -= means.T @ means
            for gram, point in zip(grams, points, strict=True):
                _add_gram(gram, persons, posterior[:, point])
        for gram, point in zip(grams, points, strict=True):
            scores = linear.at(point)
            change += scores @ (scores @ gram).T
    return change


def _with_groups(block: PersonBlock, n_groups: int) -> Floats:
    groups = block.group[:, None] == np.arange(n_groups)
    return np.hstack((block.indicators, groups))


def _add_gram(gram: Floats, persons: Floats, weights: Floats) -> None:
    """Add the weighted cross-products of indicators, over persons who count at this point."""
    rows = np.flatnonzero(weights > _NEGLIGIBLE)
    weighted = persons[rows] * np.sqrt(weights[rows])[:, None]
    gram += weighted.T @ weighted


def _mean_scores(linear: _Linear, persons: Floats, posterior: Floats) -> Floats:
    """Posterior means of the score functions, shape (n, n_free)."""
    found = np.zeros((len(persons), linear.shape[1]))
    # Entries stand in layers, in each of which a column occurs once at most.
    starts = np.flatnonzero(np.diff(linear.column, prepend=linear.column[0]) < 0)
    for layer in np.split(np.arange(linear.column.size), starts):
        values = posterior @ linear.values[layer].T
        values *= persons[:, linear.column[layer]]
        rows = np.arange(layer.size)
        spread = sparse.csr_array(
            (np.ones(layer.size), (linear.parameter[layer], rows)),
            shape=(linear.shape[1], layer.size),
        )
        found += np.asarray(spread @ values.T).T
    return found


def _linear(fit: MmlFit) -> _Linear:
    layers = [entries for entries in _entries(fit) if entries[1].size]
    values, column, parameter = (np.concatenate(parts) for parts in zip(*layers, strict=True))
    n_columns = len(fit.tables.by_column) + fit.design.n_groups
    return _Linear(values, column, parameter, (n_columns, fit.space.n_free))


def _entries(fit: MmlFit) -> Iterator[tuple[Floats, Ints, Ints]]:
    """Derivatives, columns and parameters, one local parameter and score at a time."""
    design, space = fit.design, fit.space
    groups = len(fit.tables.by_column) + np.arange(design.n_groups)
    for family, local in zip(space.families, fit.state.local, strict=True):
        scores = families.score_functions(family.name, local, fit.theta, family.n_local)
        for p in range(family.n_local):
            zero = scores[:, 0, :, p]
            for k in range(1, scores.shape[1]):
                has = family.free[:, p] & (family.n_categories > k)
                own = scores[has, k, :, p] - (zero[has] if design.complete else 0.0)
                column = design.first[family.rows[has]] + k - 1
                yield own, column, family.index[has, p]
            has = family.free[:, p]
            if not design.complete:
                yield zero[has], design.n_positive + family.rows[has], family.index[has, p]
                continue
            for group in groups:
                for row in np.flatnonzero(has):
                    yield zero[row : row + 1], np.array([group]), family.index[row : row + 1, p]
    for index, by in zip(
        (space.mean_index, space.sd_index),
        latent_score_functions(fit.state, fit.theta),
        strict=True,
    ):
        moving = index >= 0
        yield by[moving], groups[moving], index[moving]


def change_by_person(fit: MmlFit) -> Floats:
    """Do the same as ``change_by_point``, from each person's own covariance of score functions."""
    width = fit.space.n_free + 1
    change = np.zeros(width**2)
    table, index = _score_table(fit)

    def work(chunk: _Chunk) -> tuple[Ints, Floats]:
        posterior, _log_l = block_posteriors(chunk.block, fit.tables)
        cells = _answered_cells(fit, chunk)
        return _covariances(table[cells], index[cells], posterior, width)

    chunks = list(_chunks(fit))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for low in range(0, len(chunks), _AT_ONCE):
            for at, covariance in pool.map(work, chunks[low : low + _AT_ONCE]):
                np.add.at(change, at, covariance)
    upper = change.reshape(width, width)[:-1, :-1]
    return upper + upper.T


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some persons of a block: their rows in the matrix, and themselves."""

    first: int
    last: int
    block: PersonBlock


def _chunks(fit: MmlFit) -> Iterator[_Chunk]:
    first = 0
    for block in fit.design.blocks:
        n = len(block.group)
        for low in range(0, n, _CHUNK):
            high = min(low + _CHUNK, n)
            part = PersonBlock(block.indicators[low:high], block.group[low:high])
            yield _Chunk(first + low, first + high, part)
        first += n


def _score_table(fit: MmlFit) -> tuple[Floats, Ints]:
    """Score functions of every cell (item and score, then groups, then nothing).

    Returns
    -------
    tuple
        Shapes (n_cells, n_local, n_theta) and (n_cells, n_local): the derivatives and the
        parameters they belong to, the last place for none.
    """
    space, n_categories = fit.space, fit.design.n_categories
    start = np.concatenate(([0], np.cumsum(n_categories)))
    width = max(2, *(family.n_local for family in space.families))
    n_cells = int(start[-1]) + fit.design.n_groups + 1
    table = np.zeros((n_cells, width, fit.theta.size))
    index = np.full((n_cells, width), space.n_free)
    for family, local in zip(space.families, fit.state.local, strict=True):
        p = family.n_local
        scores = families.score_functions(family.name, local, fit.theta, p)
        for k in range(scores.shape[1]):
            has = family.n_categories > k
            cells = start[family.rows[has]] + k
            table[cells, :p] = scores[has, k].transpose(0, 2, 1)
            index[cells, :p] = np.where(family.free[has, :p], family.index[has, :p], space.n_free)
    latent = slice(int(start[-1]), n_cells - 1)
    for column, (by, own) in enumerate(
        zip(
            latent_score_functions(fit.state, fit.theta),
            (space.mean_index, space.sd_index),
            strict=True,
        )
    ):
        table[latent, column] = by
        index[latent, column] = np.where(own >= 0, own, space.n_free)
    return table, index


def _answered_cells(fit: MmlFit, chunk: _Chunk) -> Ints:
    """Cells of each person: the answers, the group, and padding."""
    design = fit.design
    part = design.matrix.persons(chunk.first, chunk.last)
    start = np.concatenate(([0], np.cumsum(design.n_categories)))
    padding = int(start[-1]) + design.n_groups
    counts = part.person_counts()
    cells = np.full((part.n_persons, int(counts.max(initial=0)) + 1), padding, dtype=np.int64)
    place = np.arange(part.n_responses) - np.repeat(part.offsets[:-1], counts)
    cells[part.rows(), place] = start[part.column] + part.score
    cells[:, -1] = start[-1] + chunk.block.group
    return cells


def _covariances(scores: Floats, index: Ints, posterior: Floats, width: int) -> tuple[Ints, Floats]:
    """Posterior covariances of score functions (n, n_cells, n_local, n_theta), each pair once.

    Returns
    -------
    tuple
        Places in the flattened (width, width) table, and what to add there; half of it on the
        diagonal, since the table is added to its own transpose in the end.
    """
    n, n_theta = posterior.shape
    flat = scores.reshape(n, -1, n_theta)
    at = index.reshape(n, -1)
    mean = flat @ posterior[:, :, None]
    covariance = (flat * posterior[:, None, :]) @ flat.transpose(0, 2, 1)
    covariance -= mean * mean.transpose(0, 2, 1)
    rows, columns = np.triu_indices(at.shape[1])
    covariance[:, np.arange(at.shape[1]), np.arange(at.shape[1])] /= 2
    places = at[:, rows] * width + at[:, columns]
    return places.ravel(), covariance[:, rows, columns].ravel()
