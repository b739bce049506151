"""A bank as arrays: item identifiers, models, parameters and content areas.

Made by ``item_bank`` from a release, by ``calibration`` from a parameter file or a fit; read by
everything else in ``engine``. Holds no state of a run: what was administered lives in the sitting.
Imports numpy, `engine.item_checks`, and the engine's own arrays and errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.arrays import Bools, Floats, Ints, frozen_floats
from engine.attributes import NO_ATTRIBUTES, ItemAttributes
from engine.errors import InputError
from engine.item_checks import (
    FAMILIES,
    HAS_C,
    HAS_D,
    check_copy_of_b,
    check_names,
    check_values,
)

__all__ = ["FAMILIES", "HAS_C", "HAS_D", "ItemParameters", "Part", "item_parameters"]


@dataclass(frozen=True)
class Part:
    """The items of one family within a bank.

    Parameters
    ----------
    family
        ``logistic``, ``graded``, ``partial_credit`` or ``nominal``.
    rows
        Their rows in the bank, shape ``(n_part,)``.
    items
        They alone, in the same order; the bank itself when it has one family.
    """

    family: str
    rows: Ints
    items: ItemParameters


@dataclass(frozen=True, eq=False)
class ItemParameters:
    """A bank as arrays; row and identifier name the same item. Made by `item_parameters`.

    Two objects are equal only when they are the same object, so that a bank can be the key of a
    cache.

    Parameters
    ----------
    item
        Identifiers, unique.
    model
        ``rasch``, ``1pl``, ``2pl``, ``3pl``, ``4pl``, ``grm``, ``pcm``, ``gpcm`` or ``nrm`` by
        item.
    a
        Discrimination on the logistic metric (D = 1), shape ``(n_items,)``, above 0, usually 0.5
        to 2.5; NaN for ``nrm``.
    b
        Difficulty, shape ``(n_items,)``, usually -4 to 4; NaN for all models but the dichotomous.
    c, d
        Lower and upper asymptote, shape ``(n_items,)``; 0 and 1 where the model lacks them.
    thresholds
        Shape ``(n_items, max_thresholds)``, padded with NaN; the first column of a dichotomous
        item is its b.
    content
        Content area by item; an empty string for none.
    slopes, intercepts
        Of the categories from the second on in ``nrm``, shape ``(n_items, max_slopes)``, padded
        with NaN; those of category 0 are 0. Without columns in a bank that has no ``nrm`` item.
    attributes
        What else a blueprint may speak of; set with `dataclasses.replace`.
    """

    item: tuple[str, ...]
    model: tuple[str, ...]
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    thresholds: Floats
    content: tuple[str, ...]
    slopes: Floats
    intercepts: Floats
    attributes: ItemAttributes = NO_ATTRIBUTES

    def __len__(self) -> int:
        return len(self.item)

    def __getstate__(self) -> dict[str, Any]:
        # What was computed from the parameters stays at home.
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def n_categories(self) -> Ints:
        """Number of score categories by item, shape ``(n_items,)``."""
        steps = np.isfinite(self.thresholds).sum(axis=1, dtype=np.int64)
        count: Ints = 1 + steps + np.isfinite(self.slopes).sum(axis=1, dtype=np.int64)
        return count

    @cached_property
    def max_categories(self) -> int:
        """Width of a table of categories: one more than the widest of the step columns."""
        return 1 + max(int(self.thresholds.shape[1]), int(self.slopes.shape[1]))

    @cached_property
    def is_dichotomous(self) -> Bools:
        """Whether the item belongs to the logistic family, shape ``(n_items,)``."""
        return np.array([FAMILIES[model] == "logistic" for model in self.model], dtype=np.bool_)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.item)}

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def row(self, item_id: str) -> int:
        """Row of an item; `InputError` when the bank does not have it."""
        if item_id not in self._rows:
            raise InputError(f"one of the {len(self)} items of the bank", repr(item_id))
        return self._rows[item_id]

    def subset(self, rows: npt.ArrayLike) -> ItemParameters:
        """Keep some items, in the order given.

        Parameters
        ----------
        rows
            Rows, or a mask of shape ``(n_items,)``.
        """
        chosen = np.arange(len(self))[np.asarray(rows)]
        return ItemParameters(
            item=tuple(self.item[row] for row in chosen),
            model=tuple(self.model[row] for row in chosen),
            a=frozen_floats(self.a[chosen]),
            b=frozen_floats(self.b[chosen]),
            c=frozen_floats(self.c[chosen]),
            d=frozen_floats(self.d[chosen]),
            thresholds=frozen_floats(self.thresholds[chosen]),
            content=tuple(self.content[row] for row in chosen),
            slopes=frozen_floats(self.slopes[chosen]),
            intercepts=frozen_floats(self.intercepts[chosen]),
            attributes=self.attributes.subset(chosen.tolist()),
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The bank by family, in the order in which families first occur."""
        families = np.array([FAMILIES[model] for model in self.model], dtype=object)
        names = tuple(dict.fromkeys(families.tolist()))
        if len(names) == 1:
            return (Part(names[0], np.arange(len(self), dtype=np.int64), self),)
        return tuple(self._part(name, np.flatnonzero(families == name)) for name in names)

    def _part(self, family: str, rows: npt.ArrayLike) -> Part:
        return Part(family, np.asarray(rows, dtype=np.int64), self.subset(rows))

    @cached_property
    def family_codes(self) -> Ints:
        """Position in `parts` of each item's family, shape ``(n_items,)``."""
        codes = np.empty(len(self), dtype=np.int64)
        for code, part in enumerate(self.parts):
            codes[part.rows] = code
        return codes

    @cached_property
    def areas(self) -> dict[str, Bools]:
        """Content areas in bank order, each with its mask of shape ``(n_items,)``."""
        content = np.array(self.content, dtype=object)
        names = dict.fromkeys(name for name in self.content if name)
        return {name: np.asarray(content == name, dtype=np.bool_) for name in names}


