"""De-identification of what could tell who somebody is: country, centre, language, month.

Values with fewer than k people become "other"; combinations with fewer than k people lose the
centre, then the country, the language and the month, until k people share what is left or nothing
is left. k-anonymity by local suppression (Sweeney, 2002; Hundepool et al., 2012). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Ints

NAMES = ("country", "centre", "language", "month")
MERGED = ("country", "centre", "language")
SUPPRESSED_FIRST = ("centre", "country", "language", "month")
OTHER, SUPPRESSED, MISSING = "other", "suppressed", ""
Combination = tuple[str, ...]


@dataclass(frozen=True)
class Coarsened:
    """What is published for each combination as it was.

    Parameters
    ----------
    published
        By country, centre, language and month as they were: as they are published.
    merged
        By variable: how many values became "other".
    suppressed
        By variable: in how many sittings it is suppressed.
    smallest
        People in the smallest group that shares a published combination; 0 without any.
    """

    published: Mapping[Combination, Combination]
    merged: Mapping[str, int]
    suppressed: Mapping[str, int]
    smallest: int


def coarsen(people: Ints, combination: Ints, known: Sequence[Combination], k: int) -> Coarsened:
    """Coarsen the combinations of sittings.

    Parameters
    ----------
    people
        Number of the person, (n_sittings,).
    combination
        Row of ``known``, (n_sittings,).
    known
        Combinations of country, centre, language and month as they are.
    k
        People who must share what is published.
    """
    table = np.array(known, dtype=object).reshape(-1, len(NAMES))
    merged = {name: _merge(table, NAMES.index(name), people, combination, k) for name in MERGED}
    for name in SUPPRESSED_FIRST:
        rare = _people_of_groups(table, people, combination)[0] < k
        table[rare, NAMES.index(name)] = SUPPRESSED
    counts = np.bincount(combination, minlength=len(table))
    suppressed = {
        name: int(counts[table[:, n] == SUPPRESSED].sum()) for n, name in enumerate(NAMES)
    }
    said = ~(table == SUPPRESSED).all(axis=1)
    sizes = _people_of_groups(table, people, combination)[0][said & (counts > 0)]
    published = {old: tuple(new) for old, new in zip(known, table.tolist(), strict=True)}
    return Coarsened(published, merged, suppressed, int(sizes.min()) if len(sizes) else 0)


def _merge(table: np.ndarray, column: int, people: Ints, combination: Ints, k: int) -> int:
    """Make rare values of a column "other", and return how many there were."""
    values, of_row = np.unique(table[:, column].astype(str), return_inverse=True)
    rare = (_distinct(of_row[combination], people, len(values)) < k) & (values != MISSING)
    table[rare[of_row], column] = OTHER
    return int(rare.sum())


def _people_of_groups(table: np.ndarray, people: Ints, combination: Ints) -> tuple[Ints, Ints]:
    """For each row: how many people share its values; and the group that it is in."""
    groups: dict[Combination, int] = {}
    of_row = np.array(
        [groups.setdefault(tuple(row), len(groups)) for row in table.tolist()], dtype=np.int64
    )
    return _distinct(of_row[combination], people, len(groups))[of_row], of_row


def _distinct(group: Ints, people: Ints, n_groups: int) -> Ints:
    """How many different people each group has."""
    pairs = np.unique(np.stack([group, people]), axis=1)
    return np.bincount(pairs[0], minlength=n_groups)
