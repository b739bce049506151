"""Notes that examiners write about a result: appended, never changed; the text stands beside."""

from __future__ import annotations

from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.actors import ADMINISTRATOR, COMMAND_LINE, Actor
from item_bank.exams.decided import By, log_act
from item_bank.exams.errors import NotAllowed
from item_bank.results.deciding import found
from item_bank.results.decisions import EXAMINER
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Sitting

MAX_NOTE = 2000
WRITERS = frozenset({EXAMINER, ADMINISTRATOR, COMMAND_LINE})


def add_note(db: Database, actor: Actor, sitting_id: str, text: str) -> str:
    """Write a note, and return its id.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    NotAllowed
        While it runs; for other roles; or when the text is blank or too long.
    """
    if actor.role not in WRITERS:
        raise NotAllowed("only examiners and administrators write notes")
    if not 0 < len(text.strip()) <= MAX_NOTE:
        raise NotAllowed(f"a note has 1 to {MAX_NOTE} characters")
    with db.write() as session:
        sitting, _ = found(session, actor, sitting_id)
        return _keep(session, sitting, actor, text.strip(), db.now(session))


def _keep(session: Session, sitting: Sitting, actor: Actor, text: str, now: int) -> str:
    note = records.new_note(sitting, records.RESULT_NOTE, text, now, actor.id)
    session.add(note)
    who, said = By(actor.id, actor.role), records.note_payload(note)
    log_act(session, sitting, records.RESULT_NOTE, said, {"message": note.id}, who, now)
    return note.id
