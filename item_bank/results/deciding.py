"""Deciding on results: sign, release, hold, invalidate, reinstate, and letting another one stand.

Each act is one short transaction that locks the sitting, asks `decisions` whether it is possible,
and keeps it in a row, in the sitting's chain and in the site's. ``seen`` is the stamp of what the
person looked at: of two who decide at once, the second one looks again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.actors import Actor
from item_bank.exams.decided import (
    KINDS,
    Act,
    Because,
    By,
    done_on,
    first_state,
    keep_act,
    state_after,
)
from item_bank.exams.designs import load_version
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.outcomes import INVALIDATED, RELEASED, copied
from item_bank.exams.result_rules import SIGNED, ResultRules
from item_bank.exams.results import result_row
from item_bank.results.decisions import (
    CATEGORIES,
    Refusal,
    Refused,
    Standing,
    is_last_signature,
    refusal,
)
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Result, Sitting

MAX_REASON = 1000
FINISHED = "finished"


def standing_in(session: Session, db: Database, outcome: Outcome) -> Standing:
    """Return how a result stands, within a transaction."""
    result = session.get_one(Result, (outcome.sitting_id, outcome.result_number))
    rules = load_version(db, outcome.exam_version_id).plan.results
    return Standing(
        outcome.sitting_id,
        outcome.state,
        result.number,
        result.content_hash,
        rules.signatures if rules.release == SIGNED else 0,
        done_on(session, outcome.sitting_id),
    )


def standing(db: Database, actor: Actor, sitting_id: str) -> Standing:
    """Return how the result of a sitting stands.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    Refused
        While it runs.
    """
    with db.read() as session:
        _, outcome = found(session, actor, sitting_id, lock=False)
        return standing_in(session, db, outcome)


def found(
    session: Session, actor: Actor, sitting_id: str, *, lock: bool = True
) -> tuple[Sitting, Outcome]:
    """Load a sitting of the actor's organisation with its outcome.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    Refused
        While it runs.
    """
    sitting = session.get(Sitting, sitting_id, with_for_update=lock or None)
    if sitting is None or sitting.organisation_id != actor.organisation_id:
        raise NotFound
    outcome = session.get(Outcome, sitting_id)
    if outcome is None:
        raise Refused(Refusal.NO_RESULT)
    return sitting, outcome


@dataclass(frozen=True)
class Deciding:
    """A decision under way: the sitting is locked, and its result stands as was seen."""

    session: Session
    sitting: Sitting
    outcome: Outcome
    standing: Standing
    now: int
    actor: Actor

    def check(self, act: Act) -> None:
        """Refuse what is not possible now."""
        why = refusal(act, self.standing, self.actor)
        if why is not None:
            raise Refused(why)

    def keep(self, act: Act, reason: str = "", category: str | None = None) -> None:
        """Keep an act, and let the outcome say what it leads to."""
        note = None
        if reason.strip():
            account, text = self.actor.id, reason.strip()
            note = records.new_note(self.sitting, KINDS[act], text, self.now, account)
        result = self.session.get_one(Result, (self.sitting.id, self.standing.number))
        who = By(self.actor.id, self.actor.role)
        why = Because(note, category)
        keep_act(self.session, self.sitting, act, result, who, self.now, why)


@contextmanager
def deciding(
    db: Database, actor: Actor, sitting_id: str, seen: str | None = None
) -> Iterator[Deciding]:
    """Lock a sitting for a decision on its result.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    Refused
        While it runs, or when the result does not stand any more as it was seen.
    """
    with db.write() as session:
        sitting, outcome = found(session, actor, sitting_id)
        stands = standing_in(session, db, outcome)
        if seen not in {None, stands.stamp}:
            raise Refused(Refusal.MOVED_ON)
        yield Deciding(session, sitting, outcome, stands, db.now(session), actor)


def check_reason(reason: str, *, needed: bool = True) -> None:
    """Refuse a reason that is missing or too long."""
    if len(reason.strip()) > MAX_REASON or (needed and not reason.strip()):
        raise Refused(Refusal.REASON)


def sign(db: Database, actor: Actor, sitting_id: str, *, seen: str | None = None) -> str:
    """Sign the result that stands; the last signature releases it. Return its state.

    Raises
    ------
    NotFound, Refused
        As `deciding`; or when this account may not sign, or has signed.
    """
    with deciding(db, actor, sitting_id, seen) as one:
        one.check(Act.SIGNED)
        last = is_last_signature(one.standing)
        one.keep(Act.SIGNED)
        if last:
            _release(one, "")
        return one.outcome.state


def release(
    db: Database, actor: Actor, sitting_id: str, reason: str = "", *, seen: str | None = None
) -> None:
    """Let the candidate see a result that was held, once it has its signatures.

    Raises
    ------
    NotFound, Refused
        As `deciding`; or when it is released, invalidated, or lacks signatures.
    """
    check_reason(reason, needed=False)
    with deciding(db, actor, sitting_id, seen) as one:
        one.check(Act.RELEASED)
        _release(one, reason)


def _release(one: Deciding, reason: str) -> None:
    one.session.flush()  # so that the signature before it has its number
    one.keep(Act.RELEASED, reason)
    one.outcome.state, one.outcome.released_at = RELEASED, one.now


def hold(
    db: Database, actor: Actor, sitting_id: str, reason: str, *, seen: str | None = None
) -> None:
    """Hide a result from its candidate until it is released.

    Raises
    ------
    NotFound, Refused
        As `deciding`; or when it is held or invalidated, or without a reason.
    """
    check_reason(reason)
    with deciding(db, actor, sitting_id, seen) as one:
        one.check(Act.HELD)
        one.keep(Act.HELD, reason)
        one.outcome.state = str(Act.HELD)


def invalidate(
    db: Database,
    actor: Actor,
    sitting_id: str,
    category: str,
    reason: str,
    *,
    seen: str | None = None,
) -> None:
    """Withdraw a result: its sitting counts for nothing until it is reinstated.

    Parameters
    ----------
    category
        One of `CATEGORIES`, which the candidate is told; the reason is for the staff.

    Raises
    ------
    NotFound, Refused
        As `deciding`; or when it is invalidated already, or without a reason.
    """
    check_reason(reason)
    check_category(category)
    with deciding(db, actor, sitting_id, seen) as one:
        invalidate_in(one, category, reason)


def check_category(category: str) -> None:
    """Refuse what is no category of reasons."""
    if category not in CATEGORIES:
        raise NotAllowed(f"the kind of reason is one of {', '.join(CATEGORIES)}")


def invalidate_in(one: Deciding, category: str, reason: str) -> None:
    """Withdraw a result within a decision under way."""
    one.check(Act.INVALIDATED)
    one.keep(Act.INVALIDATED, reason, category)
    one.outcome.state = one.sitting.status = INVALIDATED


def reinstate(
    db: Database, actor: Actor, sitting_id: str, reason: str, *, seen: str | None = None
) -> None:
    """Take an invalidation back: the result is again what it was before.

    Raises
    ------
    NotFound, Refused
        As `deciding`; or when it is not invalidated, or without a reason.
    """
    check_reason(reason)
    with deciding(db, actor, sitting_id, seen) as one:
        reinstate_in(one, load_version(db, one.sitting.exam_version_id).plan.results, reason)


def reinstate_in(one: Deciding, rules: ResultRules, reason: str) -> None:
    """Take an invalidation back within a decision under way."""
    one.check(Act.REINSTATED)
    one.keep(Act.REINSTATED, reason)
    acts = [*(done.act for done in one.standing.done), Act.REINSTATED]
    one.outcome.state = state_after(first_state(rules), acts)
    one.sitting.status = FINISHED


def make_stand(
    session: Session,
    db: Database,
    sitting: Sitting,
    content: dict[str, Any],
    reason: str,
    *,
    actor: Actor,
    by: str,
) -> Result:
    """Let an amended result of a sitting stand, within the caller's transaction.

    The result is added under the next number; what was before it stays as it is. A released result
    stays released; one that awaits signatures or is held needs new ones.

    Parameters
    ----------
    content
        The whole result; its number is set here.
    reason
        At most 64 characters, such as "correction 7".
    by
        What the decision says of who it was, such as "correction 7"; the account is the actor's.

    Raises
    ------
    NotFound
        When the sitting is another organisation's, or has no result.
    """
    if sitting.organisation_id != actor.organisation_id:
        raise NotFound
    outcome = session.get(Outcome, sitting.id)
    if outcome is None:
        raise NotFound
    now = db.now(session)
    row = result_row(sitting, {**content, "number": outcome.result_number + 1}, reason, now)
    session.add(row)
    for name, value in copied(row.content).items():
        setattr(outcome, name, value)
    session.flush()
    keep_act(session, sitting, Act.AMENDED, row, By(actor.id, by), now)
    return row
