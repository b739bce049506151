"""Answers too quick to have been thought about: thresholds of time, flags and effort.

A threshold for each item, below which an answer is a rapid guess: the normative share of the mean
time, one time for all, or the valley of a mixture. Called by reports. Imports numpy and
`engine.aberrance.response_times`.
"""

from __future__ import annotations

import numpy as np

from engine.aberrance.response_times import LEAST_TIMES, Times
from engine.arrays import Bools, Floats
from engine.errors import InputError

LONGEST = 10.0
"""No normative threshold is longer, in seconds."""
CYCLES = 500
APART = 2.0
"""Two components count as two when their means are so many pooled standard deviations apart."""
SMALLEST_SHARE = 0.01

_Components = tuple[float, Floats, Floats, Floats]
"""Log likelihood up to a constant, shares, means and standard deviations of two components."""


def normative_thresholds(given: Times, *, share: float = 0.10, longest: float = LONGEST) -> Floats:
    """A share of the item's mean time, at most ``longest`` seconds (Wise and Ma, 2012).

    ``share = 0.10`` is NT10.

    Returns
    -------
    Floats
        Seconds, shape ``(n_items,)``; NaN for an item with fewer than 20 times.
    """
    if not 0 < share < 1:
        raise InputError("a share between 0 and 1", share, column="share")
    n = given.by_item(np.ones(len(given.logs)))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = given.by_item(np.exp(given.logs)) / n
    return np.where(n >= LEAST_TIMES, np.minimum(share * mean, longest), np.nan)


def common_threshold(given: Times, seconds: float = 3.0) -> Floats:
    """The same threshold for every item (common-k; Wise, Kingsbury, Thomason and Kong, 2004)."""
    if not seconds > 0:
        raise InputError("seconds above 0", seconds, column="seconds")
    return np.full(given.n_items, float(seconds))


def mixture_thresholds(given: Times) -> Floats:
    """Where a rapid and a slow component of the log times are equally likely.

    Two lognormal components for each item, by EM (Schnipke and Scrams, 1997); the threshold lies
    between their means, where the weighted densities are equal.

    Returns
    -------
    Floats
        Seconds, shape ``(n_items,)``; NaN for an item with fewer than 20 times, or whose times do
        not fall into two groups: a component with less than 1 % of the answers, means less than 2
        pooled standard deviations apart, or one component that is better by BIC.
    """
    order = np.argsort(given.row, kind="stable")
    counts = np.bincount(given.row, minlength=given.n_items)
    by_item = np.split(given.logs[order], np.cumsum(counts)[:-1])
    return np.array([_valley(logs) if len(logs) >= LEAST_TIMES else np.nan for logs in by_item])


def rapid_guesses(given: Times, thresholds: Floats) -> Bools:
    """Which answers were quicker than their item's threshold, shape ``(n_times,)``."""
    with np.errstate(invalid="ignore"):
        return np.asarray(given.logs < np.log(thresholds)[given.row], dtype=np.bool_)


def response_time_effort(given: Times, rapid: Bools, thresholds: Floats) -> Floats:
    """Share of a person's answers that were not rapid guesses (Wise and Kong, 2005).

    Only answers to items with a threshold count.

    Returns
    -------
    Floats
        Shape ``(n_persons,)``; NaN for a person without such answers.
    """
    judged = np.isfinite(thresholds)[given.row]
    with np.errstate(invalid="ignore"):
        thought = given.by_person(np.where(judged & ~rapid, 1.0, 0.0))
        return thought / given.by_person(np.where(judged, 1.0, 0.0))


def _valley(logs: Floats) -> float:
    """Threshold of one item's log times, in seconds."""
    top, share, means, sds = _mixture(logs)
    pooled = float(np.sqrt((sds**2).mean()))
    one = -len(logs) * (np.log(max(float(logs.std()), 1e-3)) + 0.5)
    better = 2 * (top - one) > 3 * np.log(len(logs))
    if share.min() < SMALLEST_SHARE or means[1] - means[0] < APART * pooled or not better:
        return float("nan")
    between = np.linspace(means[0], means[1], 2001)
    heights = np.log(share) - np.log(sds) - 0.5 * ((between[:, None] - means) / sds) ** 2
    return float(np.exp(between[np.argmin(np.abs(heights[:, 0] - heights[:, 1]))]))


def _mixture(logs: Floats) -> _Components:
    """The best of some fits, its lower component first."""
    spread = max(float(logs.std()), 1e-3)
    start = [logs < cut for cut in np.quantile(logs, (0.05, 0.15, 0.3, 0.5))]
    fits = [_climbed(logs, low, spread) for low in start]
    top, share, means, sds = max(fits, key=lambda fit: fit[0])
    order = np.argsort(means)
    return top, share[order], means[order], sds[order]


def _climbed(logs: Floats, low: Bools, spread: float) -> _Components:
    """EM from one division of the times."""
    member = np.stack([low, ~low], axis=1) * 0.98 + 0.01
    before, top = -np.inf, -np.inf
    share = means = sds = np.empty(2)
    for _ in range(CYCLES):
        weight = member.sum(axis=0)
        share, means = weight / len(logs), (member * logs[:, None]).sum(axis=0) / weight
        variance = (member * (logs[:, None] - means) ** 2).sum(axis=0) / weight
        # A component on a single time would have an infinite likelihood.
        sds = np.maximum(np.sqrt(variance), 0.05 * spread)
        heights = np.log(share) - np.log(sds) - 0.5 * ((logs[:, None] - means) / sds) ** 2
        sums = np.logaddexp(heights[:, 0], heights[:, 1])
        member = np.maximum(np.exp(heights - sums[:, None]), 1e-12)
        before, top = top, float(sums.sum())
        if top - before < 1e-7 * len(logs):
            break
    return top, share, means, sds
