"""Everything that a report of a result says: the result that stands, and what its exam rules.

Read by pages and documents alike, so that the two cannot differ. Looking never writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.decided import done_on, first_state, shown_results
from item_bank.exams.delivery_rules import DeliveryRules
from item_bank.exams.designs import load_version, shared_parameters
from item_bank.exams.errors import NotFound
from item_bank.exams.outcomes import RELEASED
from item_bank.exams.result_rules import ResultRules
from item_bank.exams.results import may_see
from item_bank.exams.signing_in import CandidateSession
from item_bank.results.appeals import appeal_until
from item_bank.results.checking import valid_until
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Result, Sitting


@dataclass(frozen=True)
class Superseded:
    """A result of the same sitting that the one in force took the place of."""

    number: int
    at: int
    score: float | None
    level: dict[str, Any] | None


@dataclass(frozen=True)
class ReportFacts:
    """What a report is written from.

    Parameters
    ----------
    result
        The canonical result that stands.
    made_at
        When that result was made, in microseconds of the site clock.
    superseded
        The results before it that the candidate could see, the last one first.
    notices
        What candidates are told of the corrections that came since, each by language.
    appeal_until
        Until when the candidate may appeal on the site; None where that is not offered.
    valid_until
        When a pass ends; None without a pass, without an end, or of a result that stands no more.
    attempts
        How many attempts the candidate was given; None once the registration is gone.
    name, roster_id, language
        The candidate's, None once erased; the language may be unknown before that.
    parameters
        Whether the languages of the exam share their parameters.
    """

    result: dict[str, Any]
    made_at: int
    superseded: tuple[Superseded, ...]
    notices: tuple[dict[str, str], ...]
    state: str
    verification: str
    released_at: int | None
    appeal_until: int | None
    valid_until: int | None
    attempt: int
    attempts: int | None
    name: str | None
    roster_id: str | None
    language: str | None
    rules: ResultRules
    delivery: DeliveryRules
    parameters: str

    @property
    def released(self) -> bool:
        """Whether the candidate may see the result."""
        return self.state == RELEASED


def report_facts(
    db: Database,
    sitting_id: str,
    *,
    candidate: CandidateSession | None = None,
    organisation_id: str | None = None,
    number: int | None = None,
) -> ReportFacts | None:
    """Return what a report of a sitting is written from, or None while the sitting runs.

    Parameters
    ----------
    number
        Of an earlier result; None for the one that stands.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's or organisation's; or when it has no
        such result.
    """
    with db.read() as session:
        sitting = session.get(Sitting, sitting_id)
        if sitting is None or not may_see(sitting, candidate, organisation_id):
            raise NotFound
        return _facts(db, session, sitting, number)


def _facts(
    db: Database, session: Session, sitting: Sitting, number: int | None
) -> ReportFacts | None:
    outcome = session.get(Outcome, sitting.id)
    if outcome is None:
        return None
    newest = outcome.result_number if number is None else number
    if not 0 < newest <= outcome.result_number:
        raise NotFound
    made = session.scalars(
        select(Result)
        .where(Result.sitting_id == sitting.id, Result.number <= newest)
        .order_by(Result.number.desc())
    ).all()
    version = load_version(db, sitting.exam_version_id)
    rules, done = version.plan.results, done_on(session, sitting.id)
    seen, stands = shown_results(first_state(rules), done), newest == outcome.result_number
    before = [row for row in made[1:] if row.number in seen]
    details = session.get(CandidateDetails, sitting.candidate_id)
    return ReportFacts(
        result=made[0].content,
        made_at=made[0].created_at,
        superseded=tuple(_superseded(before)),
        notices=tuple(_notices(session, made[0], before)),
        state=outcome.state,
        verification=outcome.verification,
        released_at=outcome.released_at,
        appeal_until=appeal_until(rules, outcome.state, done, outcome.released_at),
        valid_until=valid_until(outcome, rules.valid_months) if stands else None,
        attempt=outcome.attempt,
        attempts=_attempts(session, sitting),
        name=details.name if details else None,
        roster_id=details.roster_id if details else None,
        language=details.language if details else None,
        rules=rules,
        delivery=version.plan.delivery,
        parameters=shared_parameters(db, version),
    )


def _superseded(made: Sequence[Result]) -> Iterator[Superseded]:
    for row in made:
        yield Superseded(row.number, row.created_at, row.score, row.content["level"])


def _notices(session: Session, made: Result, before: Sequence[Result]) -> Iterator[dict[str, str]]:
    """Yield what candidates are told of the corrections that they have not seen at work yet."""
    known = _corrections(before[0].content) if before else []
    for identity in _corrections(made.content):
        row = session.get(Correction, identity)
        if identity not in known and row is not None:
            yield row.notice


def _corrections(content: dict[str, Any]) -> list[str]:
    return [one["id"] for one in content.get("corrections", ())]


def _attempts(session: Session, sitting: Sitting) -> int | None:
    return session.scalar(
        select(Registration.attempts_allowed).where(
            Registration.exam_id == sitting.exam_id,
            Registration.candidate_id == sitting.candidate_id,
        )
    )


@dataclass(frozen=True)
class Wanted:
    """Which released results of an exam are meant.

    Parameters
    ----------
    since, until
        Ended from then on, and before then; microseconds, None for no limit.
    level
        The code of a level; empty for all.
    """

    exam_code: str
    since: int | None = None
    until: int | None = None
    level: str = ""


def released_sittings(db: Database, organisation_id: str, wanted: Wanted) -> list[str]:
    """Return the sittings of an exam whose results are released, in the order of their end."""
    conditions = [
        Outcome.organisation_id == organisation_id,
        Outcome.state == RELEASED,
        Exam.organisation_id == organisation_id,
        Exam.code == wanted.exam_code,
    ]
    if wanted.since is not None:
        conditions.append(Outcome.finished_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Outcome.finished_at < wanted.until)
    if wanted.level:
        conditions.append(Outcome.level == wanted.level)
    with db.read() as session:
        found = session.scalars(
            select(Outcome.sitting_id)
            .join(Exam, Exam.id == Outcome.exam_id)
            .where(*conditions)
            .order_by(Outcome.finished_at, Outcome.sitting_id)
        )
        return list(found)


def released_levels(db: Database, organisation_id: str, exam_code: str) -> list[str]:
    """Return the codes of the levels that released results of an exam have."""
    with db.read() as session:
        found = session.scalars(
            select(Outcome.level)
            .join(Exam, Exam.id == Outcome.exam_id)
            .where(
                Outcome.organisation_id == organisation_id,
                Outcome.state == RELEASED,
                Exam.code == exam_code,
                Outcome.level.is_not(None),
            )
            .distinct()
            .order_by(Outcome.level)
        )
        return [code for code in found if code is not None]
