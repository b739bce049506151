"""The sentences of cohort pages: what each figure says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from item_bank.results.cohorts.cohort import FEW, UNKNOWN
from item_bank.results.cohorts.exactness import Exactness
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.groups import Group
from item_bank.results.cohorts.item_use import BankUse
from item_bank.results.cohorts.scores import Bin, Scores
from item_bank.results.cohorts.times import Times
from web.formats import duration, number, percent
from web.language import NAMES, local_text


def group_names(groups: Sequence[Group], by: str) -> dict[str, str]:
    """Return how groups are called on pages."""
    names = dict(NAMES) if by == "language" else {}
    return {one.name: names.get(one.name, one.name) for one in groups} | {UNKNOWN: "not known"}


def of_scores(frame: Frame, found: Scores) -> str:
    """Say what the distribution of scores shows."""
    if found.scores.mean is None:
        return "No sitting has a score."
    scale = frame.version.plan.design.scale
    low, high = _middle(found.bins)
    said = (
        f"Half of the scores lie between about {number(low, scale.decimals)} and "
        f"{number(high, scale.decimals)}"
    )
    cuts = frame.levels_with_cut
    if not cuts or found.passed is None:
        return f"{said}."
    names = " and ".join(f"{local_text(cut.name) or cut.code} at {cut.minimum:g}" for cut in cuts)
    return f"{said}; the dashed lines are {names}. {percent(found.passed.share)} passed."


def _middle(bins: Sequence[Bin]) -> tuple[float, float]:
    """Where a quarter and three quarters of what is counted lie."""
    n = np.cumsum([one.n for one in bins])
    ends = np.array([bins[0].low, *(one.high for one in bins)])
    low, high = np.interp([n[-1] / 4, 3 * n[-1] / 4], np.concatenate([[0], n]), ends)
    return float(low), float(high)


def of_errors(found: Exactness) -> str:
    """Say how large the error of a score is, at the cuts above all."""
    known = [cut for cut in found.cuts if cut.csem is not None]
    if known:
        places = ", ".join(f"{number(cut.csem, 1)} at {cut.minimum:g}" for cut in known)
        return (
            f"The conditional standard error of measurement (line, by simulation) is {places}; "
            "the circles are the mean standard errors that were reported there, for EAP posterior "
            "standard deviations, which are another thing and usually a little larger."
        )
    return (
        "The circles are the mean standard errors that were reported, for EAP posterior standard "
        "deviations. The conditional standard error of measurement appears once the exam version "
        "has been simulated."
    )


def of_groups(groups: Sequence[Group], by: str) -> str:
    """Say how far apart the pass rates of groups are."""
    known = [one for one in groups if one.passed is not None and one.n >= FEW]
    if len(known) < 2:
        return "There are no two groups of ten or more to compare."
    names = group_names(groups, by)
    high = max(known, key=lambda one: one.passed.share if one.passed else 0)
    low = min(known, key=lambda one: one.passed.share if one.passed else 1)
    assert high.passed is not None
    assert low.passed is not None
    apart = "overlap" if low.passed.high >= high.passed.low else "do not overlap"
    return (
        f"Pass rates go from {percent(low.passed.share)} ({names[low.name]}) to "
        f"{percent(high.passed.share)} ({names[high.name]}); their 95 % intervals {apart}. "
        "The dashed line is the rate of all."
    )


def of_times(found: Times) -> str:
    """Say how long sittings took, and whether the time was enough."""
    if not found.n:
        return "No sitting ended."
    said = f"Half of the sittings had ended after {found.percentiles[50]} minutes"
    if 95 in found.percentiles:
        said += f", 95 % after {found.percentiles[95]}"
    if found.limit is None or found.near is None:
        return f"{said}. There is no time limit."
    late = (
        f"{percent(found.near.share)} ended with less than a twentieth of their time left"
        if found.near.count
        else "nobody came near the limit"
    )
    return f"{said}; the limit is {duration(found.limit)}, and {late}."


def of_lengths(found: Times) -> str:
    """Say how many questions sittings had."""
    if not found.lengths:
        return "No sitting ended."
    least, most = found.lengths[0].low, found.lengths[-1].low
    return (
        f"Sittings had {least:g} to {most:g} scored questions, {number(found.mean_items, 1)} on "
        "average."
    )


def of_exposure(use: BankUse) -> str:
    """Say how evenly items were used."""
    first = max(use.in_use, key=lambda one: one.given)
    ceiling = (
        f"{use.above} above the exam's ceiling of {percent(use.ceiling)}"
        if use.ceiling
        else f"{use.above} in more than half of all"
    )
    return (
        f"The item given most, {first.code}, was in {percent(first.rate)} of all sittings; "
        f"{ceiling}, {use.never} of {len(use.in_use)} in none."
    )


def of_supply(use: BankUse) -> str:
    """Say whether the bank tells most where candidates are."""
    total = sum(one.n for one in use.supply)
    peak = max(use.supply, key=lambda one: one.best)
    said = (
        "The line is the information of all items in use, the dashed line that of the best exam of "
        f"full length; it is greatest near {number(peak.score)}."
    )
    if not total:
        return said
    weak = sum(one.n for one in use.supply if one.best < peak.best / 2)
    return (
        f"{said} {percent(weak / total)} of the sittings ended where the best exam tells less than "
        "half of that."
    )
