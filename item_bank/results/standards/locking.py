"""A study locked for an act: two people who act at once do so one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.results.standards.records import StudyFacts, facts_of, may_keep
from item_bank.store.database import Database
from item_bank.store.tables.standards import StandardStudy


@contextmanager
def locked(
    db: Database, actor: Actor, study_id: str
) -> Iterator[tuple[Session, StandardStudy, StudyFacts]]:
    """Lock a study of the actor's organisation; `NotFound` for any other."""
    with db.write() as session:
        row = session.get(StandardStudy, study_id, with_for_update=True)
        if row is None or row.organisation_id != actor.organisation_id:
            raise NotFound
        yield session, row, facts_of(db, session, row)


def check_keeper(actor: Actor) -> None:
    """Refuse roles that may not make or close studies."""
    if not may_keep(actor):
        raise NotAllowed("only a psychometrician or an administrator may do this")
