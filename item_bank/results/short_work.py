"""The worker's short work with what results add to it: a sitting that is sealed is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from item_bank.exams import upkeep
from item_bank.results.flags.sealing import seal_and_flag
from item_bank.store.database import Database

HANDLERS: Mapping[str, Callable[[Database, Mapping[str, Any]], None]] = {
    **upkeep.HANDLERS,
    "seal_sitting": seal_and_flag,
}