def item_parameters(  # noqa: PLR0913 - one argument for each parameter that a model can have
    item: Sequence[str],
    model: Sequence[str] | str,
    *,
    a: npt.ArrayLike | None = None,
    b: npt.ArrayLike | None = None,
    c: npt.ArrayLike | None = None,
    d: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
    slopes: npt.ArrayLike | None = None,
    intercepts: npt.ArrayLike | None = None,
    content: Sequence[str] | None = None,
) -> ItemParameters:
    """Check a bank's parameters and freeze them.

    Parameters
    ----------
    item
        Identifiers, unique and not empty.
    model
        One model for all items, or one by item.
    a, b, c, d
        Shape ``(n_items,)`` or a single number; NaN where a model lacks the parameter. ``c`` and
        ``d`` are filled with 0 and 1 there.
    thresholds
        Shape ``(n_items, max_thresholds)``, NaN after an item's last one; needed for ``grm``,
        ``pcm`` and ``gpcm``.
    slopes, intercepts
        Of categories 1, 2, ... of ``nrm`` items, shape ``(n_items, max_slopes)``, NaN after an
        item's last one and for other models.
    content
        Content area by item.

    Raises
    ------
    InputError
        Naming the item, the parameter and the value: an unknown model, a missing or superfluous
        parameter, a not above 0, not 0 <= c < d <= 1, thresholds or slopes with gaps, or those
        thresholds of ``grm`` not ascending.
    """
    names = tuple(str(name) for name in item)
    models = (model,) * len(names) if isinstance(model, str) else tuple(model)
    check_names(names, models)
    n = len(names)
    steps = _threshold_table(names, models, thresholds, _filled(b, n, np.nan, "b"))
    bank = ItemParameters(
        item=names,
        model=models,
        a=frozen_floats(_filled(a, n, np.nan, "a")),
        b=frozen_floats(_filled(b, n, np.nan, "b")),
        c=frozen_floats(_asymptote(c, models, HAS_C, 0.0)),
        d=frozen_floats(_asymptote(d, models, HAS_D, 1.0)),
        thresholds=frozen_floats(steps),
        content=_areas(content, n),
        slopes=frozen_floats(_columns(slopes, n, "slopes", at_least=0)),
        intercepts=frozen_floats(_columns(intercepts, n, "intercepts", at_least=0)),
    )
    check_values(bank)
    return bank


def _filled(values: npt.ArrayLike | None, n: int, default: float, column: str) -> Floats:
    array = np.asarray(default if values is None else values, dtype=np.float64)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != n):
        raise InputError(f"{n} values, one by item", f"shape {array.shape}", column=column)
    return np.broadcast_to(array, (n,)).copy()


def _asymptote(
    values: npt.ArrayLike | None, models: tuple[str, ...], having: frozenset[str], default: float
) -> Floats:
    column = "c" if having is HAS_C else "d"
    array = _filled(values, len(models), np.nan, column)
    lacking = np.array([model not in having for model in models], dtype=np.bool_)
    array[lacking & np.isnan(array)] = default
    return array


def _areas(content: Sequence[str] | None, n: int) -> tuple[str, ...]:
    areas = ("",) * n if content is None else tuple(content)
    if len(areas) != n:
        raise InputError(f"{n} content areas, one by item", len(areas), column="content")
    return areas


def _threshold_table(
    names: tuple[str, ...],
    models: tuple[str, ...],
    thresholds: npt.ArrayLike | None,
    b: Floats,
) -> Floats:
    table = _columns(thresholds, len(names), "thresholds", at_least=1)
    for row, model in enumerate(models):
        if FAMILIES[model] == "logistic":
            check_copy_of_b(names[row], table[row], b[row])
            table[row, 0] = b[row]
    return table


def _columns(values: npt.ArrayLike | None, n: int, column: str, *, at_least: int) -> Floats:
    """Read steps of items, without the columns after the last that any item uses."""
    if values is None:
        return np.full((n, at_least), np.nan)
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or len(given) != n:
        raise InputError(f"shape ({n}, max_{column})", f"{given.shape}", column=column)
    used = np.flatnonzero(np.any(~np.isnan(given), axis=0))
    width = max(at_least, int(used.max(initial=-1)) + 1)
    wider = np.full((n, max(width, given.shape[1])), np.nan)
    wider[:, : given.shape[1]] = given
    return wider[:, :width]
