"""A candidate's report as PDF: the words of the page, the same band, the same code."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_babel import gettext

from item_bank.results.report_facts import ReportFacts
from web.documents.candidate_words import CandidateReport, candidate_report
from web.documents.checking import qr_code
from web.documents.speaking import speaking
from web.documents.typesetting import pdf
from web.figures.score_scale import score_scale
from web.formats import moment

FIGURE_WIDTH = 760.0


def candidate_pdf(facts: ReportFacts, address: str, language: str) -> bytes:
    """Set the report of a result in a language."""
    with speaking(language):
        return pdf("candidate", candidate_sheet(facts, address))


def candidate_sheet(facts: ReportFacts, address: str) -> dict[str, Any]:
    """Return what the template of a candidate's report is given, in the language of the moment."""
    report = candidate_report(facts, address)
    scored = facts.result["score"] is not None
    return {
        **asdict(report),
        "title": f"{report.kind}: {report.title}",
        "exam_title": report.title,
        "made_at": facts.made_at,
        "moment": moment(report.finished_at),
        "running": _running(report),
        "page_of": _page_of(),
        "scale_figure": asdict(score_scale(facts.result, FIGURE_WIDTH)) if scored else None,
        "qr": {"svg": qr_code(address), "alt": report.checking.alt},
    }


def _running(report: CandidateReport) -> str:
    return f"{report.checking.code} · {report.name} · {report.title}"


def _page_of() -> str:
    return str(gettext("Page %(page)s of %(pages)s", page="{page}", pages="{pages}"))


def file_name(facts: ReportFacts) -> str:
    """Name the file of a report by its exam and its code: no name of a person."""
    return f"{facts.result['exam']['code']}-{facts.verification}.pdf"
