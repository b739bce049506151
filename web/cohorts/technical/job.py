"""The long job that makes a technical report, and what it is asked for with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engine.errors import InputError
from item_bank.results.cohorts.cohort import Wanted
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.long_work import LongJob, Progress
from web.cohorts.technical.closing import closing_chapters
from web.cohorts.technical.design import design_chapters
from web.cohorts.technical.facts import Facts, read_facts
from web.cohorts.technical.findings import finding_chapters
from web.documents.speaking import speaking
from web.documents.typesetting import pdf
from web.formats import moment
from web.language import local_text

KIND = "technical_report"
TEMPLATE = "technical_report"


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both included, as 2026-01-31."""

    first: str
    last: str

    @property
    def name(self) -> str:
        """A year, or its first and last day."""
        whole_year = self.first[4:] == "-01-01" and self.last == f"{self.first[:4]}-12-31"
        return self.first[:4] if whole_year else f"{self.first} to {self.last}"

    @property
    def wanted(self) -> Wanted:
        """The sittings that ended in it."""
        return Wanted(since=_midnight(self.first), until=_midnight(self.last, days=1))


def _midnight(day: str, *, days: int = 0) -> int:
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int((at + timedelta(days=days)).timestamp()) * SECOND


def period(first: str, last: str) -> Period:
    """Check the days of a period; `InputError` for what is none."""
    for day in (first, last):
        try:
            date.fromisoformat(day)
        except ValueError:
            raise InputError("a day such as 2026-12-31", repr(day), column="period") from None
    if first > last:
        raise InputError("a first day that is not after the last", f"{first} and {last}")
    return Period(first, last)


def payload_for(exam: str, when: Period) -> dict[str, Any]:
    """Return what a job is asked for with."""
    return {"exam": exam, **asdict(when)}


def title_for(exam: str, when: Period) -> str:
    """Name the work."""
    return f"Technical report of {exam}, {when.name}"


def make_report(db: Database, job: LongJob, progress: Progress) -> None:
    """Make the technical report that a job names, as one document."""
    code, when = str(job.payload["exam"]), period(job.payload["first"], job.payload["last"])
    facts = read_facts(db, code, when.wanted, organisation_id=job.organisation_id, advance=progress)
    with db.read() as session:
        now = db.now(session)
    progress(2, 3, "setting the pages")
    content = report_pdf(facts, when, now)
    new = NewDocument(
        organisation_id=job.organisation_id,
        kind=KIND,
        title=title_for(code, when),
        file_name=f"technical-report-{code}-{when.name.replace(' ', '-')}.pdf",
        media_type="application/pdf",
        made_for=job.made_for,
        job_id=job.id,
        about=dict(job.payload),
        days=365,
    )
    with writing_document(db, new) as file:
        file.write(content)


def report_pdf(facts: Facts, when: Period, now: int) -> bytes:
    """Set what is known into a PDF; the same facts give the same bytes."""
    with speaking("en"):
        return pdf(TEMPLATE, report_data(facts, when, now))


def report_data(facts: Facts, when: Period, now: int) -> Mapping[str, Any]:
    """Return the report as the template reads it."""
    version = facts.frame.version
    exam = local_text(version.plan.title) or version.plan.code
    sections = (*design_chapters(facts), *finding_chapters(facts), *closing_chapters(facts))
    return {
        "title": f"Technical report: {exam}, {when.name}",
        "language": "en",
        "made_at": now,
        "running": f"{exam} · technical report {when.name} · made {moment(now)}",
        "page_of": "Page {page} of {pages}",
        "exam": exam,
        "period": when.name,
        "about": f"{version.plan.code}, version {version.number}, release {version.release_number} "
        f"of bank {version.plan.bank}. Made {moment(now)} by {facts.software}.",
        "sections": [asdict(section) for section in sections],
    }
