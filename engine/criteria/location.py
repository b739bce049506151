"""Criteria of location: how near an item lies to theta, in the whole bank or in strata of a.

Called by `engine.selection`. Imports numpy and `engine.criteria.situation`.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from scipy.special import expit

from engine.arrays import Floats, Ints
from engine.criteria.situation import CriterionRules, Situation
from engine.errors import InputError
from engine.items import ItemParameters

FAR = 1e3
"""By so much an item of the next stratum is worth less; far more than any distance."""
HALVINGS = 80
STEEPEST = 60.0


def urry(situation: Situation, _rules: CriterionRules, items: ItemParameters, rows: Ints) -> Floats:
    """Minus the distance of the difficulty from theta (Urry, 1970). Dichotomous items."""
    return -np.abs(items.b[rows] - situation.theta[:, None])


def best_theta(
    situation: Situation, _rules: CriterionRules, items: ItemParameters, rows: Ints
) -> Floats:
    """Minus the distance from theta of where the item is most informative. Dichotomous items."""
    return -np.abs(most_informative_at(items)[rows] - situation.theta[:, None])


def a_stratified(
    situation: Situation, rules: CriterionRules, items: ItemParameters, rows: Ints
) -> Floats:
    """Minus the distance of the difficulty from theta, in a stratum of a (Chang and Ying, 1999).

    The first items of a test come from the stratum with the lowest a, the last from that with the
    highest, equally many from each. A stratum without an eligible item is followed by its
    neighbours. The difficulty of a polytomous item is the mean of its thresholds.
    """
    if rules.length is None:
        raise InputError("the length of the test", "none", column="stopping.length")
    strata = strata_of_a(items, rules.a_strata, block_by_difficulty=rules.block_by_difficulty)
    stage = np.minimum(rules.a_strata - 1, situation.counted * rules.a_strata // rules.length)
    distance = np.abs(difficulties(items)[rows] - situation.theta[:, None])
    behind: Floats = distance + FAR * np.abs(strata[rows] - stage[:, None])
    return -behind


def difficulties(items: ItemParameters) -> Floats:
    """Mean of the thresholds, b of dichotomous items, shape ``(n_items,)``; NaN for ``nrm``."""
    known = np.isfinite(items.thresholds)
    count = known.sum(axis=1)
    sums = np.where(known, items.thresholds, 0.0).sum(axis=1)
    mean: Floats = np.divide(sums, count, out=np.full(len(items), np.nan), where=count > 0)
    return mean


def strata_of_a(items: ItemParameters, n: int, *, block_by_difficulty: bool) -> Ints:
    """Stratum of each item, from 0 with the lowest a, shape ``(n_items,)``.

    Equal numbers of items by a; or, of each ``n`` items that follow one another in difficulty, one
    for each stratum (Chang, Qian and Ying, 2001), so that all strata cover all difficulties.
    """
    strata = np.empty(len(items), dtype=np.int64)
    if not block_by_difficulty:
        order = np.argsort(items.a, kind="stable")
        strata[order] = np.arange(len(items)) * n // len(items)
        return strata
    order = np.argsort(difficulties(items), kind="stable")
    for start in range(0, len(order), n):
        block = order[start : start + n]
        ranked = block[np.argsort(items.a[block], kind="stable")]
        strata[ranked] = np.arange(len(block)) * n // len(block)
    return strata


_PLACES: WeakKeyDictionary[ItemParameters, Floats] = WeakKeyDictionary()


def most_informative_at(items: ItemParameters) -> Floats:
    """Theta at which a dichotomous item has the most information, shape ``(n_items,)``.

    With ``s`` the logistic of ``z = a (theta - b)``, the log of the information changes by
    ``a (2 (1 - 2 s) - (d - c) s (1 - s) (1 / P - 1 / Q))``: its root by halving. For the 3PL it is
    ``b + log((1 + sqrt(1 + 8 c)) / 2) / a`` (Birnbaum, 1968).
    """
    if items not in _PLACES:
        low, high = np.full(len(items), -STEEPEST), np.full(len(items), STEEPEST)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            rising = _rise(middle, items.c, items.d) > 0
            low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        _PLACES[items] = items.b + 0.5 * (low + high) / items.a
    return _PLACES[items]


def _rise(z: Floats, c: Floats, d: Floats) -> Floats:
    up, down = expit(z), expit(-z)
    right, wrong = c + (d - c) * up, (1.0 - d) + (d - c) * down
    rise: Floats = 2.0 * (down - up) - (d - c) * up * down * (1.0 / right - 1.0 / wrong)
    return rise
