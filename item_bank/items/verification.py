"""Releases, revisions, texts and media held against their hashes, and those against the site chain.

Called by the audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.items.authoring.verification import authoring_problems
from item_bank.items.illustrations import stimulus_hash
from item_bank.items.imports import revision_hash
from item_bank.items.plans import Plan, released_items
from item_bank.store.audit import Break
from item_bank.store.tables.items import (
    Bank,
    Item,
    ItemRevision,
    ItemVariant,
    Medium,
    RevisionMedium,
    Stimulus,
    StimulusMedium,
    StimulusRevision,
    StimulusVariant,
)
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.releases import Release


def release_problems(session: Session, site: Iterable[SiteEvent]) -> tuple[int, list[Break]]:
    """Return how many releases there are, and what is wrong with them and their items."""
    published = {
        (e.organisation_id, e.payload.get("bank"), e.payload.get("number")): e.payload
        for e in site
        if e.kind == "release_published" and isinstance(e.payload, dict)
    }
    releases = session.scalars(select(Release).order_by(Release.bank_id, Release.number)).all()
    found = []
    for release in releases:
        bank = session.get_one(Bank, release.bank_id)
        name = f"bank {bank.code} release {release.number}"
        items = tuple(released_items(session, release.id))
        if Plan(bank.code, items, ()).content_hash() != release.content_hash:
            found.append(Break(name, 0, "its items do not match its hash"))
        key = (release.organisation_id, bank.code, release.number)
        if published.get(key, {}).get("content_hash") != release.content_hash:
            found.append(Break(name, 0, "the site chain does not have its hash"))
    found += [*_revision_problems(session), *_stimulus_problems(session)]
    found += [*_medium_problems(session), *authoring_problems(session, site)]
    return len(releases), found


def _revision_problems(session: Session) -> Iterator[Break]:
    texts = _by_revision(session, ItemVariant.language, ItemVariant.content, ItemVariant)
    media = _media_hashes(session, RevisionMedium)
    stimuli = {row.id: row.content_hash for row in session.scalars(select(StimulusRevision))}
    query = select(ItemRevision, Item.code).join(Item, Item.id == ItemRevision.item_id)
    for revision, code in session.execute(query):
        says = texts.get(revision.id, {}), media.get(revision.id, {})
        stimulus = stimuli.get(revision.stimulus_revision_id or "")
        if revision_hash(revision, *says, stimulus) != revision.content_hash:
            yield Break(f"item {code}", revision.number, "its revision does not match its hash")


def _stimulus_problems(session: Session) -> Iterator[Break]:
    texts = _by_revision(
        session, StimulusVariant.language, StimulusVariant.content, StimulusVariant
    )
    media = _media_hashes(session, StimulusMedium)
    query = select(StimulusRevision, Stimulus.code)
    for row, code in session.execute(
        query.join(Stimulus, Stimulus.id == StimulusRevision.stimulus_id)
    ):
        if stimulus_hash(texts.get(row.id, {}), media.get(row.id, {})) != row.content_hash:
            yield Break(f"stimulus {code}", row.number, "its revision does not match its hash")


def _medium_problems(session: Session) -> Iterator[Break]:
    """Read one medium after the other: together they may be larger than the memory."""
    for one in session.scalars(select(Medium.id)).all():
        query = select(Medium.sha256, Medium.content).where(Medium.id == one)
        sha256, content = session.execute(query).one()
        if hashlib.sha256(content).hexdigest() != sha256:
            yield Break(f"medium {sha256[:12]}", 0, "its bytes do not match its hash")


def _media_hashes(session: Session, table: Any) -> dict[str, dict[str, Any]]:
    query = select(table.revision_id, table.name, Medium.sha256)
    rows = session.execute(query.join(Medium, Medium.id == table.medium_id))
    return _grouped(rows)


def _by_revision(session: Session, name: Any, value: Any, table: Any) -> dict[str, dict[str, Any]]:
    return _grouped(session.execute(select(table.revision_id, name, value)))


def _grouped(rows: Iterable[Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for revision_id, name, value in rows:
        found.setdefault(revision_id, {})[name] = value
    return found
