"""Releases, revisions and texts held against their hashes, and those against the site chain.

Called by the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.items.imports import revision_hash
from item_bank.items.plans import Plan, released_items
from item_bank.store.audit import Break
from item_bank.store.tables.items import Bank, Item, ItemRevision, ItemVariant
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
    return len(releases), [*found, *_revision_problems(session)]


def _revision_problems(session: Session) -> Iterator[Break]:
    texts: dict[str, dict[str, object]] = {}
    for variant in session.scalars(select(ItemVariant)):
        texts.setdefault(variant.revision_id, {})[variant.language] = variant.content
    query = select(ItemRevision, Item.code).join(Item, Item.id == ItemRevision.item_id)
    for revision, code in session.execute(query):
        if revision_hash(revision, texts.get(revision.id, {})) != revision.content_hash:
            yield Break(f"item {code}", revision.number, "its revision does not match its hash")
