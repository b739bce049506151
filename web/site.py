"""What every view needs of the application that serves it: its database and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from item_bank.store.database import Database
from item_bank.store.space import free_bytes
from web.settings import Settings

_KEY = "tarozu"


@dataclass(frozen=True, eq=False)
class Site:
    """An application's database and settings."""

    database: Database
    settings: Settings


def keep_site(app: Flask, site: Site) -> None:
    """Put the site where views find it."""
    app.extensions[_KEY] = site


def site_of(app: Flask) -> Site:
    """Return the site of an application."""
    return cast(Site, app.extensions[_KEY])


def site() -> Site:
    """Return the site of the running application."""
    return site_of(current_app)


def database() -> Database:
    """Return the database of the running application."""
    return site().database


def has_room() -> bool:
    """Whether the disk of the records has the room that the operator wants free."""
    return free_bytes(database()) >= site().settings.least_free_mib * 2**20
