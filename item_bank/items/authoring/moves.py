"""Moving items through their life cycle, and what people say of them: sign-offs and comments.

Called by `tarozu bank` and the pages of the staff.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo, InputError
from item_bank.items.authoring.records import (
    keep_comment,
    keep_move,
    keep_sign_off,
    note_move,
)
from item_bank.items.authoring.standings import Placed, standings
from item_bank.items.items import check_hold_reason, item_to_change, lift_holds, place_hold
from item_bank.items.life_cycle import (
    BANK_KEEPERS,
    OPERATOR,
    READERS,
    Actor,
    MayNot,
    Standing,
    State,
    check_move,
    check_sign_off,
)
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank, Item

MAX_REASON, MAX_COMMENT = 1000, 4000


def move_item(
    db: Database,
    bank_code: str,
    code: str,
    to: State,
    actor: Actor,
    reason: str = "",
    *,
    organisation_id: str,
    compromised: bool = False,
) -> Standing:
    """Move an item to another state and return where it stands then.

    Parameters
    ----------
    compromised
        Of a hold: whether the item is known outside, as `hold_item` says.

    Raises
    ------
    AnswerIsNo
        When there is no such way from where it is, or it lacks something; `MayNot` when the
        actor's role may not make the move. The message names what.
    InputError
        When there is no such item, or the reason is too long.
    """
    if len(reason) > MAX_REASON:
        expected = f"a reason of at most {MAX_REASON} characters"
        raise InputError(expected, f"{len(reason)}", column="--reason")
    if to == State.HELD:
        check_hold_reason(reason)
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        placed = _placed(session, bank, item)
        check_move(placed.standing, to, actor.role, reason)
        if to == State.HELD:
            place_hold(session, bank, item, reason, now, actor.id, compromised=compromised)
        _move(session, bank, placed, to, actor, reason, now)
        session.flush()
        return _placed(session, bank, item).standing


def _move(
    session: Session, bank: Bank, placed: Placed, to: State, actor: Actor, reason: str, now: int
) -> None:
    item, standing = placed.item, placed.standing
    if to == State.HELD:
        note_move(session, bank, item, item.status, to, actor, reason, now)
    elif standing.held and to == standing.state:
        lift_holds(session, bank, item, now, actor.id)
        note_move(session, bank, item, State.HELD, to, actor, reason, now)
    else:
        keep_move(session, bank, item, to, actor, reason, now)


def lift_hold(
    db: Database, bank_code: str, code: str, actor: Actor, *, organisation_id: str
) -> Standing:
    """Let an item go on where it was when it was held.

    Raises
    ------
    AnswerIsNo
        When it is not held, or the actor may not.
    """
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        placed = _placed(session, bank, item)
        if not placed.standing.held:
            raise AnswerIsNo(f"item {code} is not held")
        check_lift(placed.standing, actor)
        lift_holds(session, bank, item, now, actor.id)
        note_move(session, bank, item, State.HELD, item.status, actor, "", now)
        session.flush()
        return _placed(session, bank, item).standing


def check_lift(standing: Standing, actor: Actor) -> None:
    """Refuse who may not lift a hold; a retired item's is lifted by the same."""
    if standing.state != State.RETIRED:
        check_move(standing, standing.state, actor.role, "")
    elif actor.role not in BANK_KEEPERS | {OPERATOR}:
        raise MayNot(f"item {standing.code}: only an administrator or psychometrician may")


def sign_off(
    db: Database,
    bank_code: str,
    code: str,
    language: str,
    actor: Actor,
    *,
    organisation_id: str,
    seen: str | None = None,
) -> Standing:
    """Keep a person's sign-off of an item's newest revision: "" for its review, or a language.

    Parameters
    ----------
    seen
        Content hash of the revision that the person read; another one is refused.

    Raises
    ------
    AnswerIsNo
        When there is nothing to sign off, it is done, or the text changed since it was read;
        `MayNot` when it is not this person's to do.
    """
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        placed = _placed(session, bank, item)
        revision = placed.revision
        check_sign_off(placed.standing, language, actor)
        if seen is not None and seen != revision.content_hash:
            raise AnswerIsNo(f"item {code} was edited meanwhile: read its newest revision first")
        keep_sign_off(session, bank, item, revision.id, revision.content_hash, language, actor, now)
        session.flush()
        return _placed(session, bank, item).standing


def comment_on(
    db: Database,
    bank_code: str,
    code: str,
    language: str,
    actor: Actor,
    text: str,
    *,
    organisation_id: str,
) -> None:
    """Keep a remark on an item's newest revision.

    Raises
    ------
    InputError
        When it is blank or too long.
    MayNot
        When the actor is nobody with an account that works on items.
    """
    if not 0 < len(text.strip()) <= MAX_COMMENT:
        expected = f"a comment of 1 to {MAX_COMMENT} characters"
        raise InputError(expected, f"{len(text.strip())}")
    if actor.id is None or actor.role not in READERS:
        raise MayNot("a comment is a person's, with an account of the staff")
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        revision = _placed(session, bank, item).revision
        keep_comment(session, bank, item, revision.id, language, actor, text, now)


def _placed(session: Session, bank: Bank, item: Item) -> Placed:
    return standings(session, bank, item)[0]
