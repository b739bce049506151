"""What a test must consist of: the table ``[blueprint]`` of an exam file as one frozen value.

Bounds on content areas, labels and totals, stimulus sets, enemies and excluded items. Read by
`engine.rules.designs`; bound to a bank by `engine.blueprints.constraints`. Imports the engine's
errors only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import InputError

ANY = "*"
"""In a table of labels: each value that the bank has."""
MASKS, PRIORITY_INDEX, SHADOW_TEST = METHODS = ("masks", "priority_index", "shadow_test")
"""How a blueprint is kept: by `engine.blueprints.look_ahead`, by it and Cheng and Chang's index, or
by `engine.blueprints.shadow`."""
SOLVER = ("nodes", "seconds")
TABLES = ("method", *SOLVER, "stages", "content", "labels", "totals", "sets", "enemies", "excluded")
COUNTS = ("minimum", "maximum")
SHARES = ("minimum_share", "maximum_share")


@dataclass(frozen=True)
class Bound:
    """How much of something a whole test holds, at least and at most.

    Parameters
    ----------
    name
        A content area, the value of a label, or a number's name.
    minimum, maximum
        In items, or in the unit of the number; None for no bound.
    minimum_share, maximum_share
        Of the items of a whole test, from 0 to 1; a minimum is rounded up, a maximum down.
    """

    name: str
    minimum: float | None = None
    maximum: float | None = None
    minimum_share: float | None = None
    maximum_share: float | None = None

    def of(self, length: int) -> tuple[float, float]:
        """Both bounds for a test of so many items; minus infinity and infinity for none."""
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        if self.minimum_share is not None:
            low = float(np.ceil(self.minimum_share * length - 1e-9))
        if self.maximum_share is not None:
            high = float(np.floor(self.maximum_share * length + 1e-9))
        return low, high


@dataclass(frozen=True)
class SetBounds:
    """How many items are given of a stimulus that is chosen, one after the other."""

    min_items: int = 1
    max_items: int = 1_000_000


@dataclass(frozen=True)
class Blueprint:
    """The composition of a test.

    Parameters
    ----------
    method
        ``masks``, ``priority_index`` or ``shadow_test``.
    nodes, seconds
        When a shadow test is taken as good as it was found so far; the seconds are a last resort,
        since no replay can repeat what a clock did.
    stages
        Items of each stage, where a shadow test is assembled only as a stage begins; empty for one
        before every item.
    content
        Bounds on the number of items by content area.
    labels
        Label (``key``, ``cognitive_level``, ...) with bounds on the items by its values; the value
        ``*`` stands for each value without a bound of its own.
    totals
        Bounds on the sum of a number (``words``, ``seconds``, ...) over the test.
    sets
        None where a stimulus does not hold its items together.
    enemies
        Groups of items of which a test has at most one, besides those that the bank names.
    excluded
        Items that this exam never gives.
    """

    method: str = MASKS
    nodes: int = 2000
    seconds: float = 5.0
    stages: tuple[int, ...] = ()
    content: tuple[Bound, ...] = ()
    labels: tuple[tuple[str, tuple[Bound, ...]], ...] = ()
    totals: tuple[Bound, ...] = ()
    sets: SetBounds | None = None
    enemies: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()


def blueprint_from_mapping(table: Any) -> Blueprint:
    """Read the table ``[blueprint]`` of an exam file, strictly.

    Parameters
    ----------
    table
        ``method``, ``nodes``, ``seconds``, ``stages``; ``content.AREA``, ``labels.LABEL.VALUE`` and
        ``totals.NUMBER`` with minimum, maximum, minimum_share, maximum_share
        (shares not for totals); ``sets`` with min_items and
        max_items; ``enemies``, a list of lists of items; ``excluded``, a list of items.

    Raises
    ------
    InputError
        Naming the key, what it takes and what it held.
    """
    given = _mapping(table, "blueprint")
    _only(given, TABLES, "blueprint")
    labels = _mapping(given.get("labels", {}), "blueprint.labels")
    return Blueprint(
        **_method(given),
        stages=_stages(given),
        content=_bounds(given.get("content", {}), "blueprint.content", whole=True),
        labels=tuple(
            (str(name), _bounds(of, f"blueprint.labels.{name}", whole=True))
            for name, of in labels.items()
        ),
        totals=_bounds(given.get("totals", {}), "blueprint.totals", whole=False),
        sets=_sets(given["sets"]) if "sets" in given else None,
        enemies=tuple(
            _texts(group, f"blueprint.enemies[{place}]", at_least=2)
            for place, group in enumerate(_list(given.get("enemies", []), "blueprint.enemies"), 1)
        ),
        excluded=_texts(given.get("excluded", []), "blueprint.excluded", at_least=0),
    )


def blueprint_to_mapping(blueprint: Blueprint) -> dict[str, Any]:
    """Give a blueprint as the table that `blueprint_from_mapping` reads; JSON can hold it."""
    sets = blueprint.sets
    table: dict[str, Any] = {
        "method": blueprint.method,
        "nodes": blueprint.nodes,
        "seconds": blueprint.seconds,
        "stages": list(blueprint.stages),
        "content": _table(blueprint.content),
        "labels": {name: _table(bounds) for name, bounds in blueprint.labels},
        "totals": _table(blueprint.totals),
        "enemies": [list(group) for group in blueprint.enemies],
        "excluded": list(blueprint.excluded),
    }
    table = {name: value for name, value in table.items() if value}
    if sets is not None:
        table["sets"] = {"min_items": sets.min_items, "max_items": sets.max_items}
    return table


def _method(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read how the blueprint is kept."""
    found = {key: given[key] for key in ("method", *SOLVER) if key in given}
    if found.get("method", MASKS) not in METHODS:
        expected = f"one of {', '.join(METHODS)}"
        raise InputError(expected, repr(found["method"]), column="blueprint.method")
    for key in SOLVER:
        if key in found:
            read: Callable[[Any, str], float] = _count if key == "nodes" else _number
            found[key] = read(found[key], f"blueprint.{key}")
            if found[key] <= 0:
                raise InputError("a number above 0", found[key], column=f"blueprint.{key}")
    return found


