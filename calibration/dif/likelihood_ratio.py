"""Likelihood-ratio tests of whether an item needs parameters of its own in the focal group.

Multiple-group EM. An item that is free by group stands in the matrix as two columns, one that the
reference group answered and one that the focal group answered; everything else is shared, and the
mean and variance of the focal group are free. With given parameters all items that are not under
study are held at them, and mean and variance of both groups are free. Lower and upper asymptotes
are held at their common estimate: they say little about DIF and cannot be told apart by group.
Called by ``study``. Imports ``engine``.

Sources: Thissen, Steinberg and Wainer (1993); Raju (1988) for the area between curves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from calibration.dif.findings import Finding, blank
from calibration.dif.matching import FOCAL
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, fit
from engine.arrays import Floats, Ints
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch

ASYMPTOTES = frozenset({"3pl", "4pl"})
OF_FOCAL = "\x1ffocal"
"""What the name of an item's second column ends with; no file can hold it."""


@dataclass(frozen=True, eq=False)
class Common:
    """The model in which no item differs by group, and how others are compared with it.

    Parameters
    ----------
    pair
        Persons of two groups.
    models
        By item.
    settings
        Of every fit.
    given
        Parameters to hold, rows in the order of the items; None where they are estimated.
    baseline
        The fit without DIF; with given parameters, of the two latent densities alone.
    """

    pair: ResponseMatrix
    models: tuple[str, ...]
    settings: Settings
    given: ItemParameters | None
    baseline: MmlFit

    @property
    def items(self) -> ItemParameters:
        """Parameters without DIF."""
        return self.baseline.items if self.given is None else self.given


def common_model(
    pair: ResponseMatrix,
    models: Sequence[str],
    settings: Settings,
    given: ItemParameters | None = None,
) -> Common:
    """Fit the model in which no item differs by group.

    Parameters
    ----------
    pair
        Persons of two groups with at least one response each.
    models
        By item.
    settings
        Priors, quadrature and when to stop.
    given
        Parameters of every item to hold; estimated where not given.

    Raises
    ------
    InputError
        As ``mml.fit`` does.
    """
    if given is not None:
        return Common(pair, given.model, settings, given, fit(pair, models, settings, fixed=given))
    baseline = fit(pair, models, settings)
    if ASYMPTOTES & set(models):
        latent = (baseline.latent_mean, baseline.latent_sd)
        start = baseline.items
        baseline = fit(pair, models, settings, start=start, latent=latent, asymptotes=False)
    return Common(pair, tuple(models), settings, None, baseline)


def apart(common: Common, by_group: Collection[int], shared: Collection[int] = ()) -> MmlFit:
    """Fit with some items free by group.

    Parameters
    ----------
    common
        The model without DIF.
    by_group
        Columns whose parameters differ by group; their focal halves follow all items, in order.
    shared
        Columns that are estimated, but equal in both groups, where the rest is held.
    """
    split = sorted(by_group)
    data = split_columns(common.pair, split)
    start = with_copies(common.items, split)
    models = (*common.models, *(common.models[k] for k in split))
    latent = (common.baseline.latent_mean, common.baseline.latent_sd)
    fixed = None
    if common.given is not None:
        free = {*split, *shared}
        fixed = common.given.subset([k for k in range(len(common.given)) if k not in free])
    return fit(
        data,
        models,
        common.settings,
        fixed=fixed,
        start=start,
        latent=latent,
        asymptotes=False,
    )


def split_columns(pair: ResponseMatrix, columns: Sequence[int]) -> ResponseMatrix:
    """Give the focal group's answers to some items columns of their own, after all others."""
    column = pair.column.copy()
    focal = np.repeat(np.array(pair.group) == FOCAL, pair.person_counts())
    for position, k in enumerate(columns):
        column[focal & (pair.column == k)] = pair.n_items + position
    order = np.lexsort((column, pair.rows()))
    names = (*pair.item, *(pair.item[k] + OF_FOCAL for k in columns))
    return replace(pair, item=names, column=column[order], score=pair.score[order])


