"""What differs between two states of a bank: releases, or the one that would be next.

Called by `tarozu bank diff` and before publishing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models.dispatch import expected_score, probabilities
from item_bank.items.overview import joined
from item_bank.items.plans import (
    EVERY_LANGUAGE,
    Gate,
    Parameters,
    Plan,
    PlannedItem,
    plan,
    released_items,
)
from item_bank.items.releases import bank_by_code, parameter_arrays, release_by_number
from item_bank.store.database import Database
from item_bank.store.tables.items import Bank

DRAFT = "draft"
GRID = np.linspace(-4.0, 4.0, 161)
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True)
class Difference:
    """An item that differs, in a language ("" is every language).

    Parameters
    ----------
    kind
        "added", "removed" or "changed".
    old, new
        The parameters; None on the side where the item is not.
    reworded
        Whether it is another revision of the item.
    distance
        Largest distance between the two response curves for theta from -4 to 4; with more than
        two categories, of the expected score in parts of the highest, and with ``nrm`` the
        largest of any category. None for one curve alone, or two that cannot be compared.
    gate
        Of the draft's calibration: whether the new parameters passed, and why not.
    """

    kind: str
    code: str
    language: str
    old: Parameters | None
    new: Parameters | None
    reworded: bool = False
    old_status: str | None = None
    new_status: str | None = None
    distance: float | None = None
    gate: Gate | None = None


def diff(
    db: Database, bank_code: str, a: str | int, b: str | int, *, organisation_id: str
) -> list[Difference]:
    """Compare two states of a bank, each a release number or "draft", what would be next.

    Raises
    ------
    InputError
        When there is no such bank or release.
    """
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        old, new = _side(session, bank, a), _side(session, bank, b)
    return differences(old, new)


def side(
    db: Database, bank_code: str, which: str | int, *, organisation_id: str
) -> dict[str, PlannedItem]:
    """Return one state of a bank by item code, as `diff` takes it."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        return _side(session, bank, which)


def differences(old: dict[str, PlannedItem], new: dict[str, PlannedItem]) -> list[Difference]:
    """Compare two sets of items by code."""
    found = []
    for code in dict.fromkeys([*old, *new]):
        before, after = old.get(code), new.get(code)
        if before is None or after is None:
            found += _one_sided(code, before, after)
        else:
            found += _changed(before, after)
    return found


def next_release(
    db: Database, bank_code: str, *, organisation_id: str
) -> tuple[Plan, list[Difference]]:
    """Return what would be published next, and how it differs from the last release."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        planned = plan(session, bank)
        base = planned.base_release_id
        old = {i.code: i for i in released_items(session, base)} if base else {}
    return planned, differences(old, _planned(planned))


def _planned(planned: Plan) -> dict[str, PlannedItem]:
    return {item.code: item for item in planned.items}


def _side(session: Session, bank: Bank, which: str | int) -> dict[str, PlannedItem]:
    if which == DRAFT:
        return _planned(plan(session, bank))
    if not str(which).isdecimal():
        raise InputError(f"a release number or {DRAFT}", repr(which))
    info = release_by_number(session, bank.id, int(which))
    return {item.code: item for item in released_items(session, info.id)}


def _one_sided(
    code: str, before: PlannedItem | None, after: PlannedItem | None
) -> list[Difference]:
    kind, item = (ADDED, after) if before is None else (REMOVED, before)
    assert item is not None
    sides = [(language, p) for language, p in joined(item.parameters).items()]
    return [
        Difference(kind, code, lang, p if before else None, p if after else None)
        for lang, p in sides
    ]


def _changed(before: PlannedItem, after: PlannedItem) -> list[Difference]:
    reworded = before.revision_id != after.revision_id
    same = not reworded and before.status == after.status
    pairs = {
        language: (_in(before, language), _in(after, language))
        for language in dict.fromkeys([*before.parameters, *after.parameters])
    }
    if len({repr(pair) for pair in pairs.values()}) == 1:
        pairs = {EVERY_LANGUAGE: next(iter(pairs.values()))}
    return [
        Difference(
            CHANGED,
            before.code,
            language,
            old,
            new,
            reworded,
            before.status,
            after.status,
            curve_distance(old, new) if old and new else None,
            after.gate,
        )
        for language, (old, new) in pairs.items()
        if old != new or not same
    ]


def _in(item: PlannedItem, language: str) -> Parameters | None:
    return item.parameters.get(language) or item.parameters.get(EVERY_LANGUAGE)


def curve_distance(old: Parameters, new: Parameters) -> float | None:
    """Largest distance between two response curves, as parts of the highest score.

    The categories of ``nrm`` have no order and no score: of two such items the largest distance
    between the curves of a category; None beside another model or other categories.
    """
    before, after = _arrays(old), _arrays(new)
    nominal = [items.model[0] == "nrm" for items in (before, after)]
    if any(nominal):
        if not all(nominal) or before.n_categories[0] != after.n_categories[0]:
            return None
        curves = probabilities(GRID, before), probabilities(GRID, after)
    else:
        curves = _expected_part(before), _expected_part(after)
    return float(np.max(np.abs(curves[0] - curves[1])))


def _arrays(parameters: Parameters) -> ItemParameters:
    return parameter_arrays([("x", parameters.model, "", parameters.values)])


def _expected_part(items: ItemParameters) -> Floats:
    part: Floats = expected_score(GRID, items)[:, 0] / (items.n_categories[0] - 1)
    return part
