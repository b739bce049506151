"""The count of failed sign-ins, which slows guessing.

Failures are counted in the database, so that all processes of a site count together, under keyed
hashes of what was tried and of where from. The worker forgets them after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from item_bank.exams.errors import TooManyAttempts
from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.database import Database
from item_bank.store.tables.people import SignInAttempt

WINDOW = 15 * MINUTE


def refuse_guessing(db: Database, session: Session, limits: Mapping[str, int]) -> None:
    """Raise `TooManyAttempts` when a subject failed as often as its limit within the window."""
    now = db.now(session)
    for subject, limit in limits.items():
        failures = session.scalars(
            select(SignInAttempt.at)
            .where(SignInAttempt.subject_hash == subject, SignInAttempt.at > now - WINDOW)
            .order_by(SignInAttempt.at.desc())
            .limit(limit)
        ).all()
        if len(failures) == limit:
            raise TooManyAttempts((failures[-1] + WINDOW - now) // SECOND + 1)


def count_failure(db: Database, subjects: Iterable[str]) -> None:
    """Count one failure against each subject."""
    with db.write() as session:
        now = db.now(session)
        session.add_all(SignInAttempt(subject_hash=subject, at=now) for subject in subjects)


def attempts_before(session: Session, before: int) -> int:
    """How many were counted before a time."""
    return session.scalar(select(func.count()).where(SignInAttempt.at < before)) or 0


def forget_attempts(session: Session, before: int) -> int:
    """Delete what was counted before a time; return how many there were."""
    gone = delete(SignInAttempt).where(SignInAttempt.at < before)
    return session.connection().execute(gone).rowcount
