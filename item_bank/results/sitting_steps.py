"""What the log says of each question of a sitting: why it was chosen, and what was answered.

Read for the examiner's page. Item codes stand in the place of bank rows; what was answered is put
into the words of the question, as far as it is not erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.answer_words import answer_words
from item_bank.exams.candidate_views import by_content
from item_bank.exams.questions import shown_question
from item_bank.exams.snapshots import Snapshot, is_tried_out
from item_bank.exams.usage import exposure_rates
from item_bank.items.items import revision
from item_bank.items.releases import OPERATIONAL
from item_bank.store.database import Database
from item_bank.store.tables.sittings import PresentedItem, ResponseContent

GIVEN, LEFT, ERASED, NONE = "given", "left", "erased", "none"


@dataclass(frozen=True)
class Choice:
    """Why a question was put, as the step's trace says.

    Parameters
    ----------
    criterion
        By which items were compared.
    theta, se
        The estimate at which the item was chosen; se None before the first answer of an exam
        without a prior.
    value, rank
        The item's value and its place among the best, from 1; None where the trace has not kept it.
    eligible
        How many items could have come.
    drawn_from
        Codes of the items that it was drawn from at random; one where nothing was drawn.
    area
        Content area in turn; None without turns.
    gave_way
        Names of what had to give way.
    held, turned_away, met_before
        How many items that count were held, turned away by exposure control, or met before.
    """

    criterion: str
    theta: float
    se: float | None
    value: float | None
    rank: int | None
    eligible: int
    drawn_from: tuple[str, ...]
    area: str | None
    gave_way: tuple[str, ...]
    held: int
    turned_away: int
    met_before: int
    tried_out: bool


@dataclass(frozen=True)
class LoggedStep:
    """One question of a sitting.

    Parameters
    ----------
    item_id
        Of the item's page.
    exposure
        In how many sittings of the exam its item was given so far, and of how many.
    answer
        What was answered, in words.
    answered
        ``given``, ``left`` (without an answer), ``erased``, or ``none`` (not reached).
    """

    position: int
    item: str
    item_id: str
    revision: int
    language: str
    presented_at: int
    exposure: tuple[int, int] | None
    answered: str
    answer: tuple[str, ...]
    choice: Choice


def logged_steps(db: Database, session: Session, snapshot: Snapshot) -> dict[int, LoggedStep]:
    """Return the questions of a sitting by position."""
    contents = session.scalars(
        select(ResponseContent).where(ResponseContent.sitting_id == snapshot.sitting.id)
    )
    said = {one.position: one.content.get("response") for one in contents}
    reached = {response.position for response in snapshot.responses}
    codes = [snapshot.release.items.item[one.row] for one in snapshot.presented]
    given = exposure_rates(session, snapshot.exam, codes)
    return {
        one.position: _step(
            db, snapshot, one, said, given.get(code), answered=one.position in reached
        )
        for one, code in zip(snapshot.presented, codes, strict=True)
    }


def _step(
    db: Database,
    snapshot: Snapshot,
    row: PresentedItem,
    said: Mapping[int, Any],
    exposure: tuple[int, int] | None,
    *,
    answered: bool,
) -> LoggedStep:
    known = revision(db, row.revision_id)
    state = ERASED if answered and row.position not in said else NONE
    if answered and row.position in said:
        state = LEFT if said[row.position] is None else GIVEN
    return LoggedStep(
        position=row.position,
        item=known.code,
        item_id=known.item_id,
        revision=known.number,
        language=row.language,
        presented_at=row.presented_at,
        exposure=exposure,
        answered=state,
        answer=_words(db, row, said.get(row.position)),
        choice=_choice(snapshot, row),
    )


def _words(db: Database, row: PresentedItem, response: Any) -> tuple[str, ...]:
    if response is None:
        return ()
    try:
        return answer_words(shown_question(db, row, by_content), response)
    except InputError:  # a bank of parameters alone has no words
        return (str(response),)


def _choice(snapshot: Snapshot, row: PresentedItem) -> Choice:
    trace, codes = row.trace, snapshot.release.items.item
    best = [one["row"] for one in trace.get("best", ())]
    rank = best.index(row.row) + 1 if row.row in best else None
    counts = [held for held in trace["held"] if snapshot.release.statuses[held] == OPERATIONAL]
    return Choice(
        criterion=trace["criterion"],
        theta=trace["theta"],
        se=trace["se"],
        value=trace["best"][rank - 1]["value"] if rank else None,
        rank=rank,
        eligible=trace["eligible"],
        drawn_from=tuple(codes[one] for one in trace.get("drawn_from", ())),
        area=trace["area"],
        gave_way=tuple(_gave_way(trace)),
        held=len(counts),
        turned_away=len(trace.get("rejected", ())),
        met_before=len(trace.get("excluded", ())),
        tried_out=is_tried_out(row),
    )


def _gave_way(trace: Mapping[str, Any]) -> list[str]:
    relaxed = (trace.get("form") or {}).get("relaxed", ())
    return [*trace["events"], *relaxed, *trace.get("areas_without_items", ())]
