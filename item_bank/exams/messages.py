"""Messages of invigilators, as the candidate's page reads them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.own_sittings import own_sitting
from item_bank.exams.signing_in import CandidateSession
from item_bank.store.database import Database
from item_bank.store.tables.sittings import SittingMessage

MAX_MESSAGE = 500


@dataclass(frozen=True)
class Message:
    """A message to a candidate."""

    id: str
    at: int
    text: str
    seen: bool


def check_text(text: str) -> None:
    """Refuse a message that is blank or too long."""
    if not 0 < len(text.strip()) <= MAX_MESSAGE:
        raise NotAllowed(f"a message has 1 to {MAX_MESSAGE} characters")


def messages_for(db: Database, candidate: CandidateSession, sitting_id: str) -> list[Message]:
    """Return the messages of a candidate's own sitting, the first one first.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.read() as session:
        own_sitting(session, candidate, sitting_id)
        return messages_of(session, sitting_id)


def messages_of(session: Session, sitting_id: str) -> list[Message]:
    """As `messages_for`, for who has looked whose sitting it is."""
    rows = session.connection().execute(_MESSAGES, {"sitting": sitting_id})
    return [Message(row.id, row.at, row.text, row.seen_at is not None) for row in rows]


_OWN = (
    SittingMessage.sitting_id == bindparam("sitting"),
    SittingMessage.kind == records.MESSAGE,
)
_MESSAGES = (
    select(SittingMessage.id, SittingMessage.at, SittingMessage.text, SittingMessage.seen_at)
    .where(*_OWN)
    .order_by(SittingMessage.at, SittingMessage.id)
)


def message_seen(
    db: Database, candidate: CandidateSession, sitting_id: str, message_id: str
) -> None:
    """Note that the candidate has seen a message; the first time counts.

    Raises
    ------
    NotFound
        When there is no such message in a sitting of this candidate's.
    """
    with db.write() as session:
        own_sitting(session, candidate, sitting_id)
        one = select(SittingMessage).where(*_OWN, SittingMessage.id == message_id)
        found = session.scalars(one, {"sitting": sitting_id}).one_or_none()
        if found is None:
            raise NotFound
        if found.seen_at is None:
            found.seen_at = db.now(session)
