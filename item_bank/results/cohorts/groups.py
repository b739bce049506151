"""Pass rates and scores by language, country or centre, each with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from engine.results.proportions import Proportion, wilson
from item_bank.results.cohorts.cohort import FEW, UNKNOWN
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.sums import JUDGED, PASSED, Moments, moments
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome

COLUMNS = {"language": Outcome.language, "country": Outcome.country, "centre": Outcome.centre}


@dataclass(frozen=True)
class Group:
    """The sittings of a cohort with one language, country or centre; `UNKNOWN`: not known."""

    name: str
    n: int
    scores: Moments
    passed: Proportion | None
    mean_items: float
    mean_seconds: float

    @property
    def is_small(self) -> bool:
        """Whether it says little, and may point at a person."""
        return self.n < FEW


def groups(db: Database, frame: Frame, by: str) -> list[Group]:
    """Count a cohort by one of `COLUMNS`, the largest group first: one pass."""
    column = COLUMNS[by]
    about = frame.version.plan.design.scale.intercept
    with db.read() as session:
        rows = session.execute(
            select(
                column,
                func.count(),
                *moments(Outcome.score, about),
                PASSED,
                JUDGED,
                func.avg(Outcome.n_items),
                func.avg(Outcome.seconds),
            )
            .where(*frame.cohort.conditions)
            .group_by(column)
        ).all()
    found = [
        Group(
            UNKNOWN if name is None else name,
            n,
            Moments(scored, total, squares, about),
            wilson(passed, judged),
            float(items),
            float(seconds),
        )
        for name, n, scored, total, squares, passed, judged, items, seconds in rows
    ]
    return sorted(found, key=lambda one: (-one.n, one.name))


def withheld(found: Sequence[Group]) -> frozenset[str]:
    """Names of groups not to be shown to whoever may not open single sittings.

    The small ones; and where these together are still few, the next in size, too, as they would
    follow from the others and the whole.
    """
    small = [one for one in found if one.is_small]
    others = sorted((one for one in found if not one.is_small), key=lambda one: one.n)
    if small and sum(one.n for one in small) < FEW:
        small += others[:1]
    return frozenset(one.name for one in small)
