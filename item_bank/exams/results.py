"""The canonical result of a sitting: one JSON document that never changes.

Built once from the log when a sitting ends, kept under its hash; every report is drawn from it. A
correction adds another result that supersedes it.
"""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Sequence
from typing import Any

from engine.ability.estimates import AbilityEstimate
from engine.results.decisions import (
    ReportingScale,
    level_of,
    probability_of_levels,
    scaled,
    score_band,
    score_se,
)
from engine.rules.stopping import StopReason
from engine.rules.time_rules import OutOfTime, out_of_time
from engine.session import ExamDesign, final_estimate
from item_bank.exams.cut_scores import SHORT, cut_scores_hash
from item_bank.exams.designs import LoadedExam
from item_bank.exams.domains import domains
from item_bank.exams.errors import NotFound
from item_bank.exams.outcomes import RELEASED
from item_bank.exams.pauses import Span, worked
from item_bank.exams.points import item_facts
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.snapshots import Snapshot, engine_state, is_tried_out
from item_bank.store.canonical import content_hash
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Result, Sitting

FORMAT = 1
CUT_SHORT = (StopReason.TIME, StopReason.TERMINATED)
NOT_BY_TIME = "in time"
LISTED = ("n_items", "score", "level", "passed")
BAND_LEVEL = 0.95


def build_result(snapshot: Snapshot, still: Sequence[Span] = ()) -> dict[str, Any]:
    """Return the result of a finished sitting from its log.

    Parameters
    ----------
    still
        When the sitting's clock stood still; no seconds are counted then.
    """
    sitting, exam = snapshot.sitting, snapshot.exam
    judged, tried = judgement(snapshot), snapshot.tried_out
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
        "seconds_used": _seconds(sitting.started_at, sitting.finished_at, still),
        "stop_reason": sitting.stop_reason,
        "time_rule": judged.rule if sitting.stop_reason in CUT_SHORT else None,
        "prior_theta": snapshot.prior_mean,
        "n_items": snapshot.answered - len(tried),
        "n_tried_out": len(tried),
        **_decision(exam, judged),
        "domains": [] if judged.estimate is None else _domains(snapshot),
        "path": [_step_row(snapshot, place, still) for place in _places(snapshot, tried_out=False)],
        "tried_out": [
            _step_row(snapshot, place, still) for place in _places(snapshot, tried_out=True)
        ],
    }


def judgement(snapshot: Snapshot) -> OutOfTime:
    """What a sitting comes to: the estimate and level, or what the exam's rule for time leaves."""
    state, items = engine_state(snapshot), snapshot.release.items
    design = snapshot.exam.plan.design
    if snapshot.sitting.stop_reason in CUT_SHORT:
        return out_of_time(state, items, design)
    found = final_estimate(state, items, design)
    if not math.isfinite(found.theta):
        return OutOfTime(NOT_BY_TIME, None, None)
    return OutOfTime(NOT_BY_TIME, found, level_of(scaled(found.theta, design.scale), design.levels))


def _places(snapshot: Snapshot, *, tried_out: bool) -> list[int]:
    """Positions of the items that count, or of those that were tried out."""
    return [one.position for one in snapshot.presented if is_tried_out(one) is tried_out]


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


def _decision(exam: LoadedExam, judged: OutOfTime) -> dict[str, Any]:
    """Score, band and levels; without an estimate the score and all chances are None."""
    design, levels, estimate = exam.plan.design, exam.plan.levels, judged.estimate
    chances: Sequence[float | None] = [None] * len(levels)
    if estimate is not None:
        found = probability_of_levels(estimate.theta, estimate.se, design.scale, design.levels)
        chances = [float(chance) for chance in found]
    rows = [
        {
            "code": level.code,
            "name": level.name,
            "minimum": level.minimum,
            "passed": level.passed,
            "probability": chance,
        }
        for level, chance in zip(levels, chances, strict=True)
    ]
    return {
        "estimate": None if estimate is None else _estimate(estimate, design),
        "scale": {
            "slope": design.scale.slope,
            "intercept": design.scale.intercept,
            "minimum": design.scale.minimum,
            "maximum": design.scale.maximum,
            "decimals": design.scale.decimals,
            "rounding": "half up, then cut to the scale; the level is decided on the rounded score",
            "cut_scores": cut_scores_hash(exam.plan)[:SHORT],
        },
        **_score(estimate, design.scale),
        "band_level": BAND_LEVEL,
        "level": next(
            (row for row in rows if judged.level and row["code"] == judged.level.name), None
        ),
        "levels": rows,
    }


