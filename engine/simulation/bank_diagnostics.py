"""What a bank can measure before anybody sits an exam, against what the exam asks of it.

Information is Fisher information at true theta, on the logistic metric. The best test of n items at
a theta is what an adaptive test could give there at most: a bank that falls short of a target there
falls short for every examinee. Called by the simulation command and by whoever plans a bank.
Imports numpy, the models and `engine.rules.designs`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch
from engine.rules.designs import ExamDesign

ALONG = tuple(float(point) for point in np.linspace(-3.0, 3.0, 25))
"""Thetas at which a bank is looked at, besides the cuts."""
BAYESIAN = frozenset({"eap", "map"})
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Supply:
    """What some items can tell, theta by theta.

    Parameters
    ----------
    theta
        Shape ``(n_theta,)``, ascending.
    bank
        Information of all items together, same shape.
    best
        Information of the best test of the exam's length, same shape; with content shares, the best
        that keeps them.
    needed
        Information that the target asks for, the same at each theta; None without a target.
    enough
        Fewest items that reach it at each theta, same shape; 0 where all together do not.
    prior
        Precision that the prior adds to a final EAP or MAP; 0 for other estimators.
    """

    theta: Floats
    bank: Floats
    best: Floats
    needed: float | None
    enough: Ints
    prior: float = 0.0

    @property
    def short(self) -> Bools:
        """Where even the best test falls short of the target, shape ``(n_theta,)``."""
        if self.needed is None:
            return np.zeros(len(self.theta), dtype=np.bool_)
        return np.asarray(self.best < self.needed * (1.0 - ROUNDING), dtype=np.bool_)

    @property
    def best_se(self) -> Floats:
        """``1 / sqrt(best + prior)``, infinite where there is no information."""
        with np.errstate(divide="ignore"):
            error: Floats = 1.0 / np.sqrt(self.best + self.prior)
        return error


@dataclass(frozen=True)
class AreaSize:
    """Items of a content area against what a ceiling on exposure asks for.

    Parameters
    ----------
    area
        Its name; an empty string for the whole bank.
    n_items
        Items that count and that the exam may give.
    given
        Items of the area in a test, on average.
    needed
        Items that the ceiling needs at least; None without a ceiling.
    """

    area: str
    n_items: int
    given: float
    needed: int | None

    @property
    def missing(self) -> int:
        """How many items are missing; 0 for none."""
        return max(0, (self.needed or 0) - self.n_items)


@dataclass(frozen=True, eq=False)
class BankDiagnosis:
    """A bank against an exam.

    Parameters
    ----------
    length
        Items in the longest test that count; the whole bank where no rule bounds it.
    se_target, cuts
        What the exam aims at; the cuts on the theta scale.
    supply
        Along theta, the cuts among the points.
    areas
        The same by content area, for its own part of a test and of the target; empty for a bank
        without areas.
    sizes
        The whole bank first, then each area with a share.
    """

    length: int
    se_target: float | None
    cuts: tuple[float, ...]
    supply: Supply
    areas: Mapping[str, Supply]
    sizes: tuple[AreaSize, ...]


def information_needed(se: float, *, prior_sd: float | None = None) -> float:
    """Information after which the standard error is ``se``.

    ``1/se^2``; with a prior ``1/se^2 - 1/sd^2``, since the prior brings some, at least 0.
    """
    prior = 0.0 if prior_sd is None else prior_sd**-2
    return max(0.0, se**-2 - prior)


def best_information(theta: Sequence[float] | Floats, items: ItemParameters, length: int) -> Floats:
    """Information of the ``length`` most informative items at each theta, shape ``(n_theta,)``."""
    return _best(dispatch.information(np.asarray(theta, dtype=np.float64), items), length)


def items_needed(given: float, ceiling: float) -> int:
    """Fewest items with which no exposure rate need pass a ceiling: ``given / ceiling``, up.

    The exposure rates of a bank add up to the mean length of a test, so their mean is that length
    over the number of items, and the highest is no lower.
    """
    return math.ceil(given / ceiling - ROUNDING)


def diagnose(
    items: ItemParameters,
    design: ExamDesign,
    *,
    pretest: Bools | None = None,
    mean_length: float | None = None,
    se_target: float | None = None,
    theta: Sequence[float] = ALONG,
) -> BankDiagnosis:
    """Hold a bank against an exam.

    Parameters
    ----------
    pretest
        Items that are tried out and do not count, shape ``(n_items,)``.
    mean_length
        Items that count in a test on average, as a simulation found; the longest test by default.
    se_target
        Standard error to reach; by default the stopping rule's. Information that the exam stops at
        is a target as well.
    theta
        Where to look, besides the cuts.
    """
    usable = _usable(items, design, pretest)
    length = min(design.scored_length or len(usable), len(usable))
    target = design.stop.se if se_target is None else se_target
    needed = _needed(design, target)
    points = np.unique(np.concatenate([np.asarray(theta, dtype=np.float64), design.cuts]))
    areas = _areas(points, usable, design, length, needed)
    table = dispatch.information(points, usable)
    whole = replace(_supply(points, table, length, needed), prior=_prior_precision(design))
    if design.content_shares:
        best = sum((supply.best for supply in areas.values()), np.zeros(len(points)))
        whole = replace(whole, best=best)
    return BankDiagnosis(
        length=length,
        se_target=target,
        cuts=design.cuts,
        supply=whole,
        areas=areas,
        sizes=_sizes(usable, design, length if mean_length is None else mean_length),
    )


def side_by_side(
    banks: Mapping[str, ItemParameters],
    design: ExamDesign,
    *,
    pretest: Collection[str] = (),
    mean_length: float | None = None,
    se_target: float | None = None,
) -> dict[str, BankDiagnosis]:
    """Diagnose a bank in several languages, whose items agree but for split parameters.

    Parameters
    ----------
    banks
        By language; each may lack items and have its own order.
    pretest
        Identifiers of the items that are tried out.
    mean_length, se_target
        As in `diagnose`.
    """
    return {
        language: diagnose(
            items,
            design,
            pretest=np.array([name in pretest for name in items.item], dtype=np.bool_),
            mean_length=mean_length,
            se_target=se_target,
        )
        for language, items in banks.items()
    }


def _usable(items: ItemParameters, design: ExamDesign, pretest: Bools | None) -> ItemParameters:
    """Items that count and that the exam may give."""
    kept = np.ones(len(items), dtype=np.bool_) if pretest is None else ~pretest
    shares = dict(design.content_shares)
    if shares:
        kept &= np.array([area in shares for area in items.content], dtype=np.bool_)
    if design.blueprint is not None:
        excluded = set(design.blueprint.excluded)
        kept &= np.array([name not in excluded for name in items.item], dtype=np.bool_)
    return items if kept.all() else items.subset(kept)


def _needed(design: ExamDesign, se_target: float | None) -> float | None:
    """Information that the sharper of the two targets asks for; None without one."""
    wanted = []
    if se_target is not None:
        prior_sd = design.prior_sd if design.final in BAYESIAN else None
        wanted.append(information_needed(se_target, prior_sd=prior_sd))
    if design.stop.information is not None:
        wanted.append(design.stop.information)
    return max(wanted) if wanted else None


def _prior_precision(design: ExamDesign) -> float:
    return design.prior_sd**-2 if design.final in BAYESIAN else 0.0


def _best(information: Floats, length: int) -> Floats:
    n_items = information.shape[1]
    if length == 0:
        return np.zeros(len(information))
    if length >= n_items:
        return np.asarray(information.sum(axis=1))
    top = np.partition(information, n_items - length, axis=1)[:, n_items - length :]
    return np.asarray(top.sum(axis=1))


def _areas(
    points: Floats, items: ItemParameters, design: ExamDesign, length: int, needed: float | None
) -> dict[str, Supply]:
    """Each area for its share of a test and of the target; all of them, where shares are given."""
    shares = dict(design.content_shares)
    if not shares:
        counts = {area: int(mask.sum()) for area, mask in items.areas.items()}
        shares = {area: count / len(items) for area, count in counts.items()}
    supplies = {}
    lengths = _apportioned(length, shares)
    for area, share in shares.items():
        table = dispatch.information(points, items.subset(items.areas[area]))
        wanted = None if needed is None else share * needed
        supplies[area] = _supply(points, table, lengths[area], wanted)
    return supplies


def _supply(points: Floats, table: Floats, length: int, needed: float | None) -> Supply:
    """What the items of a table of information, ``(n_theta, n_items)``, can tell."""
    enough = np.zeros(len(points), dtype=np.int64)
    if needed is not None:
        sums = np.cumsum(-np.sort(-table, axis=1), axis=1)
        reached = sums >= needed * (1.0 - ROUNDING)
        enough = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 0)
    return Supply(points, table.sum(axis=1), _best(table, length), needed, enough)


def _apportioned(length: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole items of each area that add up to a length, by the largest remainders (Hamilton)."""
    exact = {area: length * share for area, share in shares.items()}
    whole = {area: math.floor(value + ROUNDING) for area, value in exact.items()}
    by_rest = sorted(shares, key=lambda area: whole[area] - exact[area])
    for area in by_rest[: round(sum(exact.values())) - sum(whole.values())]:
        whole[area] += 1
    return whole


def _sizes(items: ItemParameters, design: ExamDesign, given: float) -> tuple[AreaSize, ...]:
    ceiling = lowest_ceiling(design)
    whole = AreaSize("", len(items), given, _needed_items(given, ceiling))
    areas = (
        AreaSize(area, int(items.areas[area].sum()), share * given, needed)
        for area, share in design.content_shares
        for needed in [_needed_items(share * given, ceiling)]
    )
    return whole, *areas


def lowest_ceiling(design: ExamDesign) -> float | None:
    """The lower of the exam's ceiling and the rate that its exposure control aims at; or None."""
    rates = (design.exposure.ceiling, design.exposure.max_rate)
    known = [rate for rate in rates if rate is not None]
    return min(known) if known else None


def _needed_items(given: float, ceiling: float | None) -> int | None:
    return None if ceiling is None else items_needed(given, ceiling)
