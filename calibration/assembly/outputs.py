"""What assembling leaves behind: forms and panels as CSV, information, the summary as JSON.

Called by the commands. Imports the engine and ``tables``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.simulations.outputs import versions
from calibration.tables import csv_text
from engine.arrays import Floats, Ints
from engine.blueprints.blueprint import Blueprint, blueprint_to_mapping
from engine.blueprints.constraints import broken, constraints_of
from engine.blueprints.forms import Band, Forms
from engine.items import ItemParameters
from engine.models import dispatch
from engine.multistage.assembly import Panels
from engine.multistage.panel_simulation import PanelSimulation
from engine.multistage.routing import Routing

THETA = np.linspace(-4.0, 4.0, 33)
"""Points of ``information.csv`` and of the charts."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """What both commands have: the bank, the blueprint, where they came from and how long it took.

    Parameters
    ----------
    source
        Where the bank came from, and the fingerprints of the files.
    settings
        What was asked for, as JSON can hold it.
    """

    items: ItemParameters
    blueprint: Blueprint
    length: int
    seed: int
    source: Mapping[str, Any]
    settings: Mapping[str, Any]
    seconds: float

    def information(self, rows: Ints) -> Floats:
        """Information of some items together at ``THETA``."""
        values: Floats = dispatch.information(THETA, self.items)[:, rows].sum(axis=1)
        return values

    def broken(self, rows: Ints) -> list[list[str]]:
        """Names of the constraints that tests break, of shape ``(n_tests, length)``."""
        return broken(constraints_of(self.items, self.blueprint, self.length), rows)

    def common(self) -> dict[str, Any]:
        """What every summary ends with."""
        return {
            "seconds": self.seconds,
            "seed": self.seed,
            "source": dict(self.source),
            "settings": dict(self.settings) | {"blueprint": blueprint_to_mapping(self.blueprint)},
            "versions": versions(),
        }


def most_shared(shared: Ints) -> int:
    """Items that two tests have in common at most."""
    return int((shared - np.diag(np.diag(shared))).max(initial=0))


# --- forms --------------------------------------------------------------------------------------


def forms_text(made: Assembly, forms: Forms) -> str:
    """``forms.csv``: a line for each item of each form."""
    lines = (
        (form, position, made.items.item[row])
        for form, rows in enumerate(forms.rows.tolist(), start=1)
        for position, row in enumerate(rows, start=1)
    )
    return csv_text(("form", "position", "item"), lines)


def forms_information_text(made: Assembly, forms: Forms) -> str:
    """``information.csv``: information of each form by theta."""
    lines = (
        (form, theta, value)
        for form, rows in enumerate(forms.rows, start=1)
        for theta, value in zip(THETA.tolist(), made.information(rows).tolist(), strict=True)
    )
    return csv_text(("form", "theta", "information"), lines)


def forms_data(made: Assembly, forms: Forms, band: Band) -> dict[str, Any]:
    """``summary.json`` of forms."""
    ends = zip(band.theta, band.lower, band.upper, forms.information.T, strict=True)
    return {
        "n_forms": len(forms.rows),
        "length": made.length,
        "blueprint_violations": sum(bool(names) for names in made.broken(forms.rows)),
        "most_shared": most_shared(forms.shared),
        "items_used": len(np.unique(forms.rows)),
        "information": [
            {
                "theta": float(theta),
                "lower": float(low),
                "upper": float(high),
                "minimum": float(found.min()),
                "maximum": float(found.max()),
            }
            for theta, low, high, found in ends
        ],
        **made.common(),
    }


# --- panels -------------------------------------------------------------------------------------


def panels_text(made: Assembly, panels: Panels) -> str:
    """``panels.csv``: a line for each item of each module."""
    lines = (
        (panel, module.stage + 1, module.name, position, made.items.item[row])
        for panel, modules in enumerate(panels.rows, start=1)
        for module, rows in zip(panels.plan.modules, modules, strict=True)
        for position, row in enumerate(rows.tolist(), start=1)
    )
    return csv_text(("panel", "stage", "module", "position", "item"), lines)


def panels_information_text(made: Assembly, panels: Panels) -> str:
    """``information.csv``: information of each module and of each path by theta."""
    plan = panels.plan
    lines: list[tuple[Any, ...]] = []
    for panel in range(panels.n_panels):
        parts = [("module", module.name) for module in plan.modules]
        rows: Sequence[Ints] = panels.rows[panel]
        parts += [("path", plan.name_of(path)) for path in plan.paths]
        rows = [*rows, *(panels.path_rows(panel, path) for path in plan.paths)]
        for (kind, name), own in zip(parts, rows, strict=True):
            values = zip(THETA.tolist(), made.information(own).tolist(), strict=True)
            lines += [(panel + 1, kind, name, theta, value) for theta, value in values]
    return csv_text(("panel", "part", "name", "theta", "information"), lines)


def routing_text(routes: Routing) -> str:
    """``routing.csv``: from which theta, and from which score, the harder of two modules comes."""
    plan = routes.panels.plan
    header = ("panel", "taken", "easier", "harder", "theta", "score")
    lines = [
        (
            cut.panel + 1,
            plan.name_of(cut.taken),
            f"{len(cut.taken) + 1}-{cut.modules[0] + 1}",
            f"{len(cut.taken) + 1}-{cut.modules[1] + 1}",
            cut.theta,
            cut.score,
        )
        for cuts in routes.cuts.values()
        for cut in cuts
    ]
    return csv_text(header, lines)


def paths_text(person: Sequence[str], found: PanelSimulation) -> str:
    """``paths.csv`` of a simulation: the panel and the modules of each examinee."""
    n_stages = found.modules.shape[1]
    header = ("person", "panel", *(f"stage_{stage}" for stage in range(1, n_stages + 1)))
    lines = (
        (name, panel + 1, *(f"{stage}-{place + 1}" for stage, place in enumerate(taken, start=1)))
        for name, panel, taken in zip(
            person, found.panel.tolist(), found.modules.tolist(), strict=True
        )
    )
    return csv_text(header, lines)


def panels_data(made: Assembly, routes: Routing) -> dict[str, Any]:
    """``summary.json`` of panels."""
    panels = routes.panels
    plan = panels.plan
    tests = np.array(
        [panels.path_rows(panel, path) for panel in range(panels.n_panels) for path in plan.paths]
    )
    return {
        "n_panels": panels.n_panels,
        "length": plan.length,
        "paths": [plan.name_of(path) for path in plan.paths],
        "routing": routes.rule,
        "blueprint_violations": sum(bool(names) for names in made.broken(tests)),
        "most_shared": most_shared(panels.shared),
        "items_used": len(np.unique(tests)),
        "searches_stopped": [panel + 1 for panel in panels.stopped],
        "modules": _modules(panels),
        **made.common(),
    }


def _modules(panels: Panels) -> list[dict[str, Any]]:
    """Targets and what came of them, by module and point."""
    found = []
    for place, module in enumerate(panels.plan.modules):
        values = np.array([panel[place] for panel in panels.information])
        for k, theta in enumerate(module.points):
            own = {
                "module": module.name,
                "items": module.length,
                "theta": theta,
                "target": float(panels.targets[place][k]),
                "minimum": float(values[:, k].min()),
                "maximum": float(values[:, k].max()),
            }
            found.append(own)
    return found
