"""Cohorts as plots: what is counted, in the units of `web.figures.plots`."""

from __future__ import annotations

from collections.abc import Sequence

from item_bank.results.cohorts.exactness import Exactness
from item_bank.results.cohorts.frames import Frame
from item_bank.results.cohorts.groups import Group
from item_bank.results.cohorts.item_use import BankUse
from item_bank.results.cohorts.scores import Bin, Month, Scores
from web.figures.plots import CutLine, Dot, Interval, Shown, Span
from web.formats import number, percent
from web.language import local_text

SCORE, SITTINGS = "Reported score", "Sittings"


def cut_lines(frame: Frame) -> list[CutLine]:
    """Return the cuts of a cohort's exam, named."""
    return [
        CutLine(level.minimum, f"{level.minimum:g} {local_text(level.name) or level.code}")
        for level in frame.levels_with_cut
    ]


def histogram(bins: Sequence[Bin], unit: str, cuts: Sequence[CutLine] = ()) -> Shown:
    """Return bars of counts."""
    bars = [Span(one.low, one.high, one.n, f"{_range(one)}: {one.n}") for one in bins]
    return Shown(unit, SITTINGS, bars=bars, cuts=cuts)


def _range(one: Bin) -> str:
    return f"{one.low:g}" if one.high == one.low + 1 else f"{one.low:g} to {one.high:g}"


def score_histogram(frame: Frame, found: Scores) -> Shown:
    """Return the distribution of scores with the cuts."""
    return histogram(found.bins, SCORE, cut_lines(frame))


def by_month(months: Sequence[Month]) -> Shown:
    """Return mean scores by month, with how many sat behind."""
    bars, line, dots = [], [], []
    for at, month in enumerate(months):
        bars.append(Span(at - 0.4, at + 0.4, month.n, f"{month.name}: {month.n} sittings"))
        if month.scores.mean is not None:
            mean = month.scores.mean
            line.append((float(at), mean))
            dots.append(Dot(at, mean, f"{month.name}: mean {number(mean, 1)}"))
    return Shown(
        "Month; bars: sittings",
        "Mean score",
        bars=bars,
        first=line,
        dots=dots,
        names=[(float(at), month.name) for at, month in enumerate(months)],
        from_zero=False,
    )


def errors(frame: Frame, found: Exactness) -> Shown:
    """Return the conditional SEM, and the mean reported standard errors, along the scale."""
    scale = frame.version.plan.design.scale
    rows = found.study.rows if found.study else []
    known = [(row["score"], row["csem"]) for row in rows if row["csem"] is not None]
    line = [(x, y) for x, y in known if scale.minimum < x < scale.maximum]
    dots = [
        Dot(band.score, band.posterior_se, f"{number(band.score)}: {number(band.posterior_se, 1)}")
        for band in found.bands
        if band.posterior_se is not None
    ]
    bars = [
        Span(
            band.score - scale.slope / 5,
            band.score + scale.slope / 5,
            band.n,
            f"{number(band.score)}: {band.n} sittings",
        )
        for band in found.bands
    ]
    label = "Score points"
    return Shown(SCORE, label, bars=bars, first=line, dots=dots, cuts=cut_lines(frame))


def supply(frame: Frame, use: BankUse) -> Shown:
    """Return the information of the bank along the scale, with candidates behind."""
    scale = frame.version.plan.design.scale
    half = scale.slope / 10
    bars = [
        Span(one.score - half, one.score + half, one.n, f"{number(one.score)}: {one.n} sittings")
        for one in use.supply
        if one.n
    ]
    return Shown(
        f"{SCORE}; bars: sittings",
        "Information",
        bars=bars,
        first=[(one.score, one.bank) for one in use.supply],
        second=[(one.score, one.best) for one in use.supply],
        cuts=cut_lines(frame),
    )


def intervals(groups: Sequence[Group], names: dict[str, str]) -> list[Interval]:
    """Return the pass rates of groups with their intervals."""
    return [
        Interval(
            names.get(group.name, group.name),
            group.passed.share,
            group.passed.low,
            group.passed.high,
            f"{names.get(group.name, group.name)}: {percent(group.passed.share)}, "
            f"{percent(group.passed.low)} to {percent(group.passed.high)}, n {group.passed.n}",
        )
        for group in groups
        if group.passed is not None
    ]
