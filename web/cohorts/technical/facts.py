"""Everything that a technical report says, read once. Called by the long job."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from item_bank.items.releases import ReleaseItems, release_items
from item_bank.results.cohorts.alarms import Alarms, alarms
from item_bank.results.cohorts.around import Around, around
from item_bank.results.cohorts.cohort import Wanted
from item_bank.results.cohorts.exactness import Exactness, exactness
from item_bank.results.cohorts.frames import Frame, frame
from item_bank.results.cohorts.groups import COLUMNS, Group, groups
from item_bank.results.cohorts.item_use import BankUse, bank_use
from item_bank.results.cohorts.scores import Scores, scores
from item_bank.results.cohorts.times import Times, times
from item_bank.store.database import Database


@dataclass(frozen=True)
class Facts:
    """What the sittings of an exam in a period came to, and what they rest on."""

    frame: Frame
    release: ReleaseItems
    scores: Scores
    first: Scores
    groups: Mapping[str, list[Group]]
    exactness: Exactness
    times: Times
    use: BankUse
    alarms: Mapping[str, Alarms]
    around: Around
    software: str


def read_facts(
    db: Database,
    code: str,
    wanted: Wanted,
    *,
    organisation_id: str,
    advance: Callable[[int, int, str], object] = lambda *_said: None,
) -> Facts:
    """Read what a report on a period says; `InputError` for an unknown exam."""
    own = frame(db, code, wanted, organisation_id=organisation_id)
    firsts = replace(own, cohort=own.cohort.of_first_attempts())
    version = own.version
    advance(0, 3, "counting results")
    counted = scores(db, own), scores(db, firsts), {by: groups(db, own, by) for by in COLUMNS}
    advance(1, 3, "counting items and incidents")
    return Facts(
        own,
        release_items(db, version.release_id, version.plan.languages[0]),
        *counted,
        exactness(db, own),
        times(db, own),
        bank_use(db, own),
        alarms(db, version.bank_id, organisation_id=organisation_id),
        around(db, own),
        f"tarozu {importlib.metadata.version('tarozu')}",
    )
