"""Replay of a sitting with all of its results: the log, then each result that amended another.

The first result is replayed with the log (`exams/replay`). Of each later one the sitting's chain
must vouch for the fingerprint, and what it is computed from must give it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.replay import Replay, replay
from item_bank.results.corrections.verification import check_result
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Result, SittingEvent


@dataclass(frozen=True)
class Replayed:
    """What a replay found; all agrees when there are no problems.

    Parameters
    ----------
    amended
        Numbers of the results after the first that agree.
    """

    sitting_id: str
    steps: int
    problems: tuple[str, ...]
    amended: tuple[int, ...]


def replay_all(db: Database, sitting_id: str, *, organisation_id: str) -> Replayed:
    """Compute a sitting and its results again.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this organisation's.
    """
    log = replay(db, sitting_id, organisation_id=organisation_id)
    with db.read() as session:
        later = session.scalars(
            select(Result)
            .where(Result.sitting_id == sitting_id, Result.number > 1)
            .order_by(Result.number)
        ).all()
        vouched = _vouched(session, sitting_id)
    found = {row.number: _problems(db, row, vouched) for row in later}
    return _replayed(log, found)


def _replayed(log: Replay, found: Mapping[int, Sequence[str]]) -> Replayed:
    problems = [*log.problems, *(text for texts in found.values() for text in texts)]
    agreeing = tuple(number for number, texts in found.items() if not texts)
    return Replayed(log.sitting_id, log.steps, tuple(problems), agreeing)


def _vouched(session: Session, sitting_id: str) -> dict[int, str]:
    """Fingerprints of amended results by number, as the sitting's chain has them."""
    links = session.scalars(
        select(SittingEvent.payload).where(
            SittingEvent.sitting_id == sitting_id, SittingEvent.kind == records.RESULT_AMENDED
        )
    )
    return {link["result"]: link["hash"] for link in links}


def _problems(db: Database, row: Result, vouched: Mapping[int, str]) -> list[str]:
    if vouched.get(row.number) != content_hash(row.content):
        return [f"result {row.number} is not the one that the chain vouches for"]
    problems, is_erased = check_result(db, row.sitting_id, row.number)
    if is_erased:
        return [f"result {row.number} cannot be computed again: an answer was erased"]
    return problems
