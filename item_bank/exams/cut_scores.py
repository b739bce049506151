"""Versions of an exam's cut scores: what they are, and where they come from.

A version is the hash of the levels and the scale. `designs` checks the source and records the
version whenever an exam file is applied; every result names the version that it was decided by.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from engine.standards.impact import cut_score
from item_bank.exams.exam_files import ExamPlan
from item_bank.store.audit import append_site_event
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.standards import CutScores, StandardStudy

APPROVED = "approved"
STUDY, EXAM_FILE = "study", "exam file"
UNNAMED = {"kind": EXAM_FILE, "text": EXAM_FILE}
"""The source of cut scores of which their exam file does not say where they come from."""
SHORT = 12
"""Digits of the hash in a result."""


def levels_and_scale(plan: ExamPlan) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what a version of cut scores is made of: names may change without another version."""
    levels = [
        {"code": level.code, "minimum": float(level.minimum), "passed": level.passed}
        for level in plan.levels
    ]
    return levels, {name: float(value) for name, value in vars(plan.design.scale).items()}


def cut_scores_hash(plan: ExamPlan) -> str:
    """Return the hash of an exam's levels and scale."""
    return content_hash(list(levels_and_scale(plan)))


def source_of(plan: ExamPlan) -> dict[str, Any]:
    """Return where an exam file says that its cut scores come from."""
    rules = plan.results
    if rules.study is not None:
        return {"kind": STUDY, "study": rules.study, "text": rules.source}
    return {**UNNAMED, "text": rules.source} if rules.source else UNNAMED


def check_source(db: Database, plan: ExamPlan, *, organisation_id: str, file: str) -> None:
    """Refuse cut scores that are not those of the study that they name.

    Raises
    ------
    InputError
        When there is no such study of this exam, it is not approved, or its level begins elsewhere.
    """
    number = plan.results.study
    if number is None:
        return
    with db.read() as session:
        study = _study(session, number, plan.code, organisation_id)
    wanted = f"the number of an approved standard-setting study of {plan.code}"
    if study is None:
        raise InputError(wanted, number, file=file, column="cut_scores.study")
    if study.status != APPROVED:
        found = f"study {number}, which is {study.status}"
        raise InputError(wanted, found, file=file, column="cut_scores.study")
    _check_minimum(plan, study, file)


def _check_minimum(plan: ExamPlan, study: StandardStudy, file: str) -> None:
    level = next((one for one in plan.levels if one.code == study.level), None)
    wanted = cut_score(study.result["theta"], plan.design.scale)
    expected = f"{wanted:g}, the cut of study {study.number}"
    if level is None:
        raise InputError(f"a level {study.level} from {expected}", "none", file=file,
                         column="levels")  # fmt: skip
    if abs(level.minimum - wanted) > 1e-9:
        column = f"levels.{level.code}.minimum"
        raise InputError(expected, f"{level.minimum:g}", file=file, column=column)


def _study(session: Session, number: int, code: str, organisation_id: str) -> StandardStudy | None:
    query = (
        select(StandardStudy)
        .join(Exam, Exam.id == StandardStudy.exam_id)
        .where(StandardStudy.organisation_id == organisation_id)
        .where(StandardStudy.number == number, Exam.code == code)
    )
    return session.scalars(query).one_or_none()


def record_cut_scores(session: Session, exam: Exam, plan: ExamPlan, now: int) -> str:
    """Keep the version of an exam's cut scores with its source, and return its hash.

    A version that is there keeps its time; when its source is another now, the newest stands, and
    the site chain has them all. A file that names no source changes none.
    """
    digest, source = cut_scores_hash(plan), source_of(plan)
    known = session.get(CutScores, (exam.id, digest))
    if known is not None and source in (known.source, UNNAMED):
        return digest
    if known is not None:
        known.source = source
    else:
        levels, scale = levels_and_scale(plan)
        session.add(
            CutScores(
                exam_id=exam.id,
                hash=digest,
                organisation_id=exam.organisation_id,
                levels=levels,
                scale=scale,
                source=source,
                recorded_at=now,
            )
        )
    about = {"exam": exam.code, "hash": digest, "source": source}
    append_site_event(session, "cut_scores_recorded", about, now, exam.organisation_id)
    return digest
