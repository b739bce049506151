"""Rows of what people did to items, with their events on the site chain.

The chain names people by the ids of their accounts and holds typed text as salted commitments, so
that a text can be erased, and one that was changed shows. The caller holds the write transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy.orm import Session

from item_bank.items.life_cycle import IMPORT, Actor
from item_bank.store.audit import append_site_event
from item_bank.store.canonical import content_hash
from item_bank.store.tables.authoring import ItemComment, ItemMove, SignOff
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Bank, Item

MOVED, SIGNED_OFF, COMMENTED = "item_moved", "item_signed_off", "item_commented"
"""Kinds of events."""


def commitment(salt: str, text: str) -> str:
    """Hash of a typed text under its salt."""
    return content_hash([salt, text])


def keep_move(
    session: Session, bank: Bank, item: Item, to: str, actor: Actor, reason: str, now: int
) -> ItemMove:
    """Change an item's state, keep who did it, when and why, and say so on the chain."""
    move = note_move(session, bank, item, item.status, to, actor, reason, now)
    item.status = to
    payload = move_payload(bank.code, item.code, move)
    append_site_event(session, MOVED, payload, now, bank.organisation_id)
    return move


def note_move(
    session: Session,
    bank: Bank,
    item: Item,
    before: str,
    to: str,
    actor: Actor,
    reason: str,
    now: int,
) -> ItemMove:
    """Keep a move for the history of an item; the caller adds its event to the chain."""
    move = ItemMove(
        id=new_id(),
        organisation_id=bank.organisation_id,
        item_id=item.id,
        from_state=before,
        to_state=to,
        account_id=actor.id,
        role=actor.role,
        reason=reason.strip(),
        salt=secrets.token_hex(16),
        at=now,
    )
    session.add(move)
    return move


def move_payload(bank_code: str, item_code: str, move: ItemMove) -> dict[str, object]:
    """What the chain says of a move."""
    return {
        "bank": bank_code,
        "item": item_code,
        "move": move.id,
        "from": move.from_state,
        "to": move.to_state,
        "by": move.account_id,
        "role": move.role,
        "reason": commitment(move.salt, move.reason),
    }


def keep_sign_off(
    session: Session,
    bank: Bank,
    item: Item,
    revision_id: str,
    revision_hash: str,
    language: str,
    actor: Actor,
    now: int,
) -> SignOff:
    """Keep a person's sign-off of a revision; the chain has the hash of what was signed."""
    signed = sign_off_row(bank, item.id, revision_id, language, str(actor.id), now)
    session.add(signed)
    payload = {
        "bank": bank.code,
        "item": item.code,
        "sign_off": signed.id,
        "language": language,
        "by": actor.id,
        "role": actor.role,
        "revision": revision_hash,
    }
    append_site_event(session, SIGNED_OFF, payload, now, bank.organisation_id)
    return signed


def sign_off_row(
    bank: Bank, item_id: str, revision_id: str, language: str, by: str, now: int
) -> SignOff:
    """Return a sign-off to be kept."""
    return SignOff(
        id=new_id(),
        organisation_id=bank.organisation_id,
        item_id=item_id,
        revision_id=revision_id,
        language=language,
        signed_by=by,
        at=now,
    )


def import_sign_offs(
    bank: Bank, item_id: str, revision_id: str, languages: Sequence[str], now: int
) -> list[SignOff]:
    """Return the sign-offs of a text that an import brought as done: review and languages."""
    return [
        sign_off_row(bank, item_id, revision_id, language, IMPORT, now)
        for language in ("", *languages)
    ]


def keep_comment(
    session: Session,
    bank: Bank,
    item: Item,
    revision_id: str,
    language: str,
    actor: Actor,
    text: str,
    now: int,
) -> ItemComment:
    """Keep a comment; its text stands beside the chain and may be erased."""
    comment = ItemComment(
        id=new_id(),
        organisation_id=bank.organisation_id,
        item_id=item.id,
        revision_id=revision_id,
        language=language,
        account_id=str(actor.id),
        text=text.strip(),
        at=now,
    )
    session.add(comment)
    payload = {"bank": bank.code, "item": item.code, "comment": comment.id, "by": actor.id}
    append_site_event(session, COMMENTED, payload, now, bank.organisation_id)
    return comment
