"""The one door from a candidate to a sitting: somebody else's is as if it were not there."""

from __future__ import annotations

from sqlalchemy.orm import Session

from item_bank.exams.errors import NotFound
from item_bank.exams.signing_in import CandidateSession
from item_bank.store.tables.sittings import Sitting


def own_sitting(
    session: Session, candidate: CandidateSession, sitting_id: str, *, lock: bool = False
) -> Sitting:
    """Load a candidate's own sitting; ``lock`` keeps other writers of it out (PostgreSQL).

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    sitting = session.get(Sitting, sitting_id, with_for_update=lock or None)
    if sitting is None or sitting.candidate_id != candidate.candidate_id:
        raise NotFound
    return sitting
