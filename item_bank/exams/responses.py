"""Recorded responses, as calibration reads them.

Only finished sittings that were not invalidated count; late responses do not. One row for each
response, in the order of sittings and positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Subquery, func, select

from item_bank.exams.pauses import Span, still_spans, worked
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.items import Bank
from item_bank.store.tables.people import CandidateDetails
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
    revision_id
        The wording that was answered.
    first
        Whether it is the person's first valid sitting of any exam on this bank, ever.
    status
        Of the item in the sitting's release: ``operational``, or ``pretest`` for one tried out.
    presented_at, received_at
        Site times (microseconds) of the item and of the response.
    still
        Microseconds between them in which the sitting's clock stood still.
    """

    person: str
    item: str
    revision_id: str
    score: int
    sitting_id: str
    position: int
    language: str
    simulated: bool
    first: bool
    status: str
    presented_at: int
    received_at: int
    still: int = 0

    @property
    def seconds(self) -> float:
        """How long the answer took, pauses and outages left out."""
        return (self.received_at - self.presented_at - self.still) / SECOND


def recorded_responses(
    db: Database, bank_code: str, *, organisation_id: str, since: int | None = None
) -> Iterator[RecordedResponse]:
    """Read the scored responses of all finished sittings on a bank.

    Parameters
    ----------
    since
        Only sittings started at or after this site time (microseconds).
    """
    sittings = _sittings(bank_code, organisation_id)
    statement = _responses(sittings)
    if since is not None:
        statement = statement.where(Sitting.started_at >= since)
    with db.read() as session:
        still = still_spans(session, select(sittings.c.id))
        for row in session.execute(statement.execution_options(yield_per=BATCH)):
            person, item, revision, score, sitting, position, language, simulated = row[:8]
            place, status, presented, received = row[8:]
            yield RecordedResponse(
                person,
                item,
                revision,
                score,
                sitting,
                position,
                language,
                simulated,
                place == 1,
                status,
                presented,
                received,
                _still(presented, received, still.get(sitting, ())),
            )


def _still(presented: int, received: int, spans: Iterable[Span]) -> int:
    """How long the clock stood still between two times."""
    return received - presented - worked(presented, received, spans)


def _sittings(bank_code: str, organisation_id: str) -> Subquery:
    """Return the sittings that count, each with its place among those of its person."""
    place = func.row_number().over(
        partition_by=Sitting.candidate_id, order_by=(Sitting.started_at, Sitting.id)
    )
    counted = (
        select(Response.position)
        .where(Response.sitting_id == Sitting.id, Response.score.is_not(None))
        .exists()
    )
    return (
        select(Sitting.id, Release.id.label("release_id"), place.label("place"))
        .join(ExamVersion, ExamVersion.id == Sitting.exam_version_id)
        .join(Release, Release.id == ExamVersion.release_id)
        .join(Bank, Bank.id == Release.bank_id)
        .where(
            Bank.code == bank_code,
            Bank.organisation_id == organisation_id,
            Sitting.status == "finished",
            counted,
        )
        .subquery()
    )


def _responses(sittings: Subquery) -> Select[Any]:
    return (
        select(
            Sitting.candidate_id,
            ReleaseItem.code,
            ReleaseItem.revision_id,
            Response.score,
            Sitting.id,
            Response.position,
            PresentedItem.language,
            Sitting.simulated,
            sittings.c.place,
            ReleaseItem.status,
            PresentedItem.presented_at,
            Response.received_at,
        )
        .join(sittings, sittings.c.id == Sitting.id)
        .join(Response, Response.sitting_id == Sitting.id)
        .join(
            PresentedItem,
            (PresentedItem.sitting_id == Response.sitting_id)
            & (PresentedItem.position == Response.position),
        )
        .join(
            ReleaseItem,
            (ReleaseItem.release_id == sittings.c.release_id)
            & (ReleaseItem.revision_id == PresentedItem.revision_id)
            & (ReleaseItem.language == PresentedItem.language),
        )
        .where(Response.score.is_not(None))
        .order_by(Sitting.started_at, Sitting.id, Response.position)
    )


def candidate_countries(db: Database, *, organisation_id: str) -> dict[str, str]:
    """Read the country of every candidate who has one, by pseudonymous id."""
    wanted = select(CandidateDetails.candidate_id, CandidateDetails.country).where(
        CandidateDetails.organisation_id == organisation_id, CandidateDetails.country.is_not(None)
    )
    with db.read() as session:
        return {person: country for person, country in session.execute(wanted) if country}
