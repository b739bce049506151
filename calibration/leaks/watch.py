"""Items that get easier while they are used: a sign that they have become known.

An answer is held against what the model and the answers *before* it in the same sitting let expect:
``x - E(x | earlier answers)``, theta integrated over its posterior. Under the model these residuals
have mean zero whatever an adaptive test chose, since the choice depended on the same earlier
answers; a residual at the final theta would not, as later items were chosen by this answer. In the
order of presentation, a one-sided CUSUM watches their sum; its limit is simulated for each item
from its own expectations, so that it is right for few answers, too. Called by the commands of this
folder. Imports ``engine``.

Sources: Page (1954) for the CUSUM; Veerkamp and Glas (2000) for known items in adaptive tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.tables import csv_text
from engine.ability.grids import Grid
from engine.arrays import Floats, Ints
from engine.items import ItemParameters
from engine.models import dispatch

HEADER = ("item", "n", "mean_residual", "trend_z", "cusum", "limit", "p", "alarm_at", "flag")
REFERENCE = 0.2
"""What the CUSUM subtracts from each standardised residual: half of a rise that matters."""
FEWEST = 30
REPLICATIONS = 2000
BLOCK = 2_000_000
TREND = 1.6449
LEAK, EASIER = "leak", "easier"


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers in long form, in the order of presentation, each array of shape ``(n_answers,)``.

    Parameters
    ----------
    row
        The item.
    score
        From 0.
    chances
        Probability of each score given the earlier answers of the sitting, shape ``(n_answers,
        n_categories)``.
    at
        When the item was presented; only the order matters.
    """

    row: Ints
    score: Ints
    chances: Floats
    at: Ints


@dataclass(frozen=True, eq=False)
class Leaks:
    """What was found of each item, arrays of shape ``(n_items,)``; NaN with too few answers.

    Parameters
    ----------
    item
        Identifiers.
    n
        Answers.
    mean_residual
        Mean standardised residual; above 0 when the item is easier than its parameters say.
    trend_z
        Standardised correlation of residuals with their order: N(0, 1) without a trend, whatever
        the mean; above 0 when the item gets easier.
    cusum, limit
        The largest CUSUM, and the value that a share of ``false_alarms`` of sound items exceeds.
    p
        Share of simulated sound items with such a CUSUM.
    alarm_at
        Number of the answer after which the CUSUM first passed its limit; 0 for never.
    when
        The time of that answer; 0 for never.
    """

    item: tuple[str, ...]
    n: Ints
    mean_residual: Floats
    trend_z: Floats
    cusum: Floats
    limit: Floats
    p: Floats
    alarm_at: Ints
    when: Ints

    @property
    def flags(self) -> tuple[str, ...]:
        """By item: ``leak``, ``easier`` or nothing.

        ``easier`` is an alarm of the CUSUM; ``leak`` one where the residuals rise with time, too,
        so that wrong parameters alone do not explain it.
        """
        rising = np.nan_to_num(self.trend_z) > TREND
        alarms = zip((self.alarm_at > 0).tolist(), rising.tolist(), strict=True)
        return tuple((LEAK if rises else EASIER) if alarm else "" for alarm, rises in alarms)


