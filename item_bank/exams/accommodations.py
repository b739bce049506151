"""What a sitting allows this candidate: extra time and breaks, a larger font, more contrast. Pure.

They come from the roster, are frozen into the sitting when it starts, and stand in no result.
Where one says how many breaks there are, or how long, it takes the place of the exam's own rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from item_bank.exams.delivery_rules import DeliveryRules
from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.tables.sittings import Sitting

Accommodations = Mapping[str, Any]

FONTS, CONTRASTS = ("large",), ("high",)


def seconds_allowed(time_limit: int | None, given: Accommodations) -> int | None:
    """Return the time limit with extra time; None where there is none."""
    factor = float(given.get("extra_time", 1.0))
    return None if time_limit is None else round(time_limit * factor)


def breaks_left(sitting: Sitting, rules: DeliveryRules) -> int:
    """How many breaks the candidate may still take."""
    return max(breaks_allowed(sitting.accommodations, rules) - sitting.breaks_taken, 0)


def breaks_allowed(given: Accommodations, rules: DeliveryRules) -> int:
    """How many breaks the candidate may take in all."""
    return int(given.get("breaks", rules.breaks))


def break_length(given: Accommodations, rules: DeliveryRules) -> int:
    """How many microseconds of a break cost no time."""
    minutes = given.get("break_minutes")
    return rules.break_seconds * SECOND if minutes is None else round(minutes * MINUTE)
