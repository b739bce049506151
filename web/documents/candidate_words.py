"""What a candidate's report says: sentences and figures, in the language of the moment.

The page and the PDF are both made from `candidate_report`, so that no sentence is written twice.
Pure but for the language, which `flask_babel` knows; `web/documents/speaking.py` sets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from item_bank.exams.language_rules import OWN, SHARED
from item_bank.results.report_facts import ReportFacts
from web.documents.checking import Checking, checking
from web.documents.notices import notices
from web.documents.rights import rights
from web.documents.sections import Notice, Section, run_on
from web.formats import chance, date, duration, number
from web.language import NAMES, local_text, page_language


@dataclass(frozen=True)
class LevelRow:
    """A level and the score from which it begins."""

    name: str
    minimum: str
    passed: bool
    reached: bool
    mark: str  # "your level", or nothing


@dataclass(frozen=True)
class Levels:
    """All levels, the highest first."""

    heading: str
    heads: tuple[str, ...]
    rows: tuple[LevelRow, ...]


@dataclass(frozen=True)
class AreaRow:
    """A content area; `standing` is above, near, below or nothing."""

    name: str
    standing: str
    word: str
    n: int


@dataclass(frozen=True)
class Areas:
    """Where the candidate stands by content area, and how far to trust that."""

    heading: str
    heads: tuple[str, ...]
    rows: tuple[AreaRow, ...]
    caution: str


@dataclass(frozen=True)
class CandidateReport:
    """A candidate's report, in the order in which it is read.

    Parameters
    ----------
    score, scale, band
        The score, the scale it is on, and what its band means; empty without a score.
    no_score
        Why there is none; empty where there is one.
    sure
        How sure the level is; None without a chance.
    """

    language: str
    kind: str
    title: str
    name: str
    finished_at: int
    notices: tuple[Notice, ...]
    score: str
    scale: str
    band: str
    picture: str
    level: LevelRow | None
    no_score: tuple[str, ...]
    sure: Section | None
    levels: Levels | None
    areas: Areas | None
    sections: tuple[Section, ...]
    checking: Checking
    fine_print: tuple[str, ...]


def _(message: str, **values: object) -> str:
    return str(gettext(message, **values))


def candidate_report(facts: ReportFacts, address: str) -> CandidateReport:
    """Put a result into words.

    Parameters
    ----------
    address
        Where the result can be checked by whoever was given its code.
    """
    result, decimals = facts.result, facts.result["scale"]["decimals"]
    scored = result["score"] is not None
    levels = _levels(result)
    return CandidateReport(
        language=page_language(),
        kind=_("Your result"),
        title=local_text(result["exam"]["title"]),
        name=facts.name or _("(name erased)"),
        finished_at=result["finished_at"],
        notices=tuple(notices(facts)),
        score=number(result["score"], decimals) if scored else "",
        scale=_scale(result["scale"]) if scored else "",
        band=_band(result) if scored else "",
        picture=_picture(result) if scored else "",
        level=next((row for row in levels.rows if row.reached), None) if levels else None,
        no_score=() if scored else tuple(_no_score(result)),
        sure=_sure(result),
        levels=levels,
        areas=_areas(result),
        sections=(*([_limits()] if scored else ()), _exam(facts), *rights(facts)),
        checking=checking(facts.verification, address),
        fine_print=tuple(_fine_print(facts)),
    )


def _scale(scale: dict[str, Any]) -> str:
    low, high = (number(scale[end], scale["decimals"]) for end in ("minimum", "maximum"))
    return _("on a scale from %(low)s to %(high)s", low=low, high=high)


def _band(result: dict[str, Any]) -> str:
    low, high = (number(end, result["scale"]["decimals"]) for end in result["band"])
    return _(
        "The band shows how exact this measurement is: the chance that your true score lies "
        "between %(low)s and %(high)s is 19 in 20.",
        low=low,
        high=high,
    )


def _picture(result: dict[str, Any]) -> str:
    decimals = result["scale"]["decimals"]
    low, high = (number(end, decimals) for end in result["band"])
    score = number(result["score"], decimals)
    return _("Score %(score)s, band %(low)s to %(high)s", score=score, low=low, high=high)


def _no_score(result: dict[str, Any]) -> Iterator[str]:
    yield _("Insufficient data: no score")
    if result["level"] is not None:
        yield _(
            "Fewer questions were answered in time than a score needs. By the rule of this exam "
            "your level was decided by how your last answers compare with the standard."
        )
    elif result["stop_reason"] in {"time", "terminated"}:
        yield _(
            "Fewer questions were answered in time than a score needs. By the rule of this exam "
            "there is then no score."
        )
    else:
        yield _("Your answers do not determine a score.")


def _sure(result: dict[str, Any]) -> Section | None:
    level = result["level"]
    if level is None or level["probability"] is None:
        return None
    name, own = local_text(level["name"]) or level["code"], chance(level["probability"])
    said = [
        _("The chance that your true level is “%(level)s” is %(chance)s.", level=name, chance=own)
    ]
    passing = chance_of_passing(result)
    if passing is not None and chance(passing) != own:
        said.append(
            _("The chance that it is a passing level is %(chance)s.", chance=chance(passing))
        )
    return Section("sure", _("How sure is this?"), (run_on(*said),))


def chance_of_passing(result: dict[str, Any]) -> float | None:
    """Return the chance that the true level passes; None where no level or no score says so."""
    chances = [level["probability"] for level in result["levels"] if level["passed"]]
    return sum(chances) if chances and None not in chances else None


def _levels(result: dict[str, Any]) -> Levels | None:
    if not result["levels"]:
        return None
    own = result["level"]["code"] if result["level"] else None
    decimals = result["scale"]["decimals"]
    rows = tuple(
        LevelRow(
            name=local_text(level["name"]) or level["code"],
            minimum=number(level["minimum"], decimals),
            passed=level["passed"],
            reached=level["code"] == own,
            mark=_("your level") if level["code"] == own else "",
        )
        for level in reversed(result["levels"])
    )
    heads = (_("Level"), _("From a score of"))
    return Levels(_("Levels of this exam"), heads, rows)


def _areas(result: dict[str, Any]) -> Areas | None:
    """Say nothing of areas where none has enough questions to say anything."""
    if not any(domain["standing"] for domain in result["domains"]):
        return None
    words = {"above": _("above"), "near": _("near"), "below": _("below")}
    few = _("too few questions to say")
    rows = tuple(
        AreaRow(
            local_text(domain["name"]) or domain["area"],
            domain["standing"] or "",
            words.get(domain["standing"], few),
            domain["n"],
        )
        for domain in result["domains"]
    )
    heads = (_("Area"), _("Standing"), _("Questions"))
    caution = _(
        "Standing compares you with the passing standard. Few questions stand behind each area: "
        "take it as a hint for learning, not as a judgement."
    )
    return Areas(_("By content area"), heads, rows, caution)


def _limits() -> Section:
    said = (
        _(
            "It is not a percentage of right answers. The questions were chosen to fit you, so "
            "most people get about half of them right."
        ),
        _(
            "It says nothing about what this exam does not ask, and a difference of a few "
            "points between two people means little."
        ),
        _("It is one piece of evidence. Whoever decides about you should look at others as well."),
    )
    return Section("meaning", _("What the score does not mean"), bullets=said)


def _exam(facts: ReportFacts) -> Section:
    result = facts.result
    asked = result["n_items"] + result["n_tried_out"]
    length = _(
        "Questions: %(n)s. Time used: %(time)s.", n=asked, time=duration(result["seconds_used"])
    )
    language = NAMES.get(result["language"], result["language"])
    spoken = _("Language of the questions: %(language)s.", language=language)
    said = (run_on(length, _tried_out(result)), run_on(spoken, _compared(facts)))
    return Section("exam", _("Your exam"), said)


def _tried_out(result: dict[str, Any]) -> str:
    if not result["n_tried_out"]:
        return ""
    return _(
        "Questions among them that were tried out and do not count: %(n)s.",
        n=result["n_tried_out"],
    )


def _compared(facts: ReportFacts) -> str:
    """Say how far results in different languages can be compared."""
    return {
        SHARED: _(
            "The exam is scored in the same way in all its languages: scores from different "
            "languages stand on one scale."
        ),
        OWN: _(
            "Some questions are not equally hard in every language and are scored by the "
            "language in which they were read; the scores stand on one scale."
        ),
    }.get(facts.parameters, "")


def _fine_print(facts: ReportFacts) -> Iterator[str]:
    result = facts.result
    exam = result["exam"]
    yield _(
        "Exam %(exam)s, version %(version)s. Sitting %(sitting)s.",
        exam=exam["code"],
        version=exam["version"],
        sitting=result["sitting"],
    )
    yield _(
        "Result %(number)s of this sitting, made on %(date)s.",
        number=result["number"],
        date=date(facts.made_at),
    )
