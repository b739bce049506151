"""What a bank is missing for an exam, in sentences, and which items nobody uses.

Called by reports, with what `engine.simulation.bank_diagnostics` and a simulation found. Imports
numpy and the engine's own parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.simulation.bank_diagnostics import AreaSize, BankDiagnosis, Supply, lowest_ceiling

RARE = 0.01
"""An item that fewer of the examinees met is hardly used."""


@dataclass(frozen=True)
class LittleUsed:
    """Items that a simulation hardly needed, those that are tried out left aside.

    Parameters
    ----------
    never
        Identifiers of items that nobody met, in bank order.
    rarely
        Identifiers of items that fewer than `RARE` of the examinees met, the least used first.
    """

    never: tuple[str, ...]
    rarely: tuple[str, ...]


def little_used(
    items: ItemParameters, exposure: Floats, pretest: Bools | None = None
) -> LittleUsed:
    """Find the items that a simulation hardly needed.

    Parameters
    ----------
    exposure
        Share of the examinees who met each item, shape ``(n_items,)``.
    pretest
        Items that are tried out, same shape.
    """
    counted = np.ones(len(items), dtype=np.bool_) if pretest is None else ~pretest
    order = np.argsort(exposure, kind="stable")
    rare = [row for row in order if counted[row] and 0 < exposure[row] < RARE]
    never = np.flatnonzero(counted & (exposure == 0))
    return LittleUsed(_names(items, never), _names(items, np.array(rare, dtype=np.int64)))


def what_is_missing(found: BankDiagnosis, design: ExamDesign) -> tuple[str, ...]:
    """Say what the bank lacks for the exam; an empty tuple when nothing is missing.

    Information first, at the cuts and along theta, for the whole test; then by content area where
    the area lets down a bank that would do; then the items that a ceiling on exposure asks for.
    """
    whole = found.supply
    here = _Short(whole, whole.short, f"a test of {found.length} items")
    texts = list(_short_texts(here, found.cuts))
    for area, share in design.content_shares:
        supply = found.areas[area]
        what = f"the share of {area}, {share * found.length:g} items,"
        here = _Short(supply, supply.short & ~whole.short, what, f" in {area}")
        texts += _short_texts(here, found.cuts)
    ceiling = lowest_ceiling(design)
    if ceiling is not None:
        texts += [_size_text(size, ceiling) for size in found.sizes if size.missing]
    return tuple(texts)


@dataclass(frozen=True, eq=False)
class _Short:
    """Where something falls short, shape ``(n_theta,)``, and what it is called."""

    supply: Supply
    short: Bools
    what: str
    where: str = ""

    def sentence(self, place: str, at: int) -> str:
        supply, enough = self.supply, int(self.supply.enough[at])
        all_items = f"all items{self.where} together do not suffice"
        cure = f"{enough} items would do" if enough else all_items
        return (
            f"{place} {self.what} has information {supply.best[at]:.1f} at most, and "
            f"{supply.needed:.1f} are needed: {cure}."
        )


def _short_texts(found: _Short, cuts: tuple[float, ...]) -> Iterator[str]:
    """One sentence for each cut and each stretch of theta where the best test falls short."""
    supply = found.supply
    for cut in cuts:
        at = int(np.searchsorted(supply.theta, cut))
        if found.short[at]:
            yield found.sentence(f"At the cut {_number(cut)}", at)
    for low, high in _stretches(found.short):
        worst = low + int(np.argmin(supply.best[low : high + 1]))
        first, last = _number(supply.theta[low]), _number(supply.theta[high])
        place = f"At theta {first}" if low == high else f"From theta {first} to {last}"
        yield found.sentence(place, worst)


def _stretches(short: Bools) -> list[tuple[int, int]]:
    """First and last place of each run of neighbours that fall short."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], short, [False]]).astype(np.int64)))
    return [(int(low), int(high) - 1) for low, high in list(pairwise(edges))[::2]]


def _size_text(size: AreaSize, ceiling: float) -> str:
    of = f" of {size.area}" if size.area else ""
    have = f"there are {size.n_items}" if size.area else f"the bank has {size.n_items}"
    return (
        f"An exposure of at most {100 * ceiling:g} % needs {size.needed} items{of} where a test "
        f"has {size.given:.1f}, and {have}: {size.missing} are missing."
    )


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _names(items: ItemParameters, rows: Ints) -> tuple[str, ...]:
    return tuple(items.item[row] for row in rows)
