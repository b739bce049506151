"""The examinees of a block while they sit, as arrays that change in place.

Called by `engine.simulation.run`. Imports the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from engine.ability.answers import Answers, check_matrix
from engine.arrays import Bools, Floats, Ints, Words
from engine.blueprints import balance
from engine.blueprints.constraints import Constraints, constraints_of
from engine.errors import InputError
from engine.exposure.barriers import BARRIERS
from engine.exposure.usage import Readings, no_usage
from engine.fast.plain_simulation import (
    PlainSimulation,
)
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.rules.starting import starting_thetas
from engine.simulation.choice import Chooser
from engine.simulation.simulated import Simulated, Surroundings


@dataclass(frozen=True, eq=False)
class Source:
    """Where answers come from: true thetas, or recorded scores with the mask of what there is."""

    theta: Floats
    scores: Ints | None
    observed: Bools | None


@dataclass(frozen=True, eq=False)
class Setting:
    """What all blocks of a simulation share."""

    items: ItemParameters
    design: ExamDesign
    source: Source
    seeds: Words
    chooser: Chooser
    masks: Bools
    """Content areas by item, shape ``(n_areas, n_items)``."""
    pretest: Bools
    """Items that are tried out, shape ``(n_items,)``."""
    around: Surroundings
    plain: PlainSimulation | None = None
    """The quick way, where the design and the surroundings allow it."""
    found: Readings | None = None
    """What the counters said before the block."""

    @property
    def bound(self) -> Constraints | None:
        """The blueprint bound to the bank; None without one."""
        if self.design.blueprint is None:
            return None
        return constraints_of(self.items, self.design.blueprint, self.design.scored_length)


@dataclass(frozen=True, eq=False)
class Crowd:
    """The examinees of a block who are still sitting; the arrays are changed in place.

    ``who`` is the place of each in the simulation, ``left`` the number of free items by content
    area, ``counts`` the number given, ``n`` that of all items that count, ``scored`` which these
    are, ``untried`` the items still to try out, ``rejected`` those that Sympson-Hetter turned away,
    ``change`` by how much the last answer moved theta, ``form`` the items of the last shadow
    test, without columns where there is no blueprint, and ``stage`` those of the stage at hand in
    order, -1 behind them.
    """

    who: Ints
    free: Bools
    log_likelihood: Floats
    counts: Ints
    left: Ints
    rows: Ints
    scores: Ints
    theta: Floats
    se: Floats
    n: Ints
    scored: Bools
    untried: Bools
    rejected: Bools
    change: Floats
    form: Bools
    stage: Ints

    def only(self, keep: Bools) -> Crowd:
        """Those to keep."""
        if keep.all():
            return self
        return replace(self, **{part.name: getattr(self, part.name)[keep] for part in fields(self)})


def source_of(
    items: ItemParameters, theta: Floats | None, scores: Ints | None, observed: Bools | None
) -> Source:
    """Where answers come from; `InputError` unless there is one source, and it is sound."""
    if (theta is None) == (scores is None):
        raise InputError("either true thetas or recorded scores", "both or neither")
    if scores is None:
        true = np.asarray(theta, dtype=np.float64)
        if not np.isfinite(true).all():
            raise InputError("finite true thetas", "NaN or infinity", column="theta")
        return Source(true, None, None)
    known = np.ones(scores.shape, dtype=np.bool_) if observed is None else observed
    check_matrix(scores, known, items)
    return Source(np.full(len(scores), np.nan), scores, known)


def check_means(means: Floats | None, design: ExamDesign) -> None:
    """Refuse prior means that the exam does not take."""
    if means is not None and not design.candidate_prior:
        raise InputError("no prior means of candidates, by this exam", "some", column="prior_means")


def blank(setting: Setting, seed: int) -> Simulated:
    """Record of a simulation before anybody sat."""
    usage, n_strata = setting.around.usage, setting.design.exposure.n_strata
    n, n_items = len(setting.source.theta), len(setting.items)
    shape = (n, min(setting.design.longest or n_items, n_items))
    return Simulated(
        items=setting.items,
        design=setting.design,
        seed=seed,
        true_theta=setting.source.theta,
        rows=np.full(shape, -1, dtype=np.int64),
        scores=np.full(shape, -1, dtype=np.int64),
        theta=np.full(shape, np.nan),
        se=np.full(shape, np.nan),
        length=np.zeros(n, dtype=np.int64),
        stop_code=np.full(n, -1, dtype=np.int64),
        final_theta=np.full(n, np.nan),
        final_se=np.full(n, np.nan),
        area_missing=np.zeros(n, dtype=np.bool_),
        tried_out=np.zeros(shape, dtype=np.bool_),
        yielded=np.zeros((n, len(BARRIERS)), dtype=np.int64),
        pretest_missing=np.zeros(n, dtype=np.int64),
        usage=no_usage(n_items, n_strata) if usage is None else usage,
        blueprint_events=np.zeros((n, len(balance.EVENTS)), dtype=np.int64),
    )


def enter(setting: Setting, who: Ints) -> Crowd:
    """The examinees of a block before their first item."""
    n, n_items = len(who), len(setting.items)
    seen = setting.source.observed
    free = np.ones((n, n_items), dtype=np.bool_) if seen is None else seen[who].copy()
    untried = free[:, setting.pretest]
    if setting.around.excluded is not None:
        untried &= ~setting.around.excluded[who][:, setting.pretest]
    free[:, setting.pretest] = False
    longest = min(setting.design.longest or n_items, n_items)
    start = starting_thetas(setting.design, setting.seeds[who])
    if setting.around.prior_means is not None:
        start = setting.around.prior_means[who].astype(np.float64)
    return Crowd(
        who=who,
        free=free,
        log_likelihood=np.zeros((n, setting.design.grid.n)),
        counts=np.zeros((n, len(setting.masks)), dtype=np.int64),
        left=free.astype(np.int64) @ setting.masks.T.astype(np.int64),
        rows=np.full((n, longest), -1, dtype=np.int64),
        scores=np.full((n, longest), -1, dtype=np.int64),
        theta=start,
        se=np.full(n, setting.design.prior_sd),
        n=np.zeros(n, dtype=np.int64),
        scored=np.zeros((n, longest), dtype=np.bool_),
        untried=untried,
        rejected=np.zeros((n, n_items), dtype=np.bool_),
        change=np.full(n, np.inf),
        form=np.zeros((n, 0 if setting.design.blueprint is None else n_items), dtype=np.bool_),
        stage=np.full((n, _longest_stage(setting.design)), -1, dtype=np.int64),
    )


def _longest_stage(design: ExamDesign) -> int:
    """Items of the longest stage; 0 without stages."""
    return max(design.blueprint.stages, default=0) if design.blueprint is not None else 0


def counted_answers(crowd: Crowd, n: int) -> Answers:
    """The answers that count among the first ``n``."""
    return Answers(crowd.rows[:, :n], crowd.scores[:, :n], crowd.scored[:, :n])
