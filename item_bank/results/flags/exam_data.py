"""The ended sittings of an exam with their answers and times, read at once for comparisons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.pauses import still_spans, worked
from item_bank.store.canonical import canonical_json
from item_bank.store.clock import SECOND
from item_bank.store.tables.exams import ExamVersion, Registration
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import PresentedItem, Response, ResponseContent, Sitting

BLOCK = 400


@dataclass(frozen=True)
class Given:
    """One answer that came in time.

    Parameters
    ----------
    row
        Of the item in the sitting's release.
    score
        The engine's; None for an item that was withdrawn.
    response
        What was answered, as canonical text; None where it is erased or was left out.
    """

    position: int
    row: int
    revision_id: str
    score: int | None
    response: str | None
    seconds: float


@dataclass(frozen=True)
class Sat:
    """One sitting that has ended."""

    sitting_id: str
    candidate_id: str
    release_id: str
    language: str
    started_at: int
    finished_at: int
    centre: str | None
    theta: float | None
    answers: tuple[Given, ...]


def ended_sittings(session: Session, exam_id: str) -> list[str]:
    """Return the sittings of an exam that have ended, in the order in which they began."""
    wanted = select(Sitting.id).where(Sitting.exam_id == exam_id, Sitting.finished_at.is_not(None))
    return list(session.scalars(wanted.order_by(Sitting.started_at, Sitting.id)))


def sat(session: Session, exam_id: str, ids: Sequence[str]) -> list[Sat]:
    """Read some sittings of one exam with their answers."""
    found: list[Sat] = []
    for start in range(0, len(ids), BLOCK):
        found += _block(session, exam_id, ids[start : start + BLOCK])
    return found


def _block(session: Session, exam_id: str, ids: Sequence[str]) -> list[Sat]:
    rows = session.execute(
        select(Sitting, ExamVersion.release_id, Outcome.theta, Registration.centre)
        .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
        .outerjoin(Outcome, Outcome.sitting_id == Sitting.id)
        .outerjoin(
            Registration,
            (Registration.candidate_id == Sitting.candidate_id) & (Registration.exam_id == exam_id),
        )
        .where(Sitting.id.in_(ids))
        .order_by(Sitting.started_at, Sitting.id)
    )
    given = _answers(session, ids)
    return [
        Sat(
            sitting_id=one.id,
            candidate_id=one.candidate_id,
            release_id=release_id,
            language=one.language,
            started_at=one.started_at,
            finished_at=one.finished_at or one.started_at,
            centre=centre or None,
            theta=theta,
            answers=tuple(given.get(one.id, ())),
        )
        for one, release_id, theta, centre in rows
    ]


def _answers(session: Session, ids: Sequence[str]) -> Mapping[str, list[Given]]:
    still = still_spans(session, ids)
    rows = session.execute(
        select(
            PresentedItem.sitting_id,
            PresentedItem.position,
            PresentedItem.row,
            PresentedItem.revision_id,
            PresentedItem.presented_at,
            Response.score,
            Response.received_at,
            ResponseContent.content,
        )
        .join(
            Response,
            (Response.sitting_id == PresentedItem.sitting_id)
            & (Response.position == PresentedItem.position),
        )
        .outerjoin(
            ResponseContent,
            (ResponseContent.sitting_id == PresentedItem.sitting_id)
            & (ResponseContent.position == PresentedItem.position),
        )
        .where(PresentedItem.sitting_id.in_(ids), Response.late.is_(False))
        .order_by(PresentedItem.sitting_id, PresentedItem.position)
    )
    found: dict[str, list[Given]] = defaultdict(list)
    for sitting_id, position, row, revision_id, shown_at, score, at, content in rows:
        seconds = worked(shown_at, at, still.get(sitting_id, ())) / SECOND
        said = _text(content)
        found[sitting_id].append(Given(position, row, revision_id, score, said, seconds))
    return found


def _text(content: Mapping[str, Any] | None) -> str | None:
    """What was answered in one form; None for nothing, and where it is erased."""
    response = (content or {}).get("response")
    return None if response is None else canonical_json(response)


def codes(values: Iterable[str]) -> dict[str, int]:
    """Number some texts in the order met."""
    return {text: number for number, text in enumerate(dict.fromkeys(values))}
