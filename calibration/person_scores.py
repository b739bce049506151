"""Scores of persons with given parameters: what ``tarozu calibrate score`` computes.

The estimators are the engine's own, those of a live exam. Called by the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.matrix import ResponseMatrix
from calibration.screening import score_of
from calibration.tables import csv_text
from engine.ability.estimates import ESTIMATORS, Prior, matrix_scores
from engine.ability.grids import Grid
from engine.ability.sum_scores import sum_scores
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters

BLOCK = 2048
EAP_SUM = "eap-sum"


@dataclass(frozen=True, eq=False)
class PersonScores:
    """Theta and its standard error by person, NaN without responses.

    Parameters
    ----------
    person
        Identifiers.
    theta, se
        Shape (n_persons,).
    n_items
        Responses used, shape (n_persons,).
    used, unknown
        Items with parameters, and items of the responses that have none and were left out.
    """

    person: tuple[str, ...]
    theta: Floats
    se: Floats
    n_items: Ints
    used: tuple[str, ...]
    unknown: tuple[str, ...]


def scores(
    matrix: ResponseMatrix,
    items: ItemParameters,
    estimator: str,
    *,
    prior: Prior,
    grid: Grid,
    file: object = None,
    advance: Callable[[int], None] = lambda _n: None,
) -> PersonScores:
    """Estimate theta of every person.

    Parameters
    ----------
    matrix
        Responses; items without parameters are left out, and named in the result.
    items
        Parameters; items that nobody answered are no matter.
    estimator
        ``eap``, ``map``, ``mle``, ``wle``, or ``eap-sum``, by the sum of the scores alone.
    prior, grid
        As in ``engine.ability.estimates``.
    file
        For messages.
    advance
        Told how many persons are done.

    Raises
    ------
    InputError
        For an unknown estimator, a score that an item does not have, or no item in common.
    """
    if estimator not in (*ESTIMATORS, EAP_SUM):
        known_names = ", ".join((*ESTIMATORS, EAP_SUM))
        raise InputError(f"one of {known_names}", estimator, column="--estimator")
    known = set(items.item)
    keep = [k for k, name in enumerate(matrix.item) if name in known]
    if not keep:
        raise InputError("items that have parameters", f"none of {matrix.n_items}", file=file)
    data = matrix.items(keep) if len(keep) < matrix.n_items else matrix
    bank = items.subset([items.row(name) for name in data.item])
    _check(data, bank, file)
    theta, se = np.full((2, data.n_persons), np.nan)
    for low in range(0, data.n_persons, BLOCK):
        part = data.persons(low, min(low + BLOCK, data.n_persons))
        values, observed = part.dense()
        theta[low : low + part.n_persons], se[low : low + part.n_persons] = _estimated(
            estimator, values.astype(np.int64), observed, bank, prior, grid
        )
        advance(part.n_persons)
    counts = data.person_counts()
    theta[counts == 0] = se[counts == 0] = np.nan
    unknown = tuple(name for name in matrix.item if name not in known)
    return PersonScores(data.person, theta, se, counts, data.item, unknown)


def _estimated(
    estimator: str,
    values: Ints,
    observed: Bools,
    bank: ItemParameters,
    prior: Prior,
    grid: Grid,
) -> tuple[Floats, Floats]:
    if estimator == EAP_SUM:
        return sum_scores(values, observed, bank, prior=prior, grid=grid)
    return matrix_scores(estimator, values, observed, bank, prior=prior, grid=grid)


def _check(data: ResponseMatrix, bank: ItemParameters, file: object) -> None:
    highest = data.highest_scores()
    for k, categories in enumerate(bank.n_categories):
        if highest[k] >= categories:
            expected = f"scores from 0 to {categories - 1}"
            found = score_of(data, k, int(highest[k]))
            raise InputError(expected, found, file=file, column=data.item[k])


def scores_text(found: PersonScores) -> str:
    """Format ``person, theta, se, n_items``; cells of persons without responses are empty."""
    rows = zip(
        found.person, found.theta.tolist(), found.se.tolist(), found.n_items.tolist(), strict=True
    )
    return csv_text(("person", "theta", "se", "n_items"), rows)


def check_target(out: Path) -> None:
    """Refuse an output file that cannot be written, before any work is done."""
    if out.is_dir():
        raise InputError("a file", "a folder of that name", file=out, column="--out")
    if not out.parent.is_dir():
        raise InputError("a folder to write to", "none", file=out.parent, column="--out")
