"""The canonical result of a sitting: one JSON document that never changes.

Built once from the log when a sitting ends, kept under its hash; every report is drawn from it. A
correction adds another result that supersedes it.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
from sqlalchemy import select

from engine.ability.estimates import AbilityEstimate
from engine.arrays import Floats
from engine.items import ItemParameters
from engine.models.dispatch import expected_score, information
from engine.results.decisions import level_of, probability_of_levels, scaled, score_band, score_se
from engine.session import final_estimate
from item_bank.exams.designs import LoadedExam
from item_bank.exams.domains import domains
from item_bank.exams.errors import NotFound
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import Snapshot, engine_state
from item_bank.store.canonical import content_hash
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Response, Result, Sitting

FORMAT = 1
LISTED = ("n_items", "score", "level", "passed")
BAND_LEVEL = 0.95


def build_result(snapshot: Snapshot) -> dict[str, Any]:
    """Return the result of a finished sitting from its log."""
    sitting, exam = snapshot.sitting, snapshot.exam
    estimate = final_estimate(engine_state(snapshot), snapshot.release.items, exam.plan.design)
    assert sitting.finished_at is not None, "a sitting has ended before its result is built"
    return {
        "format": FORMAT,
        "number": 1,
        "sitting": sitting.id,
        "candidate": sitting.candidate_id,
        "language": sitting.language,
        "simulated": sitting.simulated,
        "exam": {
            "code": exam.plan.code,
            "version": exam.number,
            "title": exam.plan.title,
            "content_hash": exam.content_hash,
        },
        "release": {
            "bank": exam.plan.bank,
            "number": exam.release_number,
            "content_hash": snapshot.release.content_hash,
            "note": snapshot.release.note,
        },
        "rules_version": sitting.rules_version,
        "software": f"tarozu {importlib.metadata.version('tarozu')}",
        "started_at": sitting.started_at,
        "finished_at": sitting.finished_at,
        "deadline_at": sitting.deadline_at,
        "seconds_used": round((sitting.finished_at - sitting.started_at) / SECOND, 1),
        "stop_reason": sitting.stop_reason,
        "time_rule": _time_rule(snapshot),
        "n_items": snapshot.answered,
        **_decision(exam, estimate),
        "domains": _domains(snapshot),
        "path": [_step_row(snapshot, presented.position) for presented in snapshot.presented],
    }


def result_row(sitting: Sitting, content: dict[str, Any], reason: str, now: int) -> Result:
    """Return the row that keeps a result, with copies of what lists show."""
    return Result(
        sitting_id=sitting.id,
        number=content["number"],
        organisation_id=sitting.organisation_id,
        content=content,
        content_hash=content_hash(content),
        reason=reason,
        created_at=now,
        **listed(content),
    )


def listed(content: dict[str, Any]) -> dict[str, Any]:
    """Return what lists show of a result: the columns that copy it."""
    level = content["level"] or {"code": None, "passed": None}
    values = content["n_items"], content["score"], level["code"], level["passed"]
    return dict(zip(LISTED, values, strict=True))


def _time_rule(snapshot: Snapshot) -> str | None:
    """Say which rule scored a sitting whose time ran out."""
    if snapshot.sitting.stop_reason != "time":
        return None
    enough = snapshot.answered >= snapshot.exam.plan.design.stop.min_items
    return "scored on the items answered in time" if enough else "fewer items than the minimum"


def _decision(exam: LoadedExam, estimate: AbilityEstimate) -> dict[str, Any]:
    design, levels = exam.plan.design, exam.plan.levels
    points = scaled(estimate.theta, design.scale)
    reached = level_of(points, design.levels)
    chances = probability_of_levels(estimate.theta, estimate.se, design.scale, design.levels)
    rows = [
        {
            "code": level.code,
            "name": level.name,
            "minimum": level.minimum,
            "passed": level.passed,
            "probability": float(chance),
        }
        for level, chance in zip(levels, chances, strict=True)
    ]
    return {
        "estimate": {
            "theta": estimate.theta,
            "se": estimate.se,
            "estimator": design.final,
            "prior_mean": design.prior_mean,
            "prior_sd": design.prior_sd,
            "grid": [design.grid.low, design.grid.high, design.grid.n],
        },
        "scale": {
            "slope": design.scale.slope,
            "intercept": design.scale.intercept,
            "minimum": design.scale.minimum,
            "maximum": design.scale.maximum,
            "decimals": design.scale.decimals,
            "rounding": "half up, then cut to the scale; the level is decided on the rounded score",
            "cut_scores": exam.content_hash[:12],
        },
        "score": points,
        "score_se": score_se(estimate.se, design.scale),
        "band": list(score_band(estimate.theta, estimate.se, design.scale)),
        "band_level": BAND_LEVEL,
        "level": next((row for row in rows if reached and row["code"] == reached.name), None),
        "levels": rows,
    }


def _step_row(snapshot: Snapshot, position: int) -> dict[str, Any]:
    presented, items = snapshot.presented[position - 1], snapshot.release.items
    response = next((r for r in snapshot.responses if r.position == position), None)
    one = items.subset([presented.row])
    theta = response.theta if response is not None else None
    at = np.array([theta if theta is not None else 0.0])
    thresholds = one.thresholds[0][np.isfinite(one.thresholds[0])]
    return {
        "position": position,
        "item": items.item[presented.row],
        "revision": presented.revision_id,
        "content_area": items.content[presented.row],
        "model": items.model[presented.row],
        "parameters": _parameters(one, thresholds),
        "difficulty": float(thresholds.mean()),
        "score": None if response is None else response.score,
        "max_score": int(one.n_categories[0]) - 1,
        "late": bool(response is not None and response.late),
        "theta": theta,
        "se": None if response is None else response.se,
        "information": None if theta is None else float(information(at, one)[0, 0]),
        "expected_score": None if theta is None else float(expected_score(at, one)[0, 0]),
        "seconds": _seconds(presented.presented_at, response),
        "eligible": presented.trace["eligible"],
        "area_in_turn": presented.trace["area"],
    }


def _parameters(one: ItemParameters, thresholds: Floats) -> dict[str, Any]:
    values = {name: float(getattr(one, name)[0]) for name in "abcd"}
    known = {name: value for name, value in values.items() if np.isfinite(value)}
    return known if "b" in known else {**known, "thresholds": thresholds.tolist()}


def _seconds(presented_at: int, response: Response | None) -> float | None:
    return None if response is None else round((response.received_at - presented_at) / SECOND, 1)


def _domains(snapshot: Snapshot) -> list[dict[str, Any]]:
    state = engine_state(snapshot)
    found = domains(
        snapshot.release.items,
        list(state.administered),
        list(state.scores),
        theta_cut=_theta_cut(snapshot.exam),
    )
    names = snapshot.exam.areas
    return [{**domain, "name": names.get(domain["area"], {})} for domain in found]


def _theta_cut(exam: LoadedExam) -> float | None:
    """Return the lowest passing score on the theta scale."""
    passing = [level.minimum for level in exam.plan.levels if level.passed]
    if not passing:
        return None
    scale = exam.plan.design.scale
    return (min(passing) - scale.intercept) / scale.slope


def result_of(
    db: Database,
    sitting_id: str,
    *,
    candidate: CandidateSession | None = None,
    organisation_id: str | None = None,
) -> dict[str, Any] | None:
    """Return the newest result of a sitting, or None while it runs.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's or organisation's.
    """
    with db.read() as session:
        sitting = session.get(Sitting, sitting_id)
        if sitting is None or not _may_see(sitting, candidate, organisation_id):
            raise NotFound
        content: dict[str, Any] | None = session.scalar(
            select(Result.content)
            .where(Result.sitting_id == sitting_id)
            .order_by(Result.number.desc())
            .limit(1)
        )
        return content


def _may_see(
    sitting: Sitting, candidate: CandidateSession | None, organisation_id: str | None
) -> bool:
    if candidate is not None:
        return sitting.candidate_id == candidate.candidate_id
    return sitting.organisation_id == organisation_id
