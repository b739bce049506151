"""Many sittings at once: the decisions of `engine.session`, vectorised over examinees.

All examinees of a block take their first item, then their second, and so on, so that each step is
a few operations on arrays. Examinee i of a simulation is the sitting with seed
``sitting_seeds(seed, n)[i]``: `engine.session.next_step` gives the same items, reasons and
estimates. Called by the simulation command. Imports the engine's own parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.ability.answers import Answers
from engine.ability.estimates import eap_of, estimates
from engine.ability.grids import tables
from engine.ability.priors import Prior
from engine.arrays import Bools, Floats, Ints
from engine.blueprints import content_shares
from engine.blueprints.constraints import enemies_of
from engine.criteria.situation import Situation
from engine.exposure import randomesque
from engine.exposure.rules import stratum_of
from engine.exposure.usage import readings
from engine.fast.plain_simulation import (
    Examinees,
    PlainSimulation,
    answer_streams,
    drawn_scores,
    persons_at_once,
)
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import sitting_seeds
from engine.rules import stopping
from engine.rules.classification import clear_codes
from engine.rules.designs import ExamDesign, check_design
from engine.rules.stopping import REASONS, StopReason
from engine.simulation.choice import chooser
from engine.simulation.crowd import (
    Crowd,
    Setting,
    blank,
    check_means,
    counted_answers,
    enter,
    source_of,
)
from engine.simulation.limits import (
    allowed_items,
    balanced,
    limits_of,
    needed_pool,
    note_rejections,
    trying_out,
    waiting,
)
from engine.simulation.simulated import Simulated, Surroundings
from engine.simulation.usage import Block, block_size, block_usage

__all__ = ["PERSONS_AT_ONCE", "Simulated", "Surroundings", "simulate"]

PERSONS_AT_ONCE = 512
EXHAUSTED = REASONS.index(StopReason.BANK_EXHAUSTED)
BEST_INFORMATION = REASONS.index(StopReason.BEST_INFORMATION)


def _nothing(_n: int) -> None:
    """Progress that nobody watches."""


def simulate(
    items: ItemParameters,
    design: ExamDesign,
    *,
    theta: Floats | None = None,
    scores: Ints | None = None,
    observed: Bools | None = None,
    seed: int = 0,
    surroundings: Surroundings | None = None,
    advance: Callable[[int], object] = _nothing,
) -> Simulated:
    """Simulate an adaptive test for many examinees.

    Parameters
    ----------
    items, design
        The bank and the rules.
    theta
        True thetas, shape ``(n,)``: answers are drawn from the model. An examinee gives the same
        answer to the same item under every design with the same seed.
    scores, observed
        Instead of ``theta``: recorded scores of shape ``(n, n_items)`` and which of them exist (all
        by default). Items that a person did not answer are not given.
    seed
        Of everything random.
    surroundings
        What sittings find and bring along: counters, items to try out, earlier items, prior means.
    advance
        Called with the number of examinees done since the last call.

    Raises
    ------
    InputError
        When the bank cannot serve the design, a recorded score does not exist, or not exactly one
        of ``theta`` and ``scores`` is given.
    """
    around = Surroundings() if surroundings is None else surroundings
    tried = np.zeros(len(items), dtype=np.bool_) if around.pretest is None else around.pretest
    check_design(design, items, tried)
    check_means(around.prior_means, design)
    source = source_of(items, theta, scores, observed)
    n = len(source.theta)
    seeds = sitting_seeds(seed, around.first + n)[around.first :]
    masks = content_shares.area_masks(design.content_shares, items)
    setting = Setting(items, design, source, seeds, chooser(items, design), masks, tried, around)
    setting = replace(setting, plain=_plain(setting))
    record, start = blank(setting, seed), 0
    while start < n:
        most = persons_at_once(len(items)) if setting.plain else PERSONS_AT_ONCE
        size = block_size(design, record.usage.sittings, most)
        who = np.arange(start, min(start + size, n), dtype=np.int64)
        record = _block(setting, who, record)
        advance(len(who))
        start += len(who)
    return record


def _block(setting: Setting, who: Ints, record: Simulated) -> Simulated:
    """Simulate a block and count what it was given."""
    design, items = setting.design, setting.items
    found = readings(record.usage, design.exposure)
    setting = replace(setting, found=found)
    n_strata = design.exposure.n_strata
    visited, feasible = (np.full((len(who), n_strata), start) for start in (False, True))
    strata = np.full(record.rows[who].shape, -1, dtype=np.int64)
    if setting.plain:
        visited[:] = _sit_plainly(setting, setting.plain, who, record)[:, None]
        strata[record.rows[who] >= 0] = 0
    else:
        _run(setting, who, record, (visited, feasible, strata))
    _finish(setting, who, record)
    theta, seeds = record.final_theta[who], setting.seeds[who]
    block = Block(record.rows[who], strata, theta, seeds, visited, feasible)
    usage = block_usage(block, design, items, found, setting.pretest)
    return replace(record, usage=record.usage + usage)


def _plain(setting: Setting) -> PlainSimulation | None:
    """The quick way; None where something asks for more than it has."""
    around = setting.around
    asked = setting.pretest.any() or around.excluded is not None or around.prior_means is not None
    if asked or not setting.design.is_plain:
        return None
    return PlainSimulation(setting.items, setting.design)


def _sit_plainly(setting: Setting, plain: PlainSimulation, who: Ints, record: Simulated) -> Bools:
    """Take a block through the test the quick way; who came as far as to choose an item."""
    source = setting.source
    scores = None if source.scores is None else source.scores[who]
    observed = None if source.observed is None else source.observed[who]
    sat = plain.sit(Examinees(setting.seeds[who], source.theta[who], scores, observed))
    for name, values in vars(sat).items():
        getattr(record, name)[who] = values.T
    return np.asarray((sat.length > 0) | (not setting.design.content_shares), dtype=np.bool_)


def _run(setting: Setting, who: Ints, record: Simulated, strata: tuple[Bools, Bools, Ints]) -> None:
    """Take a block of examinees through the test, writing into the record."""
    crowd, n, design = enter(setting, who), 0, setting.design
    while True:
        codes = stopping.stopping_codes(design.stop, _standing(setting, crowd, n))
        codes = waiting(setting, crowd, codes, n)
        crowd = _leave(crowd, codes, n, record)
        if not len(crowd.who):
            return
        trying = trying_out(setting, crowd, n, record)
        seeds = setting.seeds[crowd.who]
        now = Situation(crowd.theta, counted_answers(crowd, n), seeds, n)
        limits = limits_of(setting, crowd)
        within, yielded = balanced(setting, crowd, now, limits, record, trying)
        area = needed_pool(setting, within, record, trying)
        met = (int(who[0]), *strata[:2])
        allowed = allowed_items(setting, within, limits, area, record, met, yielded)
        candidates, best = setting.chooser.choose(now, allowed, area)
        little = stopping.too_little_left(design.stop, crowd.n, best)
        done = waiting(setting, crowd, np.where(little, BEST_INFORMATION, -1), n)
        done = np.where(candidates[:, 0] < 0, EXHAUSTED, done)
        done = np.where(trying >= 0, -1, done)
        note_rejections(setting, crowd, limits, area, candidates, now)
        rows = randomesque.draw(candidates, seeds, n)
        rows = np.where(trying >= 0, trying, rows)
        crowd, rows = _leave(crowd, done, n, record), rows[done < 0]
        if not len(crowd.who):
            return
        strata[2][crowd.who - who[0], n] = stratum_of(crowd.theta, design.exposure)
        _answer(setting, crowd, rows, n, record)
        n += 1


def _standing(setting: Setting, crowd: Crowd, n: int) -> stopping.Standing:
    """Where everybody stands, as far as the rules ask."""
    design = setting.design
    clear = np.full(len(crowd.who), -1, dtype=np.int64)
    if design.classification.method is not None and n:
        given = counted_answers(crowd, n)
        clear = clear_codes(
            design.classification, design.cuts, crowd.theta, crowd.se, given, setting.items
        )
        clear = np.where(crowd.n > 0, clear, -1)
    counted = np.full(len(crowd.who), n) if design.pretest.counts_towards_length else crowd.n
    information = _collected(setting, crowd, n)
    return stopping.Standing(counted, crowd.se, information, crowd.change, clear)


def _leave(crowd: Crowd, codes: Ints, n: int, record: Simulated) -> Crowd:
    """Write down those who stop, and go on with the others."""
    stopping_now = codes >= 0
    if not stopping_now.any():
        return crowd
    leaving = crowd.who[stopping_now]
    record.stop_code[leaving] = codes[stopping_now]
    record.length[leaving] = n
    return crowd.only(~stopping_now)


def _collected(setting: Setting, crowd: Crowd, n: int) -> Floats:
    """Information accumulated at the estimate, where a rule asks for it."""
    if setting.design.stop.information is None or n == 0:
        return np.zeros(len(crowd.who))
    values = dispatch.paired("information", crowd.theta, crowd.rows[:, :n], setting.items)
    collected: Floats = (values * crowd.scored[:, :n]).sum(axis=1)
    return collected


def _answer(setting: Setting, crowd: Crowd, rows: Ints, n: int, record: Simulated) -> None:
    """Give everyone an item, score the answer, and estimate theta anew where it counts."""
    people = np.arange(len(rows))
    scores, counts = _scores(setting, crowd, rows), ~setting.pretest[rows]
    crowd.rows[:, n], crowd.scores[:, n], crowd.scored[:, n] = rows, scores, counts
    crowd.free[people, rows] = False
    crowd.untried[:] &= np.flatnonzero(setting.pretest)[None] != rows[:, None]
    if setting.bound is not None and setting.bound.enemies.nnz:
        foes = enemies_of(setting.bound, rows[:, None])
        crowd.free[:] &= ~foes
        crowd.untried[:] &= ~foes[:, setting.pretest]
    taken = setting.masks[:, rows].T & counts[:, None]
    crowd.counts[:] += taken
    crowd.left[:] -= taken
    crowd.n[:] += counts
    theta, se = _interim(setting, crowd, n + 1)
    moved = np.where(crowd.n > 1, np.abs(theta - crowd.theta), np.inf)
    crowd.change[:] = np.where(counts, moved, crowd.change)
    some = crowd.n > 0
    crowd.theta[some], crowd.se[some] = theta[some], se[some]
    record.rows[crowd.who, n], record.scores[crowd.who, n] = rows, scores
    record.theta[crowd.who, n], record.se[crowd.who, n] = crowd.theta, crowd.se
    record.tried_out[crowd.who, n] = ~counts


def _scores(setting: Setting, crowd: Crowd, rows: Ints) -> Ints:
    recorded = setting.source.scores
    if recorded is not None:
        return np.asarray(recorded[crowd.who, rows], dtype=np.int64)
    theta = setting.source.theta[crowd.who]
    streams = answer_streams(setting.seeds[crowd.who])
    return drawn_scores(theta, streams, rows, setting.items)


def _interim(setting: Setting, crowd: Crowd, n: int) -> tuple[Floats, Floats]:
    design, items = setting.design, setting.items
    if design.interim == "eap":
        table = tables(items, design.grid).log_probabilities
        added = table[crowd.rows[:, n - 1], crowd.scores[:, n - 1]]
        crowd.log_likelihood[:] += np.where(crowd.scored[:, n - 1, None], added, 0.0)
    means = setting.around.prior_means
    if means is None:
        return _estimated(setting, crowd, n, design.prior)
    theta, se = np.empty(len(crowd.who)), np.empty(len(crowd.who))
    for mean in np.unique(means[crowd.who]):
        here = means[crowd.who] == mean
        prior = Prior(float(mean), design.prior_sd)
        theta[here], se[here] = _estimated(setting, crowd.only(here), n, prior)
    return theta, se


def _estimated(setting: Setting, crowd: Crowd, n: int, prior: Prior) -> tuple[Floats, Floats]:
    design = setting.design
    if design.interim == "eap":
        return eap_of(crowd.log_likelihood, prior=prior, grid=design.grid)
    given = counted_answers(crowd, n)
    return estimates(design.interim, given, setting.items, prior=prior, grid=design.grid)


def _finish(setting: Setting, who: Ints, record: Simulated) -> None:
    """Final estimates of a block."""
    design, rows = setting.design, record.rows[who]
    counts = (rows >= 0) & ~record.tried_out[who]
    given = Answers(np.maximum(rows, 0), np.maximum(record.scores[who], 0), counts)
    if setting.plain and design.final == design.interim and counts.any(axis=1).all():
        last = (who, record.length[who] - 1)
        theta, se = record.theta[last], record.se[last]
    else:
        theta, se = estimates(
            design.final, given, setting.items, prior=design.prior, grid=design.grid
        )
    record.final_theta[who], record.final_se[who] = theta, se
