"""The report of a simulation: the answer first, the pictures, the tables, the settings.

Called by the simulation command. Imports the report page and altair, which is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from calibration.report_page import (
    INK,
    LAPIS,
    NEUTRAL,
    facts,
    figure,
    folded,
    page,
    paragraph,
    settings_table,
    table,
)
from calibration.simulations.bank_section import bank_section
from calibration.simulations.content_section import content_section
from calibration.simulations.outputs import summary_data
from calibration.simulations.pictures import WIDTH, lines_along_theta, sized
from calibration.simulations.runs import Run
from engine.criteria.location import difficulties
from engine.simulation.run import Simulated

MAX_POINTS = 600
PATHS = 4
MOST_GIVEN = 20
WORST_SE = 2.0
"""Larger standard errors, as MLE and WLE have after a few answers, are cut off in pictures."""
UNKNOWN = "not known"
REASON_WORDS = {
    "se": "the standard error was small enough",
    "information": "enough information was collected",
    "best_information": "no item left was informative enough",
    "theta_change": "an answer hardly moved the estimate",
    "confidence": "the confidence interval lay to one side of every cut",
    "sprt": "the probability ratio decided every cut",
    "glr": "the generalised likelihood ratio decided every cut",
    "length": "the test had its length",
    "max_items": "the maximum of items was reached",
    "bank_exhausted": "no item was left to give",
}


def report_html(run: Run, title: str = "Simulated adaptive test") -> str:
    """Build ``report.html``: one file, plots inside, nothing loaded from elsewhere."""
    data = summary_data(run)
    sections = [
        ("", _answer(run, data)),
        ("How well ability is measured", _accuracy_pictures(run)),
        ("How the test runs", _path_pictures(run)),
        ("By ability", _band_pictures(run, data)),
        ("How items are used", _exposure_picture(run) + _exposure_table(run)),
        ("What tests consist of", content_section(run.simulated, data["blueprint_events"])),
        ("Decisions", _decision_table(data)),
        ("The bank", bank_section(run, data["bank"])),
        ("Why tests ended", _reason_table(data)),
        ("Settings", _settings(data)),
    ]
    return page(title, [(name, body) for name, body in sections if body])


def _answer(run: Run, data: Mapping[str, Any]) -> str:
    pairs = [
        ("Examinees", f"{data['n']:,}"),
        ("Items on average", f"{data['mean_length']:.1f}"),
        ("Mean standard error", _shown(data["mean_se"])),
        ("Bias", _shown(data["bias"], signed=True)),
        ("RMSE", _shown(data["rmse"])),
        ("95 % intervals that hold", _percent(data["coverage_95"])),
        ("Highest exposure", _percent(data["max_exposure"])),
        ("Overlap of two tests", _percent(data["overlap"])),
    ]
    pairs = [(name, value) for name, value in pairs if value != UNKNOWN]
    compared = f"Bias and RMSE compare the final estimate with {data['source']['compared_with']}."
    return facts(pairs) + paragraph(compared) + _cautions(run, data)


def _cautions(run: Run, data: Mapping[str, Any]) -> str:
    n, found = data["n"], run.simulated
    exhausted = data["stop_reasons"].get("bank_exhausted", 0)
    relaxed = data["blueprint_events"].get("blueprint_relaxed", 0)
    possible = [
        (n - data["estimable"], "had no estimate: their answers do not determine theta"),
        (exhausted, "ended because no item was left, not because a rule held"),
        (
            data["blueprint_violations"],
            "missed the content shares by a whole item or more, or broke the blueprint",
        ),
        (relaxed, "met a step at which a constraint of the blueprint had to give way"),
        (data["areas_missing"], "met a content area without items and got one from another"),
    ]
    yielded = [
        f"At {count:,} steps the limit {name.replace('_', ' ')} left no item and had to yield."
        for name, count in data["limits_yielded"].items()
    ]
    if data["pretest_missing"]:
        yielded.append(f"{data['pretest_missing']:,} places for items to try out had none left.")
    texts = [f"{count:,} of {n:,} tests {what}." for count, what in possible if count]
    unused = data["items_never_given"]
    if unused:
        texts.append(f"{unused:,} of the {len(found.items):,} items were never given.")
    texts += [*yielded, *data["source"].get("notes", [])]
    return "".join(paragraph(text, attention=True) for text in texts)


def _accuracy_pictures(run: Run) -> str:
    found = run.simulated
    if not np.isfinite(found.true_theta).all():
        return ""
    return _band_picture(run) + _scatter(found)


def _band_picture(run: Run) -> str:
    bands = run.summary.bands
    lines = {
        "RMSE": [band.accuracy.rmse for band in bands],
        "mean standard error": [band.accuracy.mean_se for band in bands],
        "bias": [band.accuracy.bias for band in bands],
    }
    cuts = run.simulated.design.cuts
    chart = lines_along_theta([band.theta for band in bands], lines, "units of theta", cuts=cuts)
    reading = "Where RMSE lies above the mean standard error, the test claims more than it knows"
    pulled = run.simulated.design.final in {"eap", "map"}
    prior = "; bias towards the middle is the pull of the prior." if pulled else "."
    return figure(chart, reading + prior)


def _scatter(found: Simulated) -> str:
    some = np.linspace(0, found.n - 1, min(found.n, MAX_POINTS)).astype(int)
    pairs = zip(found.true_theta[some].tolist(), found.final_theta[some].tolist(), strict=True)
    rows = [{"true": true, "estimate": guess} for true, guess in pairs if np.isfinite(guess)]
    ends = [{"true": value, "estimate": value} for value in _range(found.true_theta)]
    points = alt.Chart(alt.InlineData(values=rows)).mark_circle(size=18, opacity=0.45, color=LAPIS)
    line = alt.Chart(alt.InlineData(values=ends)).mark_line(color=NEUTRAL, strokeDash=[4, 3])
    x, y = alt.X("true:Q", title="true theta"), alt.Y("estimate:Q", title="final estimate")
    chart = sized(points.encode(x=x, y=y) + line.encode(x=x, y=y))
    shown = f"{len(rows):,} of {found.n:,} examinees" if found.n > len(rows) else "All examinees"
    return figure(chart, f"{shown}; on the dashed line the estimate would be the truth.")


def _path_pictures(run: Run) -> str:
    return _se_picture(run.simulated) + _paths(run)


def _se_picture(found: Simulated) -> str:
    columns = [column[np.isfinite(column)] for column in found.se.T]
    medians = [float(np.median(column)) if len(column) else np.inf for column in columns]
    rows = [
        {"position": position, "se": se}
        for position, se in enumerate(medians, start=1)
        if se <= WORST_SE
    ]
    if not rows:
        return ""
    chart = sized(alt.Chart(alt.InlineData(values=rows)).mark_line(color=LAPIS)).encode(
        x=alt.X("position:Q", title="items given"),
        y=alt.Y("se:Q", title="median standard error", scale=alt.Scale(zero=True)),
    )
    return figure(
        chart,
        "The standard error of those still sitting: where the curve is flat, further items add "
        "little.",
    )


def _paths(run: Run) -> str:
    found = run.simulated
    enough = np.flatnonzero(found.length > 1)
    if not len(enough):
        return ""
    chosen = enough[np.linspace(0, len(enough) - 1, min(PATHS, len(enough))).astype(int)]
    rows = [row for place in chosen.tolist() for row in _path(run, place)]
    known = bool(np.isfinite(found.true_theta).all())
    chart = _path_layers(rows, known=known).properties(width=WIDTH // 2 - 40, height=170)
    reading = (
        "The paths of some examinees: the estimate with one standard error to either side; each "
        "item at its difficulty, filled when answered right, hollow when not"
    )
    end = "; the true theta dashed." if known else "."
    facets = chart.facet(facet=alt.Facet("person:N", title=None, sort=None), columns=2)
    return figure(facets, reading + end)


def _path_layers(rows: list[dict[str, Any]], *, known: bool) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("position:Q", title="items given"))
    low, high = alt.Y("low:Q", title="theta"), alt.Y2("high:Q")
    band = base.mark_area(opacity=0.2, color=LAPIS).encode(y=low, y2=high)
    line = base.mark_line(color=LAPIS).encode(y="theta:Q")
    fill = alt.condition("datum.right", alt.value(INK), alt.value("white"))
    items = base.mark_point(shape="circle", size=22, stroke=INK, strokeWidth=1, opacity=1)
    marks = items.encode(y="difficulty:Q", fill=fill)
    truth = base.mark_line(color=NEUTRAL, strokeDash=[4, 3]).encode(y="true:Q")
    return alt.layer(band, truth, line, marks) if known else alt.layer(band, line, marks)


def _path(run: Run, place: int) -> list[dict[str, Any]]:
    found, n = run.simulated, int(run.simulated.length[place])
    theta, se, true = found.theta[place, :n], found.se[place, :n], found.true_theta[place]
    rows, items = found.rows[place, :n], found.items
    difficulty = difficulties(items)[rows]
    right = found.scores[place, :n] == items.n_categories[rows] - 1
    return [
        {
            "person": f"examinee {run.person[place]}",
            "position": position + 1,
            "theta": float(theta[position]),
            "low": float(theta[position] - min(se[position], WORST_SE)),
            "high": float(theta[position] + min(se[position], WORST_SE)),
            "difficulty": _known(difficulty[position]),
            "right": bool(right[position]),
            "true": _known(true),
        }
        for position in range(n)
    ]


def _known(number: float) -> float | None:
    """None for NaN, which JSON does not have: a nominal item has no difficulty."""
    return float(number) if np.isfinite(number) else None


def _exposure_picture(run: Run) -> str:
    rates = np.sort(run.summary.exposure)[::-1]
    rows = [{"rank": rank, "rate": rate} for rank, rate in enumerate(rates.tolist(), start=1)]
    mark = alt.Chart(alt.InlineData(values=rows)).mark_area(
        color=LAPIS, opacity=0.35, line={"color": LAPIS}, interpolate="step-after"
    )
    chart = sized(mark).encode(
        x=alt.X("rank:Q", title="items, from the most to the least given"),
        y=alt.Y("rate:Q", title="share of examinees", axis=alt.Axis(format="%")),
    )
    return figure(chart, "A steep curve means that a few items carry the bank.")


def _exposure_table(run: Run) -> str:
    items, rates = run.simulated.items, run.summary.exposure
    order = np.argsort(-rates, kind="stable")[:MOST_GIVEN]
    rows = [
        (items.item[row], items.model[row], items.content[row], float(rates[row]))
        for row in order.tolist()
    ]
    shown = table(("item", "model", "content", "exposure rate"), rows)
    return folded(f"The {len(rows)} items given most", shown)


def _decision_table(data: Mapping[str, Any]) -> str:
    """Accuracy and consistency, simulated and as information promises."""
    found = data["decisions"]
    if found is None:
        return ""
    cuts = ", ".join(_shown(cut, signed=True) for cut in found["cuts"])
    names = ("accuracy", "consistency", "too_high", "too_low")
    titles = ("", "right", "the same twice", "too high", "too low")
    kinds = (("simulated", "simulated"), ("expected", "by information"))
    rows = [
        (words, *(_percent(found[kind][name]) for name in names))
        for kind, words in kinds
        if found[kind] is not None
    ]
    reading = (
        f"Cuts at theta {cuts}. Right: the level of the true theta. The same twice: the share of "
        "pairs of tests of equally able examinees that decide alike."
    )
    return table(titles, rows) + paragraph(reading)


def _band_pictures(run: Run, data: Mapping[str, Any]) -> str:
    """Length, exposure and overlap along theta, and the table of everything."""
    bands = run.summary.bands
    if not bands:
        return ""
    theta = [band.theta for band in bands]
    lengths = [band.accuracy.mean_length for band in bands]
    pictures = ""
    if max(lengths) > min(lengths):
        chart = lines_along_theta(theta, {"items": lengths}, "items on average")
        pictures += figure(chart, "Tests are longest where the bank has least to say.")
    lines: dict[str, Sequence[float | None]] = {
        "highest exposure": [band.max_exposure for band in bands],
        "overlap of two tests": [band.overlap for band in bands],
    }
    chart = lines_along_theta(theta, lines, "share", share=True)
    reading = (
        "Among examinees of like ability: the share who met the item given most, and the share of "
        "a test that two of them have in common."
    )
    return pictures + figure(chart, reading) + _band_table(data)


def _band_table(data: Mapping[str, Any]) -> str:
    columns = {
        "theta": "theta",
        "n": "examinees",
        "mean_length": "items",
        "bias": "bias",
        "rmse": "RMSE",
        "mean_se": "mean SE",
        "sem_simulated": "SEM, simulated",
        "sem_information": "by information",
        "coverage_95": "95 % coverage",
        "max_exposure": "exposure",
        "overlap": "overlap",
    }
    shares = ("coverage_95", "max_exposure", "overlap")
    rows = [
        [_percent(band[name]) if name in shares else band[name] for name in columns]
        for band in data["by_theta"]
    ]
    return table(tuple(columns.values()), rows)


def _reason_table(data: Mapping[str, Any]) -> str:
    rows = [
        (reason, REASON_WORDS.get(reason, ""), count)
        for reason, count in data["stop_reasons"].items()
    ]
    return table(("reason", "in words", "tests"), rows)


def _settings(data: Mapping[str, Any]) -> str:
    rows: list[tuple[str, object]] = [
        (f"{group}.{name}", value)
        for group, values in data["settings"].items()
        if isinstance(values, Mapping)
        for name, value in values.items()
    ]
    rows += [("seed", data["seed"])]
    rows += [(str(name), value) for name, value in data["source"].items() if name != "notes"]
    speed = (
        f"{data['n']:,} examinees in {data['seconds']:.2f} seconds, "
        f"{data['examinees_per_second']:,.0f} in a second."
    )
    return settings_table(rows, data["versions"]) + f'<div class="small">{paragraph(speed)}</div>'


def _range(values: Any) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _shown(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return UNKNOWN
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.1f} %"
