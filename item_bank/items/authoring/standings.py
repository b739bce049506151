"""Where items stand, read from the database for one item or a whole bank in a few queries.

A sign-off counts for the revision that it was given to, and only since the item last came back to
draft. Called by `moves`, `sign_offs`, `checks`, and what lists items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.life_cycle import Standing, State
from item_bank.items.plans import known_parameters
from item_bank.store.tables.authoring import ItemMove, RevisionEditor, SignOff
from item_bank.store.tables.items import (
    Bank,
    Item,
    ItemHold,
    ItemRevision,
    ItemVariant,
    StimulusVariant,
)

REQUIRED = "required"
BLOCK = 500


@dataclass(frozen=True)
class Policy:
    """What a bank asks for: sign-offs, and texts in which languages (None: not said)."""

    review_required: bool
    languages: tuple[str, ...] | None

    def demanded(self, found: Iterable[str]) -> tuple[str, ...]:
        """The languages that items must have: as the bank says, else all that any item has."""
        return tuple(sorted(found)) if self.languages is None else self.languages


def policy(about: Mapping[str, Any]) -> Policy:
    """Read a bank's own description."""
    languages = about.get("languages")
    return Policy(about.get("review") == REQUIRED, tuple(languages) if languages else None)


@dataclass(frozen=True)
class Signed:
    """Who signed a revision off that still counts: its review, and texts by language."""

    reviewers: frozenset[str]
    languages: frozenset[str]
    rows: frozenset[str]


NOTHING = Signed(frozenset(), frozenset(), frozenset())


@dataclass(frozen=True)
class Placed:
    """An item with its newest revision and where it stands."""

    item: Item
    revision: ItemRevision
    standing: Standing


def standings(session: Session, bank: Bank, only: Item | None = None) -> list[Placed]:
    """Return the items of a bank, or one of them, with where they stand, in order of making."""
    newest = newest_revisions(session, bank, only)
    ids = [revision.id for _, revision in newest]
    texts, signed, editors = (
        texts_of(session, ids),
        signed_of(session, ids),
        editors_of(session, ids),
    )
    held, asked = _held(session, bank), policy(bank.about)
    parameters = known_parameters(session, bank)
    demanded = asked.demanded(texts_in_bank(session, bank)) if newest else ()
    return [
        Placed(
            item,
            revision,
            Standing(
                code=item.code,
                state=State(item.status),
                held=item.id in held,
                review_required=asked.review_required,
                demanded=demanded,
                has_text=revision.type != PARAMETERS_ONLY,
                texts=frozenset(texts.get(revision.id, ())),
                editor=editors.get(revision.id),
                reviewers=signed.get(revision.id, NOTHING).reviewers,
                signed=signed.get(revision.id, NOTHING).languages,
                has_parameters=revision.id in parameters,
            ),
        )
        for item, revision in newest
    ]


def newest_revisions(
    session: Session, bank: Bank, only: Item | None = None
) -> list[tuple[Item, ItemRevision]]:
    """Each item with its newest revision, in the order of their making."""
    query = (
        select(Item, ItemRevision)
        .join(ItemRevision, ItemRevision.item_id == Item.id)
        .where(Item.bank_id == bank.id)
        .order_by(Item.created_at, Item.code, ItemRevision.number)
    )
    if only is not None:
        query = query.where(Item.id == only.id)
    return list({item.id: (item, revision) for item, revision in session.execute(query)}.values())


def texts_in_bank(session: Session, bank: Bank) -> set[str]:
    """Every language that some item of a bank has a text in."""
    query = (
        select(ItemVariant.language)
        .join(ItemRevision, ItemRevision.id == ItemVariant.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.bank_id == bank.id)
        .distinct()
    )
    return set(session.scalars(query))


def texts_of(session: Session, ids: Sequence[str]) -> dict[str, set[str]]:
    """Languages of revisions in which they, and their stimulus where they have one, have a text."""
    found: dict[str, set[str]] = {}
    for some in blocks(ids):
        own = select(ItemVariant.revision_id, ItemVariant.language)
        for revision_id, language in session.execute(own.where(ItemVariant.revision_id.in_(some))):
            found.setdefault(revision_id, set()).add(language)
        stimuli = (
            select(ItemRevision.id, StimulusVariant.language)
            .outerjoin(
                StimulusVariant,
                StimulusVariant.revision_id == ItemRevision.stimulus_revision_id,
            )
            .where(ItemRevision.id.in_(some), ItemRevision.stimulus_revision_id.is_not(None))
        )
        beside: dict[str, set[str]] = {}
        for revision_id, language in session.execute(stimuli):
            beside.setdefault(revision_id, set()).add(language)
        for revision_id, languages in beside.items():
            found[revision_id] = found.get(revision_id, set()) & languages
    return found


def signed_of(session: Session, ids: Sequence[str]) -> dict[str, Signed]:
    """Return the sign-offs of revisions that count, by revision."""
    back = _back_in_draft(session)
    found: dict[str, list[SignOff]] = {}
    for some in blocks(ids):
        for row in session.scalars(select(SignOff).where(SignOff.revision_id.in_(some))):
            if row.at > back.get(row.item_id, 0):
                found.setdefault(row.revision_id, []).append(row)
    return {one: _signed(rows) for one, rows in found.items()}


def _signed(rows: Sequence[SignOff]) -> Signed:
    return Signed(
        frozenset(row.signed_by for row in rows if not row.language),
        frozenset(row.language for row in rows if row.language),
        frozenset(row.id for row in rows),
    )


def blocks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Cut what one query could not name."""
    return (ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK))


def _back_in_draft(session: Session) -> dict[str, int]:
    """When items last came back to draft."""
    query = select(ItemMove.item_id, func.max(ItemMove.at)).where(
        ItemMove.to_state == State.DRAFT, ItemMove.from_state != State.HELD
    )
    return {item: at for item, at in session.execute(query.group_by(ItemMove.item_id))}  # noqa: C416 - typed


def editors_of(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return who made revisions, where that is known."""
    return {
        row.revision_id: row.account_id
        for some in blocks(ids)
        for row in session.scalars(
            select(RevisionEditor).where(RevisionEditor.revision_id.in_(some))
        )
    }


def _held(session: Session, bank: Bank) -> set[str]:
    query = (
        select(ItemHold.item_id)
        .join(Item, Item.id == ItemHold.item_id)
        .where(Item.bank_id == bank.id, ItemHold.lifted_at.is_(None))
    )
    return set(session.scalars(query))
