"""What the flagged items do to who passes: pass rates with them, without them, and corrected.

Every person is scored as an exam scores, by EAP under N(0, 1), three times: with the parameters
that hold for all; without the flagged items; and with parameters of the person's own group for the
flagged items. Called by the command line. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.dif.likelihood_ratio import apart, unobserved
from calibration.dif.matching import FOCAL
from calibration.dif.study import Comparison
from calibration.dif.ways import Options, modelled
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit
from engine.ability.estimates import eap_scores
from engine.arrays import Floats, Ints
from engine.items import ItemParameters


@dataclass(frozen=True)
class PassRate:
    """Share of a group at or above a cut.

    Parameters
    ----------
    cut
        On the scale of theta.
    group, n
        Whose, and how many persons.
    as_it_is
        All items, one set of parameters.
    without_flagged
        The flagged items left out.
    by_group
        Flagged items with the group's own parameters.
    """

    cut: float
    group: str
    n: int
    as_it_is: float
    without_flagged: float
    by_group: float


def pass_rates(
    comparison: Comparison, options: Options, cuts: Sequence[float]
) -> tuple[PassRate, ...]:
    """Compute the pass rates of both groups of a comparison at every cut.

    Parameters
    ----------
    comparison, options
        As ``study`` made and took them.
    cuts
        On the scale of theta: that of the given parameters, else the reference group is N(0, 1).
    """
    common = comparison.common or modelled(comparison.pair, options)[0]
    flagged = [k for k in comparison.flagged if not unobserved(common.pair, k, common.items)]
    pair = common.pair
    kept = [k for k in range(pair.n_items) if k not in comparison.flagged]
    everything = eap(pair, common.items)
    without = eap(pair.items(kept), common.items.subset(kept))
    own = everything
    if flagged:
        own = own_parameters(pair, apart(common, flagged), flagged)
    focal = np.array(pair.group) == FOCAL
    return tuple(
        PassRate(
            cut,
            name,
            int(mine.sum()),
            *(float((theta[mine] >= cut).mean()) for theta in (everything, without, own)),
        )
        for cut in cuts
        for name, mine in ((comparison.reference, ~focal), (comparison.focal, focal))
    )


def eap(data: ResponseMatrix, items: ItemParameters) -> Floats:
    """EAP of every person under N(0, 1), shape (n_persons,)."""
    found = []
    for low in range(0, data.n_persons, 4096):
        scores, observed = data.persons(low, min(low + 4096, data.n_persons)).dense()
        found.append(eap_scores(scores.astype(np.int64), observed, items)[0])
    return np.concatenate(found)


def own_parameters(pair: ResponseMatrix, wide: MmlFit, flagged: Sequence[int]) -> Floats:
    """EAP with each group's own parameters of the flagged items."""
    rows: Ints = np.arange(pair.n_items)
    reference = eap(pair, wide.items.subset(rows.tolist()))
    rows[sorted(flagged)] = pair.n_items + np.arange(len(flagged))
    focal = eap(pair, wide.items.subset(rows.tolist()))
    return np.where(np.array(pair.group) == FOCAL, focal, reference)
