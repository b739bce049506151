"""The files of a calibration, and the one way to write a folder: whole, or not at all.

Called by the command line. Imports ``engine``.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calibration.fitting import Calibration, Persons
from calibration.item_fit import ItemFit
from calibration.parameter_file import parameter_text
from calibration.screening import Screening
from calibration.tables import csv_text
from engine.errors import InputError

PERSONS = ("person", "theta", "se", "n_items", "log_likelihood")
ITEM_FIT = (
    "item",
    "n",
    "p_value",
    "point_biserial",
    "infit",
    "outfit",
    "rmsd",
    "s_x2",
    "s_x2_df",
    "s_x2_p",
    "notes",
)


def calibration_files(
    calibration: Calibration,
    summary: Mapping[str, Any],
    report: str,
    *,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """Format every file of ``tarozu calibrate fit``, by name.

    Parameters
    ----------
    calibration
        The results.
    summary
        Figures of ``summary.json``.
    report
        HTML of ``report.html``.
    labels
        Further columns of ``parameters.csv``, one text per fitted item.
    """
    items = calibration.fit.items
    notes = ["; ".join(calibration.boundaries.get(name, ())) for name in items.item]
    columns = {**(labels or {}), "notes": notes}
    return {
        "parameters.csv": parameter_text(items, calibration.errors, labels=columns),
        "persons.csv": persons_text(calibration.persons),
        "item_fit.csv": item_fit_text(calibration),
        "summary.json": json.dumps(summary, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
        "report.html": report,
    }


def persons_text(persons: Persons) -> str:
    """Format ``persons.csv``; cells of persons without responses are empty."""
    rows = zip(
        persons.person,
        persons.theta.tolist(),
        persons.se.tolist(),
        persons.n_items,
        persons.log_likelihood.tolist(),
        strict=True,
    )
    return csv_text(PERSONS, rows)


def item_fit_text(calibration: Calibration) -> str:
    """Format ``item_fit.csv``: the fitted items, then those that screening took out."""
    rows = item_fit_rows(calibration.item_fit, calibration.screening)
    blanks = [None] * (len(ITEM_FIT) - 3)
    dropped = calibration.screening.dropped
    taken_out = [[name, None, *blanks, why] for name, why in dropped.items()]
    return csv_text(ITEM_FIT, [*rows, *taken_out])


def item_fit_rows(fit: ItemFit, screening: Screening) -> list[list[object]]:
    """One row per fitted item, in the order of ``ITEM_FIT``; numbers are Python's own."""
    columns = (
        fit.n.tolist(),
        fit.p_value.tolist(),
        fit.point_biserial.tolist(),
        fit.infit.tolist(),
        fit.outfit.tolist(),
        fit.rmsd.tolist(),
        fit.s_x2.statistic.tolist(),
        [None if df != df else int(df) for df in fit.s_x2.df.tolist()],  # noqa: PLR0124 - NaN
        fit.s_x2.p.tolist(),
    )
    notes = [
        "; ".join(text for text in (note, *screening.notes(name)) if text)
        for name, note in zip(fit.item, fit.notes, strict=True)
    ]
    return [list(row) for row in zip(fit.item, *columns, notes, strict=True)]


def check_folder(out: Path) -> None:
    """Refuse an output folder that cannot be one, before any work is done."""
    if out.exists() and not out.is_dir():
        raise InputError("a folder", "a file of that name", file=out, column="--out")


def write_folder(out: Path, files: Mapping[str, str]) -> None:
    """Write files to a folder, all at the end.

    A new folder appears with all its files at once; in one that exists, each file is replaced
    whole and others stay.
    """
    check_folder(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("a folder that can be written", found, file=out, column="--out") from error
    try:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8", newline="")
        temporary.chmod(0o755)
        if not out.exists():
            temporary.rename(out)
            return
        for name in files:
            (temporary / name).replace(out / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
