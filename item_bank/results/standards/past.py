"""Impact data: how past candidates of an exam scored, each by the first attempt that counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.standards.impact import reported
from item_bank.exams.outcomes import INVALIDATED
from item_bank.results.standards.records import StudyFacts
from item_bank.store.tables.outcomes import Outcome


@dataclass(frozen=True, eq=False)
class PastScores:
    """Reported scores on the study's scale, ascending.

    Parameters
    ----------
    simulated
        Whether they are simulated: only where nobody real has sat the exam.
    """

    scores: Floats
    simulated: bool


def past_scores(session: Session, facts: StudyFacts) -> PastScores:
    """Return the scores of past candidates; of simulated ones only where there is nobody else."""
    real = _scores(session, facts, simulated=False)
    if len(real):
        return PastScores(real, simulated=False)
    others = _scores(session, facts, simulated=True)
    return PastScores(others, simulated=len(others) > 0)


def _scores(session: Session, facts: StudyFacts, *, simulated: bool) -> Floats:
    counts = (
        Outcome.organisation_id == facts.organisation_id,
        Outcome.exam_id == facts.exam.exam_id,
        Outcome.state != INVALIDATED,
        Outcome.simulated.is_(simulated),
    )
    first = (
        select(Outcome.candidate_id, func.min(Outcome.attempt).label("attempt"))
        .where(*counts)
        .group_by(Outcome.candidate_id)
        .subquery()
    )
    found = session.scalars(
        select(Outcome.theta)
        .join(first, first.c.candidate_id == Outcome.candidate_id)
        .where(*counts, Outcome.attempt == first.c.attempt, Outcome.theta.is_not(None))
    ).all()
    return np.sort(reported(np.array(found, dtype=np.float64), facts.scale))
