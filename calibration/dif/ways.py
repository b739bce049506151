"""The ways to study DIF: what each method tests an item with, and the model where it needs one.

Called by ``study`` and ``pass_rates``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from calibration.dif.findings import Finding, blank
from calibration.dif.likelihood_ratio import (
    Common,
    common_model,
    free_by_group,
    likelihood_ratio,
)
from calibration.dif.logistic import logistic
from calibration.dif.mantel_haenszel import mantel_haenszel
from calibration.dif.matching import Matcher, on_theta, on_total_score
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, fit
from calibration.priors import RECALIBRATION, Priors, default_priors
from engine.arrays import Bools
from engine.errors import InputError
from engine.items import ItemParameters

MANTEL_HAENSZEL, LOGISTIC, LIKELIHOOD_RATIO = METHODS = ("mantel-haenszel", "logistic", "lr")
FEWEST_ROUTED = 30

Counts = list[tuple[int, int]]


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


@dataclass(frozen=True, eq=False)
class Way:
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


def chosen_way(pair: ResponseMatrix, options: Options) -> tuple[Way, list[str]]:
    """Choose how to work a comparison out, and say what must be known of it.

    Likelihood ratios need the model without DIF. The other methods match on the total score, or
    for routed data on theta, which needs a model, too.
    """
    if options.method == LIKELIHOOD_RATIO:
        common, remarks = modelled(pair, options)
        return Way(common.pair, options, None, common, purifiable=True), remarks
    if not pair.routed:
        return Way(pair, options, lambda out: on_total_score(pair, out), None, True), []
    common, remarks = modelled(pair, options)
    matcher = _theta_matcher(common, options)
    return Way(pair, options, lambda _out: matcher, common, purifiable=False), remarks


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
