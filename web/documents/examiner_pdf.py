"""The examiner's report as PDF: what the report's page says, for the file. Not for the candidate.

Made within a request (its picture comes from the page's own template). The words come from
`web/examiner`, which the page uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import get_template_attribute

from item_bank.results.sitting_pages import SittingPage
from web.documents.candidate_pdf import FIGURE_WIDTH
from web.documents.checking import grouped, qr_code
from web.documents.typesetting import pdf
from web.examiner import timeline
from web.examiner.conditions import conditions
from web.examiner.facts import information_words
from web.examiner.flag_words import NOT_PROOF, FlagSaid, expected_rates, flags_said
from web.examiner.readings import WITHHELD, readings, remarks
from web.examiner.steps import binding
from web.figures.score_scale import score_scale
from web.formats import duration, moment, number, percent, short, signed
from web.language import local_text

PATH_WIDTH = 1030
NOT_FOR_CANDIDATES = "Not for the candidate"
INK = (
    "text{font-family:FAMILIES;font-size:13px;fill:#333}.grid{stroke:#bbb;fill:none}"
    ".ribbon{fill:#1f3f7a;opacity:.16}.estimate{fill:none;stroke:#1f3f7a;stroke-width:2.5}"
    ".cut{stroke:#333;stroke-dasharray:5 4}.cut-text,.binding-text{paint-order:stroke;stroke:#fff;"
    "stroke-width:4px}.mark-right,.mark-half{fill:#000}.mark-right,.mark-wrong,.mark-part{"
    "stroke:#000;stroke-width:1.6}.mark-wrong,.mark-part{fill:#fff}.mark-unscored{stroke:#333;"
    "stroke-width:1.8}.column{fill:#1f3f7a}.binding{fill:#000}.point-column{fill:none}"
)
"""What the style sheets of the page say of the picture, in the colours of print."""


def examiner_pdf(page: SittingPage, address: str) -> bytes:
    """Set the report of a sitting that has a result."""
    return pdf("examiner", examiner_sheet(page, address))


def examiner_sheet(page: SittingPage, address: str) -> dict[str, Any]:
    """Return what the template of an examiner's report is given."""
    result, row = page.result, page.base.row
    assert result is not None, "a report is made of a result"
    assert page.shown is not None, "which is one of the sitting's"
    assert page.outcome is not None, "and has an outcome"
    exam, code = local_text(result["exam"]["title"]), grouped(page.outcome.verification)
    said = remarks(page.base, result, page.shown)
    return {
        "title": f"{row.candidate_name}: {exam}",
        "language": "en",
        "made_at": page.events[-1].at,
        "running": f"{NOT_FOR_CANDIDATES} · {code} · {row.candidate_name}",
        "page_of": "Page {page} of {pages}",
        "kind": f"Examiner’s report. {NOT_FOR_CANDIDATES}.",
        "name": row.candidate_name,
        "about": [exam, row.roster_id, moment(result["finished_at"]), page.outcome.state],
        "remarks": [(one.title, one.text) for one in said],
        "code": code,
        "address": address,
        "qr": {"svg": qr_code(address), "alt": "QR code of the page that checks this result"},
        "conditions": conditions(page),
        "results": _results(page),
        "decisions": _decisions(page),
        "record": _record(page),
        "flags": [_flag(one) for one in flags_said(page.flags)],
        "not_proof": NOT_PROOF,
        **_answer(result),
        **_path(page, result),
        **_tables(page, result),
    }


def _answer(result: dict[str, Any]) -> dict[str, Any]:
    scored, decimals = result["score"] is not None, result["scale"]["decimals"]
    level = result["level"]
    answer = {
        "score": number(result["score"], decimals) if scored else "",
        "score_se": f"± {number(result['score_se'], 1)} standard error" if scored else "",
        "level": level and {**level, "name": local_text(level["name"]) or level["code"]},
        "levels_said": readings(result).levels,
        "scale_figure": asdict(score_scale(result, FIGURE_WIDTH)) if scored else None,
        "band": "",
        "picture": "",
    }
    if scored:
        low, high = (number(end, decimals) for end in result["band"])
        share = round(100 * result["band_level"])
        chance = f"holds the true score with a chance of {share} %."
        answer["band"] = f"The band from {low} to {high} {chance}"
        answer["picture"] = f"Score {answer['score']}, band {low} to {high}"
    return answer


