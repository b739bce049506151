"""The names that a presentation's page gives to choices, gaps, rows and areas.

They are keyed hashes of sitting, position and id: they tell nothing of the item, differ between
sittings, and stay the same over a reload and a change of language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from item_bank.exams.errors import ForeignResponse
from item_bank.exams.questions import shown_question
from item_bank.items.presentation import Address
from item_bank.items.presented import Presented, with_names
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.sittings import PresentedItem

NAME_LENGTH = 16
TYPED = frozenset({"text_entry", "numeric_entry"})


def as_page_shows(
    db: Database, row: PresentedItem, address: Address, language: str | None = None
) -> tuple[Presented, dict[str, str]]:
    """Return a presented item under the names of its page, and the id behind each name.

    Parameters
    ----------
    language
        None for that in which it was first presented.
    """
    key = db.secrets().presentation
    place = row.sitting_id, str(row.position)
    ids: dict[str, str] = {}

    def name(kind: str, own: str) -> str:
        given = keyed_hash(key, *place, kind, own)[:NAME_LENGTH]
        ids[given] = own
        return given

    return with_names(shown_question(db, row, address, language), name), ids


def with_ids(value: Any, ids: Mapping[str, str], item_type: str) -> Any:
    """Put the author's ids in the place of a page's names; what was typed stays as it is.

    Raises
    ------
    ForeignResponse
        When a name is none of this page.
    """
    if value is None or item_type in TYPED:
        return value
    if isinstance(value, str):
        return _known(value, ids)
    if isinstance(value, Mapping):
        return {_known(place, ids): _known(name, ids) for place, name in value.items()}
    return [_known(name, ids) for name in value]


def _known(name: str, ids: Mapping[str, str]) -> str:
    if name not in ids:
        raise ForeignResponse(name)
    return ids[name]
