"""The outcome of a sitting: the result that stands, how far it is released, copies for lists.

A row is made in the transaction that ends the sitting; deciding and correcting change it
(`item_bank/results`). Called by `steps`.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.result_rules import AT_ONCE, ResultRules
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Sitting

AWAITING, HELD, RELEASED, INVALIDATED = "awaiting", "held", "released", "invalidated"
STATES = (AWAITING, HELD, RELEASED, INVALIDATED)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # letters and digits that nobody mistakes
CODE_LENGTH = 16  # 79 bits


def new_outcome(
    session: Session, sitting: Sitting, content: dict[str, Any], rules: ResultRules
) -> Outcome:
    """Return the outcome of a sitting that has just ended."""
    at_once = rules.release == AT_ONCE
    country, centre = _where(session, sitting)
    return Outcome(
        sitting_id=sitting.id,
        organisation_id=sitting.organisation_id,
        exam_id=sitting.exam_id,
        exam_version_id=sitting.exam_version_id,
        candidate_id=sitting.candidate_id,
        state=RELEASED if at_once else AWAITING,
        seen_number=None,
        verification="".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)),
        released_at=sitting.finished_at if at_once else None,
        simulated=sitting.simulated,
        attempt=sitting.number,
        country=country,
        centre=centre,
        **copied(content),
    )


def copied(content: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that copy a result: set anew when another result stands."""
    estimate = content["estimate"] or {"theta": None, "se": None}
    level = content["level"] or {"code": None, "passed": None}
    return {
        "result_number": content["number"],
        "language": content["language"],
        "finished_at": content["finished_at"],
        "stop_reason": content["stop_reason"],
        "n_items": content["n_items"],
        "seconds": content["seconds_used"],
        "theta": estimate["theta"],
        "se": estimate["se"],
        "score": content["score"],
        "score_se": content["score_se"],
        "level": level["code"],
        "passed": level["passed"],
    }


def _where(session: Session, sitting: Sitting) -> tuple[str | None, str | None]:
    """Country and centre of a candidate; None where they are not known."""
    found = session.execute(
        select(CandidateDetails.country, Registration.centre)
        .join(Registration, Registration.candidate_id == CandidateDetails.candidate_id)
        .where(
            CandidateDetails.candidate_id == sitting.candidate_id,
            Registration.exam_id == sitting.exam_id,
        )
    ).first()
    return (found[0], found[1]) if found else (None, None)
