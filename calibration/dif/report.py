"""The report of a study of DIF: which items to read, how groups scored on them, every figure.

Called by the command line. Imports altair through ``charts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calibration.dif.curves import pictures
from calibration.dif.outputs import PASS_RATES, dif_rows, header, pass_rate_rows
from calibration.dif.pass_rates import PassRate
from calibration.dif.study import Comparison, ItemResult
from calibration.dif.ways import LIKELIHOOD_RATIO, LOGISTIC
from calibration.report_page import (
    facts,
    figure,
    folded,
    page,
    paragraph,
    settings_table,
    table,
)
from calibration.summary import versions

MOST_PANELS = 24
MOSTLY_ONE_WAY = 0.8
READING = {
    "mantel-haenszel": "Delta is -2.35 times the log of the common odds ratio; negative is harder "
    "for the focal group. A is negligible; C is at least 1.5 and significantly above 1.",
    "logistic": "A change of R2 below .035 is negligible (A), from .07 on large (C), after Jodoin "
    "and Gierl.",
    "lr": "The area is the mean gap of the two expected-score curves over the reference group, in "
    "score points. This method has no classes.",
}


def dif_report(
    comparisons: Sequence[Comparison],
    rates: Sequence[PassRate],
    *,
    method: str,
    items: Sequence[str],
    title: str,
    settings: Mapping[str, Any],
) -> str:
    """Build the report as one HTML page.

    Parameters
    ----------
    comparisons
        As ``study`` made them.
    rates
        Pass rates; none where no cut was given.
    method, items
        Of the study.
    title
        Its heading.
    settings
        What the command was asked for, and what it read.
    """
    everything = table(header(method), dif_rows(comparisons, method, items))
    return page(
        title,
        [
            ("", _answer(comparisons, method)),
            *[section for c in comparisons for section in _sections(c, method)],
            *([("Pass rates", _rates(rates))] if rates else []),
            ("Every figure", folded("Table", everything)),
            ("Settings and versions", settings_table(settings.items(), versions("mml"))),
        ],
    )


def _answer(comparisons: Sequence[Comparison], method: str) -> str:
    first = comparisons[0]
    pairs = [
        ("Method", method),
        ("Reference group", first.reference),
        ("Items", str(len(first.results))),
    ]
    pairs += [(f"Flagged, {c.focal}", str(len(c.flagged))) for c in comparisons]
    remarks = dict.fromkeys(text for c in comparisons for text in c.remarks)
    return "".join(paragraph(text, attention=True) for text in remarks) + facts(pairs)


def _sections(comparison: Comparison, method: str) -> list[tuple[str, str]]:
    heading = f"{comparison.focal} against {comparison.reference}"
    if not comparison.flagged:
        return [(heading, paragraph("No item is flagged."))]
    rows = [
        [result.item, _why(result, comparison, method), result.n_focal, result.n_reference]
        for result in (comparison.results[k] for k in comparison.flagged)
    ]
    names = ["item", "why", f"n {comparison.focal}", f"n {comparison.reference}"]
    text = (
        "Groups of equal ability met these items differently. Read them before you decide: a "
        f"difference may be what the exam is meant to measure. {READING[method]}"
    )
    return [(heading, paragraph(text) + table(names, rows) + _curves(comparison))]


def _why(result: ItemResult, comparison: Comparison, method: str) -> str:
    last = result.last
    p = result.p_adjusted if result.purified is None else result.purified_p_adjusted
    signed = {LOGISTIC: last.more.get("log_odds"), LIKELIHOOD_RATIO: last.more.get("signed_area")}
    direction = signed.get(method, last.effect)
    words = [f"{_measure(result, method)} {last.effect:.3f}"]
    if direction is not None and direction == direction:  # noqa: PLR0124 - NaN
        words.append(f"{'harder' if direction < 0 else 'easier'} for {comparison.focal}")
    if _changes_with_ability(result, method):
        words.append("the difference changes with ability")
    words.append(f"adjusted p {p:.2g}")
    if last.ets_class:
        words.append(f"class {last.ets_class}")
    return "; ".join(words)


def _measure(result: ItemResult, method: str) -> str:
    if method == LOGISTIC:
        return "change of Nagelkerke's R2"
    if method == LIKELIHOOD_RATIO:
        return "area between the curves"
    return "delta" if "odds_ratio" in result.last.more else "mean difference in points"


def _changes_with_ability(result: ItemResult, method: str) -> bool:
    more = result.last.more
    if method == LOGISTIC:
        return more.get("nonuniform_p", 1.0) < 0.05
    signed = abs(more.get("signed_area", result.last.effect))
    return method == LIKELIHOOD_RATIO and signed < MOSTLY_ONE_WAY * result.last.effect


def _curves(comparison: Comparison) -> str:
    from calibration.dif import charts  # noqa: PLC0415 - altair is slow to import

    drawn = pictures(comparison, MOST_PANELS)
    if not drawn:
        return ""
    names = (comparison.reference, comparison.focal)
    reading = (
        "Share of the highest score, by group, for persons of equal standing (larger marks are "
        "more persons). Without DIF the two colours lie on each other."
    )
    if any(one.model is not None for one in drawn):
        reading += " Lines are the fitted curves of each group."
    left = len(comparison.flagged) - len(drawn)
    rest = paragraph(f"{left} more flagged items are in the table only.") if left else ""
    return figure(charts.item_panels(drawn, names), reading) + rest


def _rates(rates: Sequence[PassRate]) -> str:
    text = (
        "Share of each group at or above the cut (theta, EAP): with every item as it is; without "
        "the flagged items; and with parameters of the group's own for them."
    )
    rows = pass_rate_rows(rates)
    changes = [[*row, row[4] - row[3], row[5] - row[3]] for row in rows]
    names = [*PASS_RATES, "change without", "change by group"]
    return paragraph(text) + table([name.replace("_", " ") for name in names], changes)
