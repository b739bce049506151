"""What runs, differences and studies say in words, and as points of a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from item_bank.items.calibration_history import Run, RunItem, RunLine
from item_bank.items.differences import Difference
from item_bank.items.plans import Parameters
from item_bank.results.studies import RecordedStudy
from web.banks.words import model_numbers
from web.figures.scatter_plot import Point
from web.formats import number, signed

KINDS = {
    "dif": "Differential item functioning",
    "drift": "Drift of parameters",
    "precision": "Precision of an exam version",
    "item_statistics": "Item statistics",
    "aberrance": "Unusual sittings",
}
DRAFT_WORDS = {
    "open": "waits for a person",
    "published": "published",
    "superseded": "replaced by a later draft",
    "discarded": "set aside",
}
SETTINGS = {
    "strategy": "Strategy",
    "free": "Estimated",
    "since": "Sittings since",
    "way": "Way",
    "priors": "Priors",
    "quadrature": "Quadrature points",
    "tolerance": "Tolerance",
    "max_iterations": "Iterations at most",
    "dif": "DIF looked at",
    "screen": "Screening of anchors",
    "limit": "Limit of screening",
}


def numbers(item: RunItem) -> list[tuple[str, str]]:
    """Return the parameters of an item as name and text, with standard errors where known."""
    return model_numbers(item)


def sets(parameters: Parameters | None) -> str:
    """Return a set of parameters on one line."""
    if parameters is None:
        return ""
    return "; ".join(f"{name} {text}" for name, text in model_numbers(parameters))


def located(parameters: Parameters | None) -> float | None:
    """Return the difficulty of an item, or the mean of its thresholds; None for other models."""
    values = parameters.values if parameters else {}
    steps = values.get("thresholds") or []
    if values.get("b") is not None:
        return float(values["b"])
    return sum(steps) / len(steps) if steps else None


def moved(differences: Iterable[Difference]) -> list[Point]:
    """Return old and new difficulties of the items that changed."""
    points = []
    for one in differences:
        old, new = located(one.old), located(one.new)
        if old is None or new is None:
            continue
        title = f"{one.code}: {signed(old)} before, {signed(new)} now"
        points.append(Point(old, new, title, marked=bool(one.gate and not one.gate.passed)))
    return points


def diff_reading(differences: Sequence[Difference]) -> str:
    """Say how two states differ."""
    if not differences:
        return "The two are equal."
    counts = {
        kind: len({one.code for one in differences if one.kind == kind})
        for kind in ("added", "changed", "removed")
    }
    said = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
    apart = [one for one in differences if one.distance is not None]
    if not apart:
        return f"Items: {said}."
    widest = max(apart, key=lambda one: one.distance or 0.0)
    return (
        f"Items: {said}. The curve of {widest.code} moved most, by "
        f"{number(100 * (widest.distance or 0.0), 1)} % of its highest score at some ability."
    )


def run_reading(line: RunLine) -> str:
    """Say what a run came to."""
    said = line.summary
    start = (
        f"{said.get('n_responses', 0):,} answers of {said.get('n_persons', 0):,} persons to "
        f"{said.get('n_items', 0):,} items"
    )
    if not line.converged:
        return f"{start}. It did not converge: nothing was drafted."
    promoted, stay = said.get("promoted") or [], said.get("stay_pretest") or {}
    gates = f" {len(promoted)} items on trial passed the gates, {len(stay)} did not."
    return f"{start}; converged in {said.get('iterations', 0)} steps.{gates}"


def run_points(found: Run) -> list[Point]:
    """Return difficulty and RMSD of the items that a run estimated."""
    points = []
    for item in found.items:
        at = located(Parameters(item.model, dict(item.values), {}))
        rmsd = (item.about.get("fit") or {}).get("rmsd")
        if at is None or rmsd is None or not math.isfinite(rmsd):
            continue
        passed = (item.about.get("gate") or {}).get("passed", True)
        title = f"{item.code}: difficulty {signed(at)}, RMSD {number(rmsd, 3)}"
        points.append(Point(at, rmsd, title, marked=not passed))
    return points


def settings_lines(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return settings under their names, those without a value left out."""
    lines = []
    for name, value in settings.items():
        if value is None or value == []:
            continue
        text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        lines.append((SETTINGS.get(name, name.replace("_", " ").capitalize()), text))
    return lines


FIRST_COLUMNS = (
    "item", "group", "reference", "theta", "score", "statistic", "df", "p", "p_adjusted",
    "effect", "effect_se", "ets_class", "d_a", "d_b", "z", "robust_z", "area", "flag", "flagged",
)  # fmt: skip


def study_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of a study's table in which anything stands, what matters first."""
    known = [name for name in (rows[0] if rows else ()) if any(_told(row[name]) for row in rows)]
    first = [name for name in FIRST_COLUMNS if name in known]
    return [*first, *(name for name in known if name not in first)]


def _told(value: Any) -> bool:
    return value is not None and value != ""


def study_points(found: RecordedStudy) -> list[Point]:
    """Return what a picture of a study shows: effects by item, or how far parameters moved."""
    if found.kind == "drift":
        return _points(found.rows, "d_b", "d_a", "flag")
    if found.kind == "dif":
        placed = [{**row, "place": k} for k, row in enumerate(found.rows, start=1)]
        return _points(placed, "place", "effect", "flagged")
    return []


def _points(rows: Sequence[Mapping[str, Any]], x: str, y: str, mark: str) -> list[Point]:
    return [
        Point(float(row[x]), float(row[y]), f"{row.get('item', '')}: {number(row[y], 3)}",
              marked=bool(row.get(mark)))
        for row in rows
        if _finite(row.get(x)) and _finite(row.get(y))
    ]  # fmt: skip


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def study_reading(found: RecordedStudy) -> str:
    """Say what a study found."""
    flagged = [str(row.get("item")) for row in found.rows if row.get("flag") or row.get("flagged")]
    if found.kind not in ("dif", "drift"):
        return ""
    if not flagged:
        return f"No item of {len(found.rows)} stands out."
    named = ", ".join(flagged[:8]) + (" and others" if len(flagged) > 8 else "")
    return f"{len(flagged)} of {len(found.rows)} items stand out: {named}."


def cell(value: Any) -> str:
    """Return a value of a study's table as text; numbers with three digits."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value, 0 if value == int(value) and abs(value) >= 10 else 3)
    return str(value)
