"""The fine print of a report in words: accommodations, and information beside its target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.rules.stopping import StoppingRules
from web.formats import number, percent

NONE = "none"
USUAL = ("extra_time", 1.0)


def accommodations(given: Mapping[str, Any]) -> str:
    """Say what a candidate was granted."""
    beyond = {name: value for name, value in given.items() if (name, value) != USUAL}
    said = [words for name, words in _granted(beyond) if name in beyond]
    return ", ".join(said) or NONE


def _granted(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("extra_time", f"{number(given.get('extra_time', 1.0), 2)} times the time"),
        ("breaks", f"{given.get('breaks')} breaks"),
        ("break_minutes", f"breaks of {given.get('break_minutes')} minutes"),
        ("font", f"{given.get('font')} letters"),
        ("contrast", f"{given.get('contrast')} contrast"),
    ]


def information_words(result: Mapping[str, Any], told: float | None, stop: StoppingRules) -> str:
    """Compare the information that the questions gave with what the exam aims at."""
    estimate = result["estimate"]
    if estimate is None or told is None:
        return "There is no estimate, so information has nothing to be compared with."
    said = f"At the final estimate the questions tell {number(told, 2)}"
    if stop.se is not None:
        return f"{said}. {_against_se(estimate['se'], stop.se)}"
    if stop.information is not None:
        share = percent(told / stop.information)
        return f"{said}, {share} of the {number(stop.information, 1)} that the exam aims at."
    return f"{said}; the exam aims at no certain amount."


def _against_se(reached: float, target: float) -> str:
    aim = (
        f"The exam aims at a standard error of {number(target, 2)}, which is information of "
        f"{number(1 / target**2, 1)} with what the prior tells"
    )
    now = f"{number(reached, 2)}, information of {number(1 / reached**2, 1)}"
    share = (target / reached) ** 2
    if share >= 1:
        return f"{aim}; it came to {now}: the target was met."
    return f"{aim}; it came to {now}: {percent(share)} of it."
