"""Whether the times of a sitting fit the lognormal model of response times.

The model's parameters are those that the release was published with; where it has none they are
fitted to the exam's own sittings. Two things are looked at, each at `LEVEL`: whether a person's
times are more uneven than the model lets them be (Marianti and others, 2014), and whether more
answers than chance explains were too fast for who else was as quick (van der Linden and Guo, 2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtrc
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.aberrance.response_times import (
    TimeModel,
    Times,
    fit_times,
    speeds,
    time_residuals,
    times,
    too_fast,
)
from engine.arrays import Bools, Floats
from item_bank.results.flags.exam_data import Given, Sat, codes
from item_bank.results.flags.records import TIME, Found
from item_bank.store.tables.releases import (
    CalibrationRun,
    DraftParameters,
    ParameterDraft,
    Release,
)

LEVEL = 0.01
LEAST_TIMED = 5
SHORTEST = 1e-3  # a time is above 0


@dataclass(frozen=True)
class KnownTimes:
    """Time parameters that a release was published with, by item revision."""

    values: Mapping[str, tuple[float, float]]
    speed_sd: float


def published_times(session: Session, release_id: str) -> KnownTimes | None:
    """Return a release's time parameters; None where its calibration had no times."""
    release = session.get_one(Release, release_id)
    draft = session.get(ParameterDraft, release.draft_id) if release.draft_id else None
    run = session.get(CalibrationRun, draft.run_id) if draft and draft.run_id else None
    if draft is None or run is None:
        return None
    spread = (run.summary.get("response_times") or {}).get("speed_sd")
    rows = session.execute(
        select(DraftParameters.revision_id, DraftParameters.about).where(
            DraftParameters.draft_id == draft.id
        )
    )
    values = {
        revision: (float(about["time"]["intensity"]), float(about["time"]["discrimination"]))
        for revision, about in rows
        if about.get("time")
    }
    return KnownTimes(values, float(spread)) if values and spread else None


def time_flags(sittings: Sequence[Sat], known: KnownTimes | None) -> dict[str, Found]:
    """Compare the times of some sittings with one model; flags by sitting."""
    items = codes(one.revision_id for sat in sittings for one in sat.answers)
    given = _times(sittings, items)
    if given is None:
        return {}
    model = fit_times(given) if known is None else _as_model(known, items)
    residuals = time_residuals(given, model)
    quick, misfit = too_fast(residuals, LEVEL), speeds(given, model)
    source = "these sittings" if known is None else "the release"
    return {
        sat.sitting_id: _found(
            sat, given.person == person, quick, residuals, float(misfit.misfit_p[person]), source
        )
        for person, sat in enumerate(sittings)
    }


def _found(
    sat: Sat, own: Bools, quick: Bools, residuals: Floats, misfit_p: float, source: str
) -> Found:
    judged = np.isfinite(residuals[own])
    timed = int(judged.sum())
    if timed < LEAST_TIMED or not np.isfinite(misfit_p):
        return Found(TIME, flagged=False, values={"reason": "too_few_times", "timed": timed})
    fast = [one.position for one, is_quick in zip(sat.answers, quick[own], strict=True) if is_quick]
    chance = float(bdtrc(len(fast) - 1, timed, LEVEL)) if fast else 1.0
    values: dict[str, Any] = {
        "timed": timed,
        "too_fast": fast,
        "too_fast_p": chance,
        "misfit_p": misfit_p,
        "level": LEVEL,
        "model": source,
    }
    return Found(TIME, flagged=min(chance, misfit_p) < LEVEL, values=values)


def _times(sittings: Sequence[Sat], items: Mapping[str, int]) -> Times | None:
    rows: list[tuple[int, Given]] = [
        (person, one) for person, sat in enumerate(sittings) for one in sat.answers
    ]
    if not rows:
        return None
    return times(
        np.array([person for person, _ in rows]),
        np.array([items[one.revision_id] for _, one in rows]),
        np.maximum(np.array([one.seconds for _, one in rows]), SHORTEST),
        n_persons=len(sittings),
        n_items=len(items),
    )


def _as_model(known: KnownTimes, items: Mapping[str, int]) -> TimeModel:
    """The published parameters in the order of some revisions; NaN where there are none."""
    nothing = (np.nan, np.nan)
    pairs = np.array([known.values.get(revision, nothing) for revision in items])
    return TimeModel(
        intensity=pairs[:, 0],
        discrimination=pairs[:, 1],
        speed_sd=known.speed_sd,
        n_times=np.zeros(len(items), dtype=np.int64),
        log_likelihood=np.nan,
        cycles=0,
        converged=True,
    )
