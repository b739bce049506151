"""What the report draws of an item: how each group scored along what they were matched on.

Called by ``report``. Imports ``engine``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.dif.likelihood_ratio import apart, group_curves, unobserved
from calibration.dif.matching import Matched, on_theta
from calibration.dif.study import Comparison
from engine.arrays import Bools, Floats, Ints

BINS = 10
FEWEST = 5
THETA = np.linspace(-4.0, 4.0, 41)


@dataclass(frozen=True, eq=False)
class Observed:
    """Mean score of a group in bins of its persons, as a share of the highest score.

    Parameters
    ----------
    standing, share, n
        Of each bin: the mean of what persons were matched on, the mean score, how many.
    """

    standing: Floats
    share: Floats
    n: Floats


@dataclass(frozen=True, eq=False)
class ItemPicture:
    """An item of a comparison, in both groups (reference first).

    Parameters
    ----------
    item
        Its identifier.
    on_theta
        Whether persons were matched on theta; else on the total score.
    observed
        What was seen, by group.
    model
        Expected share on ``THETA`` by group, where parameters were estimated by group.
    """

    item: str
    on_theta: bool
    observed: tuple[Observed, Observed]
    model: tuple[Floats, Floats] | None


def pictures(comparison: Comparison, most: int) -> list[ItemPicture]:
    """Picture the flagged items, the largest effects first.

    Parameters
    ----------
    comparison
        Of a study.
    most
        How many at most.
    """
    size = [abs(comparison.results[k].last.effect) for k in comparison.flagged]
    order = np.argsort(-np.nan_to_num(size), kind="stable")[:most]
    chosen = [comparison.flagged[k] for k in order]
    if comparison.matcher is not None:
        on = comparison.common is not None
        return [
            ItemPicture(comparison.pair.item[k], on, _binned(comparison.matcher(k)), None)
            for k in chosen
        ]
    return _with_models(comparison, chosen)


def _with_models(comparison: Comparison, chosen: list[int]) -> list[ItemPicture]:
    """Picture items under likelihood ratios: theta, and the curves of each group."""
    common = comparison.common
    if common is None or not chosen:
        return []
    pair, base = common.pair, common.baseline
    everything: Bools = np.ones(pair.n_items, dtype=bool)
    density = (base.latent_mean, base.latent_sd)
    matcher = on_theta(pair, common.items, everything, density, base.theta)
    wide = apart(common, [k for k in comparison.flagged if not unobserved(pair, k, common.items)])
    tops = wide.items.n_categories - 1
    found = []
    for k in chosen:
        reference, focal = group_curves(wide.items, k, pair.item[k], THETA)
        model = (reference / tops[k], focal / tops[k])
        found.append(ItemPicture(pair.item[k], True, _binned(matcher(k)), model))
    return found


def _binned(own: Matched) -> tuple[Observed, Observed]:
    """Bin the persons of both groups at the same edges."""
    edges = np.unique(np.quantile(own.standing, np.linspace(0, 1, BINS + 1)[1:-1]))
    code = np.searchsorted(edges, own.standing, side="right").astype(np.int64)
    top = max(int(own.score.max(initial=1)), 1)
    return (
        _of_group(own, code, ~own.focal, edges.size + 1, top),
        _of_group(own, code, own.focal, edges.size + 1, top),
    )


def _of_group(own: Matched, code: Ints, mine: Bools, width: int, top: int) -> Observed:
    n = np.bincount(code[mine], minlength=width)
    enough = n >= FEWEST
    divisor = np.maximum(n, 1)
    standing = np.bincount(code[mine], own.standing[mine], minlength=width) / divisor
    share = np.bincount(code[mine], own.score[mine], minlength=width) / divisor / top
    return Observed(standing[enough], share[enough], n[enough].astype(np.float64))
