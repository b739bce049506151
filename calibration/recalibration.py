"""Recalibration: a release's items fitted anew to recorded sittings, on the release's scale.

Two ways. *Fixed*: operational items are held, the others are free, and the mean and variance of
theta are re-estimated in every cycle, so that the scale is the release's own. *All*: every item is
free under N(0, 1), and the set is put back on the release's scale through the items with enough
responses. In both, no item is taken out of the data: all of them drove the routing, and only with
them are the missing responses missing at random. Called by the command line. Imports ``engine``.

Source: Kim (2006) for fixed-parameter calibration.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.fitting import Calibration, completed
from calibration.linking.constants import stocking_lord
from calibration.linking.scales import Link, transformed
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, at_parameters, fit
from calibration.parameter_file import StandardErrors
from calibration.priors import RECALIBRATION
from calibration.screening import FEW_RESPONSES, Screening, check_scores, screen
from calibration.standard_errors import standard_errors
from engine.arrays import Bools, Floats
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters, item_parameters

FIXED = "fixed"
ALL = "all"
PRETEST = "pretest"


@dataclass(frozen=True, eq=False)
class Plan:
    """Which items are estimated anew.

    Parameters
    ----------
    way
        ``fixed`` or ``all``.
    free
        Items that get new parameters, in the order of the release.
    kept
        Items that keep the release's parameters although they were asked for, with the reason.
    notes
        What was decided and why, one sentence each.
    """

    way: str
    free: tuple[str, ...]
    kept: dict[str, str]
    notes: tuple[str, ...]


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
    link
        How the scale was found; None with fixed items, whose scale it is.
    """

    plan: Plan
    release: ItemParameters
    calibration: Calibration
    link: Link | None


def make_plan(
    release: ItemParameters, statuses: Sequence[str], counts: Mapping[str, int], free: str
) -> Plan:
    """Decide which items are free.

    Parameters
    ----------
    release, statuses
        The items and whether each is ``operational`` or ``pretest``.
    counts
        Responses by item.
    free
        ``pretest``, ``all``, or item codes with commas between. Where a release has no pretest
        items, ``pretest`` means ``all``.

    Raises
    ------
    InputError
        For a code that the release does not have.
    AnswerIsNo
        When no item that was asked for has enough responses.
    """
    pretest = [n for n, s in zip(release.item, statuses, strict=True) if s == "pretest"]
    notes = []
    if free == PRETEST and not pretest:
        notes.append("The release has no pretest items, so all items are estimated anew.")
        free = ALL
    asked = _asked(release, pretest, free)
    kept = {
        name: f"keeps the release's parameters: {counts.get(name, 0)} responses, "
        f"fewer than {FEW_RESPONSES}"
        for name in asked
        if counts.get(name, 0) < FEW_RESPONSES
    }
    chosen = tuple(name for name in release.item if name in asked and name not in kept)
    if not chosen:
        raise AnswerIsNo(f"no item has {FEW_RESPONSES} responses: there is nothing to estimate")
    if kept:
        notes.append(
            f"{len(kept)} items with fewer than {FEW_RESPONSES} responses keep the release's "
            "parameters."
        )
    return Plan(ALL if free == ALL else FIXED, chosen, kept, tuple(notes))


def _asked(release: ItemParameters, pretest: Sequence[str], free: str) -> set[str]:
    if free == ALL:
        return set(release.item)
    if free == PRETEST:
        return set(pretest)
    codes = {code.strip() for code in free.split(",") if code.strip()}
    for code in sorted(codes - set(release.item)):
        raise InputError("items of the release, pretest or all", code, column="--free")
    if not codes:
        raise InputError("item codes, pretest or all", repr(free), column="--free")
    if len(codes) == len(release.item):
        raise InputError(
            "some items to hold the scale (or --free all)", "every item", column="--free"
        )
    return codes


