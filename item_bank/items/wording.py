"""How `tarozu bank` says what it did: plain data for --json, words and table rows for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from item_bank.items.differences import Difference
from item_bank.items.formats.reading import FileReport
from item_bank.items.imports import ImportReport
from item_bank.items.overview import BankOverview, BankSummary, ItemOverview
from item_bank.items.plans import Parameters

SUMMARY = ("code", "name", "items", "release", "published", "languages", "draft")
ITEMS = ("item", "status", "area", "revision", "languages", "model", "a", "b", "c", "d", "next")
CHANGES = ("item", "language", "change", "model", "a", "b", "c", "d", "distance")
PARAMETERS = ("a", "b", "c", "d", "thresholds", "slopes", "intercepts")
IN_COLUMN = {"a": ("slopes",), "b": ("thresholds", "intercepts")}
"""Parameters of several numbers that a table shows in the column of another."""
LARGEST = 5  # changes that are shown before publishing


def import_text(report: ImportReport, *, dry_run: bool) -> str:
    """Say what an import did."""
    if not report.changed:
        return f"{report.bank_code}: nothing changed, the bank holds all of it already."
    parts = [
        (len(report.new), "new items"),
        (len(report.revised), "revised items"),
        (len(report.unchanged), "unchanged items"),
        (len(report.parameters), "items with new parameters"),
        (len(report.without_parameters), "items without parameters yet"),
        (len(report.statuses), "items with another status"),
        (len(report.about), "changes of the bank itself"),
    ]
    counted = ", ".join(f"{n} {what}" for n, what in parts if n)
    if dry_run:
        return f"{report.bank_code}: would have {counted}. Nothing was kept."
    follow = f" Next: tarozu bank publish {report.bank_code}" if report.draft else ""
    return f"{report.bank_code}: {counted}.{follow}"


def report_row(report: FileReport) -> dict[str, Any]:
    """Return what a check found as plain data."""
    names = ("file", "items", "unsupported", "errors")
    return {name: getattr(report, name) for name in names}


def check_text(report: FileReport) -> str:
    """Say what a check found."""
    lines = [*report.errors, *(f"{report.file}: {what}" for what in report.unsupported)]
    return "\n".join(lines) if lines else f"{report.file}: {report.items} items, no problems"


def summary_row(summary: BankSummary) -> dict[str, Any]:
    """Return a bank in one line as plain data."""
    published = summary.published_at
    return {
        "code": summary.code,
        "name": dict(summary.name),
        "items": summary.items,
        "release": summary.release,
        "published": _day(published) if published is not None else None,
        "languages": list(summary.languages),
        "draft": summary.draft,
    }


def summary_shown(row: dict[str, Any]) -> dict[str, Any]:
    """Turn a line of `summary_row` into what a table shows."""
    name = row["name"].get("en") or next(iter(row["name"].values()), "")
    return {**row, "name": name, "languages": " ".join(row["languages"])}


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")


def item_rows(item: ItemOverview) -> list[dict[str, Any]]:
    """Return an item as plain data, one row for each set of parameters."""
    held = " (held)" if item.held else ""
    fixed = {
        "item": item.code,
        "status": item.status + held,
        "area": item.content_area,
        "type": item.type,
        "revision": item.revision,
        "languages": list(item.languages),
        "next": item.note,
    }
    sets: Mapping[str, Parameters | None] = item.parameters or {"": None}
    return [{**fixed, "language": lang, **_parameters(p)} for lang, p in sets.items()]


def _parameters(p: Parameters | None) -> dict[str, Any]:
    if p is None:
        return dict.fromkeys(("model", *PARAMETERS))
    return {"model": p.model, **{n: p.values.get(n) for n in PARAMETERS}, "se": p.se}


def item_shown(row: dict[str, Any]) -> dict[str, Any]:
    """Turn a row of `item_rows` into what a table shows."""
    languages = row["language"] or " ".join(row["languages"])
    return {**row, "languages": languages, **{name: _shown(row, name) for name in IN_COLUMN}}


def _shown(row: dict[str, Any], column: str) -> Any:
    steps = next((row[name] for name in IN_COLUMN[column] if row.get(name)), None)
    return " ".join(f"{step:.2f}" for step in steps) if steps else row[column]


def overview_data(overview: BankOverview, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a bank with its items and releases as plain data."""
    releases = [
        {
            "number": r.number,
            "published": _day(r.published_at),
            "content_hash": r.content_hash,
            "languages": list(r.languages),
            "link": overview.links.get(r.number),
        }
        for r in overview.releases
    ]
    about = dict(overview.about)
    return {
        **summary_row(overview.summary),
        "about": about,
        "releases": releases,
        "item_list": rows,
    }


