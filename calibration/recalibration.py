"""Recalibration: a release's items fitted anew to recorded sittings, on the release's scale.

Two strategies. *Fixed*: operational items are held, the others are free, and the mean and variance
of theta are re-estimated in every cycle, so that the scale is the release's own. *Link*: every item
is free under N(0, 1), and the set is put back on the release's scale through operational items with
enough responses, without those that drifted. In both, no item is taken out of the data: all of
them drove the routing, and only with them are the missing responses missing at random. Called by
the command line. Imports ``engine``.

Source: Kim (2006) for fixed-parameter calibration.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from calibration.bank_rows import joined_rows
from calibration.fitting import Calibration, completed
from calibration.linking.anchors import Anchors, errors_of, subset
from calibration.linking.constants import STOCKING_LORD, linked
from calibration.linking.sampling_errors import ConstantErrors, by_anchors
from calibration.linking.scales import (
    Link,
    discriminations,
    locations,
    transformed,
    transformed_errors,
)
from calibration.linking.screening import LIMIT, screened
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, at_parameters, fit
from calibration.parameter_file import StandardErrors, no_errors
from calibration.priors import RECALIBRATION
from calibration.recalibrations.plans import FIXED, Plan, without_unused
from calibration.recalibrations.unused import as_wide, merged, unused_scores
from calibration.screening import Screening, check_scores, screen
from calibration.standard_errors import standard_errors
from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.items import ItemParameters

DRAWS = 200


@dataclass(frozen=True, eq=False)
class ScaleLink:
    """How the release's scale was found again.

    Parameters
    ----------
    link
        theta_release = A theta + B.
    errors
        Standard errors of A and B, from other anchors drawn.
    anchors
        Items that linked.
    dropped
        Anchors that drifted, with the reason.
    """

    link: Link
    errors: ConstantErrors
    anchors: tuple[str, ...]
    dropped: dict[str, str]


@dataclass(frozen=True, eq=False)
class Recalibration:
    """New parameters for a release.

    Parameters
    ----------
    plan
        What was estimated.
    release
        The parameters before.
    calibration
        The results, every item of the release among them, on the release's scale.
    scale
        How the scale was found; None with fixed items, whose scale it is.
    """

    plan: Plan
    release: ItemParameters
    calibration: Calibration
    scale: ScaleLink | None

    @property
    def link(self) -> Link | None:
        """The constants, None with fixed items."""
        return None if self.scale is None else self.scale.link


def recalibrate(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings | None = None,
    progress: Callable[[int, float], None] | None = None,
    *,
    centred: bool = True,
    limit: float | None = LIMIT,
) -> Recalibration:
    """Estimate the free items of a plan.

    Parameters
    ----------
    matrix
        Recorded responses; its items are those of the release, in the same order.
    release
        Their parameters.
    plan
        From ``make_plan``.
    settings
        Priors default to those of pretest items in ``priors.RECALIBRATION``.
    progress
        As in ``mml.fit``.
    centred
        With all items free, whether the prior of a is moved to the mean log a of the release.
        Routed answers say little of a factor common to all a: a prior that is centred elsewhere
        would pull all of them, and with them the scale.
    limit
        Largest robust z of an anchor that links; None links through all of them.
    """
    started = time.perf_counter()
    settings = settings or Settings(RECALIBRATION)
    if matrix.item != release.item:
        raise InputError("the items of the release in its order", "other items")
    given = dict(zip(release.item, release.n_categories.tolist(), strict=True))
    check_scores(matrix, release.model, n_categories=given)
    plan = without_unused(plan, unused_scores(matrix, release))
    screening = screen(matrix, keep=release.item)
    screening = replace(screening, thin={**_outside(screening, plan), **plan.kept})
    if plan.way != FIXED and centred:
        settings = _centred(screening.matrix, release, settings)
    data, scale = screening.matrix, None
    if plan.way == FIXED:
        found, errors = _hold_operational(data, release, plan, settings, progress)
    else:
        free, free_errors = _all_free(data, release, settings, progress)
        scale = _scale(free.items, free_errors, release, plan, limit)
        found, errors = _carried(data, release, plan, settings, (free, free_errors, scale.link))
    remarks = _remarks(plan, scale)
    calibration = completed(matrix, screening, found, errors, started, remarks=remarks)
    return Recalibration(plan, release, calibration, scale)


def _centred(matrix: ResponseMatrix, release: ItemParameters, settings: Settings) -> Settings:
    """Move the prior of a to where the release has its mean log a, in units of these persons."""
    density = settings.priors.a
    if density is None or np.isnan(release.a).all():
        return settings
    persons = fit(matrix, release.model, settings, fixed=release)
    mean = float(np.nanmean(np.log(release.a)) + np.log(persons.latent_sd[0]))
    a = replace(density, mean=round(mean, 4))
    return replace(settings, priors=replace(settings.priors, a=a))


def _outside(screening: Screening, plan: Plan) -> dict[str, str]:
    """Remarks about items that are estimated; held ones need none."""
    return {name: text for name, text in screening.thin.items() if name in plan.free}


def _remarks(plan: Plan, scale: ScaleLink | None) -> tuple[str, ...]:
    if scale is None:
        return plan.notes
    link, errors = scale.link, scale.errors
    how = (
        f"Put on the release's scale by {link.method} over {link.n_anchors} items: "
        f"theta_release = {link.A:.4f} theta + {link.B:.4f} (SE {errors.A:.4f} and {errors.B:.4f})."
    )
    if not scale.dropped:
        return (*plan.notes, how)
    names = ", ".join(f"{name} ({reason})" for name, reason in scale.dropped.items())
    return (*plan.notes, how, f"Anchors that drifted and do not link: {names}.")


def _hold_operational(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
) -> tuple[MmlFit, StandardErrors]:
    held = [k for k, name in enumerate(release.item) if name not in plan.free]
    found = fit(
        matrix,
        release.model,
        settings,
        fixed=release.subset(held),
        start=release,
        content=release.content,
        progress=progress,
    )
    return found, standard_errors(found).se


def _all_free(
    matrix: ResponseMatrix,
    release: ItemParameters,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
) -> tuple[MmlFit, StandardErrors]:
    """Fit all items under N(0, 1), unused scores merged; items that have any keep the release's."""
    data, start = merged(matrix, release)
    found = fit(data, release.model, settings, start=start, progress=progress)
    errors = as_wide(standard_errors(found).se, release)
    whole = found.items.n_categories == release.n_categories
    return replace(found, items=_chosen(found.items, release, whole)), errors


