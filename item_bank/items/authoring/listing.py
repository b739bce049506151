"""The items of a bank as a list: where each stands, with filters and counts.

Called by `tarozu bank status` and the bank page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.items.authoring.standings import Placed, blocks, standings
from item_bank.items.items import item_by_code
from item_bank.items.life_cycle import Standing, State
from item_bank.items.releases import bank_by_code
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank, ItemVariant

PER_PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; "" is everything.

    Parameters
    ----------
    missing
        A language: items without a text, or without its sign-off, in it.
    text
        A part of a code, or of a stem in any language.
    """

    state: str = ""
    area: str = ""
    missing: str = ""
    text: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.state or self.area or self.missing or self.text)


@dataclass(frozen=True)
class ItemLine:
    """An item in the list of its bank."""

    item_id: str
    standing: Standing
    type: str
    area: str
    revision: int
    stem: str


@dataclass(frozen=True)
class BankPage:
    """One page of a bank's items.

    Parameters
    ----------
    counts
        Of all items of the bank, by state as shown, in the order of the life cycle.
    """

    code: str
    name: Mapping[str, str]
    review_required: bool
    languages: tuple[str, ...]
    areas: Mapping[str, Mapping[str, str]]
    counts: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[ItemLine, ...] = ()
    total: int = 0
    page: int = 1
    pages: int = 1


def bank_standings(
    db: Database, bank_code: str, *, organisation_id: str, item: str | None = None
) -> list[Standing]:
    """Return where the items of a bank stand, or one of them."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        only = item_by_code(session, bank, item) if item is not None else None
        return [placed.standing for placed in standings(session, bank, only)]


def bank_page(db: Database, bank_code: str, wanted: Wanted, *, organisation_id: str) -> BankPage:
    """Return a page of a bank's items, narrowed as wanted.

    Raises
    ------
    InputError
        When the organisation has no such bank.
    """
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        placed = standings(session, bank)
        stems = _stems(session, placed)
    kept = [one for one in placed if _fits(one, stems.get(one.revision.id, {}), wanted)]
    pages = max(-(-len(kept) // PER_PAGE), 1)
    page = min(max(wanted.page, 1), pages)
    shown = kept[(page - 1) * PER_PAGE : page * PER_PAGE]
    counted = Counter(one.standing.shown for one in placed)
    return BankPage(
        bank.code,
        bank.about.get("name", {}),
        bool(placed) and placed[0].standing.review_required,
        placed[0].standing.demanded if placed else (),
        _areas(bank, placed),
        {state: counted[state] for state in State if counted[state]},
        tuple(_line(one, stems.get(one.revision.id, {})) for one in shown),
        len(kept),
        page,
        pages,
    )


def _areas(bank: Bank, placed: Sequence[Placed]) -> dict[str, Mapping[str, str]]:
    names: Mapping[str, Mapping[str, str]] = bank.about.get("content_areas", {})
    found = sorted({one.revision.content_area for one in placed if one.revision.content_area})
    return {area: names.get(area) or {"en": area} for area in dict.fromkeys([*names, *found])}


def _stems(session: Session, placed: Sequence[Placed]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for some in blocks([one.revision.id for one in placed]):
        for row in session.scalars(select(ItemVariant).where(ItemVariant.revision_id.in_(some))):
            found.setdefault(row.revision_id, {})[row.language] = row.content.get("stem", "")
    return found


def _fits(one: Placed, stems: Mapping[str, str], wanted: Wanted) -> bool:
    standing = one.standing
    lacking = {*standing.without_text, *standing.unsigned}
    if wanted.state and standing.shown != wanted.state:
        return False
    if wanted.area and one.revision.content_area != wanted.area:
        return False
    if wanted.missing and wanted.missing not in lacking:
        return False
    sought = wanted.text.casefold()
    return not sought or any(sought in text.casefold() for text in (standing.code, *stems.values()))


def _line(one: Placed, stems: Mapping[str, str]) -> ItemLine:
    stem = stems.get("en") or next(iter(stems.values()), "")
    area = one.revision.content_area
    return ItemLine(one.item.id, one.standing, one.revision.type, area, one.revision.number, stem)
