"""A blueprint bound to a bank: constraints as arrays over the items.

Made once for a bank, a blueprint and a length; read by `engine.blueprints.look_ahead` (masks),
`engine.blueprints.priority_index`, `engine.blueprints.shadow` (the same constraints as a mixed
integer program) and by the summary of a simulation. Imports numpy, scipy's sparse arrays and the
engine's own values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.blueprint import ANY, Blueprint, Bound
from engine.errors import InputError
from engine.items import ItemParameters

CONTENT, LABELS, TOTALS, SETS = "content", "labels", "totals", "sets"
RELAXED_FIRST = (TOTALS, LABELS, CONTENT, SETS)
"""The order in which constraints give way when they cannot all be kept; enemies, excluded and held
items never do."""
EXACTLY = 1e-6


@dataclass(frozen=True, eq=False)
class Constraints:
    """Bounds on weighted numbers of items, with what excludes or holds together.

    Parameters
    ----------
    length
        Items of a whole test.
    names, kinds
        Of each bound: ``content algebra`` and ``content``, ``labels`` or ``totals``.
    weights
        What each item adds to each bound, shape ``(n_bounds, n_items)``; 1 or 0 but for totals.
    lower, upper
        Shape ``(n_bounds,)``; minus infinity and infinity for none.
    families
        Places of the bounds of one attribute: an item counts towards at most one of a family.
    enemies
        Whether two items exclude each other, shape ``(n_items, n_items)``, symmetric.
    cliques
        Rows of which a test has at most one; together they cover ``enemies``.
    set_of
        Place of each item's stimulus in ``set_names``, shape ``(n_items,)``; -1 for none.
    least, most
        Items of a stimulus that is chosen.
    usable
        Items that may be given at all, shape ``(n_items,)``.
    """

    length: int
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    weights: Floats
    lower: Floats
    upper: Floats
    families: tuple[Ints, ...]
    enemies: sparse.csr_array
    cliques: tuple[tuple[int, ...], ...]
    set_names: tuple[str, ...]
    set_of: Ints
    least: int
    most: int
    usable: Bools

    @property
    def n_items(self) -> int:
        """Number of items of the bank."""
        return int(self.weights.shape[1])

    @cached_property
    def totals(self) -> Ints:
        """Places of the bounds on totals."""
        return np.flatnonzero([kind == TOTALS for kind in self.kinds]).astype(np.int64)

    @cached_property
    def members(self) -> Bools:
        """Items of each stimulus, shape ``(n_sets, n_items)``."""
        return np.asarray(self.set_of[None, :] == np.arange(len(self.set_names))[:, None])

    @cached_property
    def weights_by_row(self) -> Floats:
        """Weights with a row of zeros at the end, where -1 looks; ``(n_items + 1, n_bounds)``."""
        return np.concatenate([self.weights.T, np.zeros((1, len(self.names)))])


@lru_cache(maxsize=64)
def constraints_of(items: ItemParameters, blueprint: Blueprint, length: int) -> Constraints:
    """Bind a blueprint to a bank.

    Parameters
    ----------
    length
        Items of a whole test.

    Raises
    ------
    InputError
        For an area, label, value, number or item that the bank does not have.
    """
    bounds = list(_bounds(items, blueprint))
    limits = np.array([bound.of(length) for _, _, bound, _ in bounds]).reshape(-1, 2)
    weights = np.array([weight for *_, weight in bounds], dtype=np.float64)
    families = [family for _, family, _, _ in bounds]
    named = dict.fromkeys(family for family in families if family != TOTALS)
    pairs, cliques = _enemies(items, blueprint)
    set_names, set_of = _sets(items, blueprint)
    least = blueprint.sets.min_items if blueprint.sets else 1
    most = blueprint.sets.max_items if blueprint.sets else len(items)
    return Constraints(
        length=length,
        names=tuple(f"{family} {bound.name}" for _, family, bound, _ in bounds),
        kinds=tuple(kind for kind, *_ in bounds),
        weights=weights.reshape(len(bounds), len(items)),
        lower=limits[:, 0],
        upper=limits[:, 1],
        families=tuple(
            np.flatnonzero([of == family for of in families]).astype(np.int64) for family in named
        ),
        enemies=pairs,
        cliques=cliques,
        set_names=set_names,
        set_of=set_of,
        least=least,
        most=most,
        usable=_usable(items, blueprint, set_of, least),
    )


def _bounds(
    items: ItemParameters, blueprint: Blueprint
) -> Iterator[tuple[str, str, Bound, Floats]]:
    """Kind, family, bound and weights of each constraint."""
    for bound in blueprint.content:
        yield CONTENT, CONTENT, bound, _indicator(items.content, bound.name, "blueprint.content")
    for label, bounds in blueprint.labels:
        if label not in items.attributes.labels:
            _unknown(label, items.attributes.labels, "a label of the bank", "blueprint.labels")
        values = items.attributes.labels[label]
        for bound in _by_value(bounds, values):
            column = f"blueprint.labels.{label}"
            yield LABELS, label, bound, _indicator(values, bound.name, column)
    for bound in blueprint.totals:
        if bound.name not in items.attributes.numbers:
            known = items.attributes.numbers
            _unknown(bound.name, known, "a number that the bank's items have", "blueprint.totals")
        yield TOTALS, TOTALS, bound, items.attributes.numbers[bound.name]


def _by_value(bounds: tuple[Bound, ...], values: tuple[str, ...]) -> Iterator[Bound]:
    """Write ``*`` out for the values that have no bound of their own."""
    own = {bound.name for bound in bounds}
    for bound in bounds:
        if bound.name != ANY:
            yield bound
            continue
        for value in sorted({value for value in values if value} - own):
            yield Bound(
                value,
                bound.minimum,
                bound.maximum,
                bound.minimum_share,
                bound.maximum_share,
            )


def _indicator(values: tuple[str, ...], wanted: str, column: str) -> Floats:
    weights = np.array([value == wanted for value in values], dtype=np.float64)
    if not weights.any():
        known = {value for value in values if value}
        _unknown(wanted, known, "one that items of the bank have", column)
    return weights


def _unknown(found: str, known: object, expected: str, column: str) -> None:
    names = ", ".join(sorted(known)) if isinstance(known, set | dict) else ""
    names = names or ", ".join(str(name) for name in known) if known else "none"  # type: ignore[attr-defined]
    raise InputError(f"{expected} ({names})", repr(found), column=column)


def _enemies(
    items: ItemParameters, blueprint: Blueprint
) -> tuple[sparse.csr_array, tuple[tuple[int, ...], ...]]:
    """Pairs of enemies, and groups that cover them all."""
    groups = [_rows(items, group, "blueprint.enemies") for group in blueprint.enemies]
    for row, others in enumerate(items.attributes.enemies):
        names = [name for name in others if name in items]
        groups += [tuple(sorted((row, other))) for other in _rows(items, names, "enemies")]
    neighbours: dict[int, set[int]] = {}
    for group in groups:
        for row in group:
            neighbours.setdefault(row, set()).update(group)
    cliques = _cliques(neighbours)
    pairs = [(one, two) for one, near in neighbours.items() for two in near if one != two]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    shape = (len(items), len(items))
    ones = np.ones(len(table))
    return sparse.csr_array((ones, (table[:, 0], table[:, 1])), shape=shape), cliques


def _cliques(neighbours: dict[int, set[int]]) -> tuple[tuple[int, ...], ...]:
    """Cover all pairs by groups of items that are all enemies of each other, greedily."""
    covered: set[tuple[int, int]] = set()
    groups: list[tuple[int, ...]] = []
    for one in sorted(neighbours):
        for two in sorted(neighbours[one]):
            if two <= one or (one, two) in covered:
                continue
            group = [one, two]
            for other in sorted(neighbours[one] & neighbours[two]):
                if other not in group and all(other in neighbours[row] for row in group):
                    group.append(other)
            group.sort()
            covered |= {(a, b) for a in group for b in group if a < b}
            groups.append(tuple(group))
    return tuple(groups)


def _rows(items: ItemParameters, names: object, column: str) -> tuple[int, ...]:
    assert isinstance(names, tuple | list)
    try:
        return tuple(items.row(name) for name in names)
    except InputError as error:
        raise InputError(error.expected, error.found, column=column) from None


def _sets(items: ItemParameters, blueprint: Blueprint) -> tuple[tuple[str, ...], Ints]:
    if blueprint.sets is None:
        return (), np.full(len(items), -1, dtype=np.int64)
    stimulus = items.attributes.stimulus or ("",) * len(items)
    names = tuple(dict.fromkeys(name for name in stimulus if name))
    if not names:
        raise InputError("items with a stimulus", "none in the bank", column="blueprint.sets")
    place = {name: code for code, name in enumerate(names)} | {"": -1}
    return names, np.array([place[name] for name in stimulus], dtype=np.int64)


def _usable(items: ItemParameters, blueprint: Blueprint, set_of: Ints, least: int) -> Bools:
    """Not excluded, and not of a stimulus that cannot bring enough items."""
    usable = np.ones(len(items), dtype=np.bool_)
    usable[list(_rows(items, blueprint.excluded, "blueprint.excluded"))] = False
    size = np.bincount(set_of[usable] + 1, minlength=int(set_of.max()) + 2)
    usable &= (set_of < 0) | (size[set_of + 1] >= least)
    return usable


# --- what a test holds --------------------------------------------------------------------------


def amounts(bound: Constraints, rows: Ints) -> Floats:
    """What the items given add up to.

    Parameters
    ----------
    rows
        Bank rows by person, shape ``(n_persons, n)``; -1 for none.

    Returns
    -------
    Floats
        Shape ``(n_persons, n_bounds)``.
    """
    total: Floats = bound.weights_by_row[rows].sum(axis=1)
    return total


def minimums_met(bound: Constraints, rows: Ints) -> Bools:
    """Whether nothing that must be in a test is missing, shape ``(n_persons,)``."""
    held = (amounts(bound, rows) >= bound.lower - EXACTLY).all(axis=1)
    given = _given_of_sets(bound, rows)
    met: Bools = held & ((given == 0) | (given >= bound.least)).all(axis=1)
    return met


def broken(bound: Constraints, rows: Ints) -> list[list[str]]:
    """Names of the constraints that each person's finished test breaks.

    Parameters
    ----------
    rows
        In the order given, shape ``(n_persons, n)``; -1 after the last.
    """
    held = amounts(bound, rows)
    outside = (held < bound.lower - EXACTLY) | (held > bound.upper + EXACTLY)
    given = _given_of_sets(bound, rows)
    wrong_sets = (((given > 0) & (given < bound.least)) | (given > bound.most)).any(axis=1)
    wrong_sets |= _torn(bound, rows)
    enemies, unusable = _enemies_met(bound, rows), _unusable_met(bound, rows)
    found = []
    for person in range(len(rows)):
        names = [bound.names[place] for place in np.flatnonzero(outside[person])]
        names += ["sets"] * bool(wrong_sets[person]) + ["enemies"] * bool(enemies[person])
        found.append(names + ["excluded"] * bool(unusable[person]))
    return found


def set_codes(bound: Constraints, rows: Ints) -> Ints:
    """Stimulus of each item given, -1 for none; same shape as ``rows``."""
    codes: Ints = np.append(bound.set_of, -1)[rows]
    return codes


def _given_of_sets(bound: Constraints, rows: Ints) -> Ints:
    """Items given of each stimulus, shape ``(n_persons, n_sets)``."""
    codes = set_codes(bound, rows)
    counts: Ints = (codes[:, :, None] == np.arange(len(bound.set_names))).sum(axis=1)
    return counts


def _torn(bound: Constraints, rows: Ints) -> Bools:
    """Whether items of a stimulus stand apart."""
    codes = set_codes(bound, rows)
    starts = (codes >= 0) & (np.roll(codes, 1, axis=1) != codes)
    if codes.shape[1]:
        starts[:, 0] = codes[:, 0] >= 0
    torn: Bools = starts.sum(axis=1) > (_given_of_sets(bound, rows) > 0).sum(axis=1)
    return torn


def _enemies_met(bound: Constraints, rows: Ints) -> Bools:
    given = given_matrix(bound, rows)
    met = sparse.csr_array(given @ bound.enemies).multiply(given).sum(axis=1)
    return np.asarray(met).ravel() > 0


def _unusable_met(bound: Constraints, rows: Ints) -> Bools:
    unusable = ~np.append(bound.usable, True)[rows]
    return np.asarray(unusable.any(axis=1), dtype=np.bool_)


def enemies_of(bound: Constraints, rows: Ints) -> Bools:
    """Enemies of the items given, shape ``(n_persons, n_items)``.

    Parameters
    ----------
    rows
        Bank rows, those tried out included, shape ``(n_persons, n)``; -1 after the last.
    """
    if not bound.enemies.nnz:
        return np.zeros((len(rows), bound.n_items), dtype=np.bool_)
    if len(rows) == 1:
        return _enemies_of_one(bound, rows[0])
    return np.asarray((given_matrix(bound, rows) @ bound.enemies).toarray() > 0)


def _enemies_of_one(bound: Constraints, rows: Ints) -> Bools:
    """The same for one person, without sparse products: each step of a sitting asks."""
    found, pairs = np.zeros((1, bound.n_items), dtype=np.bool_), bound.enemies
    for row in rows[rows >= 0]:
        found[0, pairs.indices[pairs.indptr[row] : pairs.indptr[row + 1]]] = True
    return found


def given_matrix(bound: Constraints, rows: Ints) -> sparse.csr_array:
    """Which items each person was given, shape ``(n_persons, n_items)``."""
    person, place = np.nonzero(rows >= 0)
    ones = np.ones(len(person))
    return sparse.csr_array((ones, (person, rows[person, place])), shape=(len(rows), bound.n_items))
