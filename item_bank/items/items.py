"""Items and their revisions: look-ups, and holds.

Called by the exams and by `tarozu bank`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo, InputError
from item_bank.items.imports import ImportReport, import_bank
from item_bank.items.releases import bank_by_code
from item_bank.store.audit import append_site_event
from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Bank, Item, ItemHold, ItemRevision

__all__ = [
    "ImportReport",
    "Revision",
    "held_codes",
    "hold_item",
    "import_bank",
    "item_by_code",
    "release_hold",
    "revision",
]


@dataclass(frozen=True)
class Revision:
    """An item revision without its text; the key never leaves the server."""

    id: str
    item_id: str
    code: str
    number: int
    type: str
    content_area: str
    key: Mapping[str, Any]
    about: Mapping[str, Any]


def revision(db: Database, revision_id: str) -> Revision:
    """Return a revision; the same object every time.

    Raises
    ------
    InputError
        When there is none with this id.
    """
    return once(db, ("revision", revision_id), lambda: _load_revision(db, revision_id))


def _load_revision(db: Database, revision_id: str) -> Revision:
    query = select(ItemRevision, Item.code).join(Item, Item.id == ItemRevision.item_id)
    with db.read() as session:
        found = session.execute(query.where(ItemRevision.id == revision_id)).one_or_none()
    if found is None:
        raise InputError("an item revision", "none with this id")
    row, code = found
    return Revision(
        row.id, row.item_id, code, row.number, row.type, row.content_area, row.key, row.about
    )


def item_by_code(session: Session, bank: Bank, code: str) -> Item:
    """Return an item of a bank; `InputError` when it has none of this code."""
    query = select(Item).where(Item.bank_id == bank.id, Item.code == code)
    item = session.scalars(query).one_or_none()
    if item is None:
        raise InputError(f"an item of bank {bank.code}", repr(code))
    return item


# --- holds -------------------------------------------------------------------------------------


def hold_item(
    db: Database,
    bank_code: str,
    code: str,
    reason: str,
    *,
    organisation_id: str,
    compromised: bool = False,
) -> None:
    """Take an item out of every running sitting at its next step.

    Parameters
    ----------
    compromised
        Whether it is known outside: then the answer of somebody who has it on screen does not
        count either.

    Raises
    ------
    AnswerIsNo
        When it is held already.
    InputError
        When there is no such item, or the reason is blank or longer than 200 characters.
    """
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        place_hold(session, bank, item, reason, now, compromised=compromised)


def release_hold(db: Database, bank_code: str, code: str, *, organisation_id: str) -> None:
    """Let an item be chosen again; `AnswerIsNo` when it is not held."""
    with db.write() as session:
        bank, item, now = item_to_change(db, session, bank_code, code, organisation_id)
        lift_holds(session, bank, item, now)


def place_hold(
    session: Session,
    bank: Bank,
    item: Item,
    reason: str,
    now: int,
    by: str | None = None,
    *,
    compromised: bool = False,
) -> None:
    """As `hold_item`, within the caller's transaction; ``by`` is an account."""
    check_hold_reason(reason)
    if _holds(session, item):
        raise AnswerIsNo(f"item {item.code} is held already")
    hold = ItemHold(id=new_id(), organisation_id=bank.organisation_id, item_id=item.id)
    hold.reason, hold.placed_at, hold.compromised = reason.strip(), now, compromised
    session.add(hold)
    # Typed text stays outside of the chain.
    payload: dict[str, object] = {"bank": bank.code, "item": item.code, "hold": hold.id, "by": by}
    payload["compromised"] = compromised
    append_site_event(session, "item_held", payload, now, bank.organisation_id)


def check_hold_reason(reason: str) -> None:
    """Refuse a reason that is blank or longer than 200 characters."""
    if not 0 < len(reason.strip()) <= 200:
        raise InputError("a reason of 1 to 200 characters", repr(reason[:40]), column="--reason")


def lift_holds(session: Session, bank: Bank, item: Item, now: int, by: str | None = None) -> None:
    """As `release_hold`, within the caller's transaction."""
    holds = _holds(session, item)
    if not holds:
        raise AnswerIsNo(f"item {item.code} is not held")
    for hold in holds:
        hold.lifted_at = now
    payload = {"bank": bank.code, "item": item.code, "by": by}
    append_site_event(session, "item_hold_lifted", payload, now, bank.organisation_id)


@dataclass(frozen=True)
class Holds:
    """Codes of the items of a bank that are held.

    Parameters
    ----------
    codes
        All of them: none may be chosen.
    compromised
        Those that are known outside: not even an answer to the one on screen counts.
    """

    codes: frozenset[str] = frozenset()
    compromised: frozenset[str] = frozenset()


_HELD = (
    select(Item.code, ItemHold.compromised)
    .join(ItemHold, ItemHold.item_id == Item.id)
    .where(Item.bank_id == bindparam("bank"), ItemHold.lifted_at.is_(None))
)


def holds_now(session: Session, bank_id: str) -> Holds:
    """Return the items of a bank that are held now."""
    session.flush()
    found = session.connection().execute(_HELD, {"bank": bank_id}).all()
    return Holds(
        frozenset(code for code, _ in found), frozenset(code for code, known in found if known)
    )


def held_codes(session: Session, bank_id: str) -> frozenset[str]:
    """Codes of the items of a bank that may not be chosen now."""
    return holds_now(session, bank_id).codes


def item_to_change(
    db: Database, session: Session, bank_code: str, code: str, organisation_id: str
) -> tuple[Bank, Item, int]:
    """Return an item with its bank, which is locked for the transaction, and the time."""
    bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
    session.get_one(Bank, bank.id, with_for_update=True)
    return bank, item_by_code(session, bank, code), db.now(session)


def _holds(session: Session, item: Item) -> list[ItemHold]:
    query = select(ItemHold).where(ItemHold.item_id == item.id, ItemHold.lifted_at.is_(None))
    return list(session.scalars(query))
