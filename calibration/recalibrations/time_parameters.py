"""Response-time parameters of a bank's items, from recorded sittings.

The lognormal model of ``engine.aberrance.response_times``. Persons' speed has mean 0 among those
who sat: intensities of two calibrations are on one scale only as far as their persons are equally
quick. Called by the recalibration command. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.tables import csv_text
from engine.aberrance.response_times import TimeModel, fit_times, times

HEADER = ("item", "n", "intensity", "discrimination", "typical_seconds")


@dataclass(frozen=True, eq=False)
class TimeParameters:
    """The fitted model with the items' names; ``dropped`` times were not above 0."""

    item: tuple[str, ...]
    model: TimeModel
    dropped: int


def time_parameters(
    rows: Iterable[tuple[str, str, float]], items: Sequence[str]
) -> TimeParameters | None:
    """Fit the lognormal model.

    Parameters
    ----------
    rows
        Person, item and seconds of each answer.
    items
        The bank's items; those with fewer than 20 times get no estimate.

    Returns
    -------
    TimeParameters or None
        None without a single usable time.
    """
    column = {name: k for k, name in enumerate(items)}
    known = [row for row in rows if row[1] in column]
    kept = [row for row in known if row[2] > 0]
    if not kept:
        return None
    persons = {name: k for k, name in enumerate(dict.fromkeys(row[0] for row in kept))}
    model = fit_times(
        times(
            np.array([persons[row[0]] for row in kept]),
            np.array([column[row[1]] for row in kept]),
            np.array([row[2] for row in kept], dtype=np.float64),
            n_persons=len(persons),
            n_items=len(items),
        )
    )
    return TimeParameters(tuple(items), model, len(known) - len(kept))


def time_values(found: TimeParameters, row: int) -> dict[str, Any] | None:
    """Parameters of one item; None where it has too few times."""
    model = found.model
    if np.isnan(model.intensity[row]):
        return None
    return {
        "intensity": round(float(model.intensity[row]), 4),
        "discrimination": round(float(model.discrimination[row]), 4),
        "n": int(model.n_times[row]),
    }


def time_rows(found: TimeParameters) -> list[list[object]]:
    """One row by item, in the order of ``HEADER``; seconds are those of a person of mean speed."""
    model = found.model
    columns = (model.n_times, model.intensity, model.discrimination, np.exp(model.intensity))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [[name, *row] for name, row in zip(found.item, rows, strict=True)]


def time_text(found: TimeParameters) -> str:
    """Format ``response_times.csv``; cells of items with too few times are empty."""
    return csv_text(HEADER, time_rows(found))


def time_summary(found: TimeParameters | None) -> dict[str, Any] | None:
    """Figures of ``summary.json``."""
    if found is None:
        return None
    model = found.model
    return {
        "n_times": int(model.n_times.sum()),
        "n_items": int(np.isfinite(model.intensity).sum()),
        "dropped": found.dropped,
        "speed_sd": None if np.isnan(model.speed_sd) else model.speed_sd,
        "converged": model.converged,
    }
