"""Calibration runs, and drafts of parameters that wait for a person to publish them.

Called by `tarozu calibrate recalibrate` and by the import of a bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo
from item_bank.items.plans import EVERY_LANGUAGE, open_draft
from item_bank.items.releases import bank_by_code
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Bank
from item_bank.store.tables.releases import (
    CalibrationRun,
    DraftParameters,
    ParameterDraft,
    Release,
)


@dataclass(frozen=True)
class DraftRow:
    """New parameters of an item revision in a language; "" is every language.

    Parameters
    ----------
    parameters, se
        Of the keys a, b, c, d, thresholds, slopes and intercepts those that the model has.
    about
        n, fit, notes, gate (whether the item may count, and why not), time, run.
    """

    revision_id: str
    language: str
    model: str
    parameters: dict[str, Any]
    se: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


def record_run(
    db: Database,
    *,
    organisation_id: str,
    bank_code: str,
    base_release_id: str | None,
    data_hash: str,
    settings: dict[str, Any],
    summary: dict[str, Any],
    report_id: str | None = None,
) -> str:
    """Keep what was fitted, from which data and with which settings; return the run's id.

    ``summary`` says whether it converged; ``report_id`` is the document that has its report.
    """
    with db.write() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        now = db.now(session)
        run = CalibrationRun(
            id=new_id(),
            organisation_id=organisation_id,
            bank_id=bank.id,
            base_release_id=base_release_id,
            at=now,
            data_hash=data_hash,
            settings=settings,
            summary=summary,
            converged=bool(summary["converged"]),
            report_id=report_id,
        )
        session.add(run)
        payload = {"run": run.id, "bank": bank_code, "data": data_hash, "converged": run.converged}
        append_site_event(session, "calibration_recorded", payload, now, organisation_id)
        return run.id


def save_draft(
    db: Database,
    *,
    organisation_id: str,
    bank_code: str,
    source: str,
    run_id: str | None,
    base_release_id: str | None,
    rows: Sequence[DraftRow],
) -> int:
    """Save a draft and return its number; rows of an older open draft stay where it has none."""
    with db.write() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        return add_draft(session, bank, source, rows, db.now(session), run_id, base_release_id)


def add_draft(
    session: Session,
    bank: Bank,
    source: str,
    rows: Sequence[DraftRow],
    now: int,
    run_id: str | None = None,
    base_release_id: str | None = None,
) -> int:
    """As `save_draft`, within the caller's transaction."""
    session.get_one(Bank, bank.id, with_for_update=True)
    older = open_draft(session, bank.id)
    merged = _over(session, older, rows)
    newest = select(func.max(ParameterDraft.number)).where(ParameterDraft.bank_id == bank.id)
    draft = ParameterDraft(
        id=new_id(),
        organisation_id=bank.organisation_id,
        bank_id=bank.id,
        number=(session.scalar(newest) or 0) + 1,
        source=source,
        run_id=run_id,
        base_release_id=base_release_id,
        status="open",
        created_at=now,
    )
    if older is not None:
        older.status = "superseded"
    session.add(draft)
    session.flush()
    owner = {"draft_id": draft.id, "organisation_id": bank.organisation_id}
    session.execute(insert(DraftParameters), [{**vars(row), **owner} for row in merged])
    return draft.number


def release_link(session: Session, release: Release) -> dict[str, Any] | None:
    """How the scale of a release was found, by the newest calibration in it; None without one."""
    if release.draft_id is None:
        return None
    drafted = select(DraftParameters.about).where(DraftParameters.draft_id == release.draft_id)
    runs = {about["run"] for about in session.scalars(drafted) if about.get("run")}
    newest = select(CalibrationRun).where(CalibrationRun.id.in_(runs))
    for run in session.scalars(newest.order_by(CalibrationRun.at.desc())):
        link: dict[str, Any] | None = run.summary.get("link")
        if link is not None:
            return link
    return None


def scale_chain(db: Database, release_id: str) -> dict[str, Any] | None:
    """Return the chain of links behind a release's scale; None when nothing was linked yet.

    A release without a calibration in it stands on the scale of the one before.
    """
    with db.read() as session:
        release = session.get(Release, release_id)
        while release is not None:
            link = release_link(session, release)
            if link is not None:
                chain: dict[str, Any] = link["chain"]
                return chain
            before = release.base_release_id
            release = session.get(Release, before) if before else None
    return None


def discard_draft(db: Database, bank_code: str, *, organisation_id: str) -> int:
    """Set the open draft aside and return its number; `AnswerIsNo` when there is none."""
    with db.write() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        draft = open_draft(session, bank.id)
        if draft is None:
            raise AnswerIsNo(f"bank {bank_code} has no open draft")
        draft.status = "discarded"
        payload = {"bank": bank_code, "draft": draft.number}
        append_site_event(session, "draft_discarded", payload, db.now(session), organisation_id)
        return draft.number


def _over(
    session: Session, older: ParameterDraft | None, rows: Sequence[DraftRow]
) -> list[DraftRow]:
    """Lay new rows over those of an older draft; one for every language replaces them all."""
    if older is None:
        return list(rows)
    given = {(row.revision_id, row.language) for row in rows}
    found = session.scalars(select(DraftParameters).where(DraftParameters.draft_id == older.id))
    kept = [
        DraftRow(r.revision_id, r.language, r.model, r.parameters, r.se, r.about)
        for r in found
        if (r.revision_id, r.language) not in given and (r.revision_id, EVERY_LANGUAGE) not in given
    ]
    return [*kept, *rows]
