"""What an exam file says: a TOML text, checked key by key. Pure.

The tables that the engine reads are checked by the engine; the rest, names in every language of
the exam among it, here.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError
from engine.session import ExamDesign, design_from_mapping
from item_bank.exams.delivery_rules import KEYS as DELIVERY_TABLES
from item_bank.exams.delivery_rules import DeliveryRules, delivery_rules
from item_bank.exams.result_rules import KEYS as RESULT_TABLES
from item_bank.exams.result_rules import ResultRules, result_rules

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KNOWN = {
    "code", "title", "bank", "release", "languages", "language_switch",
    "time_limit_minutes",
    "selection", "exposure", "pretest", "estimation", "stopping", "classification", "scale",
    "levels", "blueprint",
    *DELIVERY_TABLES, *RESULT_TABLES,
}  # fmt: skip
ENGINE_TABLES = (
    "selection", "exposure", "pretest", "estimation", "stopping", "classification", "scale",
)  # fmt: skip


@dataclass(frozen=True)
class LevelNames:
    """How a level is called, and whether it counts as passed."""

    code: str
    name: dict[str, str]
    minimum: float
    passed: bool


@dataclass(frozen=True)
class ExamPlan:
    """What an exam file says, checked.

    Parameters
    ----------
    release
        A number, or None for the latest when the exam is applied.
    language_switch
        Whether a candidate may read any question in another of the exam's languages.
    time_limit
        Seconds; None where there is no limit.
    delivery
        How sittings are held: breaks, late answers, retakes, devices.
    results
        What becomes of results: release, signatures, appeals, areas, source of cut scores.
    design
        The part that the engine reads.
    """

    code: str
    title: dict[str, str]
    bank: str
    release: int | None
    languages: tuple[str, ...]
    language_switch: bool
    time_limit: int | None
    delivery: DeliveryRules
    results: ResultRules
    design: ExamDesign
    levels: tuple[LevelNames, ...]
    mapping: dict[str, Any]


def read_plan(text: str, *, file: str) -> ExamPlan:
    """Check an exam file; raises InputError with the file, the key and what was expected."""
    try:
        mapping = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError("a TOML file", str(error), file=file) from None
    try:
        return plan_from_mapping(mapping)
    except InputError as error:
        raise InputError(error.expected, error.found, file=file, column=error.column) from None


def plan_from_mapping(mapping: dict[str, Any]) -> ExamPlan:
    """Check what an exam file says."""
    for key in mapping:
        if key not in KNOWN:
            raise InputError(f"one of {', '.join(sorted(KNOWN))}", repr(key), column=key)
    languages = tuple(_texts(mapping, "languages"))
    levels = tuple(_level(level, i, languages) for i, level in enumerate(mapping.get("levels", ())))
    tables = {name: mapping[name] for name in (*ENGINE_TABLES, "blueprint") if name in mapping}
    if levels:
        tables["levels"] = [{"name": level.code, "minimum": level.minimum} for level in levels]
    plan = ExamPlan(
        code=_code(mapping),
        title=_names(mapping.get("title"), "title", languages),
        bank=_text(mapping, "bank"),
        release=_release(mapping.get("release", "latest")),
        languages=languages,
        language_switch=_language_switch(mapping.get("language_switch", False)),
        time_limit=_time_limit(mapping.get("time_limit_minutes")),
        delivery=delivery_rules(mapping, languages),
        results=result_rules(mapping, languages),
        design=design_from_mapping(tables),
        levels=levels,
        mapping=mapping,
    )
    _check_whole(plan)
    return plan


def fewest_items(plan: ExamPlan) -> int:
    """Return how many questions a sitting has at least, when nothing is left to try out."""
    stop = plan.design.stop
    rules = (stop.se, stop.information, stop.theta_change, stop.best_information)
    sooner = plan.design.classification.method or any(rule is not None for rule in rules)
    return max(stop.min_items, 1) if sooner or not stop.length else stop.length


def most_items(plan: ExamPlan) -> int:
    """Return how many questions a sitting has at most, those that are tried out among them."""
    return plan.design.longest or 0


def _check_whole(plan: ExamPlan) -> None:
    """Check what only several keys together say."""
    if not most_items(plan):
        raise InputError(
            "length or max_items, so that a sitting ends", "neither", column="stopping"
        )
    lowest = plan.design.scale.minimum
    if plan.levels and min(level.minimum for level in plan.levels) > lowest:
        expected = f"a level from {lowest:g} or below, so that every score has a level"
        raise InputError(expected, min(level.minimum for level in plan.levels), column="levels")


def _code(mapping: dict[str, Any]) -> str:
    code = _text(mapping, "code")
    if not CODE.fullmatch(code):
        raise InputError("letters, digits, dots, dashes and underscores", repr(code), column="code")
    return code


def _text(mapping: dict[str, Any], key: str) -> str:
    value = mapping.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError("a text", _found(value), column=key)
    return value


def _found(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def _texts(mapping: dict[str, Any], key: str) -> list[str]:
    value = mapping.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise InputError('a list such as ["en", "ru"]', _found(value), column=key)
    return value


def _names(value: Any, key: str, languages: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InputError('a text in each language, such as {en = "..."}', _found(value), column=key)
    for language in languages:
        if not isinstance(value.get(language), str) or not value[language].strip():
            raise InputError("a text", _found(value.get(language)), column=f"{key}.{language}")
    return value


def _release(value: Any) -> int | None:
    if value == "latest":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError('the number of a release, or "latest"', repr(value), column="release")
    return value


def _language_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError("true or false", repr(value), column="language_switch")
    return value


def _time_limit(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise InputError("minutes above 0", repr(value), column="time_limit_minutes")
    return round(value * 60)


def _level(value: Any, index: int, languages: tuple[str, ...]) -> LevelNames:
    column = f"levels[{index + 1}]"
    found = ", ".join(sorted(value)) if isinstance(value, dict) else _found(value)
    if found != "code, minimum, name, passed":
        raise InputError("code, minimum, name, passed", found or "nothing", column=column)
    if not isinstance(value["passed"], bool):
        raise InputError("true or false", repr(value["passed"]), column=f"{column}.passed")
    if not isinstance(value["minimum"], int | float) or isinstance(value["minimum"], bool):
        raise InputError("a number", repr(value["minimum"]), column=f"{column}.minimum")
    return LevelNames(
        code=_text(value, "code"),
        name=_names(value["name"], f"{column}.name", languages),
        minimum=float(value["minimum"]),
        passed=value["passed"],
    )
