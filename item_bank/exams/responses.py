"""Recorded responses, as calibration reads them.

Only finished sittings that were not invalidated count; late responses do not. One row for each
response, in the order of sittings and positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.items import Bank
from item_bank.store.tables.releases import Release, ReleaseItem
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting

BATCH = 10_000


@dataclass(frozen=True)
class RecordedResponse:
    """One scored response of one sitting.

    Parameters
    ----------
    person
        The candidate's pseudonymous id.
    first
        Whether it is the person's first valid sitting of any exam on this bank.
    """

    person: str
    item: str
    score: int
    sitting_id: str
    position: int
    language: str
    simulated: bool
    first: bool


def recorded_responses(
    db: Database, bank_code: str, *, organisation_id: str, since: int | None = None
) -> Iterator[RecordedResponse]:
    """Read the scored responses of all finished sittings on a bank.

    Parameters
    ----------
    since
        Only sittings started at or after this site time (microseconds).
    """
    statement = (
        select(
            Sitting.candidate_id,
            ReleaseItem.code,
            Response.score,
            Sitting.id,
            Response.position,
            PresentedItem.language,
            Sitting.simulated,
        )
        .join(Response, Response.sitting_id == Sitting.id)
        .join(
            PresentedItem,
            (PresentedItem.sitting_id == Response.sitting_id)
            & (PresentedItem.position == Response.position),
        )
        .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
        .join(Release, Release.id == ExamVersion.release_id)
        .join(Bank, Bank.id == Release.bank_id)
        .join(
            ReleaseItem,
            (ReleaseItem.release_id == Release.id)
            & (ReleaseItem.revision_id == PresentedItem.revision_id)
            & (ReleaseItem.language == PresentedItem.language),
        )
        .where(
            Bank.code == bank_code,
            Bank.organisation_id == organisation_id,
            Sitting.status == "finished",
            Response.score.is_not(None),
        )
        .order_by(Sitting.started_at, Sitting.id, Response.position)
    )
    if since is not None:
        statement = statement.where(Sitting.started_at >= since)
    first: dict[str, str] = {}
    with db.read() as session:
        for row in session.execute(statement.execution_options(yield_per=BATCH)):
            person, code, points, sitting, position, language, simulated = row
            assert points is not None, "the query asks for scores"
            is_first = first.setdefault(person, sitting) == sitting
            yield RecordedResponse(
                person, code, points, sitting, position, language, simulated, is_first
            )
