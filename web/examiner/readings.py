"""The sentences of a report: what each chart says in words, and what limits the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from item_bank.exams.reviews import Report
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
}


@dataclass(frozen=True)
class Readings:
    """What the charts of a report say."""

    path: str
    levels: str
    stopped: str


@dataclass(frozen=True)
class Remark:
    """What an examiner must know beside the score."""

    title: str
    text: str


def readings(result: dict[str, Any]) -> Readings:
    """Put a result's charts into words."""
    return Readings(_path(result), _levels(result), stopped(result["stop_reason"]))


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
    return (
        f"Over {len(steps)} questions, {right} of them right, theta moved from "
        f"{signed(first['prior_mean'])} to {signed(last['theta'])} and its standard error fell "
        f"from {number(first['prior_sd'], 2)} to {number(last['se'], 2)}."
    )


def _levels(result: dict[str, Any]) -> str:
    level = result["level"]
    if level is None:
        return "The exam has no levels."
    name = level["name"].get("en", level["code"])
    return f"The chance that the true level is “{name}” is {chance(level['probability'])}."


def remarks(report: Report) -> list[Remark]:
    """Say what limits a result, or is unusual about it."""
    return list(_remarks(report))


def _remarks(report: Report) -> Iterator[Remark]:
    result = report.result
    if report.row.simulated:
        yield Remark("Simulated.", "The answers were drawn by the software, not given by a person.")
    if report.amended:
        yield Remark("Amended.", f"{report.amended} The earlier result is kept.")
    if result and result["time_rule"]:
        yield Remark("Time ran out.", f"The result was {result['time_rule']}.")
    if result and result["stop_reason"] == "bank_exhausted":
        yield Remark(
            "Bank exhausted.", "No further item was eligible before the stopping rule held."
        )
    if result and local_text(result["release"]["note"]):
        note = local_text(result["release"]["note"]).rstrip(".")
        yield Remark(f"{note}.", "Do not base decisions about people on this result.")
