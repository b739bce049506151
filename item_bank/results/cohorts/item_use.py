"""How the items of an exam were used, and whether the bank has what its candidates need.

Exposure comes from the counters that selection itself reads: every sitting since the exam began,
whatever a page's filters say. Held items, information and item statistics stand beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.models import dispatch
from engine.results.observed_precision import BinnedEstimates
from engine.simulation.bank_diagnostics import best_information
from item_bank.exams.usage import ALL, SITTINGS, WHOLE
from item_bank.items.releases import OPERATIONAL, ReleaseItems, release_items
from item_bank.results.cohorts.exactness import binned
from item_bank.results.cohorts.frames import Frame
from item_bank.results.studies import RecordedStudy, newest_study
from item_bank.store.database import Database
from item_bank.store.tables.items import Item, ItemHold, ItemRevision
from item_bank.store.tables.releases import ReleaseItem
from item_bank.store.tables.usage import UsageCounter

STATISTICS = "item_statistics"
HELD, COMPROMISED = "held", "compromised"
MANY = 0.5
"""Items that more than half of all sittings had are soon known outside."""
SPACED = 0.25
ALONG: Floats = np.arange(-3.0, 3.0 + SPACED / 2, SPACED)


@dataclass(frozen=True)
class ItemUse:
    """One item of the release that an exam version rests on.

    Parameters
    ----------
    given, rate
        Sittings that had it, and their part of all.
    hold
        ``held``, ``compromised``, or "".
    statistics
        Its row of the study "item_statistics"; {} where it has none.
    """

    code: str
    item_id: str
    area: str
    status: str
    given: int
    rate: float
    hold: str
    statistics: Mapping[str, Any]


@dataclass(frozen=True)
class Supply:
    """What the bank tells at an ability, and how many candidates are there.

    Parameters
    ----------
    bank
        Information of all items in use together.
    best
        Information of the longest test of the exam, of the items that tell most there.
    n
        Sittings of the cohort whose estimate is nearest.
    """

    theta: float
    score: float
    bank: float
    best: float
    n: int


@dataclass(frozen=True)
class BankUse:
    """How the items of an exam were used.

    Parameters
    ----------
    sittings
        All that were given an item since the exam began on this bank.
    ceiling
        The highest rate that the exam's rules aim at; None without one.
    supply
        Along theta.
    study
        Item statistics; None before they were computed.
    """

    sittings: int
    items: tuple[ItemUse, ...]
    ceiling: float | None
    supply: tuple[Supply, ...]
    study: RecordedStudy | None

    @property
    def in_use(self) -> tuple[ItemUse, ...]:
        """Items that count."""
        return tuple(one for one in self.items if one.status == OPERATIONAL)

    @property
    def never(self) -> int:
        """Items that count and that no sitting was given."""
        return sum(one.given == 0 for one in self.in_use)

    @property
    def above(self) -> int:
        """Items that count and were given more often than the ceiling, or than half of all."""
        return sum(one.rate > (self.ceiling or MANY) for one in self.in_use)

    @property
    def held(self) -> int:
        """Items that no sitting may be given at present."""
        return sum(bool(one.hold) for one in self.items)

    @property
    def compromised(self) -> int:
        """Of the held, those that are known outside."""
        return sum(one.hold == COMPROMISED for one in self.items)


def bank_use(db: Database, frame: Frame) -> BankUse:
    """Read how an exam's items were used: counters, holds, study, one pass over estimates."""
    version = frame.version
    release = release_items(db, version.release_id, version.plan.languages[0])
    with db.read() as session:
        given = _given(session, frame)
        holds, ids = _holds(session, version.bank_id), _ids(session, release)
        study = newest_study(
            session,
            STATISTICS,
            organisation_id=version.organisation_id,
            exam_id=version.exam_id,
        )
        found = binned(session, frame)[1]
    by_item = {row["item"]: row for row in study.rows} if study else {}
    sittings = given.get(SITTINGS, 0)
    items = tuple(
        ItemUse(
            code, ids[revision], area, status, given.get(code, 0),
            given.get(code, 0) / max(sittings, 1), holds.get(ids[revision], ""),
            by_item.get(code, {}),
        )
        for code, revision, area, status in zip(
            release.items.item, release.revision_ids, release.items.content, release.statuses,
            strict=True,
        )
    )  # fmt: skip
    rules = version.plan.design.exposure
    usable = [one.status == OPERATIONAL and not one.hold for one in items]
    return BankUse(
        sittings=sittings,
        items=items,
        ceiling=rules.ceiling or rules.max_rate,
        supply=_supply(frame, release, usable, found),
        study=study,
    )


def _given(session: Session, frame: Frame) -> dict[str, int]:
    rows = session.execute(
        select(UsageCounter.item, UsageCounter.given).where(
            UsageCounter.exam_id == frame.version.exam_id,
            UsageCounter.bank_id == frame.version.bank_id,
            UsageCounter.strata == WHOLE,
            UsageCounter.stratum == ALL,
        )
    )
    return {item: given for item, given in rows}  # noqa: C416 - typed


def _holds(session: Session, bank_id: str) -> dict[str, str]:
    """Items of a bank that are held now, and whether that is because they are known outside."""
    rows = session.execute(
        select(ItemHold.item_id, ItemHold.compromised)
        .join(Item, Item.id == ItemHold.item_id)
        .where(Item.bank_id == bank_id, ItemHold.lifted_at.is_(None))
        .order_by(ItemHold.compromised)
    )
    return {item: COMPROMISED if compromised else HELD for item, compromised in rows}


def _ids(session: Session, release: ReleaseItems) -> dict[str, str]:
    """Items of a release's revisions."""
    rows = session.execute(
        select(ItemRevision.id, ItemRevision.item_id)
        .join(ReleaseItem, ReleaseItem.revision_id == ItemRevision.id)
        .where(
            ReleaseItem.release_id == release.release_id,
            ReleaseItem.language == release.language,
        )
    )
    return {revision: item for revision, item in rows}  # noqa: C416 - typed


def _supply(
    frame: Frame, release: ReleaseItems, usable: Sequence[bool], found: BinnedEstimates
) -> tuple[Supply, ...]:
    """Information along theta beside the candidates; nothing where no item is in use."""
    design = frame.version.plan.design
    items = release.items.subset([row for row, used in enumerate(usable) if used])
    if not len(items):
        return ()
    bank = dispatch.information(ALONG, items).sum(axis=1)
    best = best_information(ALONG, items, min(design.scored_length, len(items)))
    nearest = np.clip(np.round((found.theta - ALONG[0]) / SPACED), 0, len(ALONG) - 1)
    n = np.bincount(nearest.astype(int), found.n, minlength=len(ALONG))
    scale = design.scale
    return tuple(
        Supply(
            float(theta), scale.intercept + scale.slope * float(theta), float(whole), float(most),
            int(count),
        )
        for theta, whole, most, count in zip(ALONG, bank, best, n, strict=True)
    )  # fmt: skip
