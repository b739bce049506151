"""The rows of a sitting and the links of its chain that vouch for them.

A link holds the digest of its row, not the row: changing either shows. What a candidate chose is
committed to with a salt and kept beside, so that it can be erased.
"""

from __future__ import annotations

import secrets
from typing import Any

from item_bank.store.appending import columns_of, new_row
from item_bank.store.canonical import content_hash
from item_bank.store.tables.base import Base, new_id
from item_bank.store.tables.sittings import (
    PresentedItem,
    Response,
    ResponseContent,
    Sitting,
    SittingMessage,
)

STARTED = "started"
PRESENTED = "presented"
ANSWERED = "answered"
TAKEN_OVER = "taken_over"
LANGUAGE = "language_changed"
CONFLICT = "conflicting_answer_refused"
TAMPERED = "foreign_answer_refused"
FINISHED = "finished"
PAUSED = "paused"
RESUMED = "resumed"
TIME_GRANTED = "time_granted"
OUTAGE_CREDITED = "outage_credited"
TERMINATED = "terminated"
MESSAGE = "message_sent"
RECONNECTED = "reconnected"
DEVICE = "device"
DEVICE_REFUSED = "device_refused"
LEASE_RELEASED = "lease_released"
FOREIGN_REQUEST = "foreign_request"
WITHDRAWN = "item_withdrawn"
RAPID_ANSWERS = "rapid_answers"
RESULT_SIGNED = "result_signed"
RESULT_RELEASED = "result_released"
RESULT_HELD = "result_held"
RESULT_INVALIDATED = "result_invalidated"
RESULT_REINSTATED = "result_reinstated"
RESULT_AMENDED = "result_amended"
RESULT_NOTE = "result_note"
APPEAL_OPENED = "appeal_opened"
APPEAL_ANSWERED = "appeal_answered"
APPEAL_WITHDRAWN = "appeal_withdrawn"
SEALED = "sitting_sealed"


def row_digest(row: Base) -> str:
    """Hash of all columns of a row."""
    return content_hash(columns_of(row))


def commitment(salt: str, content: Any) -> str:
    """Salted hash of what was chosen or typed."""
    return content_hash([salt, content])


def new_note(
    sitting: Sitting, kind: str, text: str, at: int, from_account: str | None
) -> SittingMessage:
    """Return what staff wrote in a sitting, with a fresh salt."""
    return SittingMessage(
        id=new_id(),
        sitting_id=sitting.id,
        organisation_id=sitting.organisation_id,
        kind=kind,
        at=at,
        from_account=from_account,
        text=text,
        salt=secrets.token_hex(16),
    )


def note_payload(note: SittingMessage) -> dict[str, Any]:
    """Return what the chain keeps of a typed text: its id and the commitment to it."""
    return {"message": note.id, "commitment": commitment(note.salt, note.text)}


def presented_payload(row: PresentedItem) -> dict[str, Any]:
    """Return what the chain keeps of a presented item."""
    return {"position": row.position, "digest": row_digest(row)}


def answered_payload(row: Response) -> dict[str, Any]:
    """Return what the chain keeps of a response."""
    return {"position": row.position, "digest": row_digest(row), "late": row.late}


def new_content(
    sitting_id: str, position: int, organisation_id: str, content: Any
) -> ResponseContent:
    """Return what was chosen, with a fresh salt."""
    return new_row(
        ResponseContent,
        sitting_id=sitting_id,
        position=position,
        organisation_id=organisation_id,
        salt=secrets.token_hex(16),
        content=content,
    )
