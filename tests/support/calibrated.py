"""A bank with a recorded calibration and studies, as commands leave it, without any fitting."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from item_bank.items.calibrations import DraftRow, record_run, save_draft
from item_bank.items.releases import bank_by_code, release_parameters
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.tables.items import Item, ItemRevision

MOVED = ({"a": 1.1, "b": 0.75}, {"a": 0.1, "b": 0.05})


def record_calibration(
    db: Database,
    bank: str,
    owner: str,
    *,
    converged: bool = True,
    new: tuple[dict[str, Any], dict[str, Any]] = MOVED,
) -> str:
    """Record a run that moved the first item, with its draft; gives its id."""
    base = release_parameters(db, bank, organisation_id=owner).release_id
    report = NewDocument(owner, "calibration_report", "Report", "report.html", "text/html")
    with writing_document(db, report) as file:
        file.write(b"<h1>The report</h1>")
    run = record_run(
        db,
        organisation_id=owner,
        bank_code=bank,
        base_release_id=base,
        data_hash="d" * 64,
        settings={"strategy": "fixed", "priors": ["a=lognormal(0,0.5)"], "since": None},
        summary=SUMMARY | {"converged": converged},
        report_id=file.document_id,
    )
    if converged:
        rows = [_row(db, bank, owner, run, new)]
        save_draft(db, organisation_id=owner, bank_code=bank, source="calibration", run_id=run,
                   base_release_id=base, rows=rows)  # fmt: skip
    return run


SUMMARY = {
    "model": "2pl",
    "n_persons": 1234,
    "n_items": 12,
    "n_responses": 9876,
    "iterations": 7,
    "promoted": ["S-01"],
    "stay_pretest": {},
    "log_likelihood": -10.5,
    "n_parameters": 2,
    "aic": 25.0,
    "bic": 26.0,
    "remarks": ["Few answers."],
}


def _row(db: Database, bank: str, owner: str, run: str, new: tuple[Any, Any]) -> DraftRow:
    with db.read() as session:
        bank_id = bank_by_code(session, bank, organisation_id=owner).id
        revision = session.scalars(
            select(ItemRevision.id)
            .join(Item, Item.id == ItemRevision.item_id)
            .where(Item.bank_id == bank_id, Item.code == "S-01")
        ).one()
    about = {
        "n": 800,
        "fit": {"infit": 1.01, "outfit": 0.98, "rmsd": 0.031},
        "run": run,
        "gate": {"passed": True, "reasons": [], "unchecked": ["DIF"]},
    }
    return DraftRow(revision, "", "2pl", *new, about)


def kept_study(db: Database, bank: str, owner: str, kind: str, rows: list[dict[str, Any]]) -> str:
    """Record a study of a bank; gives its id."""
    with db.write() as session:
        bank_id = bank_by_code(session, bank, organisation_id=owner).id
        settings, summary = {"group": "language"}, {"n_flagged": 1}
        new = NewStudy(kind, owner, "command line", summary, rows, settings, bank_id=bank_id)
        return record_study(db, session, new)
