"""All item types by name, in the order in which documents name them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import InputError
from item_bank.items.types.base import ItemType
from item_bank.items.types.hotspot import HOTSPOT
from item_bank.items.types.inline_choice import INLINE_CHOICE
from item_bank.items.types.match import MATCH
from item_bank.items.types.multiple_response import MULTIPLE_RESPONSE
from item_bank.items.types.numeric_entry import NUMERIC_ENTRY
from item_bank.items.types.order import ORDER
from item_bank.items.types.rating_scale import RATING_SCALE
from item_bank.items.types.single_choice import SINGLE_CHOICE
from item_bank.items.types.text_entry import TEXT_ENTRY

_ALL = (
    *(SINGLE_CHOICE, MULTIPLE_RESPONSE, TEXT_ENTRY, NUMERIC_ENTRY, INLINE_CHOICE),
    *(ORDER, MATCH, HOTSPOT, RATING_SCALE),
)
TYPES: Mapping[str, ItemType] = {one.name: one for one in _ALL}


def type_named(name: str) -> ItemType:
    """Return a type by its name.

    Raises
    ------
    InputError
        When there is none such, or its items have no text.
    """
    if name not in TYPES:
        raise InputError("an item with text and a key", f"type {name}")
    return TYPES[name]
