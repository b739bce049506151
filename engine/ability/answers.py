"""Who answered what, as arrays, and sums of a bank's tables over a person's answers.

Called by `engine.ability.estimates`, `engine.ability.modes` and `engine.simulation.run`. Imports
numpy and `engine.ability.grids`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.ability.grids import Grid, tables
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters


@dataclass(frozen=True)
class Answers:
    """The answers of some persons, each to items of their own.

    Parameters
    ----------
    rows
        Bank rows, shape ``(n_persons, n)``.
    scores
        From 0, same shape.
    present
        False where a row is padding, same shape.
    """

    rows: Ints
    scores: Ints
    present: Bools

    @property
    def any(self) -> Bools:
        """Who has an answer at all, shape ``(n_persons,)``."""
        return np.asarray(self.present.any(axis=1), dtype=np.bool_)


def answers(rows: Ints, scores: Ints) -> Answers:
    """Answers without padding, shapes ``(n_persons, n)``."""
    return Answers(rows, scores, np.ones(rows.shape, dtype=np.bool_))


def log_likelihood(given: Answers, items: ItemParameters, grid: Grid) -> Floats:
    """Log likelihood at the points of a grid, shape ``(n_persons, n_points)``."""
    return response_sums(tables(items, grid).log_probabilities, given)


def response_sums(table: Floats, given: Answers) -> Floats:
    """Sum a table ``(n_items, max_categories, n_points)`` over the answers given."""
    picked = table[given.rows, given.scores]
    if not given.present.all():
        picked = np.where(given.present[..., None], picked, 0.0)
    sums: Floats = picked.sum(axis=1)
    return sums


def item_sums(table: Floats, given: Answers) -> Floats:
    """Sum a table ``(n_items, n_points)`` over the items answered."""
    sums: Floats = np.where(given.present[..., None], table[given.rows], 0.0).sum(axis=1)
    return sums


def check_matrix(scores: Ints, observed: Bools, items: ItemParameters) -> None:
    """Refuse a response matrix with a score that its item does not have."""
    if scores.shape != observed.shape or scores.shape[1:] != (len(items),):
        found = f"{scores.shape} with mask {observed.shape}"
        raise InputError(f"scores and mask of shape (n_persons, {len(items)})", found)
    wrong = observed & ((scores < 0) | (scores >= items.n_categories))
    if wrong.any():
        person, row = np.argwhere(wrong)[0].tolist()
        _refuse_score(items, row, int(scores[person, row]))


def checked_answers(rows: Sequence[int], scores: Sequence[int], items: ItemParameters) -> Answers:
    """The answers of one person; refuses rows that the bank and scores that an item lacks."""
    given, values = _checked(rows, scores, items)
    return answers(given[None], values[None])


def checked_places(rows: Sequence[int], scores: Sequence[int], items: ItemParameters) -> Ints:
    """Where the answers of one person stand in `Tables.by_place`; refuses as the above."""
    given, values = _checked(rows, scores, items)
    places: Ints = given * items.max_categories + values
    return places


def _checked(
    rows: Sequence[int], scores: Sequence[int], items: ItemParameters
) -> tuple[Ints, Ints]:
    if len(rows) != len(scores):
        raise InputError(f"{len(rows)} scores", len(scores), column="scores")
    given, values = np.array(rows, dtype=np.int64), np.array(scores, dtype=np.int64)
    top = items.n_categories.take(given, mode="clip")
    # As numbers without a sign, those below 0 are very large.
    outside = given.view(np.uint64) >= len(items)
    lacking = values.view(np.uint64) >= top.view(np.uint64)
    if (outside | lacking).any():
        _refuse_answer(rows, scores, items, outside, lacking)
    return given, values


def _refuse_answer(
    rows: Sequence[int],
    scores: Sequence[int],
    items: ItemParameters,
    outside: Bools,
    lacking: Bools,
) -> None:
    """Name the first row that the bank lacks, or else the first score that its item lacks."""
    if outside.any():
        wrong = rows[int(outside.argmax())]
        raise InputError(f"a row from 0 to {len(items) - 1}", wrong, column="row")
    place = int(lacking.argmax())
    _refuse_score(items, rows[place], scores[place])


def _refuse_score(items: ItemParameters, row: int, score: int) -> None:
    top = items.n_categories[row] - 1
    raise InputError(f"a score from 0 to {top}", score, column=f"item {items.item[row]}")
