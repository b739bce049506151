"""Everything about one item that its page shows: texts, key, parameters, revisions, and history.

Called by `web/banks`. The key and the parameters are for the staff alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.items.authoring.actors import BY_ITSELF, names
from item_bank.items.authoring.revision_differences import Change, changes
from item_bank.items.authoring.standings import editors_of, signed_of, standings
from item_bank.items.life_cycle import Offer, Standing, offers
from item_bank.store.database import Database
from item_bank.store.tables.authoring import ItemComment, ItemMove, SignOff
from item_bank.store.tables.items import (
    Bank,
    Item,
    ItemRevision,
    ItemVariant,
    StimulusVariant,
)
from item_bank.store.tables.releases import Release, ReleaseItem


@dataclass(frozen=True)
class Place:
    """Where an item is: its own id, its bank and its code."""

    item_id: str
    bank_code: str
    code: str


@dataclass(frozen=True)
class RevisionLine:
    """A revision in the history: what it changed in the one before."""

    id: str
    number: int
    at: int
    editor: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class SignOffLine:
    """Somebody's word on a revision; ``counts`` while the item was not sent back since."""

    language: str
    by: str
    at: int
    revision: int
    counts: bool


@dataclass(frozen=True)
class MoveLine:
    """A step of the item's life."""

    before: str
    after: str
    by: str
    role: str
    reason: str
    at: int


@dataclass(frozen=True)
class CommentLine:
    """A remark."""

    language: str
    by: str
    text: str
    at: int
    revision: int


@dataclass(frozen=True)
class ParameterLine:
    """The parameters of a release, in a language ("" where they are the same in all)."""

    release: int
    at: int
    status: str
    language: str
    model: str
    values: Mapping[str, Any]
    se: Mapping[str, Any]


@dataclass(frozen=True)
class ItemPage:
    """An item with all that is known of it; lists are newest first, but for comments.

    Parameters
    ----------
    key
        The scoring rule of the newest revision.
    texts
        By language, as they are kept.
    """

    place: Place
    standing: Standing
    offers: tuple[Offer, ...]
    type: str
    area: str
    revision_id: str
    revision: int
    content_hash: str
    key: Mapping[str, Any]
    about: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, Any]]
    revisions: tuple[RevisionLine, ...]
    sign_offs: tuple[SignOffLine, ...]
    moves: tuple[MoveLine, ...]
    comments: tuple[CommentLine, ...]
    parameters: tuple[ParameterLine, ...]


def item_place(db: Database, item_id: str, *, organisation_id: str) -> Place:
    """Return where an item is; `InputError` when the organisation has none with this id."""
    with db.read() as session:
        item = session.get(Item, item_id)
        if item is None or item.organisation_id != organisation_id:
            raise InputError("an item of this organisation", "none with this id")
        return Place(item.id, session.get_one(Bank, item.bank_id).code, item.code)


def item_page(db: Database, place: Place) -> ItemPage:
    """Return everything about an item."""
    with db.read() as session:
        item = session.get_one(Item, place.item_id)
        bank = session.get_one(Bank, item.bank_id)
        placed = standings(session, bank, item)[0]
        revisions = _revisions(session, item)
        said = [_said(session, revision) for revision in revisions]
        newest = placed.revision
        return ItemPage(
            place,
            placed.standing,
            tuple(offers(placed.standing)),
            newest.type,
            newest.content_area,
            newest.id,
            newest.number,
            newest.content_hash,
            newest.key,
            newest.about,
            _texts(session, newest.id),
            _revision_lines(session, revisions, said),
            _sign_off_lines(session, item, revisions),
            _move_lines(session, item),
            _comment_lines(session, item, revisions),
            _parameter_lines(session, item),
        )


def _revisions(session: Session, item: Item) -> list[ItemRevision]:
    query = select(ItemRevision).where(ItemRevision.item_id == item.id)
    return list(session.scalars(query.order_by(ItemRevision.number)))


def _texts(session: Session, revision_id: str) -> dict[str, Any]:
    query = select(ItemVariant).where(ItemVariant.revision_id == revision_id)
    rows = session.scalars(query.order_by(ItemVariant.language))
    return {row.language: row.content for row in rows}


