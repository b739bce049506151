"""Estimates that are no estimates: at a limit of what is admissible, or not told by the data.

Nothing of the kind goes out as if it were fine: what is found here stands in the summary, beside
the parameters, in the report and on the terminal. Called by ``fitting``. Imports ``engine``.
"""

from __future__ import annotations

import numpy as np

from calibration.families import LOGISTIC, NOMINAL
from calibration.mml import MmlFit
from calibration.parameter_file import StandardErrors
from calibration.parameter_space import LOGIT_BOUNDS, SLOPE_BOUNDS
from calibration.screening import FEW_RESPONSES
from engine.arrays import Floats, Ints

STEEPEST = 10.0
FARTHEST = 10.0
VAGUE = 5.0
_NO_GUESSING = 1e-4
LOWEST_A = (
    f"discrimination at its lowest limit ({SLOPE_BOUNDS[0]:g}): not positively related to the "
    "other items; check the key"
)


def boundaries(found: MmlFit, errors: StandardErrors | None, n: Ints) -> dict[str, list[str]]:
    """Say what is at a limit or not identified, by item; other items are not in it.

    Parameters
    ----------
    found
        The fit; only free parameters are judged.
    errors
        Standard errors, None where none were asked for.
    n
        Responses by item, shape (n_items,).
    """
    notes: dict[str, list[str]] = {}
    for family, local in zip(found.space.families, found.state.local, strict=True):
        for k, row in enumerate(family.rows):
            free = family.free[k]
            if not free.any():
                continue
            own = _nominal(local[k]) if family.name == NOMINAL else _slope(local[k, 0], free[0])
            if family.name == LOGISTIC:
                own += _asymptotes(local[k], free)
            own += [] if own else _places(found.items.thresholds[row])
            if n[row] < FEW_RESPONSES:
                own.append(
                    f"{n[row]} responses are too few to estimate {int(free.sum())} parameters"
                )
            own += _errors(errors, int(row), own)
            if own:
                notes[found.items.item[row]] = own
    return {name: notes[name] for name in found.items.item if name in notes}


def _slope(a: float, free: bool) -> list[str]:  # noqa: FBT001 - one of a row of flags
    low, high = SLOPE_BOUNDS
    if not free:
        return []
    if a <= low:
        return [LOWEST_A]
    if a >= high:
        return [f"discrimination at its highest limit ({high:g}): persons separated without error"]
    if a > STEEPEST:
        return [f"discrimination {a:.1f}: the data separate persons almost without error"]
    return []


def _nominal(local: Floats) -> list[str]:
    slopes = local[: local.size // 2]
    if np.nanmax(np.abs(slopes)) > STEEPEST:
        return [
            f"slope {np.nanmax(np.abs(slopes)):.1f}: the data separate persons almost without error"
        ]
    return []


def _asymptotes(local: Floats, free: Floats) -> list[str]:
    notes = []
    (lowest_c, highest_c), (lowest_d, highest_d) = LOGIT_BOUNDS
    c, d = 1 / (1 + np.exp(-local[2])), 1 / (1 + np.exp(-local[3]))
    if free[2] and (c < _NO_GUESSING or local[2] <= lowest_c):
        notes.append("lower asymptote at its lowest limit (0)")
    if free[2] and local[2] >= highest_c:
        notes.append(f"lower asymptote at its highest limit ({c:.2f})")
    if free[3] and (1 - d < _NO_GUESSING or local[3] >= highest_d):
        notes.append("upper asymptote at its highest limit (1)")
    if free[3] and local[3] <= lowest_d:
        notes.append(f"upper asymptote at its lowest limit ({d:.2f})")
    return notes


def _places(thresholds: Floats) -> list[str]:
    known = thresholds[~np.isnan(thresholds)]
    if known.size and np.abs(known).max() > FARTHEST:
        far = known[np.abs(known).argmax()]
        return [f"difficulty {far:.1f}: beyond everybody, not located by these data"]
    return []


def _errors(errors: StandardErrors | None, row: int, notes: list[str]) -> list[str]:
    """Judge standard errors, where nothing else has been said of the item."""
    if errors is None or notes:
        return []
    own = [errors.b[row], *errors.thresholds[row]]
    own += [
        table[row, k]
        for table in (errors.slopes, errors.intercepts)
        if table.size
        for k in range(table.shape[1])
    ]
    known = np.array(own)[~np.isnan(own)]
    if known.size and known.max() > VAGUE:
        return [f"standard error {known.max():.1f}: not identified by these data"]
    return []
