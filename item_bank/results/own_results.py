"""What candidates may know of their own results: how one stands, and what they can do about it.

Nothing of a score is read here; `report_facts` has it for a released one. Looking never writes:
that somebody has read of a correction is said by a button (`has_read`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from item_bank.exams.decided import Act, Done, done_on, first_state, shown_results
from item_bank.exams.designs import load_version
from item_bank.exams.outcomes import INVALIDATED, RELEASED
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.result_rules import ResultRules
from item_bank.exams.signing_in import CandidateSession
from item_bank.results.appeal_lists import AppealLine, appeals_of
from item_bank.results.appeals import appeal_until
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Sitting


@dataclass(frozen=True)
class OwnResult:
    """How a candidate's own result stands.

    Parameters
    ----------
    earlier
        Numbers of the results that were shown before the one that stands.
    corrected_at
        When the one that stands was made, while the candidate has not said to have read of it.
    withdrawn_at, category
        When and for what kind of reason it was invalidated; None where it was not.
    appeal_until
        None where the site takes no appeals.
    """

    sitting_id: str
    title: dict[str, str]
    finished_at: int
    state: str
    number: int
    earlier: tuple[int, ...]
    corrected_at: int | None
    withdrawn_at: int | None
    category: str | None
    rules: ResultRules
    appeals: tuple[AppealLine, ...]
    appeal_until: int | None
    now: int

    @property
    def is_released(self) -> bool:
        """Whether it may be read."""
        return self.state == RELEASED

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was invalidated."""
        return self.state == INVALIDATED

    @property
    def may_appeal(self) -> bool:
        """Whether an appeal can be opened now."""
        in_time = self.appeal_until is not None and self.now <= self.appeal_until
        return in_time and not any(one.is_open for one in self.appeals)


def own_result(db: Database, candidate: CandidateSession, sitting_id: str) -> OwnResult | None:
    """Return how a candidate's own result stands; None while the sitting runs.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.read() as session:
        sitting = own_sitting(session, candidate, sitting_id)
        outcome = session.get(Outcome, sitting_id)
        return None if outcome is None else _own(db, session, sitting, outcome)


def _own(db: Database, session: Session, sitting: Sitting, outcome: Outcome) -> OwnResult:
    plan, done = load_version(db, sitting.exam_version_id).plan, done_on(session, sitting.id)
    shown = shown_results(first_state(plan.results), done)
    earlier = tuple(number for number in shown if number < outcome.result_number)
    gone = _last(done, Act.INVALIDATED) if outcome.state == INVALIDATED else None
    amended = _last(done, Act.AMENDED)
    is_news = bool(earlier) and (outcome.seen_number or 0) < outcome.result_number
    return OwnResult(
        sitting_id=sitting.id,
        title=plan.title,
        finished_at=outcome.finished_at,
        state=outcome.state,
        number=outcome.result_number,
        earlier=earlier,
        corrected_at=amended.at if amended and is_news else None,
        withdrawn_at=gone.at if gone else None,
        category=gone.category if gone else None,
        rules=plan.results,
        appeals=appeals_of(session, sitting.id),
        appeal_until=appeal_until(plan.results, outcome.state, done, outcome.released_at),
        now=db.now(session),
    )


def _last(done: tuple[Done, ...], act: Act) -> Done | None:
    return next((one for one in reversed(done) if one.act is act), None)


def has_read(db: Database, candidate: CandidateSession, sitting_id: str, number: int) -> None:
    """Note that a candidate has read that the result was corrected; it only goes up.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.write() as session:
        own_sitting(session, candidate, sitting_id, lock=True)
        outcome = session.get(Outcome, sitting_id)
        if outcome is None or outcome.state != RELEASED:
            return
        newest = min(number, outcome.result_number)
        outcome.seen_number = max(outcome.seen_number or 0, newest)
