"""When a test is over: the rules, and the reason that is written down.

Called by `engine.session` for one sitting and by `engine.simulation` for many. Imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError


class StopReason(StrEnum):
    """Why a sitting ended; the first that holds, in this order, is the reason.

    ``TIME`` is given by whoever keeps the clock, never by the engine.
    """

    SE = "se"
    INFORMATION = "information"
    LENGTH = "length"
    MAX_ITEMS = "max_items"
    BANK_EXHAUSTED = "bank_exhausted"
    BEST_INFORMATION = "best_information"
    TIME = "time"


REASONS = tuple(StopReason)


@dataclass(frozen=True)
class StoppingRules:
    """The rules of an exam; the first to hold stops. Without any, the whole bank is given.

    Parameters
    ----------
    length
        Number of items.
    se
        Stop once the standard error of theta is at most this.
    information
        Stop once the information accumulated at the estimate is at least this.
    best_information
        Stop once no item left has more information at the estimate than this.
    min_items
        No rule but exhaustion of the bank stops before so many items.
    max_items
        No more items than this.
    """

    length: int | None = None
    se: float | None = None
    information: float | None = None
    best_information: float | None = None
    min_items: int = 0
    max_items: int | None = None

    def __post_init__(self) -> None:
        for name in ("length", "max_items"):
            self._check(name, getattr(self, name), at_least=max(1, self.min_items))
        for name in ("se", "information", "best_information"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError("a number above 0", value, column=f"stopping.{name}")
        self._check("min_items", self.min_items, at_least=0)

    @staticmethod
    def _check(name: str, value: int | None, *, at_least: int) -> None:
        if value is not None and value < at_least:
            expected = f"at least {at_least} items"
            raise InputError(expected, value, column=f"stopping.{name}")

    @property
    def longest(self) -> int | None:
        """The most items that the rules allow; None when only the bank bounds the test."""
        limits = [limit for limit in (self.length, self.max_items) if limit is not None]
        return min(limits) if limits else None


def stopping_codes(rules: StoppingRules, n: int, se: Floats, information: Floats) -> Ints:
    """Which rule holds after ``n`` items, as a position in ``REASONS``; -1 for none.

    Parameters
    ----------
    se, information
        Of each person, shape ``(n_persons,)``.
    """
    codes = np.full(len(se), -1, dtype=np.int64)
    if n < max(1, rules.min_items):
        return codes
    # From the weakest claim to the strongest: what holds later overwrites.
    if rules.max_items is not None and n >= rules.max_items:
        codes[:] = REASONS.index(StopReason.MAX_ITEMS)
    if rules.length is not None and n >= rules.length:
        codes[:] = REASONS.index(StopReason.LENGTH)
    if rules.information is not None:
        codes[information >= rules.information] = REASONS.index(StopReason.INFORMATION)
    if rules.se is not None:
        codes[se <= rules.se] = REASONS.index(StopReason.SE)
    return codes


def too_little_left(rules: StoppingRules, n: int, best: Floats) -> Bools:
    """Whether ``best_information`` holds, given the most informative item left to each person."""
    if rules.best_information is None or n < max(1, rules.min_items):
        return np.zeros(len(best), dtype=np.bool_)
    return best <= rules.best_information
