"""The models that exist, and what the parameters of an item must be in each.

Called by `engine.items` alone. Imports numpy and the engine's arrays and errors.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.arrays import Bools, Floats
from engine.errors import InputError

if TYPE_CHECKING:
    from engine.items import ItemParameters

FAMILIES: Mapping[str, str] = {
    "rasch": "logistic",
    "1pl": "logistic",
    "2pl": "logistic",
    "3pl": "logistic",
    "4pl": "logistic",
    "grm": "graded",
    "pcm": "partial_credit",
    "gpcm": "partial_credit",
    "nrm": "nominal",
}
"""The family that computes each model."""

HAS_C = frozenset({"3pl", "4pl"})
HAS_D = frozenset({"4pl"})


def check_names(names: tuple[str, ...], models: tuple[str, ...]) -> None:
    """Refuse identifiers that are empty or stand twice, and unknown models."""
    if not names:
        raise InputError("at least one item", "none", column="item")
    if len(models) != len(names):
        raise InputError(f"{len(names)} models, one by item", len(models), column="model")
    seen: set[str] = set()
    for name, model in zip(names, models, strict=True):
        if not name or name in seen:
            raise InputError("identifiers that occur once", repr(name), column="item")
        if model not in FAMILIES:
            known = ", ".join(FAMILIES)
            raise InputError(f"one of {known}", repr(model), column=f"item {name}: model")
        seen.add(name)


def check_copy_of_b(name: str, steps: Floats, b: float) -> None:
    """Refuse thresholds of a dichotomous item other than a copy of its b."""
    known = steps[~np.isnan(steps)]
    if len(known) > 1 or (len(known) == 1 and known[0] != b):
        raise InputError("no thresholds, only b", known.tolist(), column=f"item {name}: thresholds")


def check_values(bank: ItemParameters) -> None:
    """Refuse parameters that an item's model does not have or that are out of range."""
    nominal = _of(bank, {"nrm"})
    _refuse(bank, "a", ~nominal & ~(np.isfinite(bank.a) & (bank.a > 0)), "a number above 0")
    _refuse(bank, "a", nominal & ~np.isnan(bank.a), "no a, since each category has a slope")
    single = bank.is_dichotomous
    _refuse(bank, "b", single & ~np.isfinite(bank.b), "a number")
    _refuse(bank, "b", nominal & ~np.isnan(bank.b), "no b, since each category has an intercept")
    _refuse(bank, "b", ~single & ~np.isnan(bank.b), "no b, since the model has thresholds")
    has_c, has_d = _of(bank, HAS_C), _of(bank, HAS_D)
    _refuse(bank, "c", ~has_c & (bank.c != 0), "no c, or 0, for this model")
    _refuse(bank, "d", ~has_d & (bank.d != 1), "no d, or 1, for this model")
    _refuse(bank, "c", ~((bank.c >= 0) & (bank.c < 1)), "a number from 0 to below 1")
    _refuse(bank, "d", ~((bank.d > bank.c) & (bank.d <= 1)), "a number above c, at most 1")
    _check_columns(bank, "thresholds", "b1", ~nominal)
    _check_thresholds(bank)
    _check_nominal(bank, nominal)


def _check_thresholds(bank: ItemParameters) -> None:
    with np.errstate(invalid="ignore"):
        falling = (np.diff(bank.thresholds, axis=1) <= 0).any(axis=1)
    _refuse(bank, "thresholds", _of(bank, {"grm"}) & falling, "ascending thresholds")


def _check_nominal(bank: ItemParameters, nominal: Bools) -> None:
    _check_columns(bank, "slopes", "slope1", nominal)
    _check_columns(bank, "intercepts", "intercept1", nominal)
    counts = [np.isfinite(table).sum(axis=1) for table in (bank.slopes, bank.intercepts)]
    _refuse(bank, "intercepts", counts[0] != counts[1], "as many intercepts as slopes")
    flat = nominal & (np.nan_to_num(bank.slopes) == 0).all(axis=1)
    _refuse(bank, "slopes", flat, "a slope other than 0, that of category 0")


def _check_columns(bank: ItemParameters, field: str, first: str, having: Bools) -> None:
    """Refuse gaps, infinities, and values of items whose model has none."""
    table = getattr(bank, field)
    known = np.isfinite(table)
    _refuse(bank, field, np.isinf(table).any(axis=1), "finite numbers")
    _refuse(bank, field, ~having & known.any(axis=1), f"no {field}, which this model lacks")
    _refuse(bank, field, having & ~known[:, :1].any(axis=1), f"at least {first}")
    gap = (known[:, 1:] & ~known[:, :-1]).any(axis=1)
    _refuse(bank, field, gap, f"no gap between {field}")


def _of(bank: ItemParameters, models: Collection[str]) -> Bools:
    return np.array([model in models for model in bank.model], dtype=np.bool_)


def _refuse(bank: ItemParameters, field: str, wrong: npt.ArrayLike, expected: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        row = int(rows[0])
        found = getattr(bank, field)[row].tolist()
        where = f"item {bank.item[row]}: {field}"
        raise InputError(f"{expected} (model {bank.model[row]})", found, column=where)