def _stages(given: Mapping[str, Any]) -> tuple[int, ...]:
    """Read the sizes of stages, which only shadow tests have."""
    sizes = tuple(
        _count(size, "blueprint.stages")
        for size in _list(given.get("stages", []), "blueprint.stages")
    )
    if "stages" in given and (not sizes or min(sizes) < 1):
        expected = "a list of whole numbers from 1"
        raise InputError(expected, list(sizes), column="blueprint.stages")
    if sizes and given.get("method", MASKS) != SHADOW_TEST:
        expected = f"method {SHADOW_TEST!r}, whose forms stages are taken from"
        raise InputError(expected, repr(given.get("method", MASKS)), column="blueprint.method")
    return sizes


def _table(bounds: Sequence[Bound]) -> dict[str, dict[str, float]]:
    keys = (*COUNTS, *SHARES)
    return {
        bound.name: {key: getattr(bound, key) for key in keys if getattr(bound, key) is not None}
        for bound in bounds
    }


def _bounds(value: Any, column: str, *, whole: bool) -> tuple[Bound, ...]:
    table = _mapping(value, column)
    return tuple(
        _bound(str(name), of, f"{column}.{name}", whole=whole) for name, of in table.items()
    )


def _bound(name: str, value: Any, column: str, *, whole: bool) -> Bound:
    table = _mapping(value, column)
    _only(table, (*COUNTS, *SHARES) if whole else COUNTS, column)
    if not table:
        raise InputError("a minimum or a maximum", "neither", column=column)
    for side in ("minimum", "maximum"):
        if side in table and f"{side}_share" in table:
            raise InputError(f"{side} or {side}_share", "both", column=column)
    read: Callable[[Any, str], float] = _count if whole else _number
    given = {key: read(table[key], f"{column}.{key}") for key in COUNTS if key in table}
    given |= {key: _share(table[key], f"{column}.{key}") for key in SHARES if key in table}
    made = Bound(name, **given)
    for low, high in ((made.minimum, made.maximum), (made.minimum_share, made.maximum_share)):
        if low is not None and high is not None and low > high:
            raise InputError(f"a maximum from {low:g}", f"{high:g}", column=column)
    return made


def _sets(value: Any) -> SetBounds:
    table = _mapping(value, "blueprint.sets")
    _only(table, ("min_items", "max_items"), "blueprint.sets")
    given = {key: _count(value, f"blueprint.sets.{key}") for key, value in table.items()}
    made = SetBounds(**given)
    if made.min_items < 1 or made.max_items < made.min_items:
        expected = "1 <= min_items <= max_items"
        found = f"{made.min_items} and {made.max_items}"
        raise InputError(expected, found, column="blueprint.sets")
    return made


def _count(value: Any, column: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("a whole number from 0", repr(value), column=column)
    return value


def _number(value: Any, column: str) -> float:
    wrong = not isinstance(value, int | float) or isinstance(value, bool)
    if wrong or not np.isfinite(value):
        raise InputError("a number", repr(value), column=column)
    return float(value)


def _share(value: Any, column: str) -> float:
    share = _number(value, column)
    if not 0.0 <= share <= 1.0:
        raise InputError("a share from 0 to 1", value, column=column)
    return share


def _texts(value: Any, column: str, *, at_least: int) -> tuple[str, ...]:
    names = _list(value, column)
    distinct = {name for name in names if isinstance(name, str)}
    if len(distinct) < len(names) or len(names) < at_least:
        expected = f"a list of {at_least or 'any number of'} or more different item names"
        raise InputError(expected if at_least else "a list of item names", names, column=column)
    return tuple(names)


def _list(value: Any, column: str) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError("a list", repr(value), column=column)
    return list(value)


def _mapping(value: Any, column: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"a table [{column}]", repr(value), column=column)
    return value


def _only(table: Mapping[str, Any], known: Sequence[str], column: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"one of {', '.join(known)}", repr(key), column=column)
