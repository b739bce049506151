"""A release's items as questions: their score, their order, and what a page shows of them.

What is loaded never changes, so it is loaded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from item_bank.items.items import revision
from item_bank.items.presentation import Address, presented
from item_bank.items.presented import Presented
from item_bank.items.scoring import checked_response, score, shown_ids, shuffled_order
from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.tables.items import ItemRevision, Medium, StimulusMedium
from item_bank.store.tables.releases import ReleaseItem
from item_bank.store.tables.sittings import PresentedItem


def choice_ids(db: Database, revision_id: str) -> tuple[str, ...]:
    """Return the ids of an item's choices, areas or columns as its key has them."""
    shown = revision(db, revision_id)
    return shown_ids(shown.type, shown.key)


def drawn_order(db: Database, revision_id: str, seed: int, position: int) -> tuple[str, ...]:
    """Return those ids in the order in which this sitting shows them at this position."""
    shown = revision(db, revision_id)
    return shuffled_order(shown.type, shown.key, seed, position)


def mark(db: Database, revision_id: str, response: Any, language: str = "") -> int:
    """Score a response by the key of the revision that was shown, in its language."""
    shown = revision(db, revision_id)
    return score(shown.type, shown.key, response, language)


def checked(db: Database, revision_id: str, response: Any) -> Any:
    """Return a response in its one form; `InputError` when the item allows none such."""
    shown = revision(db, revision_id)
    return checked_response(shown.type, shown.key, response)


def shown_question(
    db: Database, row: PresentedItem, address: Address, language: str | None = None
) -> Presented:
    """Return what a page shows of a presented item, with the ids of its author.

    Parameters
    ----------
    language
        None for that in which it was first presented.
    """
    return presented(db, row.revision_id, language or row.language, address, order=row.choice_order)


@dataclass(frozen=True)
class Asked:
    """The types of a release's items, and whether any of them has sound."""

    types: frozenset[str]
    has_sound: bool


def what_is_asked(db: Database, release_id: str) -> Asked:
    """Return what kinds of questions a release has."""
    return once(db, ("asked", release_id), lambda: _asked(db, release_id))


def _asked(db: Database, release_id: str) -> Asked:
    of_release = (
        select(ItemRevision)
        .join(ReleaseItem, ReleaseItem.revision_id == ItemRevision.id)
        .where(ReleaseItem.release_id == release_id)
    )
    sounds = (
        of_release.join(
            StimulusMedium, StimulusMedium.revision_id == ItemRevision.stimulus_revision_id
        )
        .join(Medium, Medium.id == StimulusMedium.medium_id)
        .where(Medium.media_type.startswith("audio/"))
    )
    with db.read() as session:
        types = session.scalars(of_release.with_only_columns(ItemRevision.type).distinct())
        one = session.scalars(sounds.with_only_columns(Medium.id).limit(1)).first()
        return Asked(frozenset(types), one is not None)
