"""Caches of what never changes: releases, revisions, variants. One per open database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from item_bank.store.database import Database

Value = TypeVar("Value")
_caches: WeakKeyDictionary[Engine, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()


def once(db: Database, key: tuple[Any, ...], make: Callable[[], Value]) -> Value:
    """Make a value the first time; the same object every other time."""
    cache = _caches.setdefault(db.engine, {})
    if key not in cache:
        cache[key] = make()  # two threads may both make it: both are equal, the last one stays
    value: Value = cache[key]
    return value
