"""Many examinees through panels, as a record of the same kind as of an adaptive test.

All take their first item, then their second, and so on; where a stage ends they are routed in
groups that took the same modules. An examinee gives the same answer to the same item as in
`engine.simulation.run` with the same seed. Called by the command ``tarozu assemble``. Imports the
engine's estimates and records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.ability.answers import Answers
from engine.ability.estimates import eap_of, estimates
from engine.ability.grids import tables
from engine.arrays import Floats, Ints, Words
from engine.blueprints.balance import EVENTS
from engine.blueprints.blueprint import MASKS, Blueprint
from engine.errors import InputError
from engine.exposure.barriers import BARRIERS
from engine.exposure.usage import no_usage
from engine.fast.plain_simulation import answer_streams, drawn_scores
from engine.items import ItemParameters
from engine.multistage.plans import PanelPlan
from engine.multistage.routing import Routing
from engine.randomness import sitting_seeds, uniform
from engine.rules.classification import ClassificationRules
from engine.rules.designs import ExamDesign
from engine.rules.stopping import REASONS, StoppingRules, StopReason
from engine.simulation.simulated import Simulated
from engine.simulation.usage import Block, block_usage

AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class PanelSimulation:
    """What happened.

    Parameters
    ----------
    simulated
        Item by item, as of an adaptive test.
    panel
        Of each examinee, from 0, shape ``(n,)``.
    modules
        Place of the module taken in each stage, shape ``(n, n_stages)``.
    """

    simulated: Simulated
    panel: Ints
    modules: Ints


def panel_design(design: ExamDesign, blueprint: Blueprint, plan: PanelPlan) -> ExamDesign:
    """What an exam's rules come to with panels: its estimators, scale and levels, a fixed length.

    Selection, exposure control, items to try out and rules on precision have no place in panels.
    """
    return ExamDesign(
        interim=design.interim,
        final=design.final,
        prior_mean=design.prior_mean,
        prior_sd=design.prior_sd,
        grid=design.grid,
        start_theta=design.start_theta,
        blueprint=replace(blueprint, method=MASKS, stages=()),
        stop=StoppingRules(length=plan.length),
        classification=ClassificationRules(cuts=design.classification.cuts),
        scale=design.scale,
        levels=design.levels,
    )


def simulate_panels(
    items: ItemParameters,
    routes: Routing,
    design: ExamDesign,
    *,
    theta: Floats,
    seed: int = 0,
    advance: Callable[[int], object] | None = None,
) -> PanelSimulation:
    """Simulate a multistage test.

    Parameters
    ----------
    design
        From `panel_design`.
    theta
        True thetas, shape ``(n,)``.
    seed
        Of the answers, and of which panel an examinee gets: each alike.
    advance
        Called with the number of examinees done since the last call.

    Raises
    ------
    InputError
        For thetas that are not finite.
    """
    true = np.asarray(theta, dtype=np.float64)
    if not np.isfinite(true).all():
        raise InputError("finite true thetas", "NaN or infinity", column="theta")
    n, plan = len(true), routes.panels.plan
    seeds = sitting_seeds(seed, n)
    panel = (uniform(seeds, 0, "panel") * routes.panels.n_panels).astype(np.int64)
    modules = np.zeros((n, len(plan.stages)), dtype=np.int64)
    record = _blank(items, design, true, seed)
    for start in range(0, n, AT_ONCE):
        who = np.arange(start, min(start + AT_ONCE, n))
        _sit(routes, record, who, seeds[who], panel[who], modules)
        if advance is not None:
            advance(len(who))
    return PanelSimulation(_finished(record, seeds), panel, modules)


def _blank(items: ItemParameters, design: ExamDesign, theta: Floats, seed: int) -> Simulated:
    n, length = len(theta), design.scored_length
    return Simulated(
        items=items,
        design=design,
        seed=seed,
        true_theta=theta,
        rows=np.full((n, length), -1, dtype=np.int64),
        scores=np.full((n, length), -1, dtype=np.int64),
        theta=np.full((n, length), np.nan),
        se=np.full((n, length), np.nan),
        length=np.full(n, length, dtype=np.int64),
        stop_code=np.full(n, REASONS.index(StopReason.LENGTH), dtype=np.int64),
        final_theta=np.full(n, np.nan),
        final_se=np.full(n, np.nan),
        area_missing=np.zeros(n, dtype=np.bool_),
        tried_out=np.zeros((n, length), dtype=np.bool_),
        yielded=np.zeros((n, len(BARRIERS)), dtype=np.int64),
        pretest_missing=np.zeros(n, dtype=np.int64),
        usage=no_usage(len(items), design.exposure.n_strata),
        blueprint_events=np.zeros((n, len(EVENTS)), dtype=np.int64),
    )


def _sit(
    routes: Routing, record: Simulated, who: Ints, seeds: Words, panel: Ints, modules: Ints
) -> None:
    """Take a block of examinees through all stages, writing into the record."""
    plan, streams = routes.panels.plan, answer_streams(seeds)
    posterior = np.zeros((len(who), record.design.grid.n))
    first = 0
    for stage, of in enumerate(plan.stages):
        if stage:
            _route(routes, record, who, panel, modules, first)
        rows = np.empty((len(who), of.length), dtype=np.int64)
        for one in np.unique(panel):
            for place in np.unique(modules[who, stage]):
                here = (panel == one) & (modules[who, stage] == place)
                rows[here] = routes.panels.rows[one][plan.at(stage, int(place))]
        for n in range(first, first + of.length):
            given = rows[:, n - first]
            scores = drawn_scores(record.true_theta[who], streams, given, record.items)
            record.rows[who, n], record.scores[who, n] = given, scores
            record.theta[who, n], record.se[who, n] = _interim(record, who, n + 1, posterior)
        first += of.length
    given_all = _answers(record, who, first)
    design = record.design
    record.final_theta[who], record.final_se[who] = estimates(
        design.final, given_all, record.items, prior=design.prior, grid=design.grid
    )


def _route(
    routes: Routing, record: Simulated, who: Ints, panel: Ints, modules: Ints, n: int
) -> None:
    """Send everyone to a module of the next stage; ``n`` items have been given."""
    stage = int(np.searchsorted(np.cumsum([s.length for s in routes.panels.plan.stages]), n)) + 1
    keys = np.column_stack([panel, modules[who, :stage]])
    groups, group_of = np.unique(keys, axis=0, return_inverse=True)
    for number, (one, *taken) in enumerate(groups.tolist()):
        here = who[group_of.ravel() == number]
        scores = record.scores[here, :n].sum(axis=1).astype(np.float64)
        theta = record.theta[here, n - 1]
        modules[here, stage] = routes.next_modules(one, tuple(taken), theta, scores)


def _interim(record: Simulated, who: Ints, n: int, posterior: Floats) -> tuple[Floats, Floats]:
    """Interim estimates after ``n`` items; log likelihoods are added up for EAP."""
    design = record.design
    if design.interim == "eap":
        table = tables(record.items, design.grid).log_probabilities
        posterior += table[record.rows[who, n - 1], record.scores[who, n - 1]]
        return eap_of(posterior, prior=design.prior, grid=design.grid)
    given = _answers(record, who, n)
    return estimates(design.interim, given, record.items, prior=design.prior, grid=design.grid)


def _answers(record: Simulated, who: Ints, n: int) -> Answers:
    rows, scores = record.rows[who, :n], record.scores[who, :n]
    return Answers(rows, scores, np.ones(rows.shape, dtype=np.bool_))


def _finished(record: Simulated, seeds: Words) -> Simulated:
    """Count what was given."""
    strata = np.zeros(record.rows.shape, dtype=np.int64)
    everyone = np.ones((record.n, record.design.exposure.n_strata), dtype=np.bool_)
    block = Block(record.rows, strata, record.final_theta, seeds, everyone, everyone)
    nothing = np.zeros(len(record.items), dtype=np.bool_)
    usage = block_usage(block, record.design, record.items, None, nothing)
    return replace(record, usage=record.usage + usage)
