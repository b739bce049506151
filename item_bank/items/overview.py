"""What a bank holds now: for lists, for a look at one bank, and for its export.

Called by `tarozu bank` and the administrator's pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.items.bank_files import BankSource, ItemSource
from item_bank.items.calibrations import release_link
from item_bank.items.illustrations import stimuli_and_media
from item_bank.items.items import held_codes
from item_bank.items.plans import (
    EVERY_LANGUAGE,
    Parameters,
    Plan,
    PlannedItem,
    last_release,
    open_draft,
    plan,
    released_items,
)
from item_bank.items.releases import ReleaseInfo, bank_by_code, latest_release, release_by_number
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank, Item, ItemRevision, ItemVariant
from item_bank.store.tables.releases import Release


@dataclass(frozen=True)
class BankSummary:
    """A bank in one line."""

    id: str
    code: str
    name: Mapping[str, str]
    items: int
    release: int | None
    published_at: int | None
    languages: tuple[str, ...]
    draft: int | None


@dataclass(frozen=True)
class ItemOverview:
    """An item as the next release would have it; without parameters where it would not."""

    code: str
    status: str
    held: bool
    content_area: str
    type: str
    revision: int
    languages: tuple[str, ...]
    parameters: Mapping[str, Parameters]
    note: str


@dataclass(frozen=True)
class BankOverview:
    """A bank with its items and releases, the newest release first.

    ``links`` says by number how the scale of a release was found, where a calibration is in it.
    """

    summary: BankSummary
    about: Mapping[str, Any]
    releases: tuple[ReleaseInfo, ...]
    items: tuple[ItemOverview, ...]
    links: Mapping[int, Mapping[str, Any]]


def list_banks(db: Database, *, organisation_id: str) -> list[BankSummary]:
    """Return the banks of an organisation by code."""
    with db.read() as session:
        query = select(Bank).where(Bank.organisation_id == organisation_id).order_by(Bank.code)
        return [_summary(session, bank) for bank in session.scalars(query).all()]


def bank_overview(db: Database, bank_code: str, *, organisation_id: str) -> BankOverview:
    """Return a bank with its items; `InputError` when there is none of this code."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        numbers = select(Release.number).where(Release.bank_id == bank.id)
        releases = [
            release_by_number(session, bank.id, number)
            for number in session.scalars(numbers.order_by(Release.number.desc())).all()
        ]
        items, summary = tuple(_items(session, bank)), _summary(session, bank)
        links = {r.number: release_link(session, session.get_one(Release, r.id)) for r in releases}
        known = {number: link for number, link in links.items() if link is not None}
        return BankOverview(summary, bank.about, tuple(releases), items, known)


def bank_source(
    db: Database, bank_code: str, *, organisation_id: str, release: int | None = None
) -> BankSource:
    """Return a bank as a file would say it: as the next release would have it, or as one has it.

    Items that no release would have are in the former, too, unless they are retired.
    """
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        if release is None:
            items = dict(_current(session, bank, plan(session, bank)))
        else:
            info = release_by_number(session, bank.id, release)
            items = {
                item.revision_id: _source(session, item, item.revision_id, item.status)
                for item in released_items(session, info.id)
            }
        stimuli, media = stimuli_and_media(session, list(items))
        return BankSource("", tuple(items.values()), bank.code, bank.about, stimuli, media)


def joined(parameters: Mapping[str, Parameters]) -> dict[str, Parameters]:
    """Join languages whose parameters are equal into one set for every language."""
    sets = list(parameters.values())
    if sets and all(one == sets[0] for one in sets):
        return {EVERY_LANGUAGE: sets[0]}
    return dict(parameters)


def _summary(session: Session, bank: Bank) -> BankSummary:
    count = select(func.count()).select_from(Item).where(Item.bank_id == bank.id)
    release = latest_release(session, bank.id)
    draft = open_draft(session, bank.id)
    return BankSummary(
        bank.id,
        bank.code,
        bank.about.get("name", {}),
        int(session.scalar(count) or 0),
        release.number if release else None,
        release.published_at if release else None,
        tuple(filter(None, release.languages)) if release else (),
        draft.number if draft else None,
    )


def _items(session: Session, bank: Bank) -> list[ItemOverview]:
    planned = plan(session, bank)
    by_code = {item.code: item for item in planned.items}
    last = last_release(session, bank.id)
    before = {i.code: i for i in released_items(session, last.id)} if last else {}
    languages, held = _languages(session, bank), held_codes(session, bank.id)
    order = {code: row for row, code in enumerate(by_code)}
    return [
        ItemOverview(
            item.code,
            item.status,
            item.code in held,
            newest.content_area,
            newest.type,
            newest.number,
            tuple(sorted(languages.get(newest.id, ()))),
            joined(by_code[item.code].parameters) if item.code in by_code else {},
            _note(by_code.get(item.code), before.get(item.code), planned, item.code, newest.id),
        )
        for item, newest in sorted(
            _newest(session, bank), key=lambda pair: order.get(pair[0].code, len(order))
        )
    ]


def _note(
    new: PlannedItem | None, old: PlannedItem | None, planned: Plan, code: str, newest_id: str
) -> str:
    """What the next release would change of an item."""
    if new is None:
        return planned.left_out.get(code, "") + (", leaves the release" if old else "")
    if old is None:
        return "new"
    changed = ["keeps the old text: the new has no parameters"] * (new.revision_id != newest_id)
    if new.revision_id != old.revision_id:
        changed.append("new text")
    if dict(new.parameters) != dict(old.parameters):
        changed.append("new parameters")
    if new.status != old.status:
        changed.append(f"now {new.status}")
    return ", ".join(changed)


def _newest(session: Session, bank: Bank) -> list[tuple[Item, ItemRevision]]:
    """Each item with its newest revision, in the order of their making."""
    query = (
        select(Item, ItemRevision)
        .join(ItemRevision, ItemRevision.item_id == Item.id)
        .where(Item.bank_id == bank.id)
        .order_by(Item.created_at, Item.code, ItemRevision.number)
    )
    return list({item.id: (item, revision) for item, revision in session.execute(query)}.values())


def _languages(session: Session, bank: Bank) -> dict[str, set[str]]:
    query = (
        select(ItemVariant.revision_id, ItemVariant.language)
        .join(ItemRevision, ItemRevision.id == ItemVariant.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.bank_id == bank.id)
    )
    found: dict[str, set[str]] = {}
    for revision_id, language in session.execute(query):
        found.setdefault(revision_id, set()).add(language)
    return found


def _current(session: Session, bank: Bank, planned: Plan) -> Iterator[tuple[str, ItemSource]]:
    """Each item's source, by the id of its revision."""
    by_code = {item.code: item for item in planned.items}
    newest = {item.code: (item, revision) for item, revision in _newest(session, bank)}
    for code in dict.fromkeys([*by_code, *newest]):
        item, revision = newest[code]
        if item.status == "retired":
            continue
        one = by_code.get(code)
        shown, status = (one.revision_id, one.status) if one else (revision.id, item.status)
        yield shown, _source(session, one, shown, status)


def _source(
    session: Session, planned: PlannedItem | None, revision_id: str, status: str
) -> ItemSource:
    revision = session.get_one(ItemRevision, revision_id)
    texts = select(ItemVariant).where(ItemVariant.revision_id == revision_id)
    variants = session.scalars(texts.order_by(ItemVariant.language))
    return ItemSource(
        session.get_one(Item, revision.item_id).code,
        revision.type,
        revision.content_area,
        revision.key,
        revision.about,
        {variant.language: variant.content for variant in variants},
        joined(planned.parameters) if planned else {},
        status,
    )
