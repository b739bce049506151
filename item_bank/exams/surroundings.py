"""What a step reads besides its sitting's own log: as it is now, and as a trace says it was.

Item holds, the counters of the exam, and the items that the candidate met before. A step decides
upon what `rules_state` gives and writes it into its trace; replay gives `state_then` instead, so
that nothing of today gets into a past step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.exposure.usage import logged_usage
from engine.session import SittingState
from item_bank.exams.snapshots import Around, Snapshot, engine_state, rows_out_of_play
from item_bank.exams.usage import read_usage
from item_bank.store.database import Database
from item_bank.store.tables.items import Item, ItemRevision
from item_bank.store.tables.sittings import PresentedItem, Sitting


def rules_state(db: Database, snapshot: Snapshot) -> SittingState:
    """Return what the engine decides upon now."""
    if snapshot.around is not None:
        return engine_state(snapshot, snapshot.around)
    with db.read() as session:
        return engine_state(snapshot, read_around(session, snapshot))


def read_around(session: Session, snapshot: Snapshot) -> Around:
    """Read what a step of a sitting depends on besides its own log."""
    return Around(
        held=rows_out_of_play(snapshot),
        excluded=earlier_rows(session, snapshot),
        usage=read_usage(session, snapshot.exam, snapshot.release),
    )


def state_then(snapshot: Snapshot, taken: int, trace: Mapping[str, Any] | None) -> SittingState:
    """Return what the engine decided upon after ``taken`` responses.

    Parameters
    ----------
    trace
        Of the step that followed; None where the clock came before one.
    """
    said = trace or {}
    design, n_items = snapshot.exam.plan.design, len(snapshot.release.items)
    asked = design.exposure.needs_usage or design.pretest.count
    around = Around(
        held=frozenset(said.get("held", ())),
        excluded=frozenset(said.get("excluded", ())),
        usage=logged_usage(said, n_items, design.exposure.n_strata) if asked else None,
    )
    return engine_state(snapshot, around, responses=taken)


def earlier_rows(session: Session, snapshot: Snapshot) -> frozenset[int]:
    """Rows that the candidate met in other sittings on this bank, where the exam avoids them.

    An item counts as met in whatever revision, release and exam it was.
    """
    if not snapshot.exam.plan.design.exposure.avoid_earlier:
        return frozenset()
    sitting = snapshot.sitting
    who = {
        "candidate": sitting.candidate_id,
        "sitting": sitting.id,
        "bank": snapshot.exam.bank_id,
    }
    met = {code for (code,) in session.connection().execute(_MET, who)}
    codes = enumerate(snapshot.release.items.item) if met else ()
    return frozenset(row for row, code in codes if code in met)


_MET = (
    select(Item.code)
    .distinct()
    .join(ItemRevision, ItemRevision.item_id == Item.id)
    .join(PresentedItem, PresentedItem.revision_id == ItemRevision.id)
    .join(Sitting, Sitting.id == PresentedItem.sitting_id)
    .where(
        Sitting.candidate_id == bindparam("candidate"),
        Sitting.id != bindparam("sitting"),
        Item.bank_id == bindparam("bank"),
    )
)
