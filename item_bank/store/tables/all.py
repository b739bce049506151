"""Every table of the site on one MetaData: importing this imports them all."""

from __future__ import annotations

from item_bank.store.tables import (
    authoring,
    exams,
    items,
    people,
    records,
    releases,
    site,
    sittings,
    usage,
)
from item_bank.store.tables.base import Base

MODULES = (site, people, items, authoring, releases, exams, sittings, usage, records)

metadata = Base.metadata