def _said(session: Session, revision: ItemRevision) -> dict[str, Any]:
    """All that a revision says, as nested texts."""
    query = select(StimulusVariant).where(
        StimulusVariant.revision_id == revision.stimulus_revision_id
    )
    beside = {row.language: row.content for row in session.scalars(query)}
    return {
        "type": revision.type,
        "content area": revision.content_area,
        "key": revision.key or {},
        **revision.about,
        **_texts(session, revision.id),
        "stimulus text": beside,
    }


def _revision_lines(
    session: Session, revisions: list[ItemRevision], said: list[dict[str, Any]]
) -> tuple[RevisionLine, ...]:
    editors = editors_of(session, [revision.id for revision in revisions])
    who = names(session, editors.values())
    lines = [
        RevisionLine(
            revision.id,
            revision.number,
            revision.created_at,
            who.get(editors.get(revision.id, ""), ""),
            tuple(changes(said[at - 1], said[at])) if at else (),
        )
        for at, revision in enumerate(revisions)
    ]
    return tuple(reversed(lines))


def _sign_off_lines(
    session: Session, item: Item, revisions: list[ItemRevision]
) -> tuple[SignOffLine, ...]:
    rows = session.scalars(
        select(SignOff).where(SignOff.item_id == item.id).order_by(SignOff.at.desc())
    ).all()
    numbers = {revision.id: revision.number for revision in revisions}
    newest = revisions[-1].id
    signed = signed_of(session, [newest]).get(newest)
    who = names(session, [row.signed_by for row in rows])
    return tuple(
        SignOffLine(
            row.language,
            who.get(row.signed_by, ""),
            row.at,
            numbers[row.revision_id],
            signed is not None and row.id in signed.rows,
        )
        for row in rows
    )


def _move_lines(session: Session, item: Item) -> tuple[MoveLine, ...]:
    query = select(ItemMove).where(ItemMove.item_id == item.id).order_by(ItemMove.at.desc())
    rows = session.scalars(query).all()
    who = names(session, [row.account_id for row in rows])
    return tuple(
        MoveLine(
            row.from_state,
            row.to_state,
            who.get(row.account_id or "", BY_ITSELF.get(row.role, "")),
            row.role,
            row.reason,
            row.at,
        )
        for row in rows
    )


def _comment_lines(
    session: Session, item: Item, revisions: list[ItemRevision]
) -> tuple[CommentLine, ...]:
    query = select(ItemComment).where(ItemComment.item_id == item.id).order_by(ItemComment.at)
    rows = session.scalars(query).all()
    who = names(session, [row.account_id for row in rows])
    numbers = {revision.id: revision.number for revision in revisions}
    return tuple(
        CommentLine(row.language, who[row.account_id], row.text, row.at, numbers[row.revision_id])
        for row in rows
    )


def _parameter_lines(session: Session, item: Item) -> tuple[ParameterLine, ...]:
    query = (
        select(Release, ReleaseItem)
        .join(ReleaseItem, ReleaseItem.release_id == Release.id)
        .join(ItemRevision, ItemRevision.id == ReleaseItem.revision_id)
        .where(ItemRevision.item_id == item.id)
        .order_by(Release.number.desc(), ReleaseItem.language)
    )
    by_release: dict[int, list[tuple[Release, ReleaseItem]]] = {}
    for release, row in session.execute(query):
        by_release.setdefault(release.number, []).append((release, row))
    return tuple(line for rows in by_release.values() for line in _of_release(rows))


def _of_release(rows: list[tuple[Release, ReleaseItem]]) -> list[ParameterLine]:
    """One line where the parameters are the same in every language, else one for each."""
    alike = len({repr((row.model, row.parameters, row.se)) for _, row in rows}) == 1
    return [
        ParameterLine(
            release.number,
            release.published_at,
            row.status,
            "" if alike else row.language,
            row.model,
            row.parameters,
            row.se,
        )
        for release, row in (rows[:1] if alike else rows)
    ]
