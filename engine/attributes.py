"""What is known of items besides their parameters: stimulus, enemies, labels and numbers.

Stands beside the parameters in `engine.items.ItemParameters`; read when an exam's blueprint is
bound to a bank. Imports numpy and the engine's own arrays and errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats, frozen_floats
from engine.errors import InputError


def _no_labels() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


def _no_numbers() -> Mapping[str, Floats]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class ItemAttributes:
    """Attributes of a bank's items by row; what a bank does not have is empty.

    Parameters
    ----------
    stimulus
        Name of the stimulus that an item belongs to, by item; an empty string for none.
    enemies
        Identifiers of the items that may not stand in one test with an item, by item. One side of
        a pair is enough.
    labels
        Further attributes in words, such as ``key`` or ``cognitive_level``, each by item.
    numbers
        Attributes in numbers, such as ``words`` or ``seconds``, each of shape ``(n_items,)``.
    """

    stimulus: tuple[str, ...] = ()
    enemies: tuple[tuple[str, ...], ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=_no_labels)
    numbers: Mapping[str, Floats] = field(default_factory=_no_numbers)

    def __reduce__(self) -> tuple[type[ItemAttributes], tuple[object, ...]]:
        # The views of an empty bank cannot be pickled.
        values = (self.stimulus, self.enemies, dict(self.labels), dict(self.numbers))
        return ItemAttributes, values

    def subset(self, rows: Sequence[int]) -> ItemAttributes:
        """Keep some items, in the order given."""
        return ItemAttributes(
            stimulus=tuple(self.stimulus[row] for row in rows) if self.stimulus else (),
            enemies=tuple(self.enemies[row] for row in rows) if self.enemies else (),
            labels={name: tuple(of[row] for row in rows) for name, of in self.labels.items()},
            numbers={name: frozen_floats(of[list(rows)]) for name, of in self.numbers.items()},
        )


NO_ATTRIBUTES = ItemAttributes()


def item_attributes(
    n_items: int,
    *,
    stimulus: Sequence[str] | None = None,
    enemies: Sequence[Sequence[str]] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
    numbers: Mapping[str, npt.ArrayLike] | None = None,
) -> ItemAttributes:
    """Check attributes and freeze them.

    Raises
    ------
    InputError
        Naming the attribute, when it does not have one value by item, or a number is not finite.
    """
    made = ItemAttributes(
        stimulus=tuple(stimulus or ()),
        enemies=tuple(tuple(others) for others in enemies or ()),
        labels={name: tuple(of) for name, of in (labels or {}).items()},
        numbers={name: frozen_floats(of) for name, of in (numbers or {}).items()},
    )
    _check_length("stimulus", len(made.stimulus or range(n_items)), n_items)
    _check_length("enemies", len(made.enemies or range(n_items)), n_items)
    for name, of in made.labels.items():
        _check_length(name, len(of), n_items)
    for name, values in made.numbers.items():
        _check_length(name, values.size, n_items)
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError("a number for every item", f"{values[row]} in row {row}", column=name)
    return made


def _check_length(column: str, found: int, n_items: int) -> None:
    if found != n_items:
        raise InputError(f"{n_items} values, one by item", found, column=column)
