"""The response matrix: who answered what, and how it was scored.

Made by ``response_file`` from a file, by ``response_matrix_from_log`` from recorded sittings, or by
``from_dense`` from arrays; read by every estimator and statistic of this package. Only what was
observed is stored, person after person, so that a routed bank of thousands of items costs no more
than its answers. Imports ``engine``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.arrays import Bools, Ints
from engine.errors import InputError

Scores = npt.NDArray[np.int16]
MAX_CATEGORIES = 50


@dataclass(frozen=True, eq=False)
class ResponseMatrix:
    """Observed scores in rows of persons and columns of items.

    Parameters
    ----------
    person, item
        Identifiers, each unique.
    offsets
        Shape (n_persons + 1,): the responses of person p are ``offsets[p]:offsets[p + 1]``.
    column, score
        Shape (n_responses,): the item's column, ascending within a person, and the score from 0.
    group
        The group of each person; empty where there are no groups.
    routed
        Whether an adaptive test chose what is missing. Statistics that need every person to have
        met the same items are then inadmissible.
    """

    person: tuple[str, ...]
    item: tuple[str, ...]
    offsets: Ints
    column: Ints
    score: Scores
    group: tuple[str, ...] = ()
    routed: bool = False

    @property
    def n_persons(self) -> int:
        """Persons, with or without responses."""
        return len(self.person)

    @property
    def n_items(self) -> int:
        """Items, with or without responses."""
        return len(self.item)

    @property
    def n_responses(self) -> int:
        """Observed scores."""
        return int(self.score.size)

    @property
    def complete(self) -> bool:
        """Whether every person answered every item."""
        return self.n_responses == self.n_persons * self.n_items

    def person_counts(self) -> Ints:
        """Responses of each person, shape (n_persons,)."""
        return np.diff(self.offsets)

    def item_counts(self) -> Ints:
        """Responses to each item, shape (n_items,)."""
        return np.bincount(self.column, minlength=self.n_items).astype(np.int64)

    def rows(self) -> Ints:
        """The person's row of each response, shape (n_responses,)."""
        return np.repeat(np.arange(self.n_persons), self.person_counts())

    def category_counts(self) -> Ints:
        """Responses by item and score, shape (n_items, highest score + 1)."""
        width = int(self.score.max(initial=0)) + 1
        cells = self.column * width + self.score
        return np.bincount(cells, minlength=self.n_items * width).reshape(self.n_items, width)

    def highest_scores(self) -> Ints:
        """Highest score of each item that somebody had; 0 for an item that nobody met."""
        met = self.category_counts() > 0
        last = met.shape[1] - 1 - np.argmax(met[:, ::-1], axis=1)
        return np.where(met.any(axis=1), last, 0)

    def dense(self) -> tuple[Scores, Bools]:
        """Scores and observed mask, shapes (n_persons, n_items); a score is 0 where unobserved."""
        scores = np.zeros((self.n_persons, self.n_items), dtype=np.int16)
        observed = np.zeros(scores.shape, dtype=np.bool_)
        rows = self.rows()
        scores[rows, self.column] = self.score
        observed[rows, self.column] = True
        return scores, observed

    def persons(self, first: int, last: int) -> ResponseMatrix:
        """Only the persons of rows ``first`` to ``last``, the end excluded."""
        low, high = self.offsets[first], self.offsets[last]
        return replace(
            self,
            person=self.person[first:last],
            offsets=self.offsets[first : last + 1] - low,
            column=self.column[low:high],
            score=self.score[low:high],
            group=self.group[first:last],
        )

    def persons_where(self, keep: Bools) -> ResponseMatrix:
        """Only the persons of a mask, shape (n_persons,), in their order."""
        seen = np.repeat(keep, self.person_counts())
        chosen = np.flatnonzero(keep)
        counts = self.person_counts()[keep]
        return replace(
            self,
            person=tuple(self.person[k] for k in chosen),
            offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            column=self.column[seen],
            score=self.score[seen],
            group=tuple(self.group[k] for k in chosen) if self.group else (),
        )

    def items(self, keep: Sequence[int]) -> ResponseMatrix:
        """Only the given columns, in the given order; persons stay, even without responses."""
        position = np.full(self.n_items, -1, dtype=np.int64)
        position[np.asarray(keep, dtype=np.int64)] = np.arange(len(keep))
        column = position[self.column]
        seen = column >= 0
        return response_matrix_from_codes(
            self.person,
            tuple(self.item[k] for k in keep),
            (self.rows()[seen], column[seen], self.score[seen]),
            group=self.group,
            routed=self.routed,
        )

    def with_scores(self, score: Scores) -> ResponseMatrix:
        """Replace the scores, response by response."""
        return replace(self, score=score)

    def sha256(self) -> str:
        """Fingerprint of the data: identifiers, groups and scores."""
        digest = hashlib.sha256()
        for names in (self.person, self.item, self.group):
            digest.update("\x1f".join(names).encode() + b"\x1e")
        for numbers in (self.offsets, self.column, self.score.astype(np.int64)):
            digest.update(np.ascontiguousarray(numbers, dtype="<i8").tobytes())
        return digest.hexdigest()


