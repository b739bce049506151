"""The report of a calibration: what was found, what to look at, and every figure behind it.

Called by the command line. Imports ``engine``; altair through ``report_charts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.dif.findings import benjamini_hochberg
from calibration.fitting import Calibration
from calibration.outputs import item_fit_rows
from calibration.report_page import (
    facts,
    figure,
    folded,
    page,
    paragraph,
    settings_table,
    table,
)
from calibration.report_panels import item_panels
from calibration.screening import FEW_RESPONSES

MOST_IN_ORDER = 40
MEAN_SQUARE = (0.7, 1.3)
LARGE_RMSD = 0.1
LOW_DISCRIMINATION = 0.4
EXTREME_DIFFICULTY = 4.0
LOW_CORRELATION = 0.15
SMALL_P = 0.01
CHANGE_HEADER = ("item", "a before", "a after", "b before", "b after", "change of b in SE")
FIT_HEADER = (
    "item",
    "n",
    "p value",
    "point-biserial",
    "infit",
    "outfit",
    "RMSD",
    "S-X2",
    "df",
    "p",
    "notes",
)


def report(
    calibration: Calibration,
    summary: Mapping[str, Any],
    *,
    title: str,
    changed: Sequence[Sequence[object]] = (),
    more: Sequence[tuple[str, str]] = (),
) -> str:
    """Build the report as one HTML page.

    Parameters
    ----------
    calibration
        The results.
    summary
        The figures of ``summary.json``.
    title
        Its heading.
    changed
        Rows of ``recalibration.changes``, where a release was fitted anew.
    more
        Further sections: heading and HTML.
    """
    found = flags(calibration)
    return page(
        title,
        [
            ("", _answer(calibration, summary)),
            ("What to look at", _flag_list(found)),
            ("The test", _test_charts(calibration)),
            ("Item curves", _curve_panels(calibration, found)),
            ("Items", _item_tables(calibration, found)),
            *([("Before and after", table(CHANGE_HEADER, changed))] if changed else []),
            *more,
            ("Data", _data(calibration, summary)),
            ("Settings and versions", _settings(summary)),
        ],
    )


def flags(calibration: Calibration) -> dict[str, list[str]]:
    """Say what is unusual about each item; items that are as expected are not in it."""
    found: dict[str, list[str]] = {}
    fit, statistics = calibration.fit, calibration.item_fit
    s_x2_p = benjamini_hochberg(statistics.s_x2.p)
    for row, name in enumerate(fit.items.item):
        steps = fit.items.thresholds[row]
        enough = statistics.n[row] >= FEW_RESPONSES
        texts = [
            f"discrimination {fit.items.a[row]:.2f} below {LOW_DISCRIMINATION}"
            if fit.items.a[row] < LOW_DISCRIMINATION
            else "",
            f"difficulty beyond {EXTREME_DIFFICULTY:g}"
            if np.any(np.abs(steps) > EXTREME_DIFFICULTY)
            else "",
            _mean_square("infit", statistics.infit[row]) if enough else "",
            _mean_square("outfit", statistics.outfit[row]) if enough else "",
            f"RMSD {statistics.rmsd[row]:.3f}"
            if enough and statistics.rmsd[row] > LARGE_RMSD
            else "",
            f"S-X2 p adjusted {s_x2_p[row]:.2g}" if s_x2_p[row] < SMALL_P else "",
            f"point-biserial {statistics.point_biserial[row]:.2f}"
            if statistics.point_biserial[row] < LOW_CORRELATION
            else "",
            calibration.screening.thin.get(name, ""),
        ]
        texts += calibration.boundaries.get(name, [])
        if any(texts):
            found[name] = [text for text in texts if text]
    return found


def _mean_square(label: str, value: float) -> str:
    low, high = MEAN_SQUARE
    return f"{label} {value:.2f}" if value < low or value > high else ""


def _answer(calibration: Calibration, summary: Mapping[str, Any]) -> str:
    fit = calibration.fit
    state = "yes" if fit.converged else "NO"
    pairs = [
        ("Converged", f"{state}, {fit.iterations} iterations" if fit.iterations else state),
        ("Model", str(summary["model"])),
        ("Persons", f"{summary['n_persons']:,}"),
        ("Items", f"{summary['n_items']:,}"),
        ("Responses", f"{summary['n_responses']:,}"),
        ("Log-likelihood", f"{summary['log_likelihood']:,.2f}"),
        ("AIC", f"{summary['aic']:,.1f}"),
        ("BIC", f"{summary['bic']:,.1f}"),
        ("Reliability, marginal", f"{summary['reliability_marginal']:.3f}"),
        ("Reliability, empirical", f"{summary['reliability_empirical']:.3f}"),
        ("Latent mean and SD", f"{summary['latent_mean']:.3f}, {summary['latent_sd']:.3f}"),
    ]
    remarks = "".join(paragraph(text, attention=True) for text in calibration.remarks)
    groups = "".join(
        f"<p>Group {name}: {group['n_persons']:,} persons, latent mean "
        f"{group['latent_mean']:.3f}, SD {group['latent_sd']:.3f}.</p>"
        for name, group in summary.get("groups", {}).items()
    )
    return remarks + facts(pairs) + groups


def _flag_list(found: Mapping[str, list[str]]) -> str:
    if not found:
        return paragraph("Every item is within the usual limits.")
    low, high = MEAN_SQUARE
    limits = (
        f"Limits: infit and outfit {low} to {high}, RMSD {LARGE_RMSD} (from {FEW_RESPONSES} "
        f"responses on); p of S-X2 {SMALL_P}, adjusted for the number of items (Benjamini and "
        f"Hochberg); discrimination {LOW_DISCRIMINATION}, point-biserial {LOW_CORRELATION}, "
        f"difficulty within {EXTREME_DIFFICULTY:g}. They point at items to read, they are no "
        "verdict."
    )
    rows = [[name, "; ".join(texts)] for name, texts in found.items()]
    return paragraph(limits) + table(["item", "why"], rows)


def _test_charts(calibration: Calibration) -> str:
    from calibration import report_charts  # noqa: PLC0415 - altair is slow to import

    theta = calibration.persons.theta
    known = theta[~np.isnan(theta)]
    return figure(
        report_charts.information_curve(calibration.fit),
        "All items together measure best where the line is high and the dashed error is low.",
    ) + figure(
        report_charts.wright_map(calibration.fit, known),
        "Persons above and item difficulties below stand on one scale: items measure persons "
        "who are near them.",
    )


def _curve_panels(calibration: Calibration, found: Mapping[str, list[str]]) -> str:
    """All items: in their order where they are few, else those to look at first."""
    names = calibration.fit.items.item
    if len(names) <= MOST_IN_ORDER:
        return item_panels(calibration.fit, range(len(names)))
    order = np.argsort(-np.nan_to_num(calibration.item_fit.rmsd), kind="stable").tolist()
    worst_first = sorted(order, key=lambda row: names[row] not in found)
    text = paragraph("Items to look at come first, then the others, the worst fit first.")
    return text + item_panels(calibration.fit, worst_first)


def _item_tables(calibration: Calibration, found: Mapping[str, list[str]]) -> str:
    header, rows = _parameter_table(calibration, found)
    statistics = item_fit_rows(calibration.item_fit, calibration.screening)
    item_fit = table(FIT_HEADER, statistics, caption="Item fit; infit and outfit at EAP")
    parameters = table(header, rows, caption="Parameters (logistic metric, D = 1)")
    return parameters + folded("Item fit", item_fit)


def _parameter_table(
    calibration: Calibration, found: Mapping[str, list[str]]
) -> tuple[list[str], list[list[object]]]:
    """Columns that no item has are left out."""
    items, se = calibration.fit.items, calibration.errors
    columns: dict[str, list[object]] = {"item": list(items.item), "model": list(items.model)}
    for name in "abcd":
        neutral = {"c": 0.0, "d": 1.0}.get(name)
        values = getattr(items, name).tolist()
        columns[name] = [None if value == neutral else value for value in values]
        columns[f"SE {name}"] = getattr(se, name).tolist()
    if items.thresholds.shape[1] > 1:
        for k, values in enumerate(items.thresholds.T.tolist(), start=1):
            columns[f"b{k}"] = values
            columns[f"SE b{k}"] = se.thresholds[:, k - 1].tolist()
    for label in ("slope", "intercept"):
        values, errors = getattr(items, f"{label}s"), getattr(se, f"{label}s")
        for k in range(values.shape[1]):
            columns[f"{label} {k + 1}"] = values[:, k].tolist()
            columns[f"SE {label} {k + 1}"] = errors[:, k].tolist()
    columns["flags"] = [len(found.get(name, ())) or None for name in items.item]
    shown = {
        name: values
        for name, values in columns.items()
        if name == "flags" or any(value is not None and value == value for value in values)  # noqa: PLR0124 - NaN
    }
    return list(shown), [list(row) for row in zip(*shown.values(), strict=True)]


def _data(calibration: Calibration, summary: Mapping[str, Any]) -> str:
    dropped = calibration.screening.dropped
    taken_out = table(["item", "why"], list(dropped.items())) if dropped else ""
    return (
        paragraph(f"Fingerprint of the data (SHA-256): {summary['data_sha256']}")
        + paragraph(f"Items taken out: {len(dropped)}.")
        + taken_out
        + paragraph(f"Persons without responses: {len(calibration.screening.empty_persons)}.")
    )


def _settings(summary: Mapping[str, Any]) -> str:
    return settings_table(summary["settings"].items(), summary["versions"])
