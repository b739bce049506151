"""Screening before a fit: what the data cannot carry is taken out or refused, and reported.

Called by the command line and ``recalibration``. Imports ``engine`` and ``matrix``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from calibration.matrix import ResponseMatrix
from engine.arrays import Bools, Ints
from engine.errors import InputError
from engine.items import FAMILIES

FEW_RESPONSES = 30
FEW_IN_CATEGORY = 5


@dataclass(frozen=True, eq=False)
class Screening:
    """What is left, and what was done.

    Parameters
    ----------
    matrix
        Persons with responses and items that can be estimated (or are held).
    dropped
        Items taken out, with the reason.
    empty_persons
        Persons without a response to an item that is left.
    thin
        Few responses, in words, by item.
    recoded
        What ``recode`` did, in words, by item.
    """

    matrix: ResponseMatrix
    dropped: dict[str, str] = field(default_factory=dict)
    empty_persons: tuple[str, ...] = ()
    thin: dict[str, str] = field(default_factory=dict)
    recoded: dict[str, str] = field(default_factory=dict)

    def notes(self, item: str) -> list[str]:
        """Everything there is to say about an item."""
        found = (self.dropped.get(item), self.recoded.get(item), self.thin.get(item))
        return [text for text in found if text]


def recode(
    matrix: ResponseMatrix, *, held: Collection[str] = ()
) -> tuple[ResponseMatrix, dict[str, str]]:
    """Shift 1..K data to 0..K-1 and close gaps between the scores of an item.

    Parameters
    ----------
    matrix
        As it was read.
    held
        Items with given parameters: shifted with all others, but their gaps stay.

    Returns
    -------
    tuple
        The recoded matrix, and what was done by item.
    """
    lowest = int(matrix.score.min(initial=np.iinfo(np.int16).max)) if matrix.n_responses else 0
    shifted = matrix.with_scores((matrix.score - lowest).astype(np.int16))
    counts = shifted.category_counts()
    new = np.tile(np.arange(counts.shape[1]), (matrix.n_items, 1))
    done = dict.fromkeys(matrix.item, f"scores shifted by -{lowest}") if lowest else {}
    for k, name in enumerate(matrix.item):
        used = np.flatnonzero(counts[k])
        if used.size > 1 and name not in held and used[-1] >= used.size:
            new[k, used] = np.arange(used.size)
            old = ", ".join(str(score + lowest) for score in used)
            done[name] = f"scores {old} recoded to 0..{used.size - 1}"
    return shifted.with_scores(new[shifted.column, shifted.score].astype(np.int16)), done


def shifted(matrix: ResponseMatrix) -> ResponseMatrix:
    """Shift 1..K data to 0..K-1 for items whose parameters are given, whose gaps stay."""
    return recode(matrix, held=matrix.item)[0]


def check_scores(
    matrix: ResponseMatrix,
    models: Sequence[str],
    *,
    n_categories: dict[str, int] | None = None,
    file: object = None,
) -> None:
    """Refuse scores that the models cannot have.

    Parameters
    ----------
    matrix
        Scores, recoded where that was asked for.
    models
        By item.
    n_categories
        Of items whose parameters are given: their gaps are no error.
    file
        For the message.

    Raises
    ------
    InputError
        Naming the item: data from 1 to K, a score above the model's highest, a gap.
    """
    given = n_categories or {}
    counts = matrix.category_counts()
    if matrix.n_responses and not counts[:, 0].any():
        found = f"scores from {matrix.score.min()} to {matrix.score.max()}"
        raise InputError("scores from 0 (or --recode)", found, file=file, column=matrix.item[0])
    for k, (name, model) in enumerate(zip(matrix.item, models, strict=True)):
        used = np.flatnonzero(counts[k])
        limit = given.get(name, 2 if FAMILIES[model] == "logistic" else counts.shape[1])
        if used.size and used[-1] >= limit:
            expected = f"scores from 0 to {limit - 1} (model {model})"
            raise InputError(expected, score_of(matrix, k, int(used[-1])), file=file, column=name)
        if name not in given and used.size > 1 and used[-1] >= used.size:
            found = "scores " + ", ".join(map(str, used))
            expected = "scores from 0 without a gap (or --recode)"
            raise InputError(expected, found, file=file, column=name)


def score_of(matrix: ResponseMatrix, column: int, score: int) -> str:
    """Name a score and the first person who has it, for a message."""
    at = np.flatnonzero((matrix.column == column) & (matrix.score == score))[0]
    row = int(np.searchsorted(matrix.offsets, at, side="right")) - 1
    return f"a score of {score} (person {matrix.person[row]})"


def screen(
    matrix: ResponseMatrix,
    *,
    held: Collection[str] = (),
    keep: Collection[str] = (),
    file: object = None,
) -> Screening:
    """Take out what cannot be estimated.

    Items without responses and items that everybody answered alike have no finite estimate; persons
    without responses say nothing. Items with few responses stay, with a remark.

    Parameters
    ----------
    matrix
        Scores that passed ``check_scores``.
    held
        Items with given parameters: never constant.
    keep
        Items that stay whatever they look like: operational items drove the routing, and without
        them the rest would not be missing at random.
    file
        For the message.

    Raises
    ------
    InputError
        When fewer than two items or two persons are left.
    """
    protected = {*held, *keep}
    counts = matrix.category_counts()
    dropped = _unestimable(matrix, counts, protected)
    left = [k for k, name in enumerate(matrix.item) if name not in dropped]
    kept = matrix.items(left) if dropped else matrix
    answered = kept.person_counts() > 0
    empty = tuple(name for name, has in zip(kept.person, answered, strict=True) if not has)
    if empty:
        kept = _only_persons(kept, answered)
    if kept.n_items < 2 or kept.n_persons < 2:
        reasons = "; ".join(f"{name}: {why}" for name, why in list(dropped.items())[:3])
        found = f"{kept.n_items} items, {kept.n_persons} persons" + (
            f" ({reasons})" if reasons else ""
        )
        expected = "at least 2 items that vary and 2 persons with responses"
        raise InputError(expected, found, file=file)
    return Screening(kept, dropped, empty, _thin(kept, held))


def _unestimable(
    matrix: ResponseMatrix, counts: Ints, protected: Collection[str]
) -> dict[str, str]:
    reasons = {}
    for name, own in zip(matrix.item, counts, strict=True):
        used = np.flatnonzero(own)
        if used.size == 0 and name not in protected:
            reasons[name] = "dropped: no responses"
        elif used.size == 1 and name not in protected:
            reasons[name] = f"dropped: every score is {used[0]}"
    return reasons


def _thin(matrix: ResponseMatrix, held: Collection[str]) -> dict[str, str]:
    remarks = {}
    for name, own in zip(matrix.item, matrix.category_counts(), strict=True):
        used = own[: int(np.flatnonzero(own).max(initial=0)) + 1]
        if name in held:
            continue
        if own.sum() < FEW_RESPONSES:
            remarks[name] = f"only {own.sum()} responses"
        elif used.min() < FEW_IN_CATEGORY:
            remarks[name] = f"only {used.min()} responses with score {int(used.argmin())}"
    return remarks


def _only_persons(matrix: ResponseMatrix, keep: Bools) -> ResponseMatrix:
    """Leave out persons without responses: their row is empty, so the responses stay."""
    offsets = np.concatenate((matrix.offsets[:1], matrix.offsets[1:][keep]))
    chosen = np.flatnonzero(keep)
    return ResponseMatrix(
        tuple(matrix.person[k] for k in chosen),
        matrix.item,
        offsets,
        matrix.column,
        matrix.score,
        tuple(matrix.group[k] for k in chosen) if matrix.group else (),
        matrix.routed,
    )
