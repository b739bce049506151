"""The reports of forms and of panels: what was made, its information, what is shared.

Called by the commands. Imports the report page and altair, which is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from calibration.assembly.outputs import THETA, Assembly, forms_data, panels_data
from calibration.report_page import (
    INK,
    LAPIS,
    NEUTRAL,
    SAFFRON,
    facts,
    figure,
    folded,
    page,
    paragraph,
    settings_table,
    table,
)
from calibration.simulations.content_section import blueprint_table
from calibration.simulations.pictures import sized
from engine.arrays import Floats, Ints
from engine.blueprints.constraints import constraints_of
from engine.blueprints.forms import Band, Forms
from engine.multistage.routing import MAXIMUM_INFORMATION, Routing

COLOURS = (LAPIS, SAFFRON, "#2f7d6b", "#7a4a8c", INK, NEUTRAL)
DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [4, 4], [1, 3])
X_SCALE = alt.Scale(domain=[float(THETA[0]), float(THETA[-1])])
SMALL = 24
"""Tests up to which the overlap is drawn pair by pair."""


def forms_html(made: Assembly, forms: Forms, band: Band) -> str:
    """``report.html`` of forms."""
    data = forms_data(made, forms, band)
    pairs = [
        ("Forms", f"{data['n_forms']:,}"),
        ("Items in each", f"{data['length']:,}"),
        ("Items used", f"{data['items_used']:,} of {len(made.items):,}"),
        ("Most items in common", f"{data['most_shared']:,}"),
        ("Forms that break the blueprint", f"{data['blueprint_violations']:,}"),
    ]
    names = [str(form) for form in range(1, len(forms.rows) + 1)]
    sections = [
        ("", facts(pairs)),
        ("Information", _forms_picture(made, forms, band) + _points(data["information"])),
        ("What forms have in common", _overlap(forms.shared, names, "form")),
        ("What forms consist of", _composition(made, forms.rows)),
        ("Settings", _settings(data)),
    ]
    return page("Assembled forms", [(name, body) for name, body in sections if body])


def panels_html(made: Assembly, routes: Routing) -> str:
    """``report.html`` of panels."""
    panels, data = routes.panels, panels_data(made, routes)
    plan = panels.plan
    pairs = [
        ("Panels", f"{data['n_panels']:,}"),
        ("Stages", "-".join(str(len(stage.targets)) for stage in plan.stages)),
        ("Items for each examinee", f"{data['length']:,}"),
        ("Paths through a panel", f"{len(data['paths']):,}"),
        ("Items used", f"{data['items_used']:,} of {len(made.items):,}"),
        ("Most items in common", f"{data['most_shared']:,}"),
        ("Paths that break the blueprint", f"{data['blueprint_violations']:,}"),
    ]
    stopped = ", ".join(str(panel) for panel in data["searches_stopped"])
    text = f"The search for panel {stopped} ended at a limit; it keeps all that was asked."
    cautions = paragraph(text, attention=True) if stopped else ""
    tests = [
        panels.path_rows(panel, path) for panel in range(len(panels.rows)) for path in plan.paths
    ]
    names = [str(panel) for panel in range(1, panels.n_panels + 1)]
    sections = [
        ("", facts(pairs) + cautions),
        ("Information of the modules", _module_pictures(made, routes) + _points(data["modules"])),
        ("Information of the paths", _path_picture(made, routes)),
        ("Routing", _routing(routes)),
        ("What panels have in common", _overlap(panels.shared, names, "panel")),
        ("What paths consist of", _composition(made, np.array(tests))),
        ("Settings", _settings(data)),
    ]
    return page("Assembled panels", [(name, body) for name, body in sections if body])


# --- information --------------------------------------------------------------------------------


def _curve(values: Floats, **names: Any) -> list[dict[str, Any]]:
    pairs = zip(THETA.tolist(), values.tolist(), strict=True)
    return [{"theta": theta, "information": value, **names} for theta, value in pairs]


def _lines(rows: list[dict[str, Any]], kinds: Sequence[str], of: str) -> Any:
    """One line for each ``one`` of the rows, coloured and dashed by ``kind``."""
    legend = alt.Legend(orient="top", symbolType="stroke", symbolSize=500) if kinds[1:] else None
    n = len(kinds)
    colours = [COLOURS[k % len(COLOURS)] for k in range(n)]
    dashes = [DASHES[k % len(DASHES)] for k in range(n)]
    return sized(alt.Chart(alt.InlineData(values=rows)).mark_line(strokeWidth=1.5)).encode(
        x=alt.X("theta:Q", title="theta", axis=alt.Axis(tickCount=9), scale=X_SCALE),
        y=alt.Y("information:Q", title=f"information of a {of}"),
        detail="one:N",
        color=alt.Color(
            "kind:N", title=None, legend=legend, scale=alt.Scale(domain=kinds, range=colours)
        ),
        strokeDash=alt.StrokeDash(
            "kind:N", title=None, legend=legend, scale=alt.Scale(domain=kinds, range=dashes)
        ),
    )


def _forms_picture(made: Assembly, forms: Forms, band: Band) -> str:
    rows = [
        point
        for form, own in enumerate(forms.rows, start=1)
        for point in _curve(made.information(own), one=str(form), kind="form")
    ]
    ends = [
        {"theta": float(theta), "low": float(low), "high": float(high)}
        for theta, low, high in zip(band.theta, band.lower, band.upper, strict=True)
    ]
    bars = sized(alt.Chart(alt.InlineData(values=ends)).mark_bar(size=5, color=SAFFRON)).encode(
        x="theta:Q", y=alt.Y("low:Q", title="information of a form"), y2="high:Q"
    )
    reading = "One line for each form; every line passes through every bar, the band asked for."
    return figure(alt.layer(bars, _lines(rows, ["form"], "form")), reading)


def _module_pictures(made: Assembly, routes: Routing) -> str:
    panels, body = routes.panels, ""
    for number, stage in enumerate(panels.plan.stages):
        modules = [
            (place, module)
            for place, module in enumerate(panels.plan.modules)
            if module.stage == number
        ]
        rows = [
            point
            for panel, own in enumerate(panels.rows, start=1)
            for place, module in modules
            for point in _curve(
                made.information(own[place]), one=f"{panel} {module.name}", kind=module.name
            )
        ]
        chart = _lines(rows, [module.name for _, module in modules], "module")
        goals = [
            {"theta": float(theta), "information": float(target), "kind": module.name}
            for place, module in modules
            for theta, target in zip(module.points, panels.targets[place], strict=True)
        ]
        dots = sized(alt.Chart(alt.InlineData(values=goals))).mark_point(
            size=60, filled=True, color=INK
        )
        dots = dots.encode(x="theta:Q", y="information:Q")
        reading = (
            f"Stage {number + 1}, {stage.length} items to a module: one line for each panel's "
            "module, dots where the targets lie. Lines of one kind that lie together are parallel."
        )
        body += figure(alt.layer(chart, dots), reading)
    return body


def _path_picture(made: Assembly, routes: Routing) -> str:
    panels = routes.panels
    rows = [
        point
        for panel in range(panels.n_panels)
        for path in panels.plan.paths
        for point in _curve(
            made.information(panels.path_rows(panel, path)),
            one=f"{panel} {panels.plan.name_of(path)}",
            kind=f"ends in {len(path)}-{path[-1] + 1}",
        )
    ]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    reading = (
        "The whole test of an examinee, path by path and panel by panel; the standard error is 1 "
        "over the root of it. The hull of all lines is what the multistage test can do."
    )
    return figure(_lines(rows, sorted(kinds), "path"), reading)


def _points(rows: Sequence[Mapping[str, Any]]) -> str:
    titles = list(rows[0])
    return table(titles, [[row[name] for name in titles] for row in rows])


# --- routing, overlap, content ------------------------------------------------------------------


def _routing(routes: Routing) -> str:
    plan = routes.panels.plan
    if routes.rule == MAXIMUM_INFORMATION:
        if len(plan.stages) == 1:
            return ""
        text = (
            "After each stage the module follows that has the most information at the interim "
            "estimate, among those that a route leads to."
        )
        return paragraph(text)
    at = "interim estimate" if routes.rule == "theta_cuts" else "sum of scores"
    text = (
        f"The harder module follows from this {at} on. Cuts stand where the information of both "
        "modules is equal; the score is the one expected there on the modules taken."
    )
    header = ("panel", "taken", "easier", "harder", "theta", "score")
    rows = [
        (
            cut.panel + 1,
            plan.name_of(cut.taken),
            *(f"{len(cut.taken) + 1}-{place + 1}" for place in cut.modules),
            cut.theta,
            cut.score,
        )
        for cuts in routes.cuts.values()
        for cut in cuts
    ]
    shown = table(header, rows)
    return paragraph(text) + (folded(f"{len(rows)} cuts", shown) if len(rows) > SMALL else shown)


def _overlap(shared: Ints, names: Sequence[str], what: str) -> str:
    """Items in common, pair by pair for a few tests, as counts of pairs for many."""
    n = len(names)
    if n < 2:
        return ""
    if n <= SMALL:
        header = (what, *names)
        cells = [
            (name, *(int(shared[k, j]) if j != k else None for j in range(n)))
            for k, name in enumerate(names)
        ]
        return table(header, cells, caption="Items in common")
    common, pairs = np.unique(shared[np.triu_indices(n, 1)], return_counts=True)
    rows = zip(common.tolist(), pairs.tolist(), strict=True)
    return table(("items in common", f"pairs of {what}s"), rows)


def _composition(made: Assembly, tests: Ints) -> str:
    bound = constraints_of(made.items, made.blueprint, made.length)
    return blueprint_table(bound, tests) if bound.names else ""


def _settings(data: Mapping[str, Any]) -> str:
    rows = [*data["settings"].items(), ("seed", data["seed"]), *data["source"].items()]
    spent = f"Assembled in {data['seconds']:.1f} seconds."
    return settings_table(rows, data["versions"]) + f'<div class="small">{paragraph(spent)}</div>'