def _scale(
    new: ItemParameters,
    errors: StandardErrors,
    release: ItemParameters,
    plan: Plan,
    limit: float | None,
) -> ScaleLink:
    """Find the release's scale through the anchors of the plan that did not drift.

    The release's own errors do not enter the screening: it asks whether an item is still the one
    that is in use.
    """
    rows = [release.row(name) for name in plan.anchors]
    sides = new.subset(rows), release.subset(rows)
    blank = no_errors(len(rows), release.thresholds.shape[1])
    anchors, dropped = Anchors(*sides, errors_of(errors, rows), blank), {}
    link = linked(STOCKING_LORD, *sides)
    if limit is not None:
        found = screened(STOCKING_LORD, anchors, limit=limit)
        link, dropped = found.link, found.reasons
        anchors = subset(anchors, np.flatnonzero(found.kept).tolist())
    drawn = by_anchors(link, anchors, n=DRAWS, seed=1)
    return ScaleLink(link, drawn, anchors.new.item, dropped)


def _carried(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings,
    free: tuple[MmlFit, StandardErrors, Link],
) -> tuple[MmlFit, StandardErrors]:
    """Carry a free fit over to the release's scale; items that are not free keep the release's.

    Items with few responses, and operational ones that were not asked for, take part in the fit,
    where the priors make them estimable, because they drove the routing too; their new parameters
    are not used.
    """
    found, errors, link = free
    estimated = np.array([name in plan.free for name in release.item])
    items = _chosen(transformed(found.items, link), release, estimated)
    mean, sd = float(found.latent_mean[0]), float(found.latent_sd[0])
    there = at_parameters(
        matrix,
        items,
        settings,
        mean=link.A * mean + link.B,
        sd=link.A * sd,
        held=~estimated,
    )
    there = replace(
        there,
        items=items,
        converged=found.converged,
        iterations=found.iterations,
        gradient=found.gradient,
        at_bound=tuple(name for name in found.at_bound if name in plan.free),
    )
    return there, _of_estimated(transformed_errors(errors, link), estimated)


def _chosen(new: ItemParameters, old: ItemParameters, estimated: Bools) -> ItemParameters:
    """New parameters where they were estimated, old ones elsewhere."""
    sides = (new if has else old for has in estimated)
    rows = zip(old.item, sides, range(len(old)), strict=True)
    return replace(joined_rows(list(rows)), attributes=old.attributes)


def _of_estimated(errors: StandardErrors, estimated: Bools) -> StandardErrors:
    """Only the errors of items that were estimated."""

    def known(name: str) -> Floats:
        table: Floats = getattr(errors, name)
        if not table.size:
            return table
        keep = estimated if table.ndim == 1 else estimated[:, None]
        return np.where(keep, table, np.nan)

    return StandardErrors(*(known(field.name) for field in fields(errors)))


def changes(found: Recalibration) -> list[list[object]]:
    """Rows of item, a and b before and after, and the distance of b in standard errors.

    For polytomous items b is the mean of the thresholds, and the distance is blank; see
    ``linking.scales`` for those of nominal items.
    """
    new, old, errors = found.calibration.fit.items, found.release, found.calibration.errors
    sizes, places = [discriminations(i) for i in (old, new)], [locations(i) for i in (old, new)]
    rows: list[list[object]] = []
    for name in found.plan.free:
        k, o = new.row(name), old.row(name)
        before, after = float(places[0][o]), float(places[1][k])
        distance = (after - before) / float(errors.b[k])
        rows.append([name, float(sizes[0][o]), float(sizes[1][k]), before, after, distance])
    return rows
