"""Everything that an examiner's page says of one sitting, read at once.

The result shown is the one that stands, or an earlier one by its number: all of them are kept. The
rest is the log, what stands out (`flags`), and what the exam's file and studies say of precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models.dispatch import information
from item_bank.exams.errors import NotFound
from item_bank.exams.exam_files import ExamPlan
from item_bank.exams.reviews import Report, report
from item_bank.exams.rooms import RoomEvent, sitting_events
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.results.flags.limits import precision_of
from item_bank.results.flags.records import RecordedFlag, flags_of
from item_bank.results.sitting_steps import LoggedStep, logged_steps
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Presence, Result, Sitting

FINISHED = "sitting_finished"
"""Why a first result was made."""


@dataclass(frozen=True)
class ResultLine:
    """One of a sitting's results: why and when it was made, and whether it is the one that stands.

    ``reason`` is "" for the first one.
    """

    number: int
    reason: str
    at: int
    content_hash: str
    score: float | None
    level: str | None
    stands: bool


@dataclass(frozen=True)
class Heard:
    """Where the sitting's page was heard from; personal data that is erased after a while."""

    first_seen_at: int
    seen_at: int
    address: str
    agent: str


@dataclass(frozen=True)
class SittingPage:
    """A sitting as its examiner's page has it.

    Parameters
    ----------
    result
        The canonical result shown; None while the sitting runs.
    shown
        Its line among the results.
    outcome
        State, verification code, where it was sat; None while it runs.
    events
        Links of the chain in order, with what was typed and who did it.
    hashes
        Of the links, by number.
    heard
        None where nothing was kept.
    accommodations
        As they were when the sitting started.
    information
        Of the scored items at the final estimate, without the prior; None without an estimate.
    precision
        Summary of the simulation of the exam version; None where it has none yet.
    flags
        What was looked at; empty before the sitting is sealed.
    """

    base: Report
    result: dict[str, Any] | None
    shown: ResultLine | None
    results: tuple[ResultLine, ...]
    outcome: Outcome | None
    plan: ExamPlan
    events: tuple[RoomEvent, ...]
    hashes: dict[int, str]
    steps: dict[int, LoggedStep]
    heard: Heard | None
    accommodations: dict[str, Any]
    attempt: int
    information: float | None
    precision: dict[str, Any] | None
    flags: tuple[RecordedFlag, ...]
    erased: bool


def sitting_page(
    db: Database, *, organisation_id: str, sitting_id: str, number: int | None = None
) -> SittingPage:
    """Read a sitting for its examiner.

    Parameters
    ----------
    number
        Of the result; None for the one that stands.

    Raises
    ------
    NotFound
        When it is not there, or another organisation's, or has no such result.
    """
    base = report(db, organisation_id=organisation_id, sitting_id=sitting_id)
    with db.read() as session:
        snapshot = read_snapshot(db, session, sitting_id)
        sitting, outcome = snapshot.sitting, session.get(Outcome, sitting_id)
        rows = session.scalars(
            select(Result).where(Result.sitting_id == sitting_id).order_by(Result.number)
        ).all()
        lines = tuple(_line(row, outcome) for row in rows)
        shown = _shown(lines, number)
        result = None if shown is None else rows[shown.number - 1].content
        return SittingPage(
            base=base,
            result=result,
            shown=shown,
            results=lines,
            outcome=outcome,
            plan=snapshot.exam.plan,
            events=tuple(sitting_events(session, sitting_id)),
            hashes={link["number"]: link["hash"] for link in base.events},
            steps=logged_steps(db, session, snapshot),
            heard=_heard(session, sitting_id),
            accommodations=dict(sitting.accommodations),
            attempt=sitting.number,
            information=_information(snapshot, result),
            precision=_precision(session, sitting),
            flags=flags_of(session, sitting_id),
            erased=session.get(CandidateDetails, sitting.candidate_id) is None,
        )


def _line(row: Result, outcome: Outcome | None) -> ResultLine:
    return ResultLine(
        number=row.number,
        reason="" if row.reason == FINISHED else row.reason,
        at=row.created_at,
        content_hash=row.content_hash,
        score=row.score,
        level=row.level,
        stands=outcome is not None and outcome.result_number == row.number,
    )


def _shown(lines: tuple[ResultLine, ...], number: int | None) -> ResultLine | None:
    """Pick the result asked for, else the one that stands, else the newest."""
    if number is not None:
        found = next((line for line in lines if line.number == number), None)
        if found is None:
            raise NotFound
        return found
    standing = next((line for line in lines if line.stands), None)
    return standing or (lines[-1] if lines else None)


def _heard(session: Session, sitting_id: str) -> Heard | None:
    row = session.get(Presence, sitting_id)
    if row is None:
        return None
    return Heard(row.first_seen_at, row.seen_at, row.address, row.agent)


def _information(snapshot: Snapshot, result: dict[str, Any] | None) -> float | None:
    """Information of the questions that the result counts, at its estimate."""
    if result is None or result["estimate"] is None:
        return None
    places = [step["position"] for step in result["path"] if step["score"] is not None]
    rows = [snapshot.presented[place - 1].row for place in places]
    theta = np.array([result["estimate"]["theta"]])
    return float(information(theta, snapshot.release.items.subset(rows)).sum()) if rows else None


def _precision(session: Session, sitting: Sitting) -> dict[str, Any] | None:
    study = precision_of(
        session,
        organisation_id=sitting.organisation_id,
        exam_id=sitting.exam_id,
        version_id=sitting.exam_version_id,
    )
    return None if study is None else study.summary
