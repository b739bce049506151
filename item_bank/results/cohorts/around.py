"""What happened around the results of a cohort: versions, decisions, appeals, incidents, outages.

Counted for the technical report; one pass over the events of the cohort's sittings, so only for
long work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.cut_scores import cut_scores_hash, source_of
from item_bank.exams.designs import LoadedExam, versions_of
from item_bank.items.calibration_history import History, history
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.sums import counted
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Appeal, Decision, Flag, Outcome
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import SittingEvent
from item_bank.store.tables.standards import CutScores, Panellist, StandardStudy

INCIDENTS = (
    records.PAUSED,
    records.TIME_GRANTED,
    records.OUTAGE_CREDITED,
    records.TERMINATED,
    records.TAKEN_OVER,
    records.DEVICE_REFUSED,
    records.LEASE_RELEASED,
    records.FOREIGN_REQUEST,
    records.WITHDRAWN,
    records.RAPID_ANSWERS,
)
"""Events of sittings that a report on a period counts."""


@dataclass(frozen=True)
class VersionLine:
    """A version of the exam under which sittings of the cohort were held."""

    number: int
    applied_at: int
    release: int
    rules_version: int
    sittings: int


@dataclass(frozen=True)
class Outage:
    """A time in which nobody was served, and how many sittings were given it back."""

    since: int
    until: int
    sittings: int


@dataclass(frozen=True)
class Standard:
    """A standard-setting study: how many rounds, of how many panellists, and what came of it."""

    title: str
    method: str
    rounds: int
    panellists: int
    approved_at: int | None
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Around:
    """What happened around the results of a cohort.

    Parameters
    ----------
    states
        Results by state, withdrawn ones included.
    decisions, appeals, corrections
        By act, status and status, in the period.
    flags
        By kind: how many sittings stand out, of how many that were looked at.
    incidents
        Events of the cohort's sittings by kind.
    cut_source
        Where the cut scores come from, as it was recorded.
    standard
        The standard-setting study behind them; None without one.
    """

    versions: tuple[VersionLine, ...]
    states: Mapping[str, int]
    decisions: Mapping[str, int]
    appeals: Mapping[str, int]
    corrections: Mapping[str, int]
    flags: Mapping[str, tuple[int, int]]
    incidents: Mapping[str, int]
    outages: tuple[Outage, ...]
    cut_source: Mapping[str, Any]
    standard: Standard | None
    history: History


def around(db: Database, frame: Frame) -> Around:
    """Count what happened around a cohort's results."""
    version, whole = frame.version, frame.cohort.in_any_state()
    versions = {
        one.version_id: one
        for one in versions_of(db, version.plan.code, organisation_id=version.organisation_id)
    }
    with db.read() as session:
        own = select(Outcome.sitting_id).where(*whole.conditions)
        return Around(
            versions=_versions(session, frame, versions),
            states=_by(session, Outcome.state, *whole.conditions),
            decisions=_by(session, Decision.act, Decision.sitting_id.in_(own)),
            appeals=_by(session, Appeal.status, Appeal.sitting_id.in_(own)),
            corrections=_by(session, Correction.status, *_corrections(frame)),
            flags=_flags(session, own),
            incidents=_by(
                session,
                SittingEvent.kind,
                SittingEvent.kind.in_(INCIDENTS),
                SittingEvent.sitting_id.in_(own),
            ),
            outages=_outages(session, frame),
            cut_source=_cut_source(session, version),
            standard=_standard(session, version),
            history=history(db, version.plan.bank, organisation_id=version.organisation_id),
        )


def _by(session: Session, column: Any, *conditions: Any) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).where(*conditions).group_by(column))
    return {str(name): int(n) for name, n in rows}


def _versions(
    session: Session, frame: Frame, versions: Mapping[str, LoadedExam]
) -> tuple[VersionLine, ...]:
    rows = session.execute(
        select(ExamVersion.id, ExamVersion.applied_at, func.count())
        .join(Outcome, Outcome.exam_version_id == ExamVersion.id)
        .where(*frame.cohort.conditions)
        .group_by(ExamVersion.id, ExamVersion.applied_at)
        .order_by(ExamVersion.applied_at)
    )
    return tuple(
        VersionLine(
            versions[version_id].number,
            applied_at,
            versions[version_id].release_number,
            versions[version_id].rules_version,
            n,
        )
        for version_id, applied_at, n in rows
    )


def _corrections(frame: Frame) -> tuple[Any, ...]:
    """Corrections of the exam or of items of its bank that were proposed in the period."""
    version, wanted = frame.version, frame.cohort.wanted
    of = (Correction.exam_id == version.exam_id) | (Correction.bank_id == version.bank_id)
    own = [Correction.organisation_id == version.organisation_id, of]
    if wanted.since is not None:
        own.append(Correction.proposed_at >= wanted.since)
    if wanted.until is not None:
        own.append(Correction.proposed_at < wanted.until)
    return tuple(own)


def _flags(session: Session, own: Any) -> dict[str, tuple[int, int]]:
    rows = session.execute(
        select(Flag.kind, counted(Flag.flagged), func.count())
        .where(Flag.sitting_id.in_(own))
        .group_by(Flag.kind)
        .order_by(Flag.kind)
    )
    return {kind: (int(flagged), int(n)) for kind, flagged, n in rows}


def _outages(session: Session, frame: Frame) -> tuple[Outage, ...]:
    """Outages of the whole site in the period, whatever exams they met."""
    found = select(SiteEvent.payload).where(SiteEvent.kind == records.OUTAGE_CREDITED)
    wanted = frame.cohort.wanted
    if wanted.since is not None:
        found = found.where(SiteEvent.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(SiteEvent.at < wanted.until)
    rows = session.scalars(found.order_by(SiteEvent.number))
    return tuple(Outage(row["from"], row["to"], row["sittings"]) for row in rows)


def _cut_source(session: Session, version: LoadedExam) -> dict[str, Any]:
    found = session.get(CutScores, (version.exam_id, cut_scores_hash(version.plan)))
    return source_of(version.plan) if found is None else dict(found.source)


def _standard(session: Session, version: LoadedExam) -> Standard | None:
    """Find the study that the exam file names."""
    study = session.scalars(
        select(StandardStudy).where(
            StandardStudy.organisation_id == version.organisation_id,
            StandardStudy.exam_id == version.exam_id,
            StandardStudy.number == (version.plan.results.study or 0),
        )
    ).first()
    if study is None:
        return None
    panel = select(func.count()).where(Panellist.study_id == study.id)
    n = session.scalar(panel) or 0
    return Standard(study.title, study.method, study.round, n, study.approved_at, study.result)
