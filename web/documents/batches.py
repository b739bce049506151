"""The reports of many candidates as one ZIP: long work, streamed, so that its size is no matter.

Asked for on an exam's page (`web/documents/exam_reports.py`). Each report is in its candidate's
language. One that cannot be set is named, with the reason, in the ZIP and in what is said of it.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from engine.errors import InputError
from item_bank.results.report_facts import ReportFacts, Wanted, released_sittings, report_facts
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.long_work import LongJob, Progress
from web.documents.candidate_pdf import candidate_pdf, file_name
from web.documents.checking import grouped
from web.documents.speaking import language_for

KIND = "reports"
LIST = "reports.csv"
HEADS = ("file", "roster_id", "name", "language", "ended", "score", "level", "code", "not_made")


def payload_for(wanted: Wanted, base: str) -> dict[str, Any]:
    """Return what a job is asked for with: which results, and how the public reaches the site."""
    return {**asdict(wanted), "base": base}


def title_for(wanted: Wanted) -> str:
    """Name the work."""
    return f"Reports of {wanted.exam_code}"


def make_reports(db: Database, job: LongJob, progress: Progress) -> None:
    """Set the reports of all results that are wanted, into one document."""
    wanted = Wanted(**{k: v for k, v in job.payload.items() if k != "base"})
    sittings = released_sittings(db, job.organisation_id, wanted)
    new = NewDocument(
        organisation_id=job.organisation_id,
        kind=KIND,
        title=title_for(wanted),
        file_name=f"reports-{wanted.exam_code}.zip",
        media_type="application/zip",
        made_for=job.made_for,
        job_id=job.id,
        about={**job.payload, "reports": len(sittings)},
    )
    with writing_document(db, new) as file, zipfile.ZipFile(file, "w") as archive:
        _fill(db, job, progress, sittings, archive)


def _fill(
    db: Database,
    job: LongJob,
    progress: Progress,
    sittings: list[str],
    archive: zipfile.ZipFile,
) -> None:
    """Add report after report, then the list of them."""
    rows: list[Mapping[str, Any]] = []
    for done, sitting_id in enumerate(sittings):
        progress(done, len(sittings), "setting reports")
        facts = report_facts(db, sitting_id, organisation_id=job.organisation_id)
        if facts is not None and facts.released:  # it may have been withdrawn meanwhile
            rows.append(_add(archive, facts, f"{job.payload['base']}/verify/{facts.verification}"))
    missing = [str(row["not_made"]) for row in rows if row["not_made"]]
    if rows and len(missing) == len(rows):
        raise InputError("fonts for the reports", missing[0], column="reports")
    archive.writestr(_entry(LIST, 0), _listed(rows), zipfile.ZIP_DEFLATED)


def _add(archive: zipfile.ZipFile, facts: ReportFacts, address: str) -> dict[str, Any]:
    """Add a report and return its line of the list."""
    line = _line(facts)
    try:
        content = candidate_pdf(facts, address, language_for(facts))
    except InputError as refusal:
        return line | {"file": "", "not_made": str(refusal)}
    archive.writestr(_entry(file_name(facts), facts.made_at), content)
    return line | {"not_made": ""}


def _line(facts: ReportFacts) -> dict[str, Any]:
    result = facts.result
    return {
        "file": file_name(facts),
        "roster_id": facts.roster_id or "",
        "name": facts.name or "",
        "language": language_for(facts),
        "ended": f"{datetime.fromtimestamp(result['finished_at'] // SECOND, UTC):%Y-%m-%d %H:%M}",
        "score": "" if result["score"] is None else result["score"],
        "level": result["level"]["code"] if result["level"] else "",
        "code": grouped(facts.verification),
    }


def _entry(name: str, at: int) -> zipfile.ZipInfo:
    """Name a file of the ZIP; its time is that of the result, so that the same come out alike."""
    then = datetime.fromtimestamp(at // SECOND, UTC)
    stamp = max(then, datetime(1980, 1, 1, tzinfo=UTC)).timetuple()[:6]
    entry = zipfile.ZipInfo(name, stamp)
    entry.external_attr = 0o600 << 16
    return entry


def _listed(rows: list[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADS)
    writer.writeheader()
    writer.writerows({name: _plain(row[name]) for name in HEADS} for row in rows)
    return text.getvalue()


def _plain(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
