"""Every table of the site on one MetaData: importing this imports them all."""

from __future__ import annotations

from item_bank.store.tables import (
    authoring,
    corrections,
    exams,
    items,
    outcomes,
    people,
    records,
    releases,
    site,
    sittings,
    standards,
    studies,
    usage,
)
from item_bank.store.tables.base import Base

MODULES = (
    *(site, people, items, authoring, releases, exams, sittings, usage, records),
    *(studies, corrections, outcomes, standards),
)

metadata = Base.metadata
