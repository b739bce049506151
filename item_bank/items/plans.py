"""What the next release of a bank would hold: the last release, with the open draft over it.

Pure once loaded. Called by `releases.publish`, by `bank diff ... draft` and by `bank show`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.store.canonical import content_hash
from item_bank.store.tables.items import Bank, Item, ItemRevision, ItemVariant
from item_bank.store.tables.releases import (
    DraftParameters,
    ParameterDraft,
    Release,
    ReleaseItem,
)

EVERY_LANGUAGE = ""
OUTSIDE = frozenset({"draft", "reviewed", "translated", "retired"})
"""States of items that no release takes."""


@dataclass(frozen=True)
class Parameters:
    """A model with its parameters and standard errors."""

    model: str
    values: dict[str, Any]
    se: dict[str, Any]


@dataclass(frozen=True)
class Gate:
    """Whether new parameters passed the gates of their calibration, and why not."""

    passed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedItem:
    """An item of a release, with its parameters by language (or in `EVERY_LANGUAGE`).

    ``gate`` is that of the open draft; None where no calibration stands behind it.
    """

    code: str
    revision_id: str
    revision_hash: str
    content_area: str
    status: str
    parameters: Mapping[str, Parameters]
    gate: Gate | None = None


@dataclass(frozen=True)
class Plan:
    """The items of a release in order, its languages, and which items stay outside and why.

    Parameters
    ----------
    left_out
        Why an item is not in it, by code.
    incomplete
        Those of them that keep the plan from being published: a language they have no parameters
        for, by code.
    promoted
        Codes of pretest items that passed the gates of their calibration and count from now on.
    """

    bank_code: str
    items: tuple[PlannedItem, ...]
    languages: tuple[str, ...]
    base_release_id: str | None = None
    draft_id: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    incomplete: dict[str, str] = field(default_factory=dict)
    promoted: tuple[str, ...] = ()

    def content_hash(self) -> str:
        """Hash of all that the release freezes."""
        rows = [
            [i.code, i.revision_hash, i.content_area, i.status, language, p.model, p.values, p.se]
            for i in self.items
            for language, p in i.parameters.items()
        ]
        return content_hash({"bank": self.bank_code, "items": rows})


def last_release(session: Session, bank_id: str) -> Release | None:
    """Return the newest release of a bank."""
    newest = select(Release).where(Release.bank_id == bank_id).order_by(Release.number.desc())
    return session.scalars(newest.limit(1)).first()


def open_draft(session: Session, bank_id: str) -> ParameterDraft | None:
    """Return the draft that waits to be published."""
    waiting = (
        select(ParameterDraft)
        .where(ParameterDraft.bank_id == bank_id, ParameterDraft.status == "open")
        .order_by(ParameterDraft.number.desc())
    )
    return session.scalars(waiting.limit(1)).first()


def plan(session: Session, bank: Bank) -> Plan:
    """Lay the open draft over the last release, without retired items.

    Items without parameters stay outside, too.
    """
    base, draft = last_release(session, bank.id), open_draft(session, bank.id)
    old, new = _released(session, base), _drafted(session, draft)
    in_order = _items_in_order(session, bank, old)
    waiting = [i.id for i in in_order if i.status not in OUTSIDE and i.code not in old | new]
    earlier = _earlier(session, waiting)
    kept: list[tuple[Item, ItemRevision, dict[str, Parameters]]] = []
    left_out = {}
    for item in in_order:
        given = new.get(item.code) or old.get(item.code) or earlier.get(item.code)
        if item.status in OUTSIDE or given is None:
            left_out[item.code] = "no parameters" if given is None else item.status
            continue
        revision, parameters = given
        if item.code in old and old[item.code][0].id == revision.id:
            parameters = _over(old[item.code][1], parameters)
        kept.append((item, revision, parameters))
    languages, gates = _languages(session, kept), _gates(session, draft)
    rising = {revision for revision, gate in gates.items() if gate.passed}
    promoted = [i.code for i, r, _ in kept if i.status == "pretest" and r.id in rising]
    items = [(row[0].code, _planned(*row, languages)) for row in kept]
    incomplete = {code: item for code, item in items if isinstance(item, str)}
    return Plan(
        bank.code,
        tuple(
            replace(
                item,
                status="operational" if code in promoted else item.status,
                gate=gates.get(item.revision_id),
            )
            for code, item in items
            if isinstance(item, PlannedItem)
        ),
        languages,
        base.id if base else None,
        draft.id if draft else None,
        left_out | {code: f"no parameters in {missing}" for code, missing in incomplete.items()},
        incomplete,
        tuple(code for code in promoted if code not in incomplete),
    )


def released_items(session: Session, release_id: str) -> list[PlannedItem]:
    """Return the items of a release in order, as a plan has them."""
    rows = (
        select(ReleaseItem, ItemRevision.content_hash)
        .join(ItemRevision, ItemRevision.id == ReleaseItem.revision_id)
        .where(ReleaseItem.release_id == release_id)
        .order_by(ReleaseItem.position, ReleaseItem.language)
    )
    found: dict[str, PlannedItem] = {}
    for row, revision_hash in session.execute(rows):
        if row.code not in found:
            found[row.code] = PlannedItem(
                row.code, row.revision_id, revision_hash, row.content_area, row.status, {}
            )
        sets = dict(found[row.code].parameters)
        sets[row.language] = Parameters(row.model, row.parameters, row.se)
        found[row.code] = replace(found[row.code], parameters=sets)
    return list(found.values())


def known_parameters(session: Session, bank: Bank) -> set[str]:
    """Ids of the revisions that have parameters: released, in the open draft, or kept since."""
    base, draft = last_release(session, bank.id), open_draft(session, bank.id)
    given = {**_released(session, base), **_drafted(session, draft)}
    items = select(Item).where(Item.bank_id == bank.id)
    others = [item.id for item in session.scalars(items) if item.code not in given]
    given |= _earlier(session, others)
    return {revision.id for revision, _ in given.values()}


Given = dict[str, tuple[ItemRevision, dict[str, Parameters]]]


def _released(session: Session, release: Release | None) -> Given:
    if release is None:
        return {}
    rows = (
        select(ReleaseItem, ItemRevision, Item.code)
        .join(ItemRevision, ItemRevision.id == ReleaseItem.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(ReleaseItem.release_id == release.id)
        .order_by(ReleaseItem.position)
    )
    return _by_code(session.execute(rows))


def _drafted(session: Session, draft: ParameterDraft | None) -> Given:
    if draft is None:
        return {}
    rows = (
        select(DraftParameters, ItemRevision, Item.code)
        .join(ItemRevision, ItemRevision.id == DraftParameters.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(DraftParameters.draft_id == draft.id)
        .order_by(ItemRevision.number)
    )
    return _by_code(session.execute(rows))


def _earlier(session: Session, item_ids: list[str]) -> Given:
    """Parameters of a published draft for items that were in no state to be released then."""
    found: Given = {}
    for start in range(0, len(item_ids), 500):
        rows = (
            select(DraftParameters, ItemRevision, Item.code)
            .join(ParameterDraft, ParameterDraft.id == DraftParameters.draft_id)
            .join(ItemRevision, ItemRevision.id == DraftParameters.revision_id)
            .join(Item, Item.id == ItemRevision.item_id)
            .where(Item.id.in_(item_ids[start : start + 500]))
            .where(ParameterDraft.status == "published")
            .order_by(ParameterDraft.number, ItemRevision.number)
        )
        found |= _by_code(session.execute(rows))
    return found


def _gates(session: Session, draft: ParameterDraft | None) -> dict[str, Gate]:
    """Whether each item revision of a draft passed the gates, in every language."""
    if draft is None:
        return {}
    rows = select(DraftParameters.revision_id, DraftParameters.about)
    found: dict[str, Gate] = {}
    for revision, about in session.execute(rows.where(DraftParameters.draft_id == draft.id)):
        own = about.get("gate")
        if own is not None:
            before = found.get(revision, Gate(passed=True))
            reasons = dict.fromkeys([*before.reasons, *own["reasons"]])
            found[revision] = Gate(passed=before.passed and own["passed"], reasons=tuple(reasons))
    return found


def _by_code(
    rows: Iterable[tuple[ReleaseItem | DraftParameters, ItemRevision, str]],
) -> Given:
    """Collect the languages of each item; of two revisions the later row's counts."""
    given: Given = {}
    for row, revision, code in rows:
        if code not in given or given[code][0].id != revision.id:
            given[code] = (revision, {})
        given[code][1][row.language] = Parameters(row.model, row.parameters, row.se)
    return given


