"""When a test is over: the rules, and the reason that is written down.

Called by `engine.session` for one sitting and by `engine.simulation.run` for many. Imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError


class StopReason(StrEnum):
    """Why a sitting ended; the first that holds, in this order, is the reason.

    ``TIME`` and ``TERMINATED`` are given by whoever keeps the clock or the room, never by the
    engine.
    """

    CONFIDENCE = "confidence"
    SPRT = "sprt"
    GLR = "glr"
    SE = "se"
    INFORMATION = "information"
    THETA_CHANGE = "theta_change"
    LENGTH = "length"
    MAX_ITEMS = "max_items"
    BANK_EXHAUSTED = "bank_exhausted"
    BEST_INFORMATION = "best_information"
    TIME = "time"
    TERMINATED = "terminated"


REASONS = tuple(StopReason)
TIME_RULES = ("score", "no_score", "last_estimates")


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
    theta_change
        Stop once an answer moves the estimate by no more than this.
    best_information
        Stop once no item left has more information at the estimate than this.
    min_items
        No rule but exhaustion of the bank stops before so many items.
    max_items
        No more items than this.
    out_of_time
        What counts when time runs out before ``min_items``: ``score`` scores what was answered,
        ``no_score`` gives no score, and ``last_estimates`` none either, but each cut is passed when
        the last estimates were all above it.
    last_estimates
        How many these are.
    """

    length: int | None = None
    se: float | None = None
    information: float | None = None
    best_information: float | None = None
    theta_change: float | None = None
    min_items: int = 0
    max_items: int | None = None
    out_of_time: str = "score"
    last_estimates: int = 1

    def __post_init__(self) -> None:
        for name in ("length", "max_items"):
            self._check(name, getattr(self, name), at_least=max(1, self.min_items))
        for name in ("se", "information", "best_information", "theta_change"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError("a number above 0", value, column=f"stopping.{name}")
        self._check("min_items", self.min_items, at_least=0)
        if self.out_of_time not in TIME_RULES:
            expected = f"one of {', '.join(TIME_RULES)}"
            raise InputError(expected, repr(self.out_of_time), column="stopping.out_of_time")
        if self.last_estimates < 1:
            expected = "a whole number from 1"
            raise InputError(expected, self.last_estimates, column="stopping.last_estimates")

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


@dataclass(frozen=True)
class Standing:
    """Where some sittings stand, as far as stopping rules ask; each of shape ``(n_persons,)``.

    Parameters
    ----------
    n
        Items given that count.
    se, information
        Of the interim estimate, and information accumulated at it.
    change
        By which the last answer that counts moved the estimate; infinite before the second.
    clear
        The reason by which the side of every cut is clear; -1 where it is not.
    """

    n: Ints
    se: Floats
    information: Floats
    change: Floats
    clear: Ints


def stopping_codes(rules: StoppingRules, now: Standing) -> Ints:
    """Which rule holds, as a position in ``REASONS``, shape ``(n_persons,)``; -1 for none."""
    codes = np.full(len(now.se), -1, dtype=np.int64)
    # From the weakest claim to the strongest: what holds later overwrites.
    if rules.max_items is not None:
        codes[now.n >= rules.max_items] = REASONS.index(StopReason.MAX_ITEMS)
    if rules.length is not None:
        codes[now.n >= rules.length] = REASONS.index(StopReason.LENGTH)
    if rules.theta_change is not None:
        codes[now.change <= rules.theta_change] = REASONS.index(StopReason.THETA_CHANGE)
    if rules.information is not None:
        codes[now.information >= rules.information] = REASONS.index(StopReason.INFORMATION)
    if rules.se is not None:
        codes[now.se <= rules.se] = REASONS.index(StopReason.SE)
    codes = np.where(now.clear >= 0, now.clear, codes)
    return np.where(now.n >= max(1, rules.min_items), codes, -1)


def too_little_left(rules: StoppingRules, n: Ints, best: Floats) -> Bools:
    """Whether ``best_information`` holds, given the most informative item left to each person.

    Parameters
    ----------
    n
        Items given that count, shape ``(n_persons,)``.
    best
        Shape ``(n_persons,)``.
    """
    if rules.best_information is None:
        return np.zeros(len(best), dtype=np.bool_)
    enough = n >= max(1, rules.min_items)
    return np.asarray(enough & (best <= rules.best_information), dtype=np.bool_)