def expectations(
    rows: Sequence[Ints],
    scores: Sequence[Ints],
    items: ItemParameters,
    *,
    mean: float = 0.0,
    sd: float = 1.0,
    grid: Grid | None = None,
) -> Iterator[Floats]:
    """Chances of each score given the answers before, one sitting after another.

    Parameters
    ----------
    rows, scores
        Of each sitting, in its order.
    items
        The bank, with the parameters that the sittings were scored by.
    mean, sd
        Of theta in the population that sat.

    Returns
    -------
    iterator of Floats
        Shape ``(n_answers, max_categories)`` each.
    """
    points = grid or Grid()
    theta = np.linspace(points.low, points.high, points.n)
    prior = -0.5 * ((theta - mean) / sd) ** 2
    logs = dispatch.log_probabilities(theta, items).transpose(1, 2, 0)
    chances = np.exp(logs)
    for own_rows, own_scores in zip(rows, scores, strict=True):
        gained = np.cumsum(logs[own_rows, own_scores], axis=0)
        before = prior + np.vstack([np.zeros(theta.size), gained[:-1]])
        weights = np.exp(before - before.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        yield np.einsum("nq,nkq->nk", weights, chances[own_rows])


def leaks(
    answers: Answers,
    item: Sequence[str],
    *,
    false_alarms: float = 0.01,
    seed: int = 1,
    replications: int = REPLICATIONS,
) -> Leaks:
    """Watch every item.

    Parameters
    ----------
    item
        Identifiers by row.
    false_alarms
        Share of sound items that are to raise an alarm.
    seed, replications
        Of the simulation of the limits.
    """
    order = np.argsort(answers.at, kind="stable")
    found = [
        _watched(answers, order[answers.row[order] == row], false_alarms, (seed, row), replications)
        for row in range(len(item))
    ]
    columns = [np.array(values) for values in zip(*found, strict=True)]
    return Leaks(tuple(item), *columns)


_Watched = tuple[int, float, float, float, float, float, int, int]


def _watched(
    answers: Answers, own: Ints, level: float, seed: tuple[int, int], replications: int
) -> _Watched:
    n = len(own)
    if n < FEWEST:
        return n, np.nan, np.nan, np.nan, np.nan, np.nan, 0, 0
    chances = answers.chances[own]
    residuals = standardised(answers.score[own].astype(np.float64)[:, None], chances)[:, 0]
    path = cusum(residuals[:, None])[:, 0]
    rng = np.random.default_rng(seed)
    peaks = _sound_peaks(chances, replications, rng)
    limit = float(np.quantile(peaks, 1.0 - level, method="higher"))
    beyond = np.flatnonzero(path > limit)
    first = int(beyond[0]) if beyond.size else -1
    return (
        n,
        float(residuals.mean()),
        trend(residuals),
        float(path.max()),
        limit,
        float((1 + (peaks >= path.max()).sum()) / (1 + replications)),
        first + 1,
        int(answers.at[own][first]) if beyond.size else 0,
    )


def standardised(scores: Floats, chances: Floats) -> Floats:
    """Residuals of scores by their standard deviation, shape ``(n_answers, n_series)``."""
    values = np.arange(chances.shape[1])
    mean = chances @ values
    spread = np.sqrt(np.maximum(chances @ values**2 - mean**2, 1e-12))
    return np.asarray((scores - mean[:, None]) / spread[:, None])


def cusum(residuals: Floats, reference: float = REFERENCE) -> Floats:
    """One-sided CUSUM ``S_t = max(0, S_(t-1) + z_t - reference)``, shape as ``residuals``."""
    sums = np.cumsum(residuals - reference, axis=0)
    lowest = np.minimum(np.minimum.accumulate(sums, axis=0), 0.0)
    return np.asarray(sums - lowest)


def trend(residuals: Floats) -> float:
    """Standardised correlation of residuals with their order: N(0, 1) without a trend."""
    n = len(residuals)
    place = np.arange(n) - (n - 1) / 2
    spread = residuals.std() * np.sqrt((place**2).sum())
    return float(place @ (residuals - residuals.mean()) / spread) if spread > 0 else 0.0


def _sound_peaks(chances: Floats, replications: int, rng: np.random.Generator) -> Floats:
    """Largest CUSUM of sound items, shape ``(replications,)``; in blocks, to spare memory."""
    block = max(1, min(replications, BLOCK // len(chances)))
    sizes = [min(block, replications - start) for start in range(0, replications, block)]
    runs = (standardised(_sound(chances, size, rng), chances) for size in sizes)
    return np.concatenate([cusum(residuals).max(axis=0) for residuals in runs])


def _sound(chances: Floats, replications: int, rng: np.random.Generator) -> Floats:
    """Draw scores of an item that is as its parameters say, shape ``(n_answers, replications)``."""
    bounds = np.cumsum(chances, axis=1)[:, :-1]
    drawn = rng.random((len(chances), replications), dtype=np.float32)
    scores = np.zeros(drawn.shape)
    for bound in bounds.T:
        scores += drawn > bound[:, None]
    return scores


def leak_text(found: Leaks, times: Sequence[str]) -> str:
    """Format the table of ``tarozu calibrate leaks``; ``times`` are those of the alarms as text."""
    return csv_text(HEADER, leak_rows(found, times))


def leak_rows(found: Leaks, times: Sequence[str]) -> list[list[object]]:
    """One row by item, in the order of ``HEADER``."""
    columns = (found.n, found.mean_residual, found.trend_z, found.cusum, found.limit, found.p)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        [name, *row, at, flag]
        for name, row, at, flag in zip(found.item, rows, times, found.flags, strict=True)
    ]
