"""What an exam says about exposure control, checked.

Part of an exam design; read by everything in this folder. Imports numpy and the engine's errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters

METHODS = ("none", "progressive", "proportional", "priced", "sympson_hetter", "eligibility")
WEIGHING = frozenset({"progressive", "proportional", "priced"})
"""The methods that change the values of items; the others allow or bar them."""
AIMING = frozenset({"priced", "sympson_hetter", "eligibility"})
"""The methods that aim at a highest exposure rate."""

Parameters = tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class ExposureRules:
    """How an exam controls the exposure of its items, besides drawing among the best few.

    Parameters
    ----------
    method
        ``none``; ``progressive`` or ``proportional``, which mix information with chance, less and
        less; ``priced``, which takes a price off the information of items that many would be
        given; ``sympson_hetter``, which lets each item through with its probability k; or
        ``eligibility``, which draws at the start which items a sitting may use.
    max_rate
        The highest exposure rate that ``eligibility`` aims at, and for which the k of
        ``sympson_hetter`` or the prices of ``priced`` were found.
    ceiling
        An item that so large a share of all sittings had is not given; for every method.
    acceleration
        Of ``progressive`` and ``proportional``: how late information takes over.
    strata
        Ascending cuts of theta between which ``sympson_hetter`` and ``eligibility`` control
        separately; empty for control over all together.
    k
        Sympson-Hetter parameters by item, one for each stratum; 1 for items that are not named.
    prices
        Of ``priced`` by item, in units of information; 0 for items that are not named.
    avoid_earlier
        Whether items that a person met in earlier sittings are avoided while others are left. The
        engine does not know of these sittings: only then does a site put their items into
        ``SittingState.excluded``.
    """

    method: str = "none"
    max_rate: float | None = None
    ceiling: float | None = None
    acceleration: float = 1.0
    strata: tuple[float, ...] = ()
    k: Parameters = ()
    prices: Parameters = ()
    avoid_earlier: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            expected = f"one of {', '.join(METHODS)}"
            raise InputError(expected, repr(self.method), column="exposure.method")
        _check_rate("max_rate", self.max_rate)
        _check_rate("ceiling", self.ceiling)
        if not (np.isfinite(self.acceleration) and self.acceleration >= 0):
            raise InputError("a number from 0", self.acceleration, column="exposure.acceleration")
        if not np.isfinite(self.strata).all() or (np.diff(self.strata) <= 0).any():
            found = list(self.strata)
            raise InputError("ascending cuts of theta", found, column="exposure.strata")
        self._check_use()

    def _check_use(self) -> None:
        """Refuse what the method would not read, and a method without what it needs."""
        aims = self.method in AIMING
        if self.method == "eligibility" and self.max_rate is None:
            raise InputError("a rate for eligibility to aim at", None, column="exposure.max_rate")
        if self.method == "sympson_hetter" and not self.k:
            expected = "parameters for sympson_hetter, made by simulation"
            raise InputError(expected, "none", column="exposure.k")
        if self.method == "priced" and not self.prices:
            expected = "prices of items, made by simulation"
            raise InputError(expected, "none", column="exposure.prices")
        by_stratum = self.method in {"sympson_hetter", "eligibility"}
        for name, wrong in (
            ("max_rate", not aims and self.max_rate is not None),
            ("strata", not by_stratum and bool(self.strata)),
            ("k", self.method != "sympson_hetter" and bool(self.k)),
            ("prices", self.method != "priced" and bool(self.prices)),
        ):
            if wrong:
                raise InputError(f"no {name} with {self.method}", name, column=f"exposure.{name}")
        for item, values in self.k:
            self._check_k(item, values)
        for item, values in self.prices:
            if len(values) != 1 or not (np.isfinite(values[0]) and values[0] >= 0):
                column = f"exposure.prices.{item}"
                raise InputError("one number from 0", list(values), column=column)

    def _check_k(self, item: str, values: tuple[float, ...]) -> None:
        column = f"exposure.k.{item}"
        if len(values) != self.n_strata:
            raise InputError(f"{self.n_strata} parameters", len(values), column=column)
        if not all(0 < value <= 1 for value in values):
            raise InputError("probabilities above 0, at most 1", list(values), column=column)

    @property
    def n_strata(self) -> int:
        """Number of strata of theta."""
        return len(self.strata) + 1

    @property
    def needs_usage(self) -> bool:
        """Whether the choice depends on what other sittings were given."""
        return self.ceiling is not None or self.method == "eligibility"


def stratum_of(theta: Floats, rules: ExposureRules) -> Ints:
    """Stratum of each theta, shape ``(n_persons,)``; a cut belongs to the stratum above it."""
    return np.searchsorted(np.array(rules.strata), theta, side="right").astype(np.int64)


def check_exposure(rules: ExposureRules, items: ItemParameters) -> None:
    """Refuse a parameter or a price for an item that the bank does not have."""
    known = set(items.item)
    for key, table in (("k", rules.k), ("prices", rules.prices)):
        for name, _ in table:
            if name not in known:
                expected = f"one of the {len(items)} items of the bank"
                raise InputError(expected, repr(name), column=f"exposure.{key}")


def _check_rate(name: str, rate: float | None) -> None:
    if rate is not None and not 0 < rate <= 1:
        raise InputError("a rate above 0, at most 1", rate, column=f"exposure.{name}")
