"""Scores of a cohort: how many, mean and spread, the distribution, levels, and by month."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from engine.results.decisions import ReportingScale
from engine.results.proportions import Proportion, wilson
from item_bank.exams.exam_files import LevelNames
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.sums import (
    JUDGED,
    PASSED,
    Moments,
    bin_of,
    moments,
    together,
)
from item_bank.store.clock import DAY, SECOND
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome

BINS = 40


@dataclass(frozen=True)
class Bin:
    """How many values lie from ``low`` to below ``high``; the last bin holds its end, too."""

    low: float
    high: float
    n: int


@dataclass(frozen=True)
class LevelCount:
    """How many reached a level and none above it."""

    level: LevelNames
    share: Proportion | None


@dataclass(frozen=True)
class Month:
    """The sittings that ended in a month, written as 2026-09."""

    name: str
    n: int
    scores: Moments
    passed: Proportion | None


@dataclass(frozen=True)
class Scores:
    """What the scores of a cohort are.

    Parameters
    ----------
    n
        Sittings with a result, whether or not it has a score.
    passed
        Among the sittings that have a level.
    first, last
        When the first and the last of them ended; None of nothing.
    """

    n: int
    scores: Moments
    passed: Proportion | None
    bins: tuple[Bin, ...]
    levels: tuple[LevelCount, ...]
    months: tuple[Month, ...]
    first: int | None
    last: int | None


def scores(db: Database, frame: Frame) -> Scores:
    """Count a cohort's scores: two passes over its outcomes, by day and by score."""
    scale = frame.version.plan.design.scale
    with db.read() as session:
        days = _days(session, frame)
        bins = _bins(session, frame)
    return Scores(
        n=sum(row.n for row in days),
        scores=together(_moments(row, scale) for row in days),
        passed=_passed(days),
        bins=bins,
        levels=_levels(days, frame.version.plan.levels),
        months=_months(days, scale),
        first=min((row.first for row in days), default=None),
        last=max((row.last for row in days), default=None),
    )


def _days(session: Session, frame: Frame) -> Sequence[Row[tuple[int, ...]]]:
    """Sums by the day on which sittings ended, and by level."""
    day = (Outcome.finished_at // DAY).label("day")
    about = frame.version.plan.design.scale.intercept
    scored, total, squares = moments(Outcome.score, about)
    return session.execute(
        select(
            day,
            Outcome.level,
            func.count().label("n"),
            scored.label("scored"),
            total.label("total"),
            squares.label("squares"),
            PASSED.label("passed"),
            JUDGED.label("judged"),
            func.min(Outcome.finished_at).label("first"),
            func.max(Outcome.finished_at).label("last"),
        )
        .where(*frame.cohort.conditions)
        .group_by(day, Outcome.level)
    ).all()


def _moments(row: Row[tuple[int, ...]], scale: ReportingScale) -> Moments:
    return Moments(row.scored, row.total, row.squares, scale.intercept)


def _passed(rows: Iterable[Row[tuple[int, ...]]]) -> Proportion | None:
    found = list(rows)
    return wilson(sum(row.passed for row in found), sum(row.judged for row in found))


def _levels(
    rows: Sequence[Row[tuple[int, ...]]], levels: Sequence[LevelNames]
) -> tuple[LevelCount, ...]:
    judged = sum(row.n for row in rows if row.level is not None)
    counts: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.level] += row.n
    return tuple(LevelCount(level, wilson(counts[level.code], judged)) for level in levels)


def _months(rows: Sequence[Row[tuple[int, ...]]], scale: ReportingScale) -> tuple[Month, ...]:
    by_month: defaultdict[str, list[Row[tuple[int, ...]]]] = defaultdict(list)
    for row in rows:
        by_month[f"{datetime.fromtimestamp(row.day * DAY / SECOND, UTC):%Y-%m}"].append(row)
    return tuple(
        Month(
            name,
            sum(row.n for row in found),
            together(_moments(row, scale) for row in found),
            _passed(found),
        )
        for name, found in sorted(by_month.items())
    )


def _bins(session: Session, frame: Frame) -> tuple[Bin, ...]:
    """Counts of scores in bins that cover the scale, but for empty ones at its ends."""
    scale = frame.version.plan.design.scale
    width = bin_width(scale)
    last = max(0, math.ceil((scale.maximum - scale.minimum) / width - 1e-9) - 1)
    place = bin_of(Outcome.score, scale.minimum, width).label("place")
    counts = [0] * (last + 1)
    for found, n in session.execute(
        select(place, func.count())
        .where(*frame.cohort.conditions, Outcome.score.is_not(None))
        .group_by(place)
    ):
        counts[min(int(found), last)] += n
    used = [index for index, n in enumerate(counts) if n]
    if not used:
        return ()
    lows = [scale.minimum + index * width for index in range(last + 1)]
    return tuple(
        Bin(lows[index], lows[index] + width, counts[index])
        for index in range(used[0], used[-1] + 1)
    )


def bin_width(scale: ReportingScale) -> float:
    """Return a round width that gives about 40 bins, no narrower than the scale's unit."""
    rough = (scale.maximum - scale.minimum) / BINS
    power = 10.0 ** math.floor(math.log10(rough))
    nice = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    return max(nice, scale.unit)
