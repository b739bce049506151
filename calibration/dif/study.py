"""A study of DIF: every item, every focal group against the reference group, in two rounds.

The composer of this folder: chooses what persons are matched on, runs the method, adjusts for the
number of items, and repeats it without the flagged items in the matching score or among the
anchors until the set of flagged items stands still. Called by the command line. Imports
``engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from calibration.dif.findings import NAN, Finding, benjamini_hochberg, blank
from calibration.dif.likelihood_ratio import (
    Common,
    common_model,
    free_by_group,
    likelihood_ratio,
    unobserved,
)
from calibration.dif.logistic import logistic
from calibration.dif.mantel_haenszel import mantel_haenszel
from calibration.dif.matching import FOCAL, REFERENCE, Matcher, on_theta, on_total_score
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, fit
from calibration.priors import RECALIBRATION, Priors, default_priors
from calibration.screening import screen
from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.items import ItemParameters

MANTEL_HAENSZEL, LOGISTIC, LIKELIHOOD_RATIO = METHODS = ("mantel-haenszel", "logistic", "lr")
FEWEST_ROUTED = 30
FEW_IN_GROUP = 100
MOST_ROUNDS = 6
FEWEST_ANCHORS = 2


@dataclass(frozen=True)
class Options:
    """What ``tarozu calibrate dif`` was asked for; see its help.

    Parameters
    ----------
    method
        One of ``METHODS``.
    reference
        The reference group; the first in sorted order where not named.
    alpha
        Level of the adjusted p value below which an item is flagged.
    purify
        Whether to repeat without the flagged items.
    model
        Of items without parameters; ``auto`` is 2pl for two categories, else gpcm.
    parameters
        Known parameters, of every item that is studied.
    pretest
        Items that theta is not estimated from.
    strata
        Strata of theta, for routed data; 0 chooses.
    quadrature, tolerance, max_iterations
        As in ``mml.Settings``.
    """

    method: str = MANTEL_HAENSZEL
    reference: str | None = None
    alpha: float = 0.05
    purify: bool = True
    model: str = "auto"
    parameters: ItemParameters | None = None
    pretest: frozenset[str] = frozenset()
    strata: int = 0
    quadrature: int = 61
    tolerance: float = 1e-4
    max_iterations: int = 500


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
    way, remark = _way(pair, options)
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


Counts = list[tuple[int, int]]


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


@dataclass(frozen=True, eq=False)
class _Way:
    """How one comparison is worked out.

    Parameters
    ----------
    pair, options
        The data and what was asked for.
    matcher
        Makes what persons are matched on, without some items; None for likelihood ratios.
    common
        The model without DIF, where one was needed.
    purifiable
        Whether items may be left out of the matching.
    """

    pair: ResponseMatrix
    options: Options
    matcher: Callable[[frozenset[int]], Matcher] | None
    common: Common | None
    purifiable: bool

    def findings(
        self, left_out: frozenset[int], counts: Counts, advance: Callable[[int], None]
    ) -> list[Finding]:
        """Test every item."""
        test = self._test(left_out)
        found = []
        for k, n in enumerate(counts):
            found.append(self._few(n) or test(k))
            advance(1)
        return found

    def _few(self, n: tuple[int, int]) -> Finding | None:
        fewest = FEWEST_ROUTED if self.pair.routed else 1
        if min(n) >= fewest:
            return None
        group = "reference" if n[0] < fewest else "focal"
        return blank(f"only {min(n)} responses in the {group} group")

    def _test(self, left_out: frozenset[int]) -> Callable[[int], Finding]:
        """Make the test of one item."""
        common = self.common
        if self.matcher is not None:
            return partial(self._matched_test, self.matcher(left_out))
        if common is None:
            raise AssertionError("either a matcher or a model")
        base = free_by_group(common, left_out)
        return lambda k: likelihood_ratio(common, k, left_out, base)

    def _matched_test(self, matcher: Matcher, k: int) -> Finding:
        own = matcher(k)
        width = max(int(self.pair.score[self.pair.column == k].max()) + 1, 2)
        if self.options.method == LOGISTIC:
            return logistic(own.score, own.focal, own.standing, width)
        return mantel_haenszel(own.score, own.focal, own.stratum, width)


def _way(pair: ResponseMatrix, options: Options) -> tuple[_Way, list[str]]:
    if options.method == LIKELIHOOD_RATIO:
        common, remarks = modelled(pair, options)
        return _Way(common.pair, options, None, common, purifiable=True), remarks
    if not pair.routed:
        return _Way(pair, options, lambda out: on_total_score(pair, out), None, True), []
    common, remarks = modelled(pair, options)
    matcher = _theta_matcher(common, options)
    return _Way(pair, options, lambda _out: matcher, common, purifiable=False), remarks


def modelled(pair: ResponseMatrix, options: Options) -> tuple[Common, list[str]]:
    """Fit the model without DIF, or hold the parameters that were given.

    Routed data without given parameters are fitted with the priors of recalibration: without
    them, items that were only met at one ability have no finite estimate.
    """
    remarks = []
    if options.parameters is None:
        models = _models(pair, options.model)
        priors = RECALIBRATION if pair.routed else default_priors(models)
        if pair.routed:
            remarks.append(f"Parameters are fitted with priors {', '.join(priors.text())}.")
        common = common_model(pair, models, _settings(options, priors))
        if not common.baseline.converged:
            remarks.append("The model without DIF did not converge: no result here is to be used.")
        return common, remarks
    given = options.parameters
    lacking = [name for name in pair.item if name not in given.item]
    if lacking:
        raise InputError("parameters of every item", f"none of {lacking[0]}", column="--parameters")
    rows = given.subset([given.row(name) for name in pair.item])
    return common_model(pair, rows.model, _settings(options, default_priors(())), rows), remarks


def _settings(options: Options, priors: Priors) -> Settings:
    return Settings(priors, options.quadrature, options.tolerance, options.max_iterations)


def _models(pair: ResponseMatrix, model: str) -> tuple[str, ...]:
    if model != "auto":
        return (model,) * pair.n_items
    return tuple("gpcm" if own[2:].any() else "2pl" for own in pair.category_counts())


def _theta_matcher(common: Common, options: Options) -> Matcher:
    operational: Bools = np.array([name not in options.pretest for name in common.pair.item])
    if not operational.any():
        raise InputError("an operational item", "pretest items only", column="--parameters")
    found = _density(common, operational)
    density = (found.latent_mean, found.latent_sd)
    return on_theta(
        common.pair, common.items, operational, density, found.theta, strata=options.strata
    )


def _density(common: Common, operational: Bools) -> MmlFit:
    """Latent densities of the groups, from the operational items alone."""
    if operational.all():
        return common.baseline
    rows = np.flatnonzero(operational).tolist()
    items = common.items.subset(rows)
    data = common.pair.items(rows)
    return fit(
        data.persons_where(data.person_counts() > 0), items.model, common.settings, fixed=items
    )


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