def _over(old: dict[str, Parameters], new: dict[str, Parameters]) -> dict[str, Parameters]:
    return new if EVERY_LANGUAGE in new else old | new


def _items_in_order(session: Session, bank: Bank, released: Given) -> list[Item]:
    """Items of the last release keep their order; others follow in the order of their making."""
    order = {code: position for position, code in enumerate(released)}
    found = session.scalars(select(Item).where(Item.bank_id == bank.id))
    last = len(order)
    return sorted(found, key=lambda i: (order.get(i.code, last), i.created_at, i.code))


def _languages(
    session: Session, kept: list[tuple[Item, ItemRevision, dict[str, Parameters]]]
) -> tuple[str, ...]:
    """The languages of the texts; without a text, those of the parameters."""
    found: set[str] = set()
    ids = [revision.id for _, revision, _ in kept]
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        query = select(ItemVariant.language).where(ItemVariant.revision_id.in_(some)).distinct()
        found.update(session.scalars(query))
    split = {language for _, _, parameters in kept for language in parameters} - {EVERY_LANGUAGE}
    return tuple(sorted(found or split)) or (EVERY_LANGUAGE,)


def _planned(
    item: Item,
    revision: ItemRevision,
    parameters: dict[str, Parameters],
    languages: tuple[str, ...],
) -> PlannedItem | str:
    """Return the item, or the language that it lacks parameters for."""
    sets = {language: _in_language(parameters, language) for language in languages}
    for language, found in sets.items():
        if found is None:
            return language
    return PlannedItem(
        item.code,
        revision.id,
        revision.content_hash,
        revision.content_area,
        "pretest" if item.status == "pretest" else "operational",
        {language: found for language, found in sets.items() if found is not None},
    )


def _in_language(parameters: dict[str, Parameters], language: str) -> Parameters | None:
    found = parameters.get(language) or parameters.get(EVERY_LANGUAGE)
    if found is None and len({repr(p) for p in parameters.values()}) == 1:
        return next(iter(parameters.values()))  # a language that is new to an item not split
    return found
