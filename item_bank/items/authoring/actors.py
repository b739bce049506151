"""Who acts on items: accounts of the staff, and the operator of the host.

Called by the commands and the pages; within `authoring`, every act names an `Actor`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.items.life_cycle import IMPORT, OPERATOR, READERS, Actor
from item_bank.store.database import Database
from item_bank.store.tables.people import StaffAccount

BY_ITSELF = {IMPORT: "the import", OPERATOR: "the operator", "publish": "the publication"}


def actor_by_email(db: Database, email: str | None, *, organisation_id: str) -> Actor:
    """Return who has an account with this e-mail; without one, the operator.

    Raises
    ------
    InputError
        When nobody has, or the account is disabled or not one of those that work on items.
    """
    if email is None:
        return Actor()
    with db.read() as session:
        query = select(StaffAccount).where(StaffAccount.organisation_id == organisation_id)
        mine = func.lower(StaffAccount.email) == email.strip().lower()
        account = session.scalars(query.where(mine)).one_or_none()
    if account is None or account.disabled_at is not None or account.role not in READERS:
        expected = f"the e-mail of an active {', '.join(sorted(READERS))} (see `tarozu user list`)"
        raise InputError(expected, repr(email), column="--as")
    return Actor(account.role, account.id)


def names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of accounts by id."""
    wanted = {one for one in ids if one is not None}
    found = session.scalars(select(StaffAccount).where(StaffAccount.id.in_(wanted)))
    return dict(BY_ITSELF) | {account.id: account.name for account in found}
