"""Appeals as pages show them: those of a sitting, and all that are open."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.results.appeals import OPEN
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.outcomes import Appeal
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Sitting

MOST_LISTED = 200


@dataclass(frozen=True)
class AppealLine:
    """An appeal; an erased text is "".

    Parameters
    ----------
    opened_by, decided_by
        Accounts; None for the candidate, and for whom nobody knows.
    correction
        The number of the correction that it led to.
    """

    id: str
    sitting_id: str
    result: int
    status: str
    opened_at: int
    opened_by: str | None
    text: str
    answer: str
    decided_at: int | None
    decided_by: str | None
    correction: int | None

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.status == OPEN


@dataclass(frozen=True)
class WaitingAppeal:
    """An appeal in the list, with whose it is; ``now`` tells its age."""

    line: AppealLine
    candidate_name: str
    roster_id: str
    exam_code: str
    now: int


def appeals_of(session: Session, sitting_id: str) -> tuple[AppealLine, ...]:
    """Return the appeals of a sitting, the newest first."""
    rows = session.execute(
        select(Appeal, Correction.number)
        .outerjoin(Correction, Correction.id == Appeal.correction_id)
        .where(Appeal.sitting_id == sitting_id)
        .order_by(Appeal.opened_at.desc(), Appeal.id)
    )
    return tuple(_line(row, number) for row, number in rows)


def _line(row: Appeal, correction: int | None) -> AppealLine:
    return AppealLine(
        row.id,
        row.sitting_id,
        row.result_number,
        row.status,
        row.opened_at,
        row.opened_by,
        row.text,
        row.answer or "",
        row.decided_at,
        row.decided_by,
        correction,
    )


def open_appeals(db: Database, *, organisation_id: str) -> list[WaitingAppeal]:
    """Return the open appeals of an organisation, the oldest first."""
    statement = (
        select(Appeal, CandidateDetails.name, CandidateDetails.roster_id, Exam.code)
        .join(Sitting, Sitting.id == Appeal.sitting_id)
        .join(Exam, Exam.id == Sitting.exam_id)
        .outerjoin(CandidateDetails, CandidateDetails.candidate_id == Sitting.candidate_id)
        .where(Appeal.organisation_id == organisation_id, Appeal.status == OPEN)
        .order_by(Appeal.opened_at, Appeal.id)
        .limit(MOST_LISTED)
    )
    with db.read() as session:
        now = db.now(session)
        return [
            WaitingAppeal(_line(row, None), name or "(erased)", roster or "", exam, now)
            for row, name, roster, exam in session.execute(statement)
        ]


def n_open(db: Database, *, organisation_id: str) -> int:
    """Count the open appeals of an organisation."""
    here = Appeal.organisation_id == organisation_id, Appeal.status == OPEN
    with db.read() as session:
        return session.scalar(select(func.count()).where(*here)) or 0
