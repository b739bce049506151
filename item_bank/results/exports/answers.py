"""Rows of responses in the long form that `tarozu calibrate` reads, block by block of sittings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.designs import load_version
from item_bank.exams.outcomes import INVALIDATED
from item_bank.exams.pauses import still_spans, worked
from item_bank.exams.records import STARTED
from item_bank.results.exports.choices import Selection
from item_bank.results.exports.sittings import outcome_blocks
from item_bank.results.exports.tables import NUMBER, TEXT, WHOLE, YES_NO, Column, Row
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.releases import ReleaseItem
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting, SittingEvent

BLOCK = 200  # sittings
COLUMNS = (
    Column("person", TEXT, "The person, a random id that is the same in all sittings"),
    Column("item", TEXT, "Code of the item"),
    Column("score", WHOLE, "What the response was worth when it was given, from 0"),
    Column("sitting", TEXT, "The sitting, a random id"),
    Column("position", WHOLE, "Place of the item in the sitting, from 1"),
    Column("seconds", NUMBER, "From question to answer, pauses and outages left out"),
    Column("language", TEXT, "Language in which the item was shown"),
    Column("simulated", YES_NO, "Whether a simulation answered, and no person"),
    Column("status", TEXT, "Whether the item counted", "operational, pretest"),
    Column("release", WHOLE, "Release of the bank"),
)


@dataclass(frozen=True)
class Answer:
    """A scored response; times in seconds, pauses and outages left out."""

    sitting_id: str
    position: int
    item: str
    score: int
    seconds: float
    begun_after: float
    language: str
    status: str


def response_blocks(db: Database, chosen: Selection) -> Iterator[tuple[int, list[Row]]]:
    """Give the number of sittings of a block with the rows of their responses.

    Sittings whose result was invalidated are left out, unless they were asked for by their state.
    """
    conditions = list(chosen.conditions)
    if not chosen.choices.state:
        conditions.append(Outcome.state != INVALIDATED)
    for outcomes in outcome_blocks(db, conditions, BLOCK):
        by_id = {one.sitting_id: one for one in outcomes}
        rows: list[Row] = []
        for answer in answers_of(db, list(by_id)):
            one = by_id[answer.sitting_id]
            release = load_version(db, one.exam_version_id).release_number
            rows.append(
                (
                    *(one.candidate_id, answer.item, answer.score, answer.sitting_id),
                    *(answer.position, round(answer.seconds, 3), answer.language),
                    *(one.simulated, answer.status, release),
                )
            )
        yield len(outcomes), rows


def answers_of(db: Database, ids: Sequence[str]) -> list[Answer]:
    """Return the scored responses of some sittings, by sitting and position."""
    with db.read() as session:
        still = still_spans(session, ids)
        found = session.execute(_responses(ids)).all()
    return [_answer(row, still.get(row[0], ())) for row in found]


def _answer(row: Any, still: Any) -> Answer:
    sitting, started, position, item, score, presented, received, language, status = row
    return Answer(
        sitting_id=sitting,
        position=position,
        item=item,
        score=score,
        seconds=worked(presented, received, still) / SECOND,
        begun_after=worked(started, presented, still) / SECOND,
        language=language,
        status=status,
    )


def _responses(ids: Sequence[str]) -> Any:
    shown = (PresentedItem.sitting_id == Response.sitting_id) & (
        PresentedItem.position == Response.position
    )
    released = (
        (ReleaseItem.release_id == ExamVersion.release_id)
        & (ReleaseItem.revision_id == PresentedItem.revision_id)
        & (ReleaseItem.language == PresentedItem.language)
    )
    return (
        select(
            Response.sitting_id,
            Sitting.started_at,
            Response.position,
            ReleaseItem.code,
            Response.score,
            PresentedItem.presented_at,
            Response.received_at,
            PresentedItem.language,
            ReleaseItem.status,
        )
        .join(Sitting, Sitting.id == Response.sitting_id)
        .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
        .join(PresentedItem, shown)
        .join(ReleaseItem, released)
        .where(Response.sitting_id.in_(ids), Response.score.is_not(None))
        .order_by(Response.sitting_id, Response.position)
    )


def consents_of(session: Session, ids: Sequence[str]) -> Mapping[str, bool]:
    """Say by sitting whether its start recorded consent."""
    begun = select(SittingEvent.sitting_id, SittingEvent.payload).where(
        SittingEvent.sitting_id.in_(ids), SittingEvent.kind == STARTED
    )
    return {sitting: bool(payload.get("consent")) for sitting, payload in session.execute(begun)}
