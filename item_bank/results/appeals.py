"""Appeals: a candidate objects to a result, an examiner answers.

An appeal's text and its answer stand in its row under salts; both chains hold commitments. Staff
may open one on behalf of a candidate who wrote a letter. Called by pages; `appeal_lists` reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.actors import ADMINISTRATOR, COMMAND_LINE, Actor
from item_bank.exams.decided import Act, By, Done, done_on, log_act
from item_bank.exams.designs import load_version
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.outcomes import INVALIDATED, RELEASED
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.result_rules import ResultRules
from item_bank.exams.signing_in import CandidateSession
from item_bank.results.deciding import (
    Deciding,
    check_category,
    found,
    invalidate_in,
    reinstate_in,
    standing_in,
)
from item_bank.results.decisions import DECIDERS, EXAMINER
from item_bank.store.clock import DAY
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.outcomes import Appeal, Outcome
from item_bank.store.tables.sittings import Sitting

OPEN, UPHELD, DISMISSED, WITHDRAWN = "open", "upheld", "dismissed", "withdrawn"
MAX_TEXT = 4000
OPENERS = frozenset({EXAMINER, ADMINISTRATOR, COMMAND_LINE})
BY_CANDIDATE = By(None, "candidate")
AFTERWARDS = ("", "invalidate", "reinstate")
"""What upholding an appeal does to the result at once."""


@dataclass(frozen=True)
class Answer:
    """An examiner's answer.

    Parameters
    ----------
    upheld
        Whether the candidate is right.
    text
        What the candidate reads.
    correction
        The number of the correction that puts it right; None without one.
    then
        One of `AFTERWARDS`; only when it is upheld.
    category
        Of the reason, to invalidate.
    """

    upheld: bool
    text: str
    correction: int | None = None
    then: str = ""
    category: str = "other"


def appeal_until(
    rules: ResultRules, state: str, done: Sequence[Done], released_at: int | None
) -> int | None:
    """Return until when a candidate may appeal; None where the result cannot be appealed.

    Counted from the newest of what the candidate was shown: the release, an amended result, or the
    invalidation.
    """
    if rules.appeal_days == 0 or state not in {RELEASED, INVALIDATED}:
        return None
    told = [one.at for one in done if one.act in {Act.AMENDED, Act.INVALIDATED, Act.REINSTATED}]
    newest = max([*told, released_at or 0])
    return newest + rules.appeal_days * DAY


def open_appeal(db: Database, candidate: CandidateSession, sitting_id: str, text: str) -> str:
    """Let a candidate object to the own result, and return the appeal's id.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    NotAllowed
        When the time for it is over, one is open already, or the text is blank or too long.
    """
    _check_text(text)
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        outcome = session.get(Outcome, sitting_id)
        if outcome is None:
            raise NotFound
        rules, now = load_version(db, sitting.exam_version_id).plan.results, db.now(session)
        done = done_on(session, sitting_id)
        until = appeal_until(rules, outcome.state, done, outcome.released_at)
        if until is None or now > until:
            raise NotAllowed("the time to appeal against this result is over")
        return _open(session, sitting, outcome, text, BY_CANDIDATE, now)


def open_on_behalf(db: Database, actor: Actor, sitting_id: str, text: str) -> str:
    """Open an appeal that came by another way, whenever it came; return its id.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        For other roles; before the result was shown; when one is open; for a bad text.
    """
    if actor.role not in OPENERS:
        raise NotAllowed("only examiners and administrators open appeals")
    _check_text(text)
    with db.write() as session:
        sitting, outcome = found(session, actor, sitting_id)
        if outcome.state not in {RELEASED, INVALIDATED}:
            raise NotAllowed("the candidate has not been shown a result")
        who = By(actor.id, actor.role)
        return _open(session, sitting, outcome, text, who, db.now(session))


def _check_text(text: str) -> None:
    if not 0 < len(text.strip()) <= MAX_TEXT:
        raise NotAllowed(f"an appeal and its answer have 1 to {MAX_TEXT} characters each")


def open_one(session: Session, sitting_id: str) -> Appeal | None:
    """Return the open appeal of a sitting."""
    here = Appeal.sitting_id == sitting_id, Appeal.status == OPEN
    return session.scalars(select(Appeal).where(*here)).first()


def _open(
    session: Session, sitting: Sitting, outcome: Outcome, text: str, who: By, now: int
) -> str:
    if open_one(session, sitting.id) is not None:
        raise NotAllowed("an appeal against this result is open already")
    row = Appeal(
        id=new_id(),
        organisation_id=sitting.organisation_id,
        sitting_id=sitting.id,
        result_number=outcome.result_number,
        opened_by=who.account,
        opened_at=now,
        status=OPEN,
        text=text.strip(),
        salt=secrets.token_hex(16),
    )
    session.add(row)
    said = {"appeal": row.id, "result": row.result_number}
    chained = said | {"commitment": records.commitment(row.salt, row.text)}
    log_act(session, sitting, records.APPEAL_OPENED, chained, said, who, now)
    return row.id


def withdraw(db: Database, candidate: CandidateSession, sitting_id: str) -> None:
    """Let a candidate take the open appeal back.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    NotAllowed
        When no appeal is open.
    """
    with db.write() as session:
        sitting = own_sitting(session, candidate, sitting_id, lock=True)
        row, now = open_one(session, sitting_id), db.now(session)
        if row is None:
            raise NotAllowed("no appeal against this result is open")
        row.status, row.decided_at = WITHDRAWN, now
        said = {"appeal": row.id}
        log_act(session, sitting, records.APPEAL_WITHDRAWN, said, said, BY_CANDIDATE, now)


def answer_appeal(db: Database, actor: Actor, appeal_id: str, answer: Answer) -> str:
    """Answer an open appeal, and return the id of its sitting.

    Raises
    ------
    NotFound
        When there is no such appeal, or it is another organisation's.
    NotAllowed
        For other roles; when it has been answered; for a bad text or an unknown correction; or when
        what upholding asks for is not possible.
    """
    _check_answer(actor, answer)
    with db.write() as session:
        row = session.get(Appeal, appeal_id, with_for_update=True)
        if row is None or row.organisation_id != actor.organisation_id:
            raise NotFound
        if row.status != OPEN:
            raise NotAllowed("this appeal has been answered, or was withdrawn")
        sitting, outcome = found(session, actor, row.sitting_id)
        now = db.now(session)
        _keep_answer(session, sitting, row, actor, answer, now)
        if answer.then:
            stands = standing_in(session, db, outcome)
            rules = load_version(db, sitting.exam_version_id).plan.results
            _act(Deciding(session, sitting, outcome, stands, now, actor), answer, rules)
        return sitting.id


def _check_answer(actor: Actor, answer: Answer) -> None:
    if actor.role not in DECIDERS:
        raise NotAllowed("only an examiner answers appeals")
    _check_text(answer.text)
    if answer.then not in AFTERWARDS or (answer.then and not answer.upheld):
        raise NotAllowed("only an appeal that is upheld changes the result")
    check_category(answer.category)


def _keep_answer(
    session: Session, sitting: Sitting, row: Appeal, actor: Actor, answer: Answer, now: int
) -> None:
    row.status = UPHELD if answer.upheld else DISMISSED
    row.answer, row.answer_salt = answer.text.strip(), secrets.token_hex(16)
    row.decided_by, row.decided_at = actor.id, now
    row.correction_id = _correction(session, actor, answer)
    said = {"appeal": row.id, "status": row.status, "correction": row.correction_id}
    chained = said | {"commitment": records.commitment(row.answer_salt, row.answer)}
    who = By(actor.id, actor.role)
    log_act(session, sitting, records.APPEAL_ANSWERED, chained, said, who, now)


def _correction(session: Session, actor: Actor, answer: Answer) -> str | None:
    if answer.correction is None:
        return None
    found_id = session.scalar(
        select(Correction.id).where(
            Correction.organisation_id == actor.organisation_id,
            Correction.number == answer.correction,
        )
    )
    if found_id is None or not answer.upheld:
        raise NotAllowed(f"there is no correction {answer.correction} for an upheld appeal")
    return found_id


def _act(one: Deciding, answer: Answer, rules: ResultRules) -> None:
    """Do to the result what upholding asks for."""
    one.session.flush()
    reason = answer.text.strip()[:1000]
    if answer.then == "invalidate":
        invalidate_in(one, answer.category, reason)
    else:
        reinstate_in(one, rules, reason)
