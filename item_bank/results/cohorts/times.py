"""Working time, time left, numbers of questions, and why sittings ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from engine.results.proportions import Proportion, wilson
from engine.rules.stopping import StopReason
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.scores import Bin
from item_bank.results.cohorts.sums import bin_of, counted
from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Sitting

NEAR = 0.05
"""A sitting ended near its limit when so small a part of its time was left."""
LONGEST = 24 * 60
"""Minutes; longer sittings are counted there."""
PARTS = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Times:
    """How long the sittings of a cohort took.

    Parameters
    ----------
    n
        Sittings.
    mean_seconds
        Working time; pauses are not in it.
    minutes
        Sittings by whole minutes of working time, in bins.
    percentiles
        Minutes by which a part of the sittings had ended, by percent; whole minutes.
    limit
        The exam's time limit in seconds, before accommodations; None without one.
    limited
        Sittings that had a time limit.
    near
        Of these, those that ended with less than a twentieth of their own time left.
    out_of_time
        Of all, those that the clock ended.
    lengths
        Sittings by number of scored questions.
    reasons
        Sittings by why they ended, the most frequent first.
    """

    n: int
    mean_seconds: float | None
    mean_items: float | None
    minutes: tuple[Bin, ...]
    percentiles: dict[int, int]
    limit: int | None
    limited: int
    near: Proportion | None
    out_of_time: Proportion | None
    lengths: tuple[Bin, ...]
    reasons: tuple[tuple[str, int], ...]


def times(db: Database, frame: Frame) -> Times:
    """Count a cohort's times: two passes, one of them beside the sittings' deadlines."""
    with db.read() as session:
        by_minute, limited, near = _minutes(session, frame)
        ends = _ends(session, frame)
    n = sum(by_minute.values())
    reasons, lengths = Counter[str](), Counter[int]()
    for reason, length, count, _ in ends:
        reasons[reason] += count
        lengths[length] += count
    seconds = sum(row[3] for row in ends)
    return Times(
        n=n,
        mean_seconds=seconds / n if n else None,
        mean_items=sum(k * count for k, count in lengths.items()) / n if n else None,
        minutes=_in_bins(by_minute),
        percentiles=_percentiles(by_minute, n),
        limit=frame.version.plan.time_limit,
        limited=limited,
        near=wilson(near, limited),
        out_of_time=wilson(reasons[StopReason.TIME], n),
        lengths=_whole(lengths),
        reasons=tuple(sorted(reasons.items(), key=lambda one: (-one[1], one[0]))),
    )


def _minutes(session: Session, frame: Frame) -> tuple[dict[int, int], int, int]:
    """Sittings by minute, those with a limit, and those that ended near it."""
    place = bin_of(Outcome.seconds, 0.0, MINUTE / SECOND).label("minute")
    left = Sitting.deadline_at - Outcome.finished_at
    near = left < NEAR * (Sitting.deadline_at - Sitting.started_at)
    rows = session.execute(
        select(
            place,
            func.count(),
            func.count(Sitting.deadline_at),
            counted(case((near, 1), else_=0)),
        )
        .join(Sitting, Sitting.id == Outcome.sitting_id)
        .where(*frame.cohort.conditions)
        .group_by(place)
    ).all()
    by_minute = Counter[int]()
    for minute, n, _, _ in rows:
        by_minute[min(int(minute), LONGEST)] += n
    return dict(by_minute), sum(row[2] for row in rows), sum(row[3] for row in rows)


def _ends(session: Session, frame: Frame) -> Sequence[tuple[str, int, int, float]]:
    columns = Outcome.stop_reason, Outcome.n_items
    rows = session.execute(
        select(*columns, func.count(), func.sum(Outcome.seconds))
        .where(*frame.cohort.conditions)
        .group_by(*columns)
    )
    return [(reason, n_items, n, seconds) for reason, n_items, n, seconds in rows]


def _in_bins(by_minute: dict[int, int]) -> tuple[Bin, ...]:
    """Put minutes together in at most some thirty bins of a round width."""
    if not by_minute:
        return ()
    longest = max(by_minute) + 1
    width = next(w for w in (1, 2, 5, 10, 15, 30, 60) if longest <= 30 * w or w == 60)
    counts = Counter[int]()
    for minute, n in by_minute.items():
        counts[minute // width] += n
    return tuple(
        Bin(float(index * width), float((index + 1) * width), counts[index])
        for index in range(min(counts), max(counts) + 1)
    )


def _whole(counts: Counter[int]) -> tuple[Bin, ...]:
    if not counts:
        return ()
    return tuple(Bin(k, k + 1, counts[k]) for k in range(min(counts), max(counts) + 1))


def _percentiles(by_minute: dict[int, int], n: int) -> dict[int, int]:
    found, so_far, parts = dict[int, int](), 0, list(PARTS)
    for minute in sorted(by_minute):
        so_far += by_minute[minute]
        while parts and 100 * so_far >= parts[0] * n:
            found[parts.pop(0)] = minute + 1
    return found
