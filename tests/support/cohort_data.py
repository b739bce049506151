"""Many sittings with outcomes, made up at once: for what counts them, never for replay.

Each outcome agrees with itself as a real one does: score and level follow from theta by the exam's
scale, the standard error from the number of questions, the deadline from the time limit. No item,
response or chain stands behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import insert

from engine.results.decisions import level_of, scaled, score_se
from item_bank.exams.designs import LoadedExam
from item_bank.store.clock import DAY, SECOND
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import Candidate
from item_bank.store.tables.sittings import Result, Sitting
from item_bank.store.tables.usage import UsageCounter

BLOCK = 2_000
FIRST = 1_790_000_000 * SECOND
COUNTRIES = ("TJ", "UZ", "KZ", "KG", "CN", None)
CENTRES = tuple(f"Centre {n:02d}" for n in range(30))
STATES = ("released", "awaiting", "held", "invalidated")
REASONS = ("se", "max_items", "time")


def add_outcomes(
    db: Database,
    exam: LoadedExam,
    n: int,
    *,
    seed: int = 1,
    days: int = 365,
    simulated: float = 0.0,
    results: bool = False,
) -> dict[str, np.ndarray]:
    """Add n finished sittings and return the columns of their outcomes as arrays."""
    rows = list(_rows(exam, n, np.random.default_rng(seed), days, simulated))
    with db.write() as session:
        for start in range(0, n, BLOCK):
            block = rows[start : start + BLOCK]
            session.execute(insert(Candidate), [_candidate(row) for row in block])
            session.execute(insert(Sitting), [_sitting(row, exam) for row in block])
            session.execute(insert(Outcome), [_outcome(row) for row in block])
            if results:
                session.execute(insert(Result), [_result(row) for row in block])
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def add_usage(db: Database, exam: LoadedExam, codes: list[str], sittings: int) -> None:
    """Set the counters of an exam's items, from every sitting to none."""
    given = np.linspace(sittings * 0.6, 0, len(codes)).astype(int)
    rows = [("", sittings), *zip(codes, given.tolist(), strict=True)]
    with db.write() as session:
        session.execute(
            insert(UsageCounter),
            [
                {"exam_id": exam.exam_id, "bank_id": exam.bank_id, "strata": "", "stratum": -1,
                 "item": item, "organisation_id": exam.organisation_id, "given": count,
                 "barred": 0, "knowledge_aa": 0.0, "knowledge_ab": 0.0, "knowledge_bb": 0.0}
                for item, count in rows
            ],
        )  # fmt: skip


def _rows(
    exam: LoadedExam, n: int, rng: np.random.Generator, days: int, simulated: float
) -> Iterator[dict[str, Any]]:
    design, languages = exam.plan.design, exam.plan.languages
    limit = exam.plan.time_limit or 3600
    passing = {level.code: level.passed for level in exam.plan.levels}
    for _ in range(n):
        n_items = int(rng.integers(8, 26))
        true, information = rng.normal(), 0.55 * n_items
        theta = float((information * true + rng.normal() * information**0.5) / (information + 1))
        se = float((information + 1) ** -0.5)
        seconds = float(np.clip(rng.normal(0.6, 0.2) * limit, 60, limit))
        unscored = rng.uniform() < 0.02
        score = None if unscored else scaled(theta, design.scale)
        level = None if score is None else level_of(score, design.levels)
        finished = FIRST + int(rng.uniform(0, days) * DAY)
        country = COUNTRIES[int(rng.integers(len(COUNTRIES)))]
        yield {
            "sitting_id": new_id(),
            "organisation_id": exam.organisation_id,
            "exam_id": exam.exam_id,
            "exam_version_id": exam.version_id,
            "candidate_id": new_id(),
            "state": STATES[int(rng.choice(4, p=[0.9, 0.05, 0.03, 0.02]))],
            "result_number": 1,
            "seen_number": None,
            "verification": new_id()[:16].upper(),
            "released_at": None,
            "simulated": bool(rng.uniform() < simulated),
            "attempt": 1 if rng.uniform() < 0.85 else 2,
            "language": languages[int(rng.integers(len(languages)))],
            "country": country,
            "centre": country and CENTRES[int(rng.integers(len(CENTRES)))],
            "finished_at": finished,
            "stop_reason": "time" if seconds >= limit else REASONS[int(n_items == 25)],
            "n_items": n_items,
            "seconds": seconds,
            "theta": None if unscored else theta,
            "se": None if unscored else se,
            "score": score,
            "score_se": None if unscored else score_se(se, design.scale),
            "level": level and level.name,
            "passed": level and passing[level.name],
            "started_at": finished - int(seconds * SECOND),
            "deadline_at": finished + int((limit - seconds) * SECOND),
        }


def _candidate(row: dict[str, Any]) -> dict[str, Any]:
    names = {"id": row["candidate_id"], "organisation_id": row["organisation_id"]}
    return {**names, "created_at": FIRST}


def _sitting(row: dict[str, Any], exam: LoadedExam) -> dict[str, Any]:
    same = ("organisation_id", "exam_id", "exam_version_id", "candidate_id", "language",
            "simulated", "started_at", "deadline_at", "finished_at", "stop_reason")  # fmt: skip
    return {
        "id": row["sitting_id"],
        "rules_version": exam.rules_version,
        "number": row["attempt"],
        "seed": 0,
        "prior_theta": None,
        "status": "finished",
        "lease_epoch": 1,
        "chain_length": 0,
        "chain_head": "0" * 64,
        "sealed_at": row["finished_at"],
        **{name: row[name] for name in same},
    }


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in row if name not in {"started_at", "deadline_at"}}


def _result(row: dict[str, Any]) -> dict[str, Any]:
    same = ("sitting_id", "organisation_id", "n_items", "score", "level", "passed")
    return {
        **{name: row[name] for name in same},
        "number": 1,
        "content": {"sitting": row["sitting_id"]},
        "content_hash": "0" * 64,
        "reason": "sitting_finished",
        "created_at": row["finished_at"],
    }
