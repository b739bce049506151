"""What panellists said: ratings as they stand in a round, and saying something in the open one.

A rating stands until the same panellist changes it in a later round. Ratings of a closed round
cannot change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.results.standards.locking import locked
from item_bank.results.standards.records import StudyFacts, may_rate
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.standards import PanelRating

MARK = ""
"""Stands for the item where a rating is a bookmark."""
PERCENT = 100.0

Standing = Mapping[str, Mapping[str, float]]
"""Ratings by panellist and item: percent of the item's points, or the number of a bookmark."""


@dataclass(frozen=True)
class Rating:
    """What a panellist says: percent of an item's points, or under `MARK` a bookmark."""

    panellist: str
    item: str
    value: float


def ratings_in(session: Session, study_id: str, number: int) -> dict[str, dict[str, float]]:
    """Return the ratings that stand in a round: the newest of it and the rounds before."""
    query = (
        select(PanelRating)
        .where(PanelRating.study_id == study_id, PanelRating.round <= number)
        .order_by(PanelRating.round)
    )
    found: dict[str, dict[str, float]] = {}
    for row in session.scalars(query):
        found.setdefault(row.panellist, {})[row.item] = row.value
    return found


def standing_ratings(db: Database, facts: StudyFacts, number: int) -> Standing:
    """Return the ratings that stand in a round."""
    with db.read() as session:
        return ratings_in(session, facts.id, number)


def ratings_digest(session: Session, study_id: str, number: int) -> str:
    """Hash what was said in one round, as the site chain keeps it when the round closes."""
    query = (
        select(PanelRating)
        .where(PanelRating.study_id == study_id, PanelRating.round == number)
        .order_by(PanelRating.panellist, PanelRating.item)
    )
    return content_hash([[r.panellist, r.item, r.value] for r in session.scalars(query)])


def check_rating(facts: StudyFacts, rating: Rating) -> None:
    """Refuse a rating that the study cannot hold; `InputError` names the column."""
    if rating.panellist not in {member.code for member in facts.panel}:
        raise InputError("the code of a panellist", repr(rating.panellist), column="panellist")
    if facts.is_bookmark:
        _check_mark(facts, rating)
        return
    if rating.item not in facts.items:
        raise InputError("an item of the study", repr(rating.item), column="item")
    if not 0 <= rating.value <= PERCENT:
        raise InputError("a number from 0 to 100", f"{rating.value:g}", column="rating")


def _check_mark(facts: StudyFacts, rating: Rating) -> None:
    last = len(facts.booklet.places) + 1
    if rating.item != MARK or not 1 <= rating.value <= last or rating.value % 1:
        expected = f"a whole number from 1 to {last}"
        raise InputError(expected, f"{rating.value:g}", column="bookmark")


def rate(
    db: Database, actor: Actor, study_id: str, ratings: Iterable[Rating], *, round_seen: int
) -> int:
    """Keep ratings in the open round, all or none, and return how many changed.

    Parameters
    ----------
    round_seen
        The round that the person looked at; a later one refuses.

    Raises
    ------
    NotFound
        When there is no such study, or it is another organisation's.
    NotAllowed
        When the round is closed, or this account may not rate for a panellist.
    InputError
        For a rating that the study cannot hold.
    """
    with locked(db, actor, study_id) as (session, row, facts):
        if not facts.is_open or row.round != round_seen:
            raise NotAllowed(f"round {round_seen} is closed; its ratings stand")
        now, before = db.now(session), ratings_in(session, study_id, row.round)
        changed = 0
        for rating in ratings:
            check_rating(facts, rating)
            if not may_rate(actor, facts.member(rating.panellist)):
                raise NotAllowed("a panellist rates on the own account")
            if before.get(rating.panellist, {}).get(rating.item) == rating.value:
                continue
            session.merge(
                PanelRating(
                    study_id=study_id,
                    round=row.round,
                    panellist=rating.panellist,
                    item=rating.item,
                    organisation_id=facts.organisation_id,
                    value=rating.value,
                    at=now,
                )
            )
            changed += 1
        return changed