def _path(page: SittingPage, result: dict[str, Any]) -> dict[str, Any]:
    if not result["path"]:
        return {"path": None, "path_said": "No question was put.", "information": ""}
    said, rules = readings(result), binding(result, page.steps)
    draw = get_template_attribute("figures/_path_plot.html", "path_drawing")
    caption = f"{said.path} It ended because {said.stopped}."
    return {
        "path": {"svg": styled(str(draw(result, PATH_WIDTH, "", rules))), "alt": caption},
        "path_said": caption,
        "information": information_words(result, page.information, page.plan.design.stop),
    }


def styled(drawing: str) -> str:
    """Make a page's picture stand alone: with a name space, and its styles in the picture."""
    start, mark, rest = drawing.strip().partition(">")
    named = start.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{named}{mark}<style>{INK}</style>{rest}"


def _tables(page: SittingPage, result: dict[str, Any]) -> dict[str, Any]:
    areas = {one["area"]: local_text(one["name"]) or one["area"] for one in result["domains"]}
    return {
        "levels": _levels(result),
        "rates": expected_rates(page.precision),
        "areas": [_area(one, result["scale"]["decimals"]) for one in result["domains"]],
        "steps": [_step(one, areas) for one in result["path"]],
        "tried_out": [_tried(one, areas) for one in result["tried_out"]],
    }


def _levels(result: dict[str, Any]) -> list[Sequence[str]]:
    decimals = result["scale"]["decimals"]
    return [
        (
            local_text(level["name"]) or level["code"],
            number(level["minimum"], decimals),
            percent(level["probability"]),
        )
        for level in reversed(result["levels"])
    ]


def _area(area: Mapping[str, Any], decimals: int) -> Sequence[str]:
    score = (
        WITHHELD[area["withheld"]]
        if area["score"] is None
        else f"{number(area['score'], decimals)} ± {number(area['score_se'], 1)}"
    )
    return (
        local_text(area["name"]) or area["area"],
        area["standing"] or "too few",
        f"{area['points']} of {area['max_points']}",
        score,
        str(area["n"]),
    )


def _points(step: Mapping[str, Any]) -> str:
    if step["score"] is None:
        if "correction" in step:
            return f"dropped by correction {step['correction']['number']}"
        return "late" if step["late"] else "not reached"
    return f"{step['score']} of {step['max_score']}"


def _tried(step: Mapping[str, Any], areas: Mapping[str, str]) -> Sequence[str]:
    return (
        str(step["position"]),
        step["item"],
        areas.get(step["content_area"], step["content_area"]),
        step["model"],
        number(step["difficulty"], 2),
        _points(step),
        duration(step["seconds"]),
    )


def _step(step: Mapping[str, Any], areas: Mapping[str, str]) -> Sequence[str]:
    *facts, took = _tried(step, areas)
    figures = signed(step["theta"]), number(step["se"], 2), number(step["information"], 2)
    gave_way = ", ".join(step.get("gave_way") or ()).replace("_", " ")
    return (*facts, *figures, took, gave_way)


def _results(page: SittingPage) -> list[Sequence[str]]:
    """List the results where there is more than one."""
    if len(page.results) < 2:
        return []
    return [
        (
            str(one.number),
            moment(one.at) + (", stands" if one.stands else ""),
            one.reason or "the sitting ended",
            number(one.score, 0),
            one.level or "",
            short(one.content_hash),
        )
        for one in page.results
    ]


def _decisions(page: SittingPage) -> list[Sequence[str]]:
    """Say what was done on the result, with what was written of it."""
    found = timeline.lines(page.events, page.hashes, timeline.RESULT)
    return [(moment(one.at), one.words, one.text or "", short(one.hash)) for one in found]


def _record(page: SittingPage) -> str:
    """Say up to where the record was read, so that a later report can be told apart."""
    last = page.events[-1]
    return f"The record as of link {last.number} of the sitting’s chain, {moment(last.at)}."


def _flag(flag: FlagSaid) -> dict[str, Any]:
    return {
        "title": flag.meaning.title,
        "flagged": flag.flagged,
        "verdict": flag.verdict,
        "finding": flag.finding,
        "figures": list(flag.figures),
    }
