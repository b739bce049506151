"""Sums that the database makes of many outcomes, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, case, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from item_bank.store.tables.outcomes import Outcome


class floored(GenericFunction[int]):  # noqa: N801 - a function of SQL
    """The whole part of a number that is not negative."""

    type = BigInteger()
    inherit_cache = True


@compiles(floored, "sqlite")
def _floored_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS INTEGER)"


@compiles(floored, "postgresql")
def _floored_on_postgres(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(floor({compiler.process(element.clauses, **options)}) AS BIGINT)"


def bin_of(value: Any, low: float, width: float) -> ColumnElement[int]:
    """Which bin of a width a value falls into, counted from ``low``; lower values are in bin 0."""
    place = floored((value - low) / width)
    return case((value < low, 0), else_=place)


def counted(condition: Any) -> ColumnElement[int]:
    """How many rows have something; none where there is no row."""
    return func.coalesce(func.sum(cast(condition, Integer)), 0)


def moments(column: Any, about: float) -> tuple[ColumnElement[Any], ...]:
    """How many values there are, their sum and their sum of squares about a number near them."""
    from_there = column - about
    return (
        func.count(column),
        func.coalesce(func.sum(from_there), 0.0),
        func.coalesce(func.sum(from_there * from_there), 0.0),
    )


@dataclass(frozen=True)
class Moments:
    """Sums of values about a number, which add up over groups.

    Parameters
    ----------
    n
        How many values there are.
    total, squares
        Sums of their differences from ``about``, and of the squares of these.
    """

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    about: float = 0.0

    @property
    def mean(self) -> float | None:
        """Mean; None of nothing."""
        return self.about + self.total / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """Variance with n - 1; None for fewer than two values."""
        if self.n < 2:
            return None
        return max(0.0, self.squares - self.total**2 / self.n) / (self.n - 1)

    @property
    def sd(self) -> float | None:
        """Standard deviation; None for fewer than two values."""
        return None if self.variance is None else math.sqrt(self.variance)


def together(parts: Iterable[Moments]) -> Moments:
    """Put groups together whose sums are about the same number."""
    found = list(parts)
    return Moments(
        sum(one.n for one in found),
        math.fsum(one.total for one in found),
        math.fsum(one.squares for one in found),
        found[0].about if found else 0.0,
    )


PASSED: ColumnElement[int] = counted(Outcome.passed)
"""How many outcomes have passed."""
JUDGED: ColumnElement[int] = func.count(Outcome.passed)
"""How many outcomes have a level, and so passed or not."""
