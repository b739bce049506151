"""Questions of a sitting that were known before: held as compromised, or met in an earlier sitting.

Compromised: an item is held because it is known outside; a hold that was lifted counts only where
the item went for good. Met before: in an earlier sitting of the same candidate on the same bank, in
whatever revision. A sitting stands out with one compromised item, or when at least `LEAST_MET` and
a share of `SHARE_MET` of its questions were met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from item_bank.exams.snapshots import Snapshot
from item_bank.items.life_cycle import State
from item_bank.results.flags.records import COMPROMISED, OVERLAP, Found
from item_bank.store.tables.items import Item, ItemHold, ItemRevision
from item_bank.store.tables.sittings import PresentedItem, Sitting

LEAST_MET, SHARE_MET = 3, 0.25


def compromised_seen(session: Session, snapshot: Snapshot) -> Found:
    """Find the presented items that are known outside, by what is known now."""
    placed = _placed(session, snapshot.exam.bank_id)
    codes, points = snapshot.release.items.item, snapshot.release.points
    scores = {response.position: response.score for response in snapshot.responses}
    rows = [
        {
            "position": one.position,
            "item": codes[one.row],
            "known_at": placed[codes[one.row]],
            "points": _points(points[one.row], scores.get(one.position)),
            "max_points": max(points[one.row]),
        }
        for one in snapshot.presented
        if codes[one.row] in placed
    ]
    values = {"items": rows, "questions": len(snapshot.presented)}
    return Found(COMPROMISED, flagged=bool(rows), values=values)


def _points(worth: tuple[int, ...], score: int | None) -> int | None:
    return None if score is None else worth[score]


def _placed(session: Session, bank_id: str) -> dict[str, int]:
    """When items of a bank became known to be known outside, by code."""
    stands = or_(ItemHold.lifted_at.is_(None), Item.status == State.RETIRED)
    rows = session.execute(
        select(Item.code, func.min(ItemHold.placed_at))
        .join(ItemHold, ItemHold.item_id == Item.id)
        .where(Item.bank_id == bank_id, ItemHold.compromised, stands)
        .group_by(Item.code)
    )
    return {code: int(at) for code, at in rows}


def met_before(session: Session, snapshot: Snapshot) -> Found:
    """Find the questions that the candidate met in earlier sittings on the same bank."""
    earlier = _earlier(session, snapshot)
    codes = snapshot.release.items.item
    rows = [
        {"position": one.position, "item": codes[one.row], "sitting": earlier[codes[one.row]]}
        for one in snapshot.presented
        if codes[one.row] in earlier
    ]
    n = len(snapshot.presented)
    flagged = len(rows) >= max(LEAST_MET, SHARE_MET * n)
    return Found(OVERLAP, flagged=flagged, values={"items": rows, "questions": n})


def _earlier(session: Session, snapshot: Snapshot) -> Mapping[str, Any]:
    """Codes of items that the candidate met before this sitting, with the last sitting of each."""
    sitting = snapshot.sitting
    rows = session.execute(
        select(Item.code, Sitting.id)
        .select_from(PresentedItem)
        .join(Sitting, Sitting.id == PresentedItem.sitting_id)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(
            Sitting.candidate_id == sitting.candidate_id,
            Sitting.id != sitting.id,
            Sitting.started_at <= sitting.started_at,
            Item.bank_id == snapshot.exam.bank_id,
        )
        .order_by(Sitting.started_at, Sitting.id)
    )
    return {code: sitting_id for code, sitting_id in rows}  # noqa: C416 - rows to pairs, typed
