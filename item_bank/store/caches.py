"""Caches of what never changes: releases, revisions, variants; sittings. One per open database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from item_bank.store.database import Database

Value = TypeVar("Value")
_caches: WeakKeyDictionary[Engine, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()
_recent: WeakKeyDictionary[Engine, dict[str, Any]] = WeakKeyDictionary()
_one_by_one = threading.Lock()
RECENT = 10_000


def once(db: Database, key: tuple[Any, ...], make: Callable[[], Value]) -> Value:
    """Make a value the first time; the same object every other time."""
    cache = _caches.setdefault(db.engine, {})
    if key not in cache:
        cache[key] = make()  # two threads may both make it: both are equal, the last one stays
    value: Value = cache[key]
    return value


def lately(db: Database, key: str, make: Callable[[], Value]) -> Value:
    """Make a value where it is not among the last 10,000 that were made.

    For what there is ever more of, such as sittings.
    """
    recent = _recent.setdefault(db.engine, {})
    found: Value | None = recent.get(key)
    if found is not None:
        return found
    made = make()
    with _one_by_one:
        recent[key] = made
        if len(recent) > RECENT:
            del recent[next(iter(recent))]
    return made
