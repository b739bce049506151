"""Statistics of items over all sittings of an exam: a long job, kept as a study.

The database counts the answers to each item by score and by narrow bins of the final estimate; what
the model expects is computed for each bin. Routed answers allow no more: no point-biserial, no
alpha. The item itself helped to estimate theta, so a misfit looks a little smaller than it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.models import dispatch
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.outcomes import INVALIDATED
from item_bank.items.releases import ReleaseItems, release_items
from item_bank.results.cohorts.item_use import STATISTICS
from item_bank.results.cohorts.sums import bin_of
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.clock import DAY, SECOND
from item_bank.store.database import Database
from item_bank.store.long_work import LongJob, Progress
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import PresentedItem, Response

LOW, WIDTH = -8.0, 0.5
SLICE = 30 * DAY
LEAST = 10
"""Answers in a bin of theta, below which it does not count for the misfit."""
Key = tuple[str, str, str, int]
"""Exam version, language, item revision and bin of theta."""


@dataclass
class _Sums:
    """Answers to an item in a bin of theta; ``scores`` counts them by score."""

    n: int = 0
    theta: float = 0.0
    microseconds: int = 0
    scores: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class _Bin:
    """What an item gave in a bin of theta, as shares of its points."""

    n: int
    total: float
    expected: float
    variance: float
    microseconds: int


def item_statistics(db: Database, job: LongJob, progress: Progress) -> None:
    """Compute the study of the exam that a long job names."""
    record(db, str(job.payload["exam"]), job.organisation_id, job.made_for or "worker", progress)


def record(
    db: Database,
    exam_id: str,
    organisation_id: str,
    recorded_by: str,
    progress: Callable[[int, int, str], object] = lambda *_said: None,
) -> str:
    """Count, compare with the model, and keep the study; return its id.

    Raises
    ------
    NotFound
        When the organisation has no such exam.
    """
    with db.read() as session:
        exam = session.get(Exam, exam_id)
        if exam is None or exam.organisation_id != organisation_id:
            raise NotFound
        sittings = session.scalar(select(func.count()).where(*_of(exam_id))) or 0
    sums = _counted(db, exam_id, progress)
    rows = _rows(db, exam_id, sums)
    new = NewStudy(
        kind=STATISTICS,
        organisation_id=organisation_id,
        recorded_by=recorded_by,
        summary={"sittings": sittings, "answers": sum(one.n for one in sums.values())},
        rows=rows,
        settings={"bin_width": WIDTH, "least_in_bin": LEAST},
        exam_id=exam_id,
    )
    with db.write() as session:
        return record_study(db, session, new)


def _of(exam_id: str) -> tuple[Any, ...]:
    return Outcome.exam_id == exam_id, Outcome.state != INVALIDATED, Outcome.theta.is_not(None)


def _counted(
    db: Database, exam_id: str, progress: Callable[[int, int, str], object]
) -> dict[Key, _Sums]:
    """Count answers, one month of sittings after the other."""
    sums: defaultdict[Key, _Sums] = defaultdict(_Sums)
    with db.read() as session:
        ends = func.min(Outcome.finished_at), func.max(Outcome.finished_at)
        first, last = session.execute(select(*ends).where(*_of(exam_id))).one()
    starts = [] if first is None else range(first, last + 1, SLICE)
    for done, start in enumerate(starts):
        progress(done, len(starts), "counting answers")
        with db.read() as session:
            _count_slice(session, exam_id, start, sums)
    return sums


def _count_slice(session: Session, exam_id: str, start: int, sums: defaultdict[Key, _Sums]) -> None:
    place = bin_of(Outcome.theta, LOW, WIDTH).label("place")
    columns = (Outcome.exam_version_id, PresentedItem.language, PresentedItem.revision_id, place,
               Response.score)  # fmt: skip
    took = Response.received_at - PresentedItem.presented_at
    same = (PresentedItem.sitting_id == Response.sitting_id) & (
        PresentedItem.position == Response.position
    )
    rows = session.execute(
        select(*columns, func.count(), func.sum(Outcome.theta), func.sum(took))
        .select_from(Outcome)
        .join(Response, Response.sitting_id == Outcome.sitting_id)
        .join(PresentedItem, same)
        .where(
            *_of(exam_id),
            Outcome.finished_at >= start,
            Outcome.finished_at < start + SLICE,
            Response.score.is_not(None),
        )
        .group_by(*columns)
    )
    for version, language, revision, at, score, n, theta, microseconds in rows:
        one = sums[version, language, revision, int(at)]
        one.n += n
        one.theta += float(theta or 0.0)
        one.microseconds += int(microseconds)
        one.scores[int(score or 0)] += n


def _rows(db: Database, exam_id: str, sums: Mapping[Key, _Sums]) -> list[dict[str, Any]]:
    by_version: defaultdict[tuple[str, str], dict[tuple[str, int], _Sums]] = defaultdict(dict)
    for (version, language, revision, place), one in sums.items():
        by_version[version, language][revision, place] = one
    bins: defaultdict[str, list[_Bin]] = defaultdict(list)
    about: dict[str, tuple[str, str]] = {}
    with db.read() as session:
        numbers = select(ExamVersion.id).where(ExamVersion.exam_id == exam_id)
        order = session.scalars(numbers.order_by(ExamVersion.number)).all()
    for version, language in sorted(by_version, key=lambda one: (order.index(one[0]), one[1])):
        release = _release(db, load_version(db, version), language)
        rows = {revision: row for row, revision in enumerate(release.revision_ids)}
        for (revision, _), one in by_version[version, language].items():
            row = rows[revision]
            bins[release.items.item[row]].append(_bin(release, row, one))
            about[release.items.item[row]] = release.items.content[row], release.statuses[row]
    return [_row(code, *about[code], bins[code]) for code in sorted(bins)]


def _release(db: Database, version: LoadedExam, language: str) -> ReleaseItems:
    return release_items(db, version.release_id, language)


def _bin(release: ReleaseItems, row: int, one: _Sums) -> _Bin:
    """Hold the answers in a bin of theta against what the model expects at its mean."""
    points = np.asarray(release.points[row], dtype=np.float64)
    worth: Floats = points / points.max()
    theta = np.array([one.theta / one.n])
    chances = dispatch.probabilities(theta, release.items.subset([row]))[0, 0, : len(worth)]
    expected = float(chances @ worth)
    variance = float(chances @ (worth - expected) ** 2)
    total = float(sum(n * worth[score] for score, n in one.scores.items()))
    return _Bin(one.n, total, expected, variance, one.microseconds)


def _row(code: str, area: str, status: str, bins: list[_Bin]) -> dict[str, Any]:
    n = sum(one.n for one in bins)
    mean = sum(one.total for one in bins) / n
    expected = sum(one.n * one.expected for one in bins) / n
    return {
        "item": code,
        "area": area,
        "status": status,
        "n": n,
        "mean": mean,
        "expected": expected,
        "difference": mean - expected,
        "rmsd": _rmsd([one for one in bins if one.n >= LEAST]),
        "seconds": sum(one.microseconds for one in bins) / n / SECOND,
    }


def _rmsd(bins: list[_Bin]) -> float | None:
    """Root mean squared distance of bins from the model, less what sampling alone would make."""
    if not bins:
        return None
    n = np.array([one.n for one in bins], dtype=float)
    away = np.array([one.total / one.n - one.expected for one in bins])
    chance = np.array([one.variance for one in bins]) / n
    return float(np.sqrt(max(0.0, np.average(away**2 - chance, weights=n))))
