"""Item selection: a criterion gives each item a value, and the best eligible items are picked.

The criteria themselves stand in ``engine/criteria``. Called by `engine.session` and
`engine.simulation.run`. Imports numpy, the criteria and `engine.randomness`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.criteria import discrepancy, expectation, information, location
from engine.criteria.situation import CriterionRules, Situation
from engine.errors import InputError
from engine.items import ItemParameters
from engine.randomness import uniform

Value = Callable[[Situation, CriterionRules, ItemParameters, Ints], Floats]


@dataclass(frozen=True)
class Criterion:
    """How items are valued, and the families for which that is defined."""

    value: Value
    families: frozenset[str]


ALL = frozenset({"logistic", "graded", "partial_credit", "nominal"})
DICHOTOMOUS = frozenset({"logistic"})
WITH_A = ALL - {"nominal"}


def _random(
    situation: Situation, _rules: CriterionRules, _items: ItemParameters, rows: Ints
) -> Floats:
    """Draw a uniform number for the sitting, the step and the item."""
    return uniform(situation.seeds[:, None], situation.position, "selection", rows[None, :])


CRITERIA: Mapping[str, Criterion] = {
    "max_information": Criterion(information.max_information, ALL),
    "interval_information": Criterion(information.interval_information, ALL),
    "urry": Criterion(location.urry, DICHOTOMOUS),
    "best_theta": Criterion(location.best_theta, DICHOTOMOUS),
    "mlwi": Criterion(information.mlwi, ALL),
    "mpwi": Criterion(information.mpwi, ALL),
    "kl": Criterion(discrepancy.kl, ALL),
    "klp": Criterion(discrepancy.klp, ALL),
    "gdi": Criterion(discrepancy.gdi, DICHOTOMOUS),
    "gdip": Criterion(discrepancy.gdip, DICHOTOMOUS),
    "mei": Criterion(expectation.mei, ALL),
    "mepv": Criterion(expectation.mepv, ALL),
    "a_stratified": Criterion(location.a_stratified, WITH_A),
    "random": Criterion(_random, ALL),
}
"""Every criterion by the name that exams and the command line use."""
TIE = 1e-10
"""Criteria this close to the best, relative to it, are tied: the lowest bank row wins."""


def criterion_values(
    rules: CriterionRules,
    situation: Situation,
    items: ItemParameters,
    rows: Ints | None = None,
) -> Floats:
    """Value of items to some examinees; larger is better.

    Parameters
    ----------
    rules
        The criterion and its options.
    situation
        Where the examinees stand.
    rows
        Bank rows to value, shape ``(n_rows,)``; all by default.

    Returns
    -------
    Floats
        Shape ``(n_persons, n_rows)``.

    Raises
    ------
    InputError
        For a criterion that does not exist or that is not defined for an item of the bank.
    """
    check_criterion(rules.name)
    check_families(rules.name, items)
    among = np.arange(len(items), dtype=np.int64) if rows is None else rows
    return CRITERIA[rules.name].value(situation, rules, items, among)


def check_families(name: str, items: ItemParameters) -> None:
    """Refuse a bank with items for which the criterion is not defined."""
    for part in items.parts:
        if part.family not in CRITERIA[name].families:
            row = int(part.rows[0])
            expected = f"items for which {name} is defined"
            found = f"item {items.item[row]} of model {items.model[row]}"
            raise InputError(expected, found, column="selection.criterion")


def check_criterion(name: str) -> None:
    """Refuse a criterion that does not exist."""
    if name not in CRITERIA:
        expected = f"one of {', '.join(CRITERIA)}"
        raise InputError(expected, repr(name), column="selection.criterion")


def pick_items(values: Floats, eligible: Bools, k: int) -> tuple[Ints, Floats]:
    """Best ``k`` eligible items of each person, best first.

    Parameters
    ----------
    values
        Shape ``(n_persons, n_items)``.
    eligible
        Same shape.

    Returns
    -------
    tuple
        Bank rows and their values, both of shape ``(n_persons, k)``; row -1 and value minus
        infinity where fewer than ``k`` items are eligible.
    """
    left = np.where(eligible, values, -np.inf)
    people = np.arange(len(left))
    rows = np.empty((len(left), k), dtype=np.int64)
    found = np.empty((len(left), k))
    for place in range(k):
        best = left.max(axis=1)
        first = (left >= (best - TIE * np.abs(best))[:, None]).argmax(axis=1)
        found[:, place] = left[people, first]
        rows[:, place] = np.where(np.isneginf(best), -1, first)
        left[people, first] = -np.inf
    return rows, found
