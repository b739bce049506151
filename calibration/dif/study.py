"""A study of DIF: every item, every focal group against the reference group, in two rounds.

The composer of this folder: chooses what persons are matched on, runs the method, adjusts for the
number of items, and repeats it without the flagged items in the matching score or among the
anchors until the set of flagged items stands still. Called by the command line. Imports
``engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.dif.findings import NAN, Finding, benjamini_hochberg
from calibration.dif.likelihood_ratio import Common, unobserved
from calibration.dif.matching import FOCAL, REFERENCE, Matcher
from calibration.dif.ways import LIKELIHOOD_RATIO, METHODS, Counts, Options, chosen_way
from calibration.matrix import ResponseMatrix
from calibration.screening import screen
from engine.arrays import Floats
from engine.errors import InputError

FEW_IN_GROUP = 100
MOST_ROUNDS = 6
FEWEST_ANCHORS = 2


@dataclass(frozen=True)
class ItemResult:
    """What was found for an item in one comparison.

    Parameters
    ----------
    item
        Its identifier.
    n_reference, n_focal
        Who answered it.
    first, p_adjusted
        With every item in the matching score or among the anchors.
    purified, purified_p_adjusted
        Without the flagged ones; None and NaN where that was not done.
    flagged
        Whether the last adjusted p value is below the level.
    """

    item: str
    n_reference: int
    n_focal: int
    first: Finding
    p_adjusted: float
    purified: Finding | None
    purified_p_adjusted: float
    flagged: bool

    @property
    def last(self) -> Finding:
        """The finding that decides."""
        return self.first if self.purified is None else self.purified


@dataclass(frozen=True, eq=False)
class Comparison:
    """One focal group against the reference group.

    Parameters
    ----------
    reference, focal
        Names of the groups.
    pair
        Their persons who answered something; groups are named as in ``matching``.
    results
        By item of ``pair``.
    dropped
        Items of which nothing can be said in these groups, with the reason.
    matcher
        What persons were matched on in the last round; None for likelihood ratios.
    common
        The model without DIF; None where none was needed.
    remarks
        What a reader must know.
    """

    reference: str
    focal: str
    pair: ResponseMatrix
    results: tuple[ItemResult, ...]
    dropped: dict[str, str]
    matcher: Matcher | None
    common: Common | None
    remarks: tuple[str, ...]

    @property
    def flagged(self) -> tuple[int, ...]:
        """Columns of the flagged items."""
        return tuple(k for k, result in enumerate(self.results) if result.flagged)


def study(
    matrix: ResponseMatrix,
    options: Options,
    advance: Callable[[int], None] = lambda _n: None,
) -> tuple[Comparison, ...]:
    """Compare every focal group with the reference group.

    Parameters
    ----------
    matrix
        Responses with groups.
    options
        How.
    advance
        Told how many items of a round are done.

    Raises
    ------
    InputError
        For fewer than two groups, an unknown reference group or method, items without the
        parameters that were given, or data that a model cannot be fitted to.
    """
    if options.method not in METHODS:
        raise InputError(" or ".join(METHODS), options.method, column="--method")
    reference, others = group_names(matrix, options.reference)
    return tuple(_compared(matrix, reference, focal, options, advance) for focal in others)


def group_names(matrix: ResponseMatrix, reference: str | None) -> tuple[str, tuple[str, ...]]:
    """Name the reference group and the others, sorted.

    Raises
    ------
    InputError
        When there are fewer than two, or the reference group is none of them.
    """
    counts = matrix.person_counts()
    names = sorted({g for g, n in zip(matrix.group, counts.tolist(), strict=False) if n})
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        raise InputError("at least 2 groups of persons with responses", found, column="--group")
    if reference is not None and reference not in names:
        raise InputError(f"one of {', '.join(names)}", repr(reference), column="--reference")
    chosen = names[0] if reference is None else reference
    return chosen, tuple(name for name in names if name != chosen)


def pair_of(matrix: ResponseMatrix, reference: str, focal: str) -> ResponseMatrix:
    """Take the persons of two groups who answered something; the groups are renamed."""
    group = np.array(matrix.group)
    keep = np.isin(group, [reference, focal]) & (matrix.person_counts() > 0)
    chosen = matrix.persons_where(keep)
    names = tuple(FOCAL if name == focal else REFERENCE for name in chosen.group)
    return replace(chosen, group=names)


def _compared(
    matrix: ResponseMatrix,
    reference: str,
    focal: str,
    options: Options,
    advance: Callable[[int], None],
) -> Comparison:
    pair, dropped = _usable(pair_of(matrix, reference, focal), options)
    counts = _group_counts(pair)
    remarks = list(_person_remarks(pair, options, reference, focal))
    way, remark = chosen_way(pair, options)
    remarks += [*remark, *_dropped_remarks(pair, dropped)]
    purify = options.purify and way.purifiable
    rounds = _rounds(
        lambda left_out: way.findings(left_out, counts, advance), options, purify=purify
    )
    if options.purify and not way.purifiable:
        remarks.append(
            "Not purified: the operational items drove the routing, so theta is estimated from "
            "all of them."
        )
    return Comparison(
        reference,
        focal,
        pair,
        _results(pair, counts, rounds, options.alpha),
        dropped,
        way.matcher(rounds[-1][0]) if way.matcher else None,
        way.common,
        tuple(remarks),
    )


def _usable(pair: ResponseMatrix, options: Options) -> tuple[ResponseMatrix, dict[str, str]]:
    """Take out items that say nothing, and say why; items with given parameters stay.

    A model of a fixed form cannot share an item of which one group never has a score: the
    likelihood then has no maximum.
    """
    if options.parameters is not None:
        return screen(pair, held=options.parameters.item).matrix, {}
    screening = screen(pair)
    kept, dropped = screening.matrix, dict(screening.dropped)
    if options.method != LIKELIHOOD_RATIO or pair.routed:
        return kept, dropped
    reasons = {name: unobserved(kept, k) for k, name in enumerate(kept.item)}
    lacking = {name: f"dropped: {why}" for name, why in reasons.items() if why}
    left = [k for k, name in enumerate(kept.item) if name not in lacking]
    return screen(kept.items(left)).matrix, dropped | lacking


def _group_counts(pair: ResponseMatrix) -> Counts:
    """Responses to each item in the reference and the focal group."""
    focal = np.repeat(np.array(pair.group) == FOCAL, pair.person_counts())
    every = np.bincount(pair.column, minlength=pair.n_items)
    mine = np.bincount(pair.column[focal], minlength=pair.n_items)
    return list(zip((every - mine).tolist(), mine.tolist(), strict=True))


def _person_remarks(
    pair: ResponseMatrix, options: Options, reference: str, focal: str
) -> list[str]:
    found = []
    group = np.array(pair.group)
    for name, label in ((reference, REFERENCE), (focal, FOCAL)):
        n = int((group == label).sum())
        if n < FEW_IN_GROUP:
            found.append(f"Only {n} persons in group {name}: small differences stay unseen.")
    missing = int((pair.person_counts() < pair.n_items).sum())
    if missing and not pair.routed and options.method != LIKELIHOOD_RATIO:
        found.append(
            f"{missing} persons with missing responses have no total score and are left out."
        )
    return found


def _dropped_remarks(pair: ResponseMatrix, dropped: dict[str, str]) -> list[str]:
    if not dropped:
        return []
    names = ", ".join(f"{name} ({why.removeprefix('dropped: ')})" for name, why in dropped.items())
    cost = " They drove the routing: better give known parameters." if pair.routed else ""
    return [f"Items taken out: {names}.{cost}"]


Round = tuple[frozenset[int], list[Finding], Floats]


def _rounds(
    find: Callable[[frozenset[int]], list[Finding]], options: Options, *, purify: bool
) -> list[Round]:
    """Repeat until the flagged items are those that were left out, at most six times."""
    rounds: list[Round] = []
    left_out: frozenset[int] = frozenset()
    while True:
        found = find(left_out)
        adjusted = benjamini_hochberg(np.array([finding.p for finding in found]))
        rounds.append((left_out, found, adjusted))
        flagged = frozenset(np.flatnonzero(adjusted < options.alpha).tolist())
        if not purify or flagged == left_out or len(rounds) == MOST_ROUNDS:
            return rounds
        if len(found) - len(flagged) < FEWEST_ANCHORS:
            return rounds
        left_out = flagged


def _results(
    pair: ResponseMatrix, counts: Counts, rounds: Sequence[Round], alpha: float
) -> tuple[ItemResult, ...]:
    _out, first, adjusted = rounds[0]
    _out, last, last_adjusted = rounds[-1]
    again = len(rounds) > 1
    return tuple(
        ItemResult(
            name,
            *counts[k],
            first[k],
            float(adjusted[k]),
            last[k] if again else None,
            float(last_adjusted[k]) if again else NAN,
            bool(last_adjusted[k] < alpha),
        )
        for k, name in enumerate(pair.item)
    )


def flagged_anywhere(comparisons: Collection[Comparison]) -> tuple[str, ...]:
    """Items that are flagged in some comparison."""
    return tuple(dict.fromkeys(c.results[k].item for c in comparisons for k in c.flagged))
