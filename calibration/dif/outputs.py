"""The tables of a study of DIF. Called by the command line. Imports ``engine``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calibration.dif.pass_rates import PassRate
from calibration.dif.study import Comparison, ItemResult
from calibration.tables import csv_text

FIRST = ("item", "statistic", "df", "p", "p_adjusted", "effect", "ets_class")
WHO = ("group", "reference", "n_focal", "n_reference")
PURIFIED = (
    "purified_statistic",
    "purified_p",
    "purified_p_adjusted",
    "purified_effect",
    "purified_class",
)
LAST = ("flagged", "notes")
MORE = {
    "mantel-haenszel": ("odds_ratio", "effect_se", "effect_in_sd"),
    "logistic": ("uniform", "uniform_p", "nonuniform", "nonuniform_p", "log_odds"),
    "lr": ("signed_area",),
}
PASS_RATES = ("cut", "group", "n", "as_it_is", "without_flagged", "by_group")


def header(method: str) -> tuple[str, ...]:
    """Columns of the table of a method."""
    return (*FIRST, *WHO, *MORE[method], *PURIFIED, *LAST)


def dif_rows(
    comparisons: Sequence[Comparison], method: str, items: Sequence[str]
) -> list[list[Any]]:
    """One row per comparison and item, in the order of the items; None or NaN where unknown."""
    rows = []
    for comparison in comparisons:
        known = {result.item: result for result in comparison.results}
        for name in items:
            if name in known:
                rows.append(_row(known[name], comparison, method))
            else:
                blanks = [None] * (len(header(method)) - 3 - 2)
                who = [comparison.focal, comparison.reference]
                row = [name, *blanks[:6], *who, *blanks[6:]]
                rows.append([*row, 0, comparison.dropped.get(name, "no responses")])
    return rows


def _row(result: ItemResult, comparison: Comparison, method: str) -> list[Any]:
    first, again = result.first, result.purified
    purified: list[Any] = [None] * len(PURIFIED)
    if again is not None:
        p = result.purified_p_adjusted
        purified = [again.statistic, again.p, p, again.effect, again.ets_class]
    notes = dict.fromkeys(text for text in (first.note, again.note if again else "") if text)
    return [
        result.item,
        first.statistic,
        None if first.df != first.df else int(first.df),
        first.p,
        result.p_adjusted,
        first.effect,
        first.ets_class,
        comparison.focal,
        comparison.reference,
        result.n_focal,
        result.n_reference,
        *(first.more.get(name) for name in MORE[method]),
        *purified,
        int(result.flagged),
        "; ".join(notes),
    ]


def dif_text(comparisons: Sequence[Comparison], method: str, items: Sequence[str]) -> str:
    """Format the table of ``tarozu calibrate dif``."""
    return csv_text(header(method), dif_rows(comparisons, method, items))


def pass_rate_rows(rates: Sequence[PassRate]) -> list[list[Any]]:
    """One row per cut and group."""
    return [[getattr(rate, name) for name in PASS_RATES] for rate in rates]


def figures(
    comparisons: Sequence[Comparison], method: str, rates: Sequence[PassRate]
) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "method": method,
        "reference": comparisons[0].reference,
        "groups": [
            {
                "group": c.focal,
                "n_items": len(c.results),
                "flagged": [c.results[k].item for k in c.flagged],
                "remarks": list(c.remarks),
            }
            for c in comparisons
        ],
        "pass_rates": [dict(zip(PASS_RATES, row, strict=True)) for row in pass_rate_rows(rates)],
    }