def releases_text(overview: BankOverview) -> str:
    """Say which releases a bank has, and whether a draft waits."""
    lines = []
    for r in overview.releases:
        lines.append(f"release {r.number}, {_day(r.published_at)}, {r.content_hash[:12]}")
        if r.number in overview.links:
            lines.append(f"  {link_text(overview.links[r.number])}")
    code = overview.summary.code
    if overview.summary.draft is not None:
        lines.insert(0, f"draft {overview.summary.draft} waits: tarozu bank publish {code}")
    return "\n".join(lines or [f"not published yet: tarozu bank publish {code}"])


def link_text(link: Mapping[str, Any]) -> str:
    """Say how the scale of a release was found, and how sure it is since the first release."""
    chain = link["chain"]
    if link["method"] == "fixed":
        own = f"scale held by {link['n_anchors']} fixed items"
    else:
        dropped = f", {len(link['dropped'])} dropped" if link["dropped"] else ""
        own = (
            f"linked to release {link['release']} by {link['method']} over {link['n_anchors']} "
            f"anchors{dropped}: A {link['A']:.4f}±{link['se']['A']:.4f}, "
            f"B {link['B']:.4f}±{link['se']['B']:.4f}"
        )
    if not chain["n_links"]:
        return own
    links = "1 link" if chain["n_links"] == 1 else f"{chain['n_links']} links"
    errors = ", ".join(f"{at}: {error:.3f}" for at, error in chain["se_at"].items())
    return (
        f"{own}; from release {chain['base_release']} over {links}: A {chain['A']:.4f}"
        f"±{chain['se_A']:.4f}, B {chain['B']:.4f}±{chain['se_B']:.4f}; the scale's SE at theta "
        f"{errors}"
    )


def difference_data(d: Difference) -> dict[str, Any]:
    """Return a difference as plain data."""
    return {
        "kind": d.kind,
        "item": d.code,
        "language": d.language,
        "reworded": d.reworded,
        "status": [d.old_status, d.new_status],
        "old": _parameters(d.old) if d.old else None,
        "new": _parameters(d.new) if d.new else None,
        "distance": d.distance,
        "gate": vars(d.gate) if d.gate else None,
    }


def change_row(d: Difference) -> dict[str, Any]:
    """Return a difference as what a table shows."""
    words = [d.kind] + ["reworded"] * d.reworded
    if d.old_status != d.new_status:
        words.append(f"now {d.new_status}")
    if d.gate and not d.gate.passed:
        words.append("fails a gate")
    row: dict[str, Any] = {
        "item": d.code,
        "language": d.language or "all",
        "change": ", ".join(words),
    }
    models = [side.model if side else None for side in (d.old, d.new)]
    row["model"] = _pair(*models)
    for name in ("a", "b", "c", "d"):
        row[name] = _pair(_value(d.old, name), _value(d.new, name))
    return {**row, "distance": d.distance}


def _value(parameters: Parameters | None, name: str) -> str | None:
    if parameters is None:
        return None
    keys = (*IN_COLUMN.get(name, ()), name)
    key = next((key for key in keys if key in parameters.values), None)
    if key is None:
        return None
    many = key != name
    numbers, se = parameters.values[key], parameters.se.get(key)
    errors = se if many and se else [se] * (len(numbers) if many else 1)
    pairs = zip(numbers if many else [numbers], errors, strict=True)
    return " ".join(f"{x:.3f}" if e is None else f"{x:.3f}±{e:.3f}" for x, e in pairs)


def _pair(old: str | None, new: str | None) -> str | None:
    return old if old == new else f"{old or '-'} → {new or '-'}"


def changes_text(code: str, items: int, left_out: dict[str, str], changes: list[Difference]) -> str:
    """Say what the next release changes."""
    lines = [f"{code}: {items} items"]
    for kind in ("added", "changed", "removed"):
        codes = list(dict.fromkeys(d.code for d in changes if d.kind == kind))
        if codes:
            more = f" and {len(codes) - 8} more" if len(codes) > 8 else ""
            lines.append(f"  {kind}: {len(codes)} ({', '.join(codes[:8])}{more})")
    far = sorted((d for d in changes if d.distance), key=lambda d: -(d.distance or 0))
    lines += [f"  {d.code}: response curves up to {d.distance:.3f} apart" for d in far[:LARGEST]]
    lines += [f"  left out: {item} ({reason})" for item, reason in left_out.items()]
    return "\n".join(lines)