def recalibrate(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings | None = None,
    progress: Callable[[int, float], None] | None = None,
    *,
    centred: bool = True,
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
    """
    started = time.perf_counter()
    settings = settings or Settings(RECALIBRATION)
    if matrix.item != release.item:
        raise InputError("the items of the release in its order", "other items")
    given = dict(zip(release.item, release.n_categories.tolist(), strict=True))
    check_scores(matrix, release.model, n_categories=given)
    screening = screen(matrix, keep=release.item)
    screening = replace(screening, thin={**_outside(screening, plan), **plan.kept})
    if plan.way == ALL and centred:
        settings = _centred(screening.matrix, release, settings)
    way = _hold_operational if plan.way == FIXED else _free_all
    found, errors, link = way(screening.matrix, release, plan, settings, progress)
    calibration = completed(matrix, screening, found, errors, started, remarks=_remarks(plan, link))
    return Recalibration(plan, release, calibration, link)


def _centred(matrix: ResponseMatrix, release: ItemParameters, settings: Settings) -> Settings:
    """Move the prior of a to where the release has its mean log a, in units of these persons."""
    density = settings.priors.a
    if density is None:
        return settings
    persons = fit(matrix, release.model, settings, fixed=release)
    mean = float(np.log(release.a).mean() + np.log(persons.latent_sd[0]))
    a = replace(density, mean=round(mean, 4))
    return replace(settings, priors=replace(settings.priors, a=a))


def _outside(screening: Screening, plan: Plan) -> dict[str, str]:
    """Remarks about items that are estimated; held ones need none."""
    return {name: text for name, text in screening.thin.items() if name in plan.free}


def _remarks(plan: Plan, link: Link | None) -> tuple[str, ...]:
    if link is None:
        return plan.notes
    how = (
        f"Put on the release's scale by {link.method} over {link.n_anchors} items: "
        f"theta_release = {link.A:.4f} theta + {link.B:.4f}."
    )
    return (*plan.notes, how)


_Found = tuple[MmlFit, StandardErrors, Link | None]


def _hold_operational(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
) -> _Found:
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
    return found, standard_errors(found).se, None


def _free_all(
    matrix: ResponseMatrix,
    release: ItemParameters,
    plan: Plan,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
) -> _Found:
    """Fit everything, link through the items with enough responses, and keep the others.

    Items with few responses take part in the fit, where the priors make them estimable, because
    they drove the routing too; their new parameters are not used.
    """
    found = fit(matrix, release.model, settings, start=release, progress=progress)
    errors = standard_errors(found).se
    anchors = [release.row(name) for name in plan.free]
    link = stocking_lord(found.items.subset(anchors), release.subset(anchors))
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
    return there, _scaled(errors, link.A, estimated), link


def _chosen(new: ItemParameters, old: ItemParameters, estimated: Bools) -> ItemParameters:
    """New parameters where they were estimated, old ones elsewhere."""
    models = [n if has else o for n, o, has in zip(new.model, old.model, estimated, strict=True)]

    def column(name: str) -> Floats:
        return np.asarray(np.where(estimated, getattr(new, name), getattr(old, name)))

    steps = np.where(estimated[:, None], new.thresholds, old.thresholds)
    return item_parameters(
        old.item,
        models,
        a=column("a"),
        b=column("b"),
        c=column("c"),
        d=column("d"),
        thresholds=steps,
        content=old.content,
    )


def _scaled(errors: StandardErrors, A: float, estimated: Bools) -> StandardErrors:
    """Errors on the release's scale; those of the link itself are not in them."""
    own = np.where(estimated, 1.0, np.nan)
    return StandardErrors(
        errors.a / A * own,
        errors.b * A * own,
        errors.c * own,
        errors.d * own,
        errors.thresholds * A * own[:, None],
    )


def changes(found: Recalibration) -> list[list[object]]:
    """Rows of item, a and b before and after, and the distance of b in standard errors.

    For polytomous items b is the mean of the thresholds, and the distance is blank.
    """
    new, old, errors = found.calibration.fit.items, found.release, found.calibration.errors
    rows: list[list[object]] = []
    for name in found.plan.free:
        k, o = new.row(name), old.row(name)
        before, after = (float(np.nanmean(i.thresholds[r])) for i, r in ((old, o), (new, k)))
        distance = (after - before) / float(errors.b[k])
        rows.append([name, float(old.a[o]), float(new.a[k]), before, after, distance])
    return rows
