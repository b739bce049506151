"""What an exam file says of its results: who releases them, appeals, areas, cut scores. Pure.

Called by `exam_files`. Each table may be left out, and each of its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InputError
from engine.results.domain_scores import DomainRules
from item_bank.exams.exam_tables import choice_of, number_of, table_of, texts_of

AT_ONCE, SIGNED = "at_once", "signed"
APPEAL_DAYS = 30
KEYS = {
    "results": ("release", "signatures", "appeal_days", "appeal", "valid_months"),
    "domains": ("least_items", "largest_se"),
    "cut_scores": ("source", "study"),
}


@dataclass(frozen=True)
class ResultRules:
    """What becomes of a result.

    Parameters
    ----------
    release
        ``at_once``: a candidate sees it when the sitting ends; ``signed``: once examiners signed.
    signatures
        How many examiners must sign before it is released, 1 or 2.
    appeal_days
        How long after its release a candidate may appeal; 0: not through the site.
    appeal
        How to appeal, by language, beside what the site offers.
    valid_months
        How long a pass is valid; None: without an end.
    domains
        When a score of a content area is reported.
    source
        Where the cut scores come from, in words.
    study
        The number of the standard-setting study that they come from; None for another source.
    """

    release: str = AT_ONCE
    signatures: int = 1
    appeal_days: int = APPEAL_DAYS
    appeal: Mapping[str, str] = field(default_factory=dict)
    valid_months: int | None = None
    domains: DomainRules = field(default_factory=DomainRules)
    source: str = ""
    study: int | None = None


def result_rules(mapping: Mapping[str, Any], languages: tuple[str, ...]) -> ResultRules:
    """Check the tables of an exam file that say what becomes of its results."""
    results, areas, cuts = (table_of(mapping, name, KEYS[name]) for name in KEYS)
    release = results.get("release", AT_ONCE)
    return ResultRules(
        release=choice_of(release, (AT_ONCE, SIGNED), column="results.release"),
        signatures=_whole(results, "results.signatures", 1, 1, 2),
        appeal_days=_whole(results, "results.appeal_days", APPEAL_DAYS, 0, 3650),
        appeal=texts_of(results.get("appeal", {}), languages, column="results.appeal"),
        valid_months=_whole(results, "results.valid_months", 0, 0, 600) or None,
        domains=_domains(areas),
        source=_source(cuts.get("source", "")),
        study=_whole(cuts, "cut_scores.study", 0, 0, 10**6) or None,
    )


def _whole(table: Mapping[str, Any], column: str, default: int, low: int, high: int) -> int:
    value = table.get(column.rpartition(".")[2], default)
    return int(number_of(value, low, high, column=column, whole=True))


def _domains(table: Mapping[str, Any]) -> DomainRules:
    plain = DomainRules()
    largest = table.get("largest_se", plain.largest_se)
    return DomainRules(
        least_items=_whole(table, "domains.least_items", plain.least_items, 1, 1000),
        largest_se=number_of(largest, 0.01, 100, column="domains.largest_se"),
    )


def _source(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError("a text", repr(value), column="cut_scores.source")
    return value.strip()
