"""The practice pool: one question of each type, shipped with the package; no exam uses it.

Called by the practice pages and the style guide. Nothing of it is in a database, and nothing
that is answered here is kept.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from item_bank.items.bank_files import BankSource
from item_bank.items.formats.json_file import read_json
from item_bank.items.presentation import Address, Texts, presented_item
from item_bank.items.presented import Presented
from item_bank.store.media import MediumInfo, checked_medium

FOLDER = Path(__file__).parent
MEDIA = FOLDER / "media"
TONES = "tones.wav"


@cache
def pool() -> BankSource:
    """Return the practice bank."""
    return read_json(FOLDER / "bank.json")


def practice_types() -> tuple[str, ...]:
    """Return the types that the pool has, in its order."""
    return tuple(item.type for item in pool().items)


@cache
def _media() -> dict[str, MediumInfo]:
    return {name: checked_medium(content) for name, content in pool().media.items()}


def practice_question(item_type: str, language: str, address: Address) -> Presented:
    """Return the practice question of a type; in English where it is not in the language.

    Its ids are the pool's own: there is nothing to hide.
    """
    item = next(item for item in pool().items if item.type == item_type)
    known = language if language in item.variants else "en"
    texts = Texts(_media(), address)
    order = item.key.get("choices", ()) if item_type != "order" else ("C", "A", "D", "B")
    return presented_item(item_type, item.variants[known], item.key, known, texts, order)


def medium_name(sha256: str) -> str:
    """Return the file of a medium of the pool."""
    return next(name for name, medium in _media().items() if medium.sha256 == sha256)
