"""Results to decide on, in lists: what awaits a person's signature, and every state.

Lists read the outcomes' copies and count acts; no result is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.decided import Act, done_on
from item_bank.exams.designs import load_version
from item_bank.exams.outcomes import AWAITING, STATES
from item_bank.exams.result_rules import SIGNED
from item_bank.exams.reviews import PER_PAGE, conditions, joined
from item_bank.results.decisions import Refusal, Standing, refusal
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.outcomes import Decision, Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.sittings import Result, Sitting

MINE = "mine"
TABS = (MINE, *STATES)


@dataclass(frozen=True)
class QueuedResult:
    """A result in a list; ``refusal`` says why whoever looks cannot sign it."""

    standing: Standing
    candidate_name: str
    roster_id: str
    exam_code: str
    simulated: bool
    finished_at: int
    score: float | None
    score_se: float | None
    level_name: dict[str, str] | None
    passed: bool | None
    refusal: Refusal | None

    @property
    def sitting_id(self) -> str:
        """Whose result it is."""
        return self.standing.sitting_id


@dataclass(frozen=True)
class Queue:
    """One page of a list, and how long it is."""

    rows: tuple[QueuedResult, ...]
    total: int
    page: int
    pages: int


def queue(
    db: Database,
    actor: Actor,
    tab: str,
    *,
    text: str = "",
    exam: str = "",
    page: int = 1,
) -> Queue:
    """Return a page of results, those that ended first first where they wait, else the newest.

    Parameters
    ----------
    tab
        One of `TABS`; ``mine`` are those that await this actor's signature.
    """
    wanted = _conditions(actor, tab, text, exam)
    with db.read() as session:
        total = session.scalar(_from(select(func.count())).where(*wanted)) or 0
        pages = max(-(-total // PER_PAGE), 1)
        page = min(max(page, 1), pages)
        order = Outcome.finished_at.asc() if _waits(tab) else Outcome.finished_at.desc()
        ids = session.scalars(
            _from(select(Outcome.sitting_id))
            .where(*wanted)
            .order_by(order, Outcome.sitting_id)
            .offset((page - 1) * PER_PAGE)
            .limit(PER_PAGE)
        ).all()
        return Queue(tuple(_rows(db, session, actor, ids)), total, page, pages)


def queued(db: Database, actor: Actor, ids: Sequence[str]) -> list[QueuedResult]:
    """Return chosen results in their order, without those of other organisations."""
    with db.read() as session:
        return _rows(db, session, actor, ids)


def all_awaiting(db: Database, actor: Actor, exam: str) -> list[str]:
    """Return the sittings of an exam whose results await signatures, the oldest first."""
    with db.read() as session:
        wanted = _conditions(actor, AWAITING, "", exam)
        ids = _from(select(Outcome.sitting_id)).where(*wanted)
        return list(session.scalars(ids.order_by(Outcome.finished_at, Outcome.sitting_id)))


def counts(db: Database, actor: Actor) -> dict[str, int]:
    """Count the results of each tab."""
    with db.read() as session:
        by_state = dict(
            session.execute(
                select(Outcome.state, func.count())
                .where(Outcome.organisation_id == actor.organisation_id)
                .group_by(Outcome.state)
            ).all()
        )
        mine = _from(select(func.count())).where(*_conditions(actor, MINE, "", ""))
        return {
            MINE: session.scalar(mine) or 0,
            **{state: by_state.get(state, 0) for state in STATES},
        }


def _waits(tab: str) -> bool:
    return tab in {MINE, AWAITING}


def _from(statement: Select[Any]) -> Select[Any]:
    return joined(statement).join(Outcome, Outcome.sitting_id == Sitting.id)


def _conditions(actor: Actor, tab: str, text: str, exam: str) -> list[ColumnElement[bool]]:
    wanted = conditions(actor.organisation_id, exam or None, None, text)
    wanted.append(Outcome.state == (AWAITING if tab == MINE else tab))
    if tab == MINE:
        signed = exists().where(
            Decision.sitting_id == Outcome.sitting_id,
            Decision.act == str(Act.SIGNED),
            Decision.result_number == Outcome.result_number,
            Decision.account_id == actor.id,
        )
        wanted.append(~signed)
    return wanted


def _rows(db: Database, session: Session, actor: Actor, ids: Sequence[str]) -> list[QueuedResult]:
    found = session.execute(
        select(Outcome, Result.content_hash, Exam.code, CandidateDetails)
        .join(Exam, Exam.id == Outcome.exam_id)
        .join(
            Result,
            (Result.sitting_id == Outcome.sitting_id) & (Result.number == Outcome.result_number),
        )
        .outerjoin(CandidateDetails, CandidateDetails.candidate_id == Outcome.candidate_id)
        .where(Outcome.sitting_id.in_(ids), Outcome.organisation_id == actor.organisation_id)
    )
    rows: Mapping[str, Any] = {row[0].sitting_id: row for row in found}
    return [_row(db, session, actor, rows[one]) for one in ids if one in rows]


def _row(db: Database, session: Session, actor: Actor, found: Any) -> QueuedResult:
    outcome, digest, exam_code, details = found
    plan = load_version(db, outcome.exam_version_id).plan
    rules = plan.results
    stands = Standing(
        outcome.sitting_id,
        outcome.state,
        outcome.result_number,
        digest,
        rules.signatures if rules.release == SIGNED else 0,
        done_on(session, outcome.sitting_id),
    )
    names = {level.code: level.name for level in plan.levels}
    return QueuedResult(
        standing=stands,
        candidate_name=details.name if details else "(erased)",
        roster_id=details.roster_id if details else "",
        exam_code=exam_code,
        simulated=outcome.simulated,
        finished_at=outcome.finished_at,
        score=outcome.score,
        score_se=outcome.score_se,
        level_name=dict(names[outcome.level]) if outcome.level in names else None,
        passed=outcome.passed,
        refusal=refusal(Act.SIGNED, stands, actor),
    )
