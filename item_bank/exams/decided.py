"""Acts on a result: what they make of it, and how one is kept in its row and in both chains.

The first part is pure. Called where a sitting ends (`steps`) and by `item_bank/results`, which
decides who may do what; read by the audit and by the candidate's pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.outcomes import AWAITING, HELD, INVALIDATED, RELEASED
from item_bank.exams.result_rules import AT_ONCE, ResultRules
from item_bank.store.audit import append_site_event, append_sitting_event
from item_bank.store.tables.base import new_id
from item_bank.store.tables.outcomes import Decision
from item_bank.store.tables.sittings import Result, Sitting, SittingMessage


class Act(StrEnum):
    """What is done to a result."""

    SIGNED = "signed"
    RELEASED = "released"
    HELD = "held"
    INVALIDATED = "invalidated"
    REINSTATED = "reinstated"
    AMENDED = "amended"


KINDS: Mapping[Act, str] = {
    Act.SIGNED: records.RESULT_SIGNED,
    Act.RELEASED: records.RESULT_RELEASED,
    Act.HELD: records.RESULT_HELD,
    Act.INVALIDATED: records.RESULT_INVALIDATED,
    Act.REINSTATED: records.RESULT_REINSTATED,
    Act.AMENDED: records.RESULT_AMENDED,
}
_LEADS_TO = {Act.RELEASED: RELEASED, Act.HELD: HELD, Act.INVALIDATED: INVALIDATED}


@dataclass(frozen=True)
class Done:
    """An act that was done.

    Parameters
    ----------
    number
        Counts the acts on the result of one sitting.
    result
        The number of the result that it was done on; for an amendment, of the one that stands now.
    by
        An account's role, the command line, the exam's rule, or a correction.
    """

    id: str
    number: int
    act: Act
    result: int
    account: str | None
    by: str
    at: int
    category: str | None = None


def first_state(rules: ResultRules) -> str:
    """Return what a result is when its sitting ends."""
    return RELEASED if rules.release == AT_ONCE else AWAITING


def state_after(first: str, acts: Iterable[Act]) -> str:
    """Return what a result is after some acts; reinstated is what it was before."""
    return _states(first, acts)[-1]


def _states(first: str, acts: Iterable[Act]) -> list[str]:
    """Return the state at first and after each act."""
    states, before = [first], first
    for act in acts:
        if act is Act.INVALIDATED:
            before = states[-1]
        back = before if act is Act.REINSTATED else states[-1]
        states.append(_LEADS_TO.get(act, back))
    return states


def shown_results(first: str, done: Sequence[Done]) -> tuple[int, ...]:
    """Return the numbers of the results that the candidate could see at some time, in order."""
    states = _states(first, (one.act for one in done))
    numbers = [1, *(one.result for one in done)]
    seen = [n for n, state in zip(numbers, states, strict=True) if state == RELEASED]
    return tuple(sorted(set(seen)))


def signers(done: Iterable[Done], result: int) -> tuple[str, ...]:
    """Return the accounts that signed a result, the first one first."""
    own = [one for one in done if one.act is Act.SIGNED and one.result == result]
    return tuple(one.account for one in own if one.account)


# --- kept ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class By:
    """Who acts: an account or none, and as what."""

    account: str | None
    role: str

    @property
    def chained(self) -> str:
        """What the chains say of who it was."""
        return self.account or self.role


@dataclass(frozen=True)
class Because:
    """Why: a typed text, which stands beside the chain, and its kind where there is one."""

    note: SittingMessage | None = None
    category: str | None = None


NO_REASON = Because()
EXAM_RULE = By(None, "exam rule")
"""The exam releases its results by itself."""


def done_on(session: Session, sitting_id: str) -> tuple[Done, ...]:
    """Return all that was done on the result of a sitting, in order."""
    rows = select(Decision).where(Decision.sitting_id == sitting_id).order_by(Decision.number)
    return tuple(as_done(row) for row in session.scalars(rows))


def as_done(row: Decision) -> Done:
    """Return a decision without its row."""
    act = Act(row.act)
    return Done(
        row.id, row.number, act, row.result_number, row.account_id, row.by, row.at, row.category
    )


def release_by_rule(session: Session, sitting: Sitting, result: Result, at: int) -> None:
    """Record that the exam's rule released the result of a sitting that has just ended."""
    keep_act(session, sitting, Act.RELEASED, result, EXAM_RULE, at)


def keep_act(
    session: Session,
    sitting: Sitting,
    act: Act,
    result: Result,
    who: By,
    at: int,
    why: Because = NO_REASON,
) -> Decision:
    """Keep an act on a result: its row, a link of the sitting's chain, and one of the site's.

    What the exam's rule does is sealed with its sitting and has no link of the site's chain. The
    caller holds the lock of the sitting; of two who act at once, the row's number refuses one.
    """
    note = records.note_payload(why.note) if why.note else {}
    row = Decision(
        id=new_id(),
        organisation_id=sitting.organisation_id,
        sitting_id=sitting.id,
        number=_next_number(session, sitting.id),
        result_number=result.number,
        act=str(act),
        category=why.category,
        account_id=who.account,
        by=who.role,
        commitment=note.get("commitment", ""),
        at=at,
    )
    session.add_all([row, why.note] if why.note else [row])
    said = {"result": result.number, "hash": result.content_hash}
    chained = {"decision": row.id, "digest": records.row_digest(row), **said}
    chained |= ({"reason": note} if note else {}) | (
        {"category": why.category} if why.category else {}
    )
    log_act(session, sitting, KINDS[act], chained, said, who, at)
    return row


def log_act(
    session: Session,
    sitting: Sitting,
    kind: str,
    chained: Mapping[str, Any],
    said: Mapping[str, Any],
    who: By,
    at: int,
) -> None:
    """Append a link to the sitting's chain, and one that names its new head to the site's.

    Parameters
    ----------
    chained, said
        What the sitting's chain and the site's chain say of the act, beside who did it.
    """
    append_sitting_event(session, sitting, kind, {**chained, "by": who.chained}, at)
    if who == EXAM_RULE:
        return
    about = {
        "sitting": sitting.id,
        **said,
        "by": who.chained,
        "role": who.role,
        "length": sitting.chain_length,
        "head": sitting.chain_head,
    }
    append_site_event(session, kind, about, at, sitting.organisation_id)


def _next_number(session: Session, sitting_id: str) -> int:
    newest = select(func.max(Decision.number)).where(Decision.sitting_id == sitting_id)
    return (session.scalar(newest) or 0) + 1


def numbered_results(session: Session, sitting_id: str) -> Iterator[Result]:
    """Yield the results of a sitting, the first one first."""
    yield from session.scalars(
        select(Result).where(Result.sitting_id == sitting_id).order_by(Result.number)
    )