def from_dense(
    scores: npt.ArrayLike,
    observed: npt.ArrayLike | None = None,
    *,
    person: Sequence[str] = (),
    item: Sequence[str] = (),
    group: Sequence[str] = (),
    routed: bool = False,
) -> ResponseMatrix:
    """Make a response matrix from arrays.

    Parameters
    ----------
    scores
        Integers from 0, shape (n_persons, n_items).
    observed
        Which of them were observed; all where not given.
    person, item
        Identifiers; the position from 1 where not given.
    group, routed
        As in ``ResponseMatrix``.

    Raises
    ------
    InputError
        For a score that is not an integer from 0.
    """
    values = np.asarray(scores)
    mask = np.ones(values.shape, bool) if observed is None else np.asarray(observed, bool)
    rows, columns = np.nonzero(mask)
    seen = values[rows, columns]
    if seen.size and (np.any(seen != np.floor(seen)) or seen.min() < 0):
        raise InputError("scores that are integers from 0", seen.min())
    return response_matrix_from_codes(
        tuple(person) or numbered(values.shape[0]),
        tuple(item) or numbered(values.shape[1]),
        (rows, columns, seen),
        group=tuple(group),
        routed=routed,
    )


def response_matrix(
    records: Iterable[tuple[str, str, int]],
    *,
    items: Sequence[str] = (),
    group: dict[str, str] | None = None,
    routed: bool = False,
) -> ResponseMatrix:
    """Make a response matrix from records of person, item and score.

    Parameters
    ----------
    records
        One per observed response; persons and items keep the order in which they appear.
    items
        Items that come first, whether or not they were answered.
    group
        The group of each person, where there are groups.
    routed
        As in ``ResponseMatrix``.

    Raises
    ------
    InputError
        When a person answered an item twice.
    """
    persons: dict[str, int] = {}
    columns = {name: k for k, name in enumerate(items)}
    rows, cols, scores = [], [], []
    for person, item, score in records:
        rows.append(persons.setdefault(person, len(persons)))
        cols.append(columns.setdefault(item, len(columns)))
        scores.append(score)
    triplets = (np.array(rows, np.int64), np.array(cols, np.int64), np.array(scores, np.int64))
    people = tuple(persons)
    groups = tuple(group[name] for name in people) if group else ()
    return response_matrix_from_codes(people, tuple(columns), triplets, group=groups, routed=routed)


def response_matrix_from_log(
    rows: Iterable[tuple[str, str, int, str]], *, items: Sequence[str] = ()
) -> ResponseMatrix:
    """Make a routed response matrix from recorded sittings.

    A person who sat more than once counts with the first sitting only: a later one meets items
    that the person has seen, and its answers are not independent of the first.

    Parameters
    ----------
    rows
        Person, item, score and sitting, in the order of time.
    items
        Items that come first, whether or not they were answered.
    """
    first: dict[str, str] = {}
    kept = (
        (person, item, score)
        for person, item, score, sitting in rows
        if first.setdefault(person, sitting) == sitting
    )
    return response_matrix(kept, items=items, routed=True)


def response_matrix_from_codes(
    person: tuple[str, ...],
    item: tuple[str, ...],
    codes: tuple[
        npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]], npt.NDArray[np.generic]
    ],
    *,
    group: tuple[str, ...] = (),
    routed: bool = False,
) -> ResponseMatrix:
    """Make a response matrix from the row, column and score of each response, in any order.

    Raises
    ------
    InputError
        When a person answered an item twice.
    """
    rows, columns, scores = codes
    cell = rows.astype(np.int64) * len(item) + columns
    if (cell[1:] < cell[:-1]).any():
        order = np.argsort(cell, kind="stable")
        cell, rows, columns, scores = cell[order], rows[order], columns[order], scores[order]
    twice = np.flatnonzero(cell[1:] == cell[:-1])
    if twice.size:
        at = twice[0]
        pair = f"person {person[rows[at]]}, item {item[columns[at]]} twice"
        raise InputError("one response per person and item", pair)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(person)))))
    return ResponseMatrix(
        person,
        item,
        offsets.astype(np.int64),
        columns.astype(np.int64, copy=False),
        scores.astype(np.int16),
        group,
        routed,
    )


def numbered(count: int) -> tuple[str, ...]:
    """Name persons or items by their position, from 1."""
    return tuple(str(k) for k in range(1, count + 1))
