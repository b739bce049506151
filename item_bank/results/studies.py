"""Studies: what was computed over many sittings or items, kept so that pages can show it.

Recorded by the worker's jobs and by commands of the psychometrician; read by pages and reports. A
study is never changed; a newer one of the same kind and subject stands before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.errors import NotFound
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.releases import Release
from item_bank.store.tables.studies import Study


@dataclass(frozen=True)
class RecordedStudy:
    """A study as it was recorded.

    Parameters
    ----------
    kind
        What was studied: dif, drift, precision, item_statistics, aberrance, ...
    recorded_by
        "command line", "worker", or an account's id.
    rows
        Flat objects with the same keys.
    """

    id: str
    kind: str
    exam_id: str | None
    bank_id: str | None
    at: int
    recorded_by: str
    settings: dict[str, Any]
    summary: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class NewStudy:
    """A study that is to be recorded; fields as in `RecordedStudy`."""

    kind: str
    organisation_id: str
    recorded_by: str
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    exam_id: str | None = None
    bank_id: str | None = None
    data_hash: str | None = None


def record_study(db: Database, session: Session, new: NewStudy) -> str:
    """Keep a study within the caller's transaction, and return its id."""
    study = Study(
        id=new_id(),
        at=db.now(session),
        **vars(new)
        | {
            "summary": dict(new.summary),
            "rows": [dict(row) for row in new.rows],
            "settings": dict(new.settings),
        },
    )
    session.add(study)
    session.flush()
    return study.id


def newest_study(
    session: Session,
    kind: str,
    *,
    organisation_id: str,
    exam_id: str | None = None,
    bank_id: str | None = None,
) -> RecordedStudy | None:
    """Return the newest study of a kind on an exam or a bank; None when there is none."""
    found = select(Study).where(Study.organisation_id == organisation_id, Study.kind == kind)
    if exam_id is not None:
        found = found.where(Study.exam_id == exam_id)
    if bank_id is not None:
        found = found.where(Study.bank_id == bank_id)
    study = session.scalars(found.order_by(Study.at.desc(), Study.id).limit(1)).first()
    return None if study is None else as_recorded(study)


def study(db: Database, study_id: str, *, organisation_id: str) -> RecordedStudy:
    """Return a study.

    Raises
    ------
    NotFound
        When the organisation has none of this id.
    """
    with db.read() as session:
        found = session.get(Study, study_id)
        if found is None or found.organisation_id != organisation_id:
            raise NotFound
        return as_recorded(found)


@dataclass(frozen=True)
class StudyLine:
    """A study in one line."""

    id: str
    kind: str
    at: int
    settings: dict[str, Any]
    summary: dict[str, Any]


def studies_of_bank(db: Database, bank_id: str, *, organisation_id: str) -> list[StudyLine]:
    """Return the studies of a bank and of the exams on it, the newest first."""
    exams = (
        select(ExamVersion.exam_id)
        .join(Release, Release.id == ExamVersion.release_id)
        .where(Release.bank_id == bank_id)
    )
    with db.read() as session:
        rows = session.execute(
            select(Study.id, Study.kind, Study.at, Study.settings, Study.summary)
            .where(
                Study.organisation_id == organisation_id,
                (Study.bank_id == bank_id) | Study.exam_id.in_(exams),
            )
            .order_by(Study.at.desc(), Study.id)
        ).all()
        return [StudyLine(*row) for row in rows]


def as_recorded(study: Study) -> RecordedStudy:
    """Return a study without its row."""
    return RecordedStudy(
        study.id,
        study.kind,
        study.exam_id,
        study.bank_id,
        study.at,
        study.recorded_by,
        study.settings,
        study.summary,
        study.rows,
    )
