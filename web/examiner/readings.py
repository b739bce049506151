"""The sentences of a report: what each chart says in words, and what limits the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from item_bank.exams.reviews import Report
from item_bank.results.sitting_pages import ResultLine
from web.formats import chance, number, signed
from web.language import local_text

STOPPED = {
    "length": "the exam's fixed number of questions was reached",
    "se": "the standard error had fallen to the exam's target",
    "information": "the exam's target of information was reached",
    "theta_change": "the last answer hardly moved the estimate",
    "confidence": "the confidence interval lay to one side of every cut score",
    "sprt": "the probability ratio test had decided every cut score",
    "glr": "the generalised likelihood ratio had decided every cut score",
    "best_information": "no question left would have told enough",
    "max_items": "the largest number of questions was reached",
    "bank_exhausted": "the bank had no further eligible question",
    "time": "the time was over",
    "terminated": "an invigilator ended it",
}
FEWER = "fewer questions were answered in time than the exam's minimum"
TIME_RULES = {
    "enough": "the score rests on the questions answered in time, no fewer than the exam's minimum",
    "score": f"{FEWER}; by its rule the score rests on these",
    "no_score": f"{FEWER}; by its rule there is no score",
    "last_estimates": f"{FEWER}; by its rule there is no score, and the level is the highest whose "
    "cut the last estimates all reached",
}
WITHHELD = {
    "too_few_items": "too few",
    "error_too_large": "error too large",
    "not_estimable": "not estimable",
}


@dataclass(frozen=True)
class Readings:
    """What the charts of a report say."""

    path: str
    levels: str
    stopped: str
    time_rule: str


@dataclass(frozen=True)
class Remark:
    """What an examiner must know beside the score."""

    title: str
    text: str


def readings(result: dict[str, Any]) -> Readings:
    """Put a result's charts into words."""
    return Readings(
        _path(result),
        _levels(result),
        stopped(result["stop_reason"]),
        TIME_RULES.get(result["time_rule"], ""),
    )


def stopped(reason: str | None) -> str:
    """Say why a sitting ended."""
    return STOPPED.get(reason or "", (reason or "it is still running").replace("_", " "))


def _path(result: dict[str, Any]) -> str:
    steps = [step for step in result["path"] if step["theta"] is not None]
    if not steps:
        return "No question was answered in time, so the estimate is the prior's."
    scored = [step for step in result["path"] if step["score"] is not None]
    right = sum(step["score"] >= step["max_score"] for step in scored)
    first, last = result["estimate"], steps[-1]
    asked = f"Over {len(steps)} questions, {right} of them right, theta"
    if first is None:
        return f"{asked} came to {signed(last['theta'])}, SE {number(last['se'], 2)}."
    start = first["prior_mean"] if result["prior_theta"] is None else result["prior_theta"]
    return (
        f"{asked} moved from {signed(start)} to {signed(last['theta'])} and its standard error "
        f"fell from {number(first['prior_sd'], 2)} to {number(last['se'], 2)}."
    )


def _levels(result: dict[str, Any]) -> str:
    level = result["level"]
    if result["score"] is None:
        rule = TIME_RULES.get(result["time_rule"], "the answers do not determine an estimate")
        return f"{rule[0].upper()}{rule[1:]}."
    if level is None:
        return "The score lies below all levels." if result["levels"] else "The exam has no levels."
    name = level["name"].get("en", level["code"])
    return f"The chance that the true level is “{name}” is {chance(level['probability'])}."


def remarks(
    report: Report, result: dict[str, Any] | None, shown: ResultLine | None
) -> list[Remark]:
    """Say what limits a result, or is unusual about it."""
    return list(_remarks(report, result, shown))


def _rapid(said: dict[str, Any]) -> str:
    """Say what the log says of answers too quick to have been thought about."""
    places = ", ".join(str(position) for position in said["positions"])
    return (
        f"{len(said['positions'])} of {said['answers']} answers came faster than the question can "
        f"be read (questions {places}). The score counts them: guessing, giving up and knowing the "
        "questions beforehand look like this."
    )


def _remarks(
    report: Report, result: dict[str, Any] | None, shown: ResultLine | None
) -> Iterator[Remark]:
    if report.row.simulated:
        yield Remark("Simulated.", "The answers were drawn by the software, not given by a person.")
    if shown is not None and not shown.stands:
        yield Remark("Not the result that stands.", "It is kept as it was; see Results.")
    if shown is not None and shown.number > 1:
        reason = shown.reason.rstrip(".")
        yield Remark("Amended.", f"By {reason}. The earlier result is kept.")
    if result and result["time_rule"]:
        rule = TIME_RULES[result["time_rule"]]
        ended = result["stop_reason"] == "terminated"
        title = "Ended by an invigilator." if ended else "Time ran out."
        yield Remark(title, f"{rule[0].upper()}{rule[1:]}.")
    for event in report.events:
        if event["kind"] == "rapid_answers":
            yield Remark("Rapid answers.", _rapid(event["payload"]))
    if result and result["stop_reason"] == "bank_exhausted":
        yield Remark(
            "Bank exhausted.", "No further item was eligible before the stopping rule held."
        )
    if result:
        yield from _of_answers(result)
        yield from _of_limits(result)
    if result and local_text(result["release"]["note"]):
        note = local_text(result["release"]["note"]).rstrip(".")
        yield Remark(f"{note}.", "Do not base decisions about people on this result.")


def _of_answers(result: dict[str, Any]) -> Iterator[Remark]:
    """Say so when the answers bound the score on one side only."""
    steps = [step for step in result["path"] if step["score"] is not None]
    for title, edge, beyond in (
        ("Every answer got the highest score.", "max_score", "above"),
        ("Every answer scored nothing.", None, "below"),
    ):
        if steps and all(step["score"] == (step[edge] if edge else 0) for step in steps):
            text = f"The answers do not bound the score from {beyond}: it is an estimate that "
            yield Remark(title, text + "rests on the estimator, and its band may be too narrow.")


def _of_limits(result: dict[str, Any]) -> Iterator[Remark]:
    """Name the questions for which a limit of the exam had to give way."""
    found = [
        f"question {step['position']}: {', '.join(step['gave_way']).replace('_', ' ')}"
        for step in result["path"]
        if step.get("gave_way")
    ]
    if found:
        yield Remark("Limits of the exam gave way.", f"At {'; '.join(found)}.")
