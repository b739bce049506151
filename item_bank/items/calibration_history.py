"""How a bank came to its parameters: calibration runs, drafts, releases, and who took what up.

Reads what commands have recorded. Called by the staff's pages on calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo, InputError
from item_bank.items.authoring.checks import refuse
from item_bank.items.differences import Difference, next_release
from item_bank.items.plans import EVERY_LANGUAGE
from item_bank.items.releases import bank_by_code, check_plan, release_shortfalls
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam, ExamVersion
from item_bank.store.tables.items import Bank, Item, ItemRevision
from item_bank.store.tables.releases import (
    CalibrationRun,
    DraftParameters,
    ParameterDraft,
    Release,
    ReleaseItem,
)


@dataclass(frozen=True)
class RunLine:
    """A calibration run in one line.

    Parameters
    ----------
    base, released
        The release that it began from, and the one that took its draft up; None without.
    draft, draft_status
        Of the draft that it made; None where it made none.
    report_id
        The document with its report; None where it is not kept.
    """

    id: str
    at: int
    converged: bool
    base: int | None
    draft: int | None
    draft_status: str | None
    released: int | None
    report_id: str | None
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class ReleaseLine:
    """A release in one line; ``exams`` are the versions that rest on it, as "code 2"."""

    id: str
    number: int
    published_at: int
    content_hash: str
    items: int
    pretest: int
    base: int | None
    draft: int | None
    run_id: str | None
    exams: tuple[str, ...]


@dataclass(frozen=True)
class DraftLine:
    """The draft that waits for a person: whether publishing it would be refused, and why."""

    number: int
    source: str
    created_at: int
    run_id: str | None
    refusal: str | None
    promoted: tuple[str, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class History:
    """A bank's calibration runs and releases, the newest first."""

    bank_id: str
    code: str
    name: Mapping[str, str]
    runs: tuple[RunLine, ...]
    releases: tuple[ReleaseLine, ...]
    draft: DraftLine | None


@dataclass(frozen=True)
class RunItem:
    """What a run found of an item in a language ("" is every language)."""

    code: str
    language: str
    model: str
    values: Mapping[str, Any]
    se: Mapping[str, Any]
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A calibration run with the items of its draft."""

    line: RunLine
    bank_code: str
    bank_name: Mapping[str, str]
    data_hash: str
    settings: Mapping[str, Any]
    items: tuple[RunItem, ...]


def history(db: Database, bank_code: str, *, organisation_id: str) -> History:
    """Return how a bank came to its parameters; `InputError` when there is no such bank."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        drafts = _drafts(session, bank.id)
        releases = _releases(session, bank.id)
        runs = session.scalars(
            select(CalibrationRun)
            .where(CalibrationRun.bank_id == bank.id)
            .order_by(CalibrationRun.at.desc(), CalibrationRun.id)
        ).all()
        lines = _run_lines(runs, drafts, releases)
        waiting = next((draft for draft in drafts if draft.status == "open"), None)
        released = tuple(_release_lines(session, releases, drafts))
    draft = None if waiting is None else _waiting(db, bank, waiting)
    return History(bank.id, bank.code, bank.about.get("name", {}), tuple(lines), released, draft)


def run(db: Database, run_id: str, *, organisation_id: str) -> Run:
    """Return a run; `InputError` when the organisation has none of this id."""
    with db.read() as session:
        row = session.get(CalibrationRun, run_id)
        if row is None or row.organisation_id != organisation_id:
            raise InputError("a calibration run", run_id)
        bank = session.get_one(Bank, row.bank_id)
        drafts, releases = _drafts(session, bank.id), _releases(session, bank.id)
        line = _run_lines([row], drafts, releases)[0]
        items = tuple(_items(session, row, drafts))
        name = bank.about.get("name", {})
        return Run(line, bank.code, name, row.data_hash, row.settings, items)


def _drafts(session: Session, bank_id: str) -> Sequence[ParameterDraft]:
    found = select(ParameterDraft).where(ParameterDraft.bank_id == bank_id)
    return session.scalars(found.order_by(ParameterDraft.number.desc())).all()


def _releases(session: Session, bank_id: str) -> Sequence[Release]:
    found = select(Release).where(Release.bank_id == bank_id)
    return session.scalars(found.order_by(Release.number.desc())).all()


