"""How much an export would hold, before it is made; what an exam's sittings are chosen by."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from item_bank.results.exports.choices import Selection
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome

MANY = 500


@dataclass(frozen=True)
class Counts:
    """How many sittings and people there are, and how many answers counted in them."""

    sittings: int
    people: int
    answers: int
    simulated: int


def count(db: Database, chosen: Selection) -> Counts:
    """Count what fits the choices."""
    with db.read() as session:
        sittings, people, answers = session.execute(
            select(
                func.count(),
                func.count(Outcome.candidate_id.distinct()),
                func.coalesce(func.sum(Outcome.n_items), 0),
            ).where(*chosen.conditions)
        ).one()
        simulated = select(func.count()).where(*chosen.conditions, Outcome.simulated)
        return Counts(sittings, people, int(answers), int(session.scalar(simulated) or 0))


def places(db: Database, chosen: Selection) -> dict[str, list[str]]:
    """Return the languages, countries and centres of an exam's sittings."""
    found = {}
    with db.read() as session:
        for name in ("language", "country", "centre"):
            column = getattr(Outcome, name)
            values = select(column).distinct().where(*chosen.conditions, column.is_not(None))
            found[name] = list(session.scalars(values.order_by(column).limit(MANY)))
    return found
