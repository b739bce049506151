"""A response matrix, made ready for matrix products: blocks of persons as indicators.

Where everybody answered everything there is one column per item and score above 0, and the
log-likelihood of a person is relative to scores of 0 throughout. Where responses are missing there
is one column per item and score. Called by ``mml`` and everything that goes over its persons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from calibration.matrix import ResponseMatrix
from engine.arrays import Floats, Ints

BLOCK = 4096
PART = 4
"""Blocks whose sums are added up before they are added to the rest, on one machine or on many."""
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
        Columns for scores above 0; one per item for scores of 0 follows unless ``complete``.
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
    indicators = _dense if dense else _sparse
    if dense and matrix.complete:
        indicators = _complete
    blocks = tuple(
        PersonBlock(
            indicators(matrix.persons(low, min(low + BLOCK, matrix.n_persons)), first, n_columns),
            group[low : low + BLOCK],
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


def _complete(part: ResponseMatrix, first: Ints, n_columns: int) -> Floats:
    """Indicators of scores above 0, from the table of all scores."""
    table = part.score.reshape(part.n_persons, part.n_items)
    steps = np.diff(first)
    score = np.arange(n_columns) - np.repeat(first[:-1], steps) + 1
    wide = table if (steps == 1).all() else np.repeat(table, steps, axis=1)
    return np.asarray(wide == score, dtype=np.float64)


def _columns(part: ResponseMatrix, first: Ints) -> Ints:
    """Each response's column: those of scores above 0 stand first, then those of 0."""
    above = first[part.column] + part.score - 1
    return np.asarray(np.where(part.score > 0, above, first[-1] + part.column))


def _dense(part: ResponseMatrix, first: Ints, n_columns: int) -> Floats:
    indicators = np.zeros((part.n_persons, n_columns))
    indicators[part.rows(), _columns(part, first)] = 1.0
    return indicators


def _sparse(part: ResponseMatrix, first: Ints, n_columns: int) -> Any:
    if part.complete and n_columns == first[-1]:
        return sparse.csr_array(_complete(part, first, n_columns))
    columns = _columns(part, first).astype(np.int32)
    offsets = part.offsets.astype(np.int32)
    shape = (part.n_persons, n_columns)
    ones = _ones(1 << max(columns.size - 1, 1).bit_length())
    return sparse.csr_array((ones[: columns.size], columns, offsets), shape=shape)


@lru_cache(maxsize=4)
def _ones(size: int) -> Floats:
    """Ones that the blocks have in common."""
    return np.ones(size)


def parts(design: Design) -> list[tuple[PersonBlock, ...]]:
    """The blocks, some at a time."""
    return [design.blocks[low : low + PART] for low in range(0, len(design.blocks), PART)]


def is_sparse(design: Design) -> bool:
    """Whether the indicators are stored without their zeros."""
    return bool(sparse.issparse(design.blocks[0].indicators))
