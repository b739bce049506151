"""What a result rests on, as terms and texts: the fine print of the report, on page and PDF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from item_bank.results.sitting_pages import SittingPage
from web.examiner.facts import NONE, accommodations
from web.examiner.readings import readings
from web.formats import duration, moment, number, signed
from web.language import NAMES


def conditions(page: SittingPage) -> list[tuple[str, str]]:
    """Return the conditions of the result that is shown."""
    result = page.result
    return [] if result is None else [*_sitting(page, result), *_result(page, result)]


def _sitting(page: SittingPage, result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    begun, ended = moment(result["started_at"]), moment(result["finished_at"])
    yield "Sitting", f"{result['sitting']}, attempt {page.attempt}"
    yield "Candidate’s id in the record", str(result["candidate"])
    if page.outcome is not None and page.outcome.centre:
        yield "Centre", page.outcome.centre
    yield "Time", f"{begun} until {ended}, {duration(result['seconds_used'])}"
    yield "Deadline", moment(result["deadline_at"]) if result["deadline_at"] else NONE
    yield "Accommodations", accommodations(page.accommodations)
    yield "Heard from", _heard(page)
    yield "Language", _language(page, result)
    yield "Parameters", page.base.parameters


def _heard(page: SittingPage) -> str:
    heard = page.heard
    if heard is None:
        return "not kept, or erased"
    since, until = moment(heard.first_seen_at), moment(heard.seen_at)
    return f"{heard.address}, {since} until {until}; {heard.agent}"


def _language(page: SittingPage, result: dict[str, Any]) -> str:
    changes = [
        event["payload"] for event in page.base.events if event["kind"] == "language_changed"
    ]
    said = [NAMES.get(result["language"], result["language"])]
    for one in changes:
        name = NAMES.get(one["language"], one["language"])
        said.append(f"from question {one['position']} read in {name}")
    return "; ".join(said)


def _result(page: SittingPage, result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    exam, release, said = result["exam"], result["release"], readings(result)
    yield "Exam", f"{exam['code']}, version {exam['version']}, {exam['content_hash']}"
    digest = release["content_hash"]
    yield "Release", f"{release['bank']}, release {release['number']}, {digest}"
    yield "Final estimate", _estimate(result)
    if result["prior_theta"] is not None:
        use = "for the start and the estimates on the way, not for the result"
        expected = f"theta {signed(result['prior_theta'])}, by the roster; {use}"
        yield "Expected beforehand", expected
    yield "Scale", _scale(result["scale"])
    yield "Cut scores", _cut_scores(page, result)
    yield "Rules and software", f"rules version {result['rules_version']}, {result['software']}"
    yield "Result", _number(page)
    rule = f"; {said.time_rule}" if result["time_rule"] else ""
    yield "Ended because", f"{said.stopped}{rule}"
    yield "Sealed", "in the site’s chain" if page.base.sealed else "waits for the worker"


def _estimate(result: dict[str, Any]) -> str:
    found = result["estimate"]
    if found is None:
        return NONE
    low, high, n = found["grid"]
    prior = f"prior N({number(found['prior_mean'], 1)}, {number(found['prior_sd'], 1)})"
    points = f"{n} points on [{number(low)}, {number(high)}]"
    theta = f"theta {signed(found['theta'])}, SE {number(found['se'], 2)}"
    return f"{theta}; {found['estimator'].upper()}, {prior}, {points}"


def _scale(scale: dict[str, Any]) -> str:
    low, high = (number(scale[end], scale["decimals"]) for end in ("minimum", "maximum"))
    formula = f"score = {number(scale['intercept'])} + {number(scale['slope'])} theta"
    return f"{formula}, kept within {low} to {high}; rounded {scale['rounding']}"


def _cut_scores(page: SittingPage, result: dict[str, Any]) -> str:
    rules = page.plan.results
    source = rules.source or "where they come from is not stated in the exam file"
    study = f"; standard-setting study {rules.study}" if rules.study else ""
    return f"version {result['scale']['cut_scores']}; {source}{study}"


def _number(page: SittingPage) -> str:
    assert page.shown is not None, "there is a result"
    state = f", {page.outcome.state}" if page.outcome is not None else ""
    return f"number {page.shown.number}, {page.shown.content_hash}{state}"
