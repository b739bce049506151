"""The worker's short work with what results add to it.

A sitting that has ended follows the corrections in force, is sealed, and is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from item_bank.exams import upkeep
from item_bank.results.corrections.applying import follow
from item_bank.results.flags.sealing import seal_and_flag
from item_bank.store.database import Database


def follow_and_seal(db: Database, payload: Mapping[str, Any]) -> None:
    """Amend, seal and flag a sitting; may run twice."""
    follow(db, payload["sitting"])
    seal_and_flag(db, payload)


HANDLERS: Mapping[str, Callable[[Database, Mapping[str, Any]], None]] = {
    **upkeep.HANDLERS,
    "seal_sitting": follow_and_seal,
}
