"""Words and numbers of the item pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from item_bank.items.life_cycle import Offer, State
from web.formats import number

STATE_WORDS: Mapping[str, str] = {
    State.DRAFT: "being written",
    State.REVIEWED: "the review is signed off",
    State.TRANSLATED: "every language is signed off",
    State.PRETEST: "on trial, does not count",
    State.OPERATIONAL: "counts",
    State.HELD: "given to nobody",
    State.RETIRED: "in no later release",
}


def missing_words(offer: Offer) -> str:
    """Say what keeps a move from being made."""
    return "; ".join(offer.missing)


class WithErrors(Protocol):
    """Parameters by name, with standard errors where known."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Parameters."""

    @property
    def se(self) -> Mapping[str, Any]:
        """Standard errors."""


def model_numbers(line: WithErrors) -> list[tuple[str, str]]:
    """Return the parameters of a line as name and text, with standard errors where known."""
    return list(_numbers(line))


def _numbers(line: WithErrors) -> Iterator[tuple[str, str]]:
    for name, value in line.values.items():
        errors: Any = line.se.get(name)
        if isinstance(value, list):
            known = errors if isinstance(errors, list) else [None] * len(value)
            pairs = zip(value, known, strict=False)
            yield name, ", ".join(_with_error(one, error) for one, error in pairs)
        else:
            yield name, _with_error(value, errors)


def _with_error(value: float, error: float | None) -> str:
    return number(value, 2) if error is None else f"{number(value, 2)} ± {number(error, 2)}"
