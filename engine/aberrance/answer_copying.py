"""Whether two persons chose the same options more often than their abilities explain: omega.

Needs option-level parameters: a bank fitted by the nominal model, in which the category of an item
is the option chosen, right or wrong. What a scored bank says is not enough, and omega is then not
estimable rather than approximated. Called by reports. Imports numpy, scipy and the models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtr

from engine.ability.answers import check_matrix
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch

LEAST_COMMON = 20
"""With fewer items in common the normal approximation of omega is not to be trusted."""


class Estimable(StrEnum):
    """Whether omega of a pair can be had, and if not, why."""

    YES = "yes"
    NO_OPTIONS = "no common item with option-level parameters"
    FEW_COMMON = "too few common items with option-level parameters"
    NO_THETA = "the copier has no estimate of theta"
    CERTAIN = "the copier's options were certain"


@dataclass(frozen=True, eq=False)
class Similarity:
    """Pairs compared, each array of shape ``(n_pairs,)``.

    Parameters
    ----------
    omega
        Wollack's omega; NaN where it is not estimable.
    p
        Chance of an omega as large or larger for a copier who did not copy; NaN likewise. With many
        pairs looked at, it must be adjusted for their number.
    matches, expected
        Options in common, and as many as the copier's ability explains.
    common
        Items that both answered and that have option-level parameters.
    estimable
        Why there is no omega where there is none.
    """

    omega: Floats
    p: Floats
    matches: Ints
    expected: Floats
    common: Ints
    estimable: tuple[Estimable, ...]


@dataclass(frozen=True, eq=False)
class _Sums:
    """What a copier and some sources have in common, each of shape ``(n_sources,)``."""

    common: Ints
    matches: Ints
    expected: Floats
    variance: Floats


def omega(
    pairs: Sequence[tuple[int, int]],
    theta: Floats,
    options: Ints,
    observed: Bools,
    items: ItemParameters,
    *,
    least_common: int = LEAST_COMMON,
) -> Similarity:
    """Compare pairs of a suspected copier and a source (Wollack, 1997).

    ``omega = (h - sum P) / sqrt(sum P (1 - P))``, h the items on which both chose the same option,
    P the copier's probability, at the copier's theta, of the option that the source chose, summed
    over the items that both answered. Standard normal for a copier who worked alone. Who copied is
    an assumption: both orders of a pair give different values.

    Parameters
    ----------
    pairs
        Persons as (copier, source), each a row of ``options``.
    theta
        Of each person, shape ``(n_persons,)``, by the nominal model; NaN where there is none.
    options
        Category chosen, from 0, shape ``(n_persons, n_items)``.
    observed
        Which cells were answered, same shape.
    items
        The bank; items of other models than ``nrm`` do not count.
    least_common
        Omega is not estimable with fewer common items.

    Raises
    ------
    InputError
        For a pair of one person, a person out of range, an option that its item lacks, or
        ``least_common`` below 1.
    """
    check_matrix(options, observed, items)
    who = _checked(pairs, len(options), least_common)
    if theta.shape != (len(options),):
        raise InputError(f"{len(options)} thetas", f"shape {theta.shape}", column="theta")
    sums = _compared(who, theta, options, observed & _has_options(items), items)
    estimable = tuple(_estimable(theta[who[:, 0]], sums, least_common))
    sure = np.array([answer is Estimable.YES for answer in estimable], dtype=np.bool_)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(sure, (sums.matches - sums.expected) / np.sqrt(sums.variance), np.nan)
    return Similarity(values, ndtr(-values), sums.matches, sums.expected, sums.common, estimable)


def all_pairs(n_persons: int) -> list[tuple[int, int]]:
    """Every person as copier with every other one as source."""
    return [(one, other) for one in range(n_persons) for other in range(n_persons) if one != other]


def _checked(pairs: Sequence[tuple[int, int]], n_persons: int, least_common: int) -> Ints:
    """The pairs as an array of shape ``(n_pairs, 2)``."""
    if least_common < 1:
        raise InputError("at least 1 common item", least_common, column="least_common")
    who = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if len(who) and not 0 <= who.min() <= who.max() < n_persons:
        raise InputError(f"persons from 0 to {n_persons - 1}", f"{who.min()} to {who.max()}")
    same = np.flatnonzero(who[:, 0] == who[:, 1])
    if len(same):
        raise InputError("pairs of two persons", tuple(who[same[0]].tolist()), column="pairs")
    return who


def _has_options(items: ItemParameters) -> Bools:
    return np.array([model == "nrm" for model in items.model], dtype=np.bool_)


def _compared(
    who: Ints, theta: Floats, options: Ints, usable: Bools, items: ItemParameters
) -> _Sums:
    """The sums of every pair; those of a copier without theta have nothing expected."""
    blank = np.zeros(len(who))
    sums = _Sums(blank.astype(np.int64), blank.astype(np.int64), blank.copy(), blank.copy())
    columns = np.arange(len(items))
    for copier in np.unique(who[:, 0]):
        here = np.flatnonzero(who[:, 0] == copier)
        source = who[here, 1]
        common = usable[source] & usable[copier]
        chosen = np.where(common, options[source], 0)
        sums.common[here] = common.sum(axis=1)
        sums.matches[here] = (common & (options[copier] == chosen)).sum(axis=1)
        if np.isfinite(theta[copier]):
            table = dispatch.probabilities(theta[copier], items)[0]
            chance = np.where(common, table[columns, chosen], 0.0)
            sums.expected[here] = chance.sum(axis=1)
            sums.variance[here] = (chance * (1.0 - chance)).sum(axis=1)
    return sums


def _estimable(theta: Floats, sums: _Sums, least_common: int) -> Iterator[Estimable]:
    """The first reason that holds, pair by pair."""
    for known, common, variance in zip(
        np.isfinite(theta).tolist(), sums.common.tolist(), sums.variance.tolist(), strict=True
    ):
        if not common:
            yield Estimable.NO_OPTIONS
        elif common < least_common:
            yield Estimable.FEW_COMMON
        elif not known:
            yield Estimable.NO_THETA
        else:
            yield Estimable.YES if variance > 0 else Estimable.CERTAIN
