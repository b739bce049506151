"""The values of an exam file's tables, each read strictly by the kind of its key.

Called by `engine.rules.designs`. Imports the engine's errors and grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.ability.grids import Grid
from engine.blueprints.content_shares import Shares
from engine.errors import InputError
from engine.exposure.rules import Parameters


def value_of(value: Any, key: str, column: str) -> Any:
    """Read the value of a key; `InputError` naming ``column`` when it is of another kind."""
    reader: Callable[[Any, str], Any] = READERS.get(key, number)
    return reader(value, column)


def text(value: Any, column: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise InputError("a text", repr(value), column=column)
    return value


def whole(value: Any, column: str) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("a whole number", repr(value), column=column)
    return value


def number(value: Any, column: str) -> float:
    """A number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError("a number", repr(value), column=column)
    return float(value)


def switch(value: Any, column: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError("true or false", repr(value), column=column)
    return value


def listed(value: Any, column: str) -> Sequence[Any]:
    """A list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError("a list of numbers", repr(value), column=column)
    return value


def parameters(value: Any, column: str) -> Parameters:
    """One number for each item, or a list with one for each stratum of theta."""
    if not isinstance(value, Mapping):
        raise InputError(f"a table [{column}] of items", repr(value), column=column)
    lists = {
        str(item): [chance] if isinstance(chance, int | float) else listed(chance, column)
        for item, chance in value.items()
    }
    return tuple(
        (item, tuple(number(one, f"{column}.{item}") for one in chances))
        for item, chances in lists.items()
    )


def shares(value: Any, column: str) -> Shares:
    """Areas and their shares."""
    if not isinstance(value, Mapping):
        raise InputError(f"a table [{column}] of areas and shares", repr(value), column=column)
    return tuple((str(area), number(share, f"{column}.{area}")) for area, share in value.items())


def grid(value: Any, column: str) -> Grid:
    """Low end, high end and number of points."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise InputError("[low, high, n]", repr(value), column=column)
    low, high, n = value
    return Grid(number(low, column), number(high, column), whole(n, column))


def whole_numbers(value: Any, column: str) -> tuple[int, ...]:
    """A list of whole numbers."""
    return tuple(whole(one, column) for one in listed(value, column))


def numbers(value: Any, column: str) -> tuple[float, ...]:
    """A list of numbers."""
    return tuple(number(one, column) for one in listed(value, column))


READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "content": shares,
    **dict.fromkeys(("grid", "criterion_grid"), grid),
    "k": parameters,
    "prices": parameters,
    "positions": whole_numbers,
    **dict.fromkeys(("start_range", "strata", "cuts"), numbers),
    **dict.fromkeys(("candidate_prior", "counts_towards_length"), switch),
    **dict.fromkeys(("block_by_difficulty", "avoid_earlier"), switch),
    **dict.fromkeys(("criterion", "interim", "final", "method", "choice", "out_of_time"), text),
    **dict.fromkeys(("randomesque", "length", "min_items", "max_items", "last_estimates"), whole),
    **dict.fromkeys(("decimals", "count", "first", "last", "a_strata"), whole),
}
"""How each key is read; a number where none is named."""
