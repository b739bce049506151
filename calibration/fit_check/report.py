"""The report of a fit check: does the model hold, where not, and every figure.

Called by the command line. Imports altair through ``charts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration.dif.findings import benjamini_hochberg
from calibration.fit_check.check import FitCheck
from calibration.fit_check.limited_information import ModelFit
from calibration.fit_check.outputs import ITEMS, PAIRS, item_rows, pair_rows
from calibration.report import LARGE_RMSD, MEAN_SQUARE, SMALL_P
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
from calibration.summary import versions

MOST_PANELS = 16
MOST_MAPPED = 60
MOST_PAIRS = 40
LARGE_RESIDUAL = 3.0


def check_report(found: FitCheck, *, title: str, settings: Mapping[str, Any]) -> str:
    """Build the report as one HTML page.

    Parameters
    ----------
    found
        The results.
    title
        Its heading.
    settings
        What the command was asked for.
    """
    flags = item_flags(found)
    return page(
        title,
        [
            ("", _answer(found)),
            ("The test", _model(found)),
            ("Items to look at", _flagged_items(found, flags)),
            ("Pairs of items", _pairs(found)),
            ("Dimensions", _dimensions(found)),
            ("Every item", folded("Table", table(ITEMS, item_rows(found)))),
            ("Settings and versions", settings_table(settings.items(), versions("mml"))),
        ],
    )


def item_flags(found: FitCheck) -> dict[int, list[str]]:
    """Say what is unusual about each item, by column; items that are as expected are not in it."""
    own = found.item_fit
    adjusted = benjamini_hochberg(own.s_x2.p)
    worst, where = found.residuals.worst(found.fit.theta)
    low, high = MEAN_SQUARE
    flags: dict[int, list[str]] = {}
    for k in range(len(own.item)):
        texts = [
            f"infit {own.infit[k]:.2f}" if not low <= own.infit[k] <= high else "",
            f"outfit {own.outfit[k]:.2f}" if not low <= own.outfit[k] <= high else "",
            f"RMSD {own.rmsd[k]:.3f}" if own.rmsd[k] > LARGE_RMSD else "",
            f"S-X2 p adjusted {adjusted[k]:.2g}" if adjusted[k] < SMALL_P else "",
            f"residual {worst[k]:+.1f} at theta {where[k]:.1f}"
            if abs(worst[k]) > LARGE_RESIDUAL
            else "",
        ]
        if any(texts):
            flags[k] = [text for text in texts if text]
    return flags


def _answer(found: FitCheck) -> str:
    main = found.c2 if found.m2.note else found.m2
    pairs = [
        ("Persons", f"{found.matrix.n_persons:,}"),
        ("Items", f"{found.matrix.n_items:,}"),
        ("RMSEA", _shown(main.rmsea)),
        ("SRMSR", _shown(main.srmsr)),
        ("Reliability, marginal", _shown(found.reliability.marginal)),
        ("Reliability, empirical", _shown(found.reliability.empirical)),
        ("Alpha", _shown(found.reliability.alpha)),
        ("Dimensions", str(found.parallel.n_dimensions) if found.parallel.eigenvalues else "-"),
    ]
    return "".join(paragraph(text, attention=True) for text in found.remarks) + facts(pairs)


def _shown(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _model(found: FitCheck) -> str:
    header = ["", "X2", "df", "p", "RMSEA", "from", "to", "SRMSR", "CFI", "TLI", "n", "notes"]
    rows = [_model_row(name, own) for name, own in (("M2*", found.m2), ("C2", found.c2))]
    text = (
        "RMSEA below .05 and SRMSR below .05 are usual marks of a close fit, RMSEA above .089 of a "
        "poor one; the interval is 90 %. With thousands of persons p is small for any model."
    )
    return paragraph(text) + table(header, rows)


def _model_row(name: str, own: ModelFit) -> list[Any]:
    figures = [own.rmsea, own.rmsea_low, own.rmsea_high, own.srmsr, own.cfi, own.tli]
    df = None if own.note else own.df
    p = "< 0.001" if own.p < 0.001 else own.p
    return [name, own.statistic, df, p, *figures, own.n, own.note]


def _flagged_items(found: FitCheck, flags: Mapping[int, list[str]]) -> str:
    from calibration.fit_check import charts  # noqa: PLC0415 - altair is slow to import

    size = np.nan_to_num(found.item_fit.rmsd)
    order = sorted(range(found.matrix.n_items), key=lambda k: (k not in flags, -size[k]))
    shown = order[:MOST_PANELS]
    rows = [[found.matrix.item[k], "; ".join(flags[k])] for k in order if k in flags]
    listed = table(["item", "why"], rows) if rows else paragraph("Every item is as expected.")
    left = found.matrix.n_items - len(shown)
    rest = paragraph(f"{left} more items are not drawn.") if left > 0 else ""
    return (
        listed
        + item_panels(found.fit, shown)
        + figure(
            charts.residual_panels(found, shown),
            "Observed less expected mean score along theta, in standard errors; most marks should "
            "lie between the dashed lines, without a pattern.",
        )
        + rest
    )


def _pairs(found: FitCheck) -> str:
    from calibration.fit_check import charts  # noqa: PLC0415 - altair is slow to import

    own = found.pairs
    text = paragraph(
        "Flagged: Q3 more than 0.2 from the mean Q3 of the test (and more than chance gives with "
        "few persons), or a standardised LD-X2 above 10. "
        "Look for a common text, an answer given away by another item, or two wordings of one "
        "question."
    )
    size = np.nan_to_num(np.abs(own.q3_corrected))
    flagged = [k for k in np.argsort(-size, kind="stable") if own.flagged[k]]
    rows = pair_rows(found)
    listed = (
        table(PAIRS, [rows[k] for k in flagged[:MOST_PAIRS]])
        if flagged
        else paragraph("No pair is flagged.")
    )
    left = len(flagged) - MOST_PAIRS
    rest = paragraph(f"{left} more are in local_dependence.csv.") if left > 0 else ""
    if found.matrix.n_items > MOST_MAPPED or np.isnan(own.q3_corrected).all():
        return text + listed + rest
    drawn = figure(
        charts.dependence_map(found),
        "Each cell is a pair: saffron goes together more than theta explains, blue less.",
    )
    return text + listed + rest + drawn


def _dimensions(found: FitCheck) -> str:
    from calibration.fit_check import charts  # noqa: PLC0415 - altair is slow to import

    own = found.parallel
    if not own.eigenvalues:
        return paragraph(f"No parallel analysis: {own.note}.")
    first = f"{own.n_dimensions} of {len(own.eigenvalues)} eigenvalues are above chance"
    ratio = own.eigenvalues[0] / own.eigenvalues[1]
    text = f"{first}; the first is {ratio:.1f} times the second."
    note = paragraph(f"{own.note[:1].upper()}{own.note[1:]}.", attention=True) if own.note else ""
    return (
        paragraph(text)
        + note
        + figure(
            charts.scree(found),
            "Eigenvalues of the polychoric correlations: dimensions are real where the data lie "
            "above chance.",
        )
    )