def with_copies(items: ItemParameters, columns: Sequence[int]) -> ItemParameters:
    """Add a second row for the focal halves of some items."""
    rows = [*range(len(items)), *columns]
    return item_parameters(
        (*items.item, *(items.item[k] + OF_FOCAL for k in columns)),
        tuple(items.model[k] for k in rows),
        a=items.a[rows],
        b=items.b[rows],
        c=items.c[rows],
        d=items.d[rows],
        thresholds=items.thresholds[rows],
        slopes=items.slopes[rows],
        intercepts=items.intercepts[rows],
    )


def likelihood_ratio(
    common: Common, k: int, freed: frozenset[int], base: MmlFit | None = None
) -> Finding:
    """Test one item.

    X2 = 2 (log L with the item free by group - log L with it shared), df its parameters that are
    freed; where there are priors, the log posterior takes the place of log L.

    Parameters
    ----------
    common
        The model without DIF.
    k
        The item's column.
    freed
        Other columns that are free by group in both models, and so are no anchors.
    base
        The fit with exactly these columns free by group, where it is at hand.

    Returns
    -------
    Finding
        Effect: the unsigned area between the two expected-score curves over the reference
        group's density; ``signed_area`` is focal minus reference, negative is harder for the
        focal group. Blank where a score does not occur in one of the groups.
    """
    lacking = unobserved(common.pair, k, common.items)
    if lacking:
        return blank(lacking)
    base = base or free_by_group(common, freed)
    wide = base if k in freed else apart(common, {*freed, k})
    held = common.given is not None
    narrow = apart(common, freed - {k}, shared={k}) if held or k in freed else base
    df = wide.n_parameters - narrow.n_parameters
    statistic = max(2 * (wide.log_posterior - narrow.log_posterior), 0.0)
    unsigned, signed = areas(wide, k, common.pair.item[k])
    p = float(chi2.sf(statistic, df))
    found = Finding(statistic, float(df), p, unsigned, "", "", {"signed_area": signed})
    if wide.converged and narrow.converged:
        return found
    return found.with_note(f"not converged after {common.settings.max_iterations} iterations")


def free_by_group(common: Common, freed: frozenset[int]) -> MmlFit:
    """Fit with some items free by group and all others shared or held; without any, no fit."""
    return apart(common, freed) if freed else common.baseline


def unobserved(pair: ResponseMatrix, k: int, items: ItemParameters | None = None) -> str:
    """Say which score of an item does not occur in one of the groups; '' when all do.

    Its scores are those of its parameters, where there are some, else those that somebody had.
    """
    own = pair.column == k
    focal = np.repeat(np.array(pair.group) == FOCAL, pair.person_counts())
    known = 0 if items is None else int(items.n_categories[k])
    width = max(int(pair.score[own].max(initial=1)) + 1, known)
    for name, mine in (("reference", ~focal), ("focal", focal)):
        counts = np.bincount(pair.score[own & mine], minlength=width)
        if not counts.all():
            score = int(np.argmin(counts > 0))
            return f"no score of {score} in the {name} group"
    return ""


def areas(found: MmlFit, k: int, name: str) -> tuple[float, float]:
    """Unsigned and signed area between the curves of an item that is free by group."""
    reference, focal = group_curves(found.items, k, name, found.theta)
    weights = np.exp(found.tables.log_weights[0])
    away = focal - reference
    return float(weights @ np.abs(away)), float(weights @ away)


def group_curves(items: ItemParameters, k: int, name: str, theta: Floats) -> tuple[Floats, Floats]:
    """Expected score of an item in the reference and the focal group, each (n_theta,)."""
    rows: Ints = np.array([k, items.item.index(name + OF_FOCAL)])
    curves = dispatch.expected_score(theta, items.subset(rows.tolist()))
    return curves[:, 0], curves[:, 1]
