"""Moves and sign-offs held against the site chain, which names both.

Called by the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.items.authoring.records import MOVED, SIGNED_OFF, move_payload
from item_bank.items.life_cycle import IMPORT
from item_bank.store.audit import Break
from item_bank.store.tables.authoring import ItemMove, SignOff
from item_bank.store.tables.items import Bank, Item
from item_bank.store.tables.records import SiteEvent


def authoring_problems(session: Session, site: Iterable[SiteEvent]) -> Iterator[Break]:
    """Name every move that is not as the chain has it, and every sign-off that it does not have."""
    events = [event for event in site if isinstance(event.payload, dict)]
    yield from _moves(session, [event for event in events if event.kind == MOVED])
    signed = {event.payload.get("sign_off") for event in events if event.kind == SIGNED_OFF}
    for row in session.scalars(select(SignOff).where(SignOff.signed_by != IMPORT)):
        if row.id not in signed:
            yield Break(f"sign-off {row.id[:12]}", 0, "the site chain does not have it")


def _moves(session: Session, events: Iterable[SiteEvent]) -> Iterator[Break]:
    kept = {
        move.id: move_payload(bank, item, move)
        for move, item, bank in session.execute(
            select(ItemMove, Item.code, Bank.code)
            .join(Item, Item.id == ItemMove.item_id)
            .join(Bank, Bank.id == Item.bank_id)
        )
    }
    for event in events:
        if kept.get(str(event.payload.get("move"))) != event.payload:
            name = f"item {event.payload.get('item')}"
            yield Break(name, event.number, "its move is not as the site chain has it")
