"""Who is examined: people drawn from a distribution, or the recorded answers of real ones.

Called by the simulation command. Imports the engine and the response matrix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from calibration.matrix import ResponseMatrix
from calibration.simulations.words import numbers
from engine.ability.estimates import check_matrix
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.randomness import uniform

FORMS = 'normal(MEAN,SD), uniform(LOW,HIGH) or grid(LOW,HIGH,N), such as "normal(0,1)"'
_SPEC = re.compile(r"\s*(normal|uniform|grid)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True, eq=False)
class Examinees:
    """The examinees of a simulation.

    Parameters
    ----------
    person
        Identifiers.
    theta
        True thetas, shape ``(n,)``; None with recorded answers.
    scores, observed
        Recorded answers by bank row, shape ``(n, n_items)``; None with true thetas.
    unused
        Items with answers that the bank does not have.
    """

    person: tuple[str, ...]
    theta: Floats | None = None
    scores: Ints | None = None
    observed: Bools | None = None
    unused: tuple[str, ...] = ()


def drawn_examinees(spec: str, n: int, seed: int) -> Examinees:
    """Draw examinees from a distribution of theta.

    ``grid(LOW,HIGH,N)`` deals the examinees out to N equally spaced points in turn.

    Raises
    ------
    InputError
        For anything but the three forms, a range that is none, or no examinees.
    """
    if n < 1:
        raise InputError("at least 1 examinee", n, column="--n")
    return Examinees(tuple(str(k) for k in range(1, n + 1)), theta=_thetas(spec, n, seed))


def recorded_examinees(responses: ResponseMatrix, items: ItemParameters) -> Examinees:
    """Take recorded answers, item by item of the bank.

    Raises
    ------
    InputError
        When the responses and the bank have no item in common, or for a score that its item does
        not have.
    """
    known = {name: row for row, name in enumerate(items.item)}
    common = [(column, known[name]) for column, name in enumerate(responses.item) if name in known]
    if not common:
        expected = "responses to items of the bank"
        raise InputError(expected, f"{responses.item[0]!r} and others", column="item")
    columns, rows = np.array(common, dtype=np.int64).T
    scores, observed = responses.dense()
    shape = (responses.n_persons, len(items))
    all_scores, all_observed = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    all_scores[:, rows], all_observed[:, rows] = scores[:, columns], observed[:, columns]
    check_matrix(all_scores, all_observed, items)
    unused = tuple(name for name in responses.item if name not in known)
    return Examinees(responses.person, scores=all_scores, observed=all_observed, unused=unused)


def _thetas(spec: str, n: int, seed: int) -> Floats:
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise InputError(FORMS, repr(spec), column="--theta")
    kind, inside = match.groups()
    values = numbers(inside, 3 if kind == "grid" else 2, "--theta", FORMS)
    if kind == "grid":
        low, high, points = values
        return _grid(n, low, high, points)
    # A draw of exactly 0 has no normal quantile.
    chances = np.maximum(uniform(seed, np.arange(n), "theta"), 2.0**-54)
    first, second = values
    if kind == "normal":
        if second <= 0:
            raise InputError("a standard deviation above 0", f"{second:g}", column="--theta")
        return first + second * ndtri(chances)
    _check_range(first, second)
    return first + (second - first) * chances


def _grid(n: int, low: float, high: float, points: float) -> Floats:
    if points != int(points) or points < 1:
        raise InputError("a whole number of points from 1", f"{points:g}", column="--theta")
    if points > 1:
        _check_range(low, high)
    return np.linspace(low, high, int(points))[np.arange(n) % int(points)]


def _check_range(low: float, high: float) -> None:
    if low >= high:
        raise InputError("a low end below the high end", f"{low:g} and {high:g}", column="--theta")