def _estimate(found: AbilityEstimate, design: ExamDesign) -> dict[str, Any]:
    return {
        "theta": found.theta,
        "se": found.se,
        "estimator": design.final,
        "prior_mean": design.prior_mean,
        "prior_sd": design.prior_sd,
        "grid": [design.grid.low, design.grid.high, design.grid.n],
    }


def _score(found: AbilityEstimate | None, scale: ReportingScale) -> dict[str, Any]:
    if found is None:
        return {"score": None, "score_se": None, "band": None}
    return {
        "score": scaled(found.theta, scale),
        "score_se": score_se(found.se, scale),
        "band": list(score_band(found.theta, found.se, scale)),
    }


def _step_row(snapshot: Snapshot, position: int, still: Sequence[Span]) -> dict[str, Any]:
    presented, items = snapshot.presented[position - 1], snapshot.release.items
    response = next((r for r in snapshot.responses if r.position == position), None)
    score, theta = (None, None) if response is None else (response.score, response.theta)
    worth = snapshot.release.points[presented.row]
    return {
        "position": position,
        "item": items.item[presented.row],
        "revision": presented.revision_id,
        "content_area": items.content[presented.row],
        "model": items.model[presented.row],
        **item_facts(items.subset([presented.row]), worth, score, theta),
        "late": bool(response is not None and response.late),
        "theta": theta,
        "se": None if response is None else response.se,
        "seconds": None
        if response is None
        else _seconds(presented.presented_at, response.received_at, still),
        "eligible": presented.trace["eligible"],
        "area_in_turn": presented.trace["area"],
        "gave_way": _gave_way(presented.trace),
    }


def _gave_way(trace: dict[str, Any]) -> list[str]:
    """Name what had to give way for an item: events of its step, then constraints and areas."""
    relaxed = (trace.get("form") or {}).get("relaxed", ())
    return [*trace["events"], *relaxed, *trace.get("areas_without_items", ())]


def _seconds(begin: int, end: int, still: Sequence[Span]) -> float:
    return round(worked(begin, end, still) / SECOND, 1)


def _domains(snapshot: Snapshot) -> list[dict[str, Any]]:
    found = domains(
        engine_state(snapshot),
        snapshot.release.items,
        snapshot.exam.plan.design,
        rules=snapshot.exam.plan.results.domains,
        points=snapshot.release.points,
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
    """Return the result of a sitting that stands, or None while it runs.

    A candidate is given a released one only, and None otherwise.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's or organisation's.
    """
    with db.read() as session:
        sitting = session.get(Sitting, sitting_id)
        if sitting is None or not may_see(sitting, candidate, organisation_id):
            raise NotFound
        outcome = session.get(Outcome, sitting_id)
        if outcome is None or (candidate is not None and outcome.state != RELEASED):
            return None
        result = session.get_one(Result, (sitting_id, outcome.result_number))
        content: dict[str, Any] = result.content
        return content


def may_see(
    sitting: Sitting, candidate: CandidateSession | None, organisation_id: str | None
) -> bool:
    """Whether a sitting is a candidate's own, or one of an organisation."""
    if candidate is not None:
        return sitting.candidate_id == candidate.candidate_id
    return sitting.organisation_id == organisation_id
