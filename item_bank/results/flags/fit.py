"""Whether a sitting's answers fit the model, against limits simulated for its exam version.

lz* (answers too unlikely), CUSUM (a run of answers better or worse than expected) and outfit
(single surprising answers), at the final estimate, from the items that count. A sitting stands out
when at least `LEAST_BEYOND` of the three lie beyond their limits. Without limits nothing stands
out: the statistics of an adaptive test follow no table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.aberrance.person_fit import person_fit
from engine.ability.answers import answers
from item_bank.exams.results import judgement
from item_bank.exams.snapshots import Snapshot, engine_state
from item_bank.results.flags.limits import Limits
from item_bank.results.flags.records import PERSON_FIT, Found

LEAST_BEYOND = 2


def fit_of(snapshot: Snapshot, limits: Limits | None) -> Found:
    """Compute the statistics of a sitting that has ended, and compare them with the limits."""
    values = _statistics(snapshot)
    if "reason" in values:
        return Found(PERSON_FIT, flagged=False, values=values)
    if limits is None:
        return Found(PERSON_FIT, flagged=False, values=values | {"limits": None, "beyond": []})
    said = {name: value for name, value in vars(limits).items() if name != "study_id"}
    beyond = _beyond(values, limits)
    flagged = len(beyond) >= LEAST_BEYOND
    more = {"limits": said, "beyond": beyond}
    return Found(PERSON_FIT, flagged=flagged, values=values | more, study_id=limits.study_id)


def _statistics(snapshot: Snapshot) -> dict[str, Any]:
    estimate = judgement(snapshot).estimate
    rows, scores = engine_state(snapshot).scored
    if estimate is None or not rows:
        return {"reason": "no_estimate"}
    given = answers(np.array([rows]), np.array([scores]))
    fit = person_fit(np.array([estimate.theta]), given, snapshot.release.items)
    found = {
        "lz_star": float(fit.lz_star[0]),
        "cusum_high": float(fit.cusum_upper[0]),
        "cusum_low": float(fit.cusum_lower[0]),
        "outfit": float(fit.outfit[0]),
    }
    if not np.isfinite(list(found.values())).all():
        return {"reason": "not_estimable"}
    return {"answers": len(rows)} | found


def _beyond(values: dict[str, Any], limits: Limits) -> list[str]:
    """Name the statistics that lie beyond their limits."""
    tests = {
        "lz_star": values["lz_star"] < limits.lz_star_low,
        "cusum": not limits.cusum_low <= values["cusum_low"]
        or not values["cusum_high"] <= limits.cusum_high,
        "outfit": values["outfit"] > limits.outfit_high,
    }
    return [name for name, is_beyond in tests.items() if is_beyond]