def _run_lines(
    runs: Sequence[CalibrationRun],
    drafts: Sequence[ParameterDraft],
    releases: Sequence[Release],
) -> list[RunLine]:
    by_run = {draft.run_id: draft for draft in drafts if draft.run_id}
    numbers = {release.id: release.number for release in releases}
    taken = {release.draft_id: release.number for release in releases if release.draft_id}
    lines = []
    for row in runs:
        draft = by_run.get(row.id)
        lines.append(
            RunLine(
                id=row.id,
                at=row.at,
                converged=row.converged,
                base=numbers.get(row.base_release_id or ""),
                draft=draft.number if draft else None,
                draft_status=draft.status if draft else None,
                released=taken.get(draft.id) if draft else None,
                report_id=row.report_id,
                summary=row.summary,
            )
        )
    return lines


def _release_lines(
    session: Session, releases: Sequence[Release], drafts: Sequence[ParameterDraft]
) -> list[ReleaseLine]:
    numbers = {release.id: release.number for release in releases}
    by_id = {draft.id: draft for draft in drafts}
    exams = _exams(session, list(numbers))
    counts = _counts(session, list(numbers))
    lines = []
    for row in releases:
        draft = by_id.get(row.draft_id or "")
        by_status = counts.get(row.id, {})
        lines.append(
            ReleaseLine(
                id=row.id,
                number=row.number,
                published_at=row.published_at,
                content_hash=row.content_hash,
                items=sum(by_status.values()),
                pretest=by_status.get("pretest", 0),
                base=numbers.get(row.base_release_id or ""),
                draft=draft.number if draft else None,
                run_id=draft.run_id if draft else None,
                exams=tuple(exams.get(row.id, ())),
            )
        )
    return lines


def _exams(session: Session, release_ids: Sequence[str]) -> dict[str, list[str]]:
    rows = session.execute(
        select(ExamVersion.release_id, Exam.code, ExamVersion.number)
        .join(Exam, Exam.id == ExamVersion.exam_id)
        .where(ExamVersion.release_id.in_(release_ids))
        .order_by(Exam.code, ExamVersion.number)
    )
    found: dict[str, list[str]] = {}
    for release_id, code, number in rows:
        found.setdefault(release_id, []).append(f"{code} {number}")
    return found


def _counts(session: Session, release_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Items of each release by status."""
    rows = session.execute(
        select(
            ReleaseItem.release_id,
            ReleaseItem.status,
            func.count(ReleaseItem.revision_id.distinct()),
        )
        .where(ReleaseItem.release_id.in_(release_ids))
        .group_by(ReleaseItem.release_id, ReleaseItem.status)
    )
    found: dict[str, dict[str, int]] = {}
    for release_id, status, n in rows:
        found.setdefault(release_id, {})[status] = n
    return found


def _waiting(db: Database, bank: Bank, draft: ParameterDraft) -> DraftLine:
    planned, found = next_release(db, bank.code, organisation_id=bank.organisation_id)
    refusal = None
    try:
        check_plan(db, planned)
        owner = bank.organisation_id
        refuse(bank.code, release_shortfalls(db, bank.code, planned, organisation_id=owner))
    except (InputError, AnswerIsNo) as error:
        refusal = str(error)
    return DraftLine(
        number=draft.number,
        source=draft.source,
        created_at=draft.created_at,
        run_id=draft.run_id,
        refusal=refusal,
        promoted=planned.promoted,
        differences=tuple(found),
    )


def _items(
    session: Session, row: CalibrationRun, drafts: Sequence[ParameterDraft]
) -> list[RunItem]:
    """Items that the run itself estimated; its draft may hold others from an older one."""
    draft = next((one for one in drafts if one.run_id == row.id), None)
    if draft is None:
        return []
    found = session.execute(
        select(DraftParameters, Item.code)
        .join(ItemRevision, ItemRevision.id == DraftParameters.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(DraftParameters.draft_id == draft.id)
        .order_by(Item.code, DraftParameters.language)
    )
    return [
        RunItem(code, one.language or EVERY_LANGUAGE, one.model, one.parameters, one.se, one.about)
        for one, code in found
        if one.about.get("run") == row.id
    ]
