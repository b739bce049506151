"""Rows of results, one for each sitting that ended, read block by block in the order of their ends.

Each block is a transaction of its own, so an export of hours keeps nobody from writing, and the
memory that it takes does not grow with the exam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.results.decisions import score_band
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.results.exports.choices import Selection
from item_bank.results.exports.tables import NUMBER, TEXT, TIME, WHOLE, YES_NO, Column, Row
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Flag, Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Sitting

BLOCK = 1000
STATE_WORDS = "awaiting, held, released, invalidated"
NAMES = (
    Column("roster_id", TEXT, "The administrator's number for the person; empty once erased"),
    Column("name", TEXT, "The person's name; empty once erased"),
)
COLUMNS = (
    Column("sitting", TEXT, "The sitting, a random id"),
    Column("candidate", TEXT, "The person, a random id that is the same in all sittings"),
    Column("exam", TEXT, "Code of the exam"),
    Column("version", WHOLE, "Version of the exam"),
    Column("release", WHOLE, "Release of the bank"),
    Column("language", TEXT, "Language in which the sitting began"),
    Column("country", TEXT, "The candidate's country then; empty where it is unknown or erased"),
    Column("centre", TEXT, "Where it was sat; empty where it is unknown or erased"),
    Column("attempt", WHOLE, "Counts the person's sittings of this exam"),
    Column("started_at", TIME, "When the sitting began"),
    Column("finished_at", TIME, "When it ended"),
    Column("released_at", TIME, "When its result was released"),
    Column("state", TEXT, "How far the result is released", STATE_WORDS),
    Column("simulated", YES_NO, "Whether a simulation answered, and no person"),
    Column("result", WHOLE, "Number of the result that stands; above 1 after an amendment"),
    Column("score", NUMBER, "The reported score; empty where the exam's rules give none"),
    Column("score_se", NUMBER, "Its standard error, in score points"),
    Column("band_low", NUMBER, "Score at theta minus 1.96 SE, on the scale"),
    Column("band_high", NUMBER, "Score at theta plus 1.96 SE, on the scale"),
    Column("level", TEXT, "Code of the level"),
    Column("passed", YES_NO, "Whether the level passes"),
    Column("theta", NUMBER, "The final estimate, on the logistic metric"),
    Column("theta_se", NUMBER, "Its standard error"),
    Column("n_items", WHOLE, "Questions that counted"),
    Column("seconds", NUMBER, "Working time, pauses and outages left out"),
    Column("stop_reason", TEXT, "Why the sitting ended"),
    Column("flags", TEXT, "What stands out in it, by kind, with ; between"),
)


def columns_with(*, names: bool) -> tuple[Column, ...]:
    """Return the columns, with names or without."""
    return (*COLUMNS[:2], *NAMES, *COLUMNS[2:]) if names else COLUMNS


def result_blocks(db: Database, chosen: Selection) -> Iterator[list[Row]]:
    """Give the rows of an exam's results, block by block."""
    for outcomes in outcome_blocks(db, chosen.conditions, BLOCK):
        yield _rows(db, chosen, outcomes)


def outcome_blocks(
    db: Database, conditions: Sequence[Any], size: int
) -> Iterator[Sequence[Outcome]]:
    """Give outcomes in the order of their ends, so many at a time."""
    ordered = select(Outcome).where(*conditions)
    ordered = ordered.order_by(Outcome.finished_at, Outcome.sitting_id).limit(size)
    last: Outcome | None = None
    while True:
        with db.read() as session:
            block = session.scalars(ordered if last is None else _after(ordered, last)).all()
        if block:
            yield block
        if len(block) < size:
            return
        last = block[-1]


def _after(query: Select[Outcome], last: Outcome) -> Select[Outcome]:
    later = Outcome.finished_at > last.finished_at
    return query.where(
        Outcome.finished_at >= last.finished_at, later | (Outcome.sitting_id > last.sitting_id)
    )


def _rows(db: Database, chosen: Selection, outcomes: Sequence[Outcome]) -> list[Row]:
    ids = [one.sitting_id for one in outcomes]
    with db.read() as session:
        begun = select(Sitting.id, Sitting.started_at).where(Sitting.id.in_(ids))
        started = {sitting: at for sitting, at in session.execute(begun)}  # noqa: C416 - typed
        flags = _flags(session, ids)
        people = _people(session, outcomes) if chosen.choices.names else None
    rows: list[Row] = []
    for one in outcomes:
        version = load_version(db, one.exam_version_id)
        row = _row(one, version, started[one.sitting_id], flags.get(one.sitting_id, ()))
        if people is not None:
            row = (*row[:2], *people.get(one.candidate_id, (None, None)), *row[2:])
        rows.append(row)
    return rows


def _row(one: Outcome, version: LoadedExam, started_at: int, flags: Sequence[str]) -> Row:
    low, high = _band(one, version)
    return (
        *(one.sitting_id, one.candidate_id, version.plan.code),
        *(version.number, version.release_number),
        *(one.language, one.country, one.centre, one.attempt),
        *(started_at, one.finished_at, one.released_at),
        *(one.state, one.simulated, one.result_number),
        *(one.score, one.score_se, low, high, one.level, one.passed),
        *(one.theta, one.se, one.n_items, one.seconds, one.stop_reason),
        ";".join(sorted(flags)) or None,
    )


def _band(one: Outcome, version: LoadedExam) -> tuple[float | None, float | None]:
    if one.theta is None or one.se is None:
        return None, None
    return score_band(one.theta, one.se, version.plan.design.scale)


def _flags(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    flagged = select(Flag.sitting_id, Flag.kind).where(Flag.sitting_id.in_(ids), Flag.flagged)
    for sitting, kind in session.execute(flagged):
        found.setdefault(sitting, []).append(kind)
    return found


def _people(session: Session, outcomes: Sequence[Outcome]) -> dict[str, tuple[str, str]]:
    ids = {one.candidate_id for one in outcomes}
    details = select(
        CandidateDetails.candidate_id, CandidateDetails.roster_id, CandidateDetails.name
    ).where(CandidateDetails.candidate_id.in_(ids))
    return {person: (roster, name) for person, roster, name in session.execute(details)}
