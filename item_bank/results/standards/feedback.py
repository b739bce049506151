"""Rounds as people may see them, read from the database.

While a round is open, only those who keep the study see what comes of it: a panellist who knew
would not judge alone.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.results.standards.past import PastScores, past_scores
from item_bank.results.standards.ratings import ratings_in
from item_bank.results.standards.records import StudyFacts, may_keep
from item_bank.results.standards.rounds import RoundResult, round_result
from item_bank.store.database import Database


def rounds(db: Database, actor: Actor, facts: StudyFacts) -> list[RoundResult]:
    """Return the rounds that somebody may see, from the first; an open one without ratings is not.

    A panellist who keeps the study sees an open round only once all has been said.
    """
    with db.read() as session:
        past = past_scores(session, facts)
        closed = range(1, facts.round if facts.is_open else facts.last_round + 1)
        found = [one_round(session, facts, number, past) for number in closed]
        if facts.is_open and may_keep(actor):
            now = one_round(session, facts, facts.round, past)
            sits_on_it = actor.id is not None and actor.id in {m.account_id for m in facts.panel}
            complete = all(row.given >= row.of for row in now.judges)
            if any(row.given for row in now.judges) and (complete or not sits_on_it):
                found.append(now)
    return found


def one_round(session: Session, facts: StudyFacts, number: int, past: PastScores) -> RoundResult:
    """Compute a round within a transaction."""
    before = ratings_in(session, facts.id, number - 1) if number > 1 else None
    return round_result(facts, number, ratings_in(session, facts.id, number), past, before)


def round_of(db: Database, facts: StudyFacts, number: int) -> RoundResult:
    """Compute a round for whoever may see it."""
    with db.read() as session:
        return one_round(session, facts, number, past_scores(session, facts))


def current_round(db: Database, facts: StudyFacts) -> RoundResult:
    """Compute the open round, or of a closed study the one that counted."""
    return round_of(db, facts, facts.last_round)
