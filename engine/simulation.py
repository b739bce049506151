"""Many sittings at once: the decisions of `engine.session`, vectorised over examinees.

All examinees of a block take their first item, then their second, and so on, so that each step is
a few operations on arrays. Examinee i of a simulation is the sitting with seed
``sitting_seeds(seed, n)[i]``: `engine.session.next_step` gives the same items, reasons and
estimates. Called by the simulation command. Imports the engine's own parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from engine import content_shares, stopping
from engine.ability import eap_of, estimates
from engine.answers import Answers, answers, check_matrix
from engine.arrays import Bools, Floats, Ints, Words
from engine.designs import ExamDesign, check_design
from engine.errors import InputError
from engine.exposure import randomesque
from engine.grids import tables
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import sitting_seeds, uniform
from engine.simulated_choice import Chooser, chooser
from engine.stopping import REASONS, StopReason

PERSONS_AT_ONCE = 512
EXHAUSTED = REASONS.index(StopReason.BANK_EXHAUSTED)
BEST_INFORMATION = REASONS.index(StopReason.BEST_INFORMATION)


def _nothing(_n: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """What happened in a simulation, examinee by examinee.

    Parameters
    ----------
    items, design, seed
        What was simulated.
    true_theta
        Shape ``(n,)``; NaN where recorded scores were used.
    rows, scores
        Bank rows given and their scores, shape ``(n, longest)``; -1 after the last.
    theta, se
        Interim estimates after each item, same shape; NaN after the last.
    length
        Items given, shape ``(n,)``.
    stop_code
        Why each sitting ended, as a position in ``engine.stopping.REASONS``, shape ``(n,)``.
    final_theta, final_se
        By the final estimator, shape ``(n,)``.
    area_missing
        Whether content balancing at some step met an area without items, shape ``(n,)``.
    """

    items: ItemParameters
    design: ExamDesign
    seed: int
    true_theta: Floats
    rows: Ints
    scores: Ints
    theta: Floats
    se: Floats
    length: Ints
    stop_code: Ints
    final_theta: Floats
    final_se: Floats
    area_missing: Bools

    @property
    def n(self) -> int:
        """Number of examinees."""
        return len(self.length)

    def stop_reason(self, person: int) -> StopReason:
        """Why a sitting ended."""
        return REASONS[int(self.stop_code[person])]


@dataclass(frozen=True, eq=False)
class _Source:
    """Where answers come from: true thetas, or recorded scores with the mask of what there is."""

    theta: Floats
    scores: Ints | None
    observed: Bools | None


@dataclass(frozen=True, eq=False)
class _Setting:
    """What all blocks of a simulation share."""

    items: ItemParameters
    design: ExamDesign
    source: _Source
    seeds: Words
    chooser: Chooser
    masks: Bools
    """Content areas by item, shape ``(n_areas, n_items)``."""


@dataclass(frozen=True, eq=False)
class _Crowd:
    """The examinees of a block who are still sitting; the arrays are changed in place.

    ``who`` is the place of each in the simulation, ``left`` the number of free items by content
    area, ``counts`` the number given.
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

    def only(self, keep: Bools) -> _Crowd:
        """Those to keep."""
        if keep.all():
            return self
        return replace(self, **{part.name: getattr(self, part.name)[keep] for part in fields(self)})


def simulate(
    items: ItemParameters,
    design: ExamDesign,
    *,
    theta: Floats | None = None,
    scores: Ints | None = None,
    observed: Bools | None = None,
    seed: int = 0,
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
    advance
        Called with the number of examinees done since the last call.

    Raises
    ------
    InputError
        When the bank cannot serve the design, a recorded score does not exist, or not exactly one
        of ``theta`` and ``scores`` is given.
    """
    check_design(design, items)
    source = _source(items, theta, scores, observed)
    n = len(source.theta)
    seeds = sitting_seeds(seed, n)
    masks = content_shares.area_masks(design.content_shares, items)
    setting = _Setting(items, design, source, seeds, chooser(items, design), masks)
    record = _blank(setting, seed)
    for start in range(0, n, PERSONS_AT_ONCE):
        who = np.arange(start, min(start + PERSONS_AT_ONCE, n), dtype=np.int64)
        _run(setting, who, record)
        _finish(setting, who, record)
        advance(len(who))
    return record


def _source(
    items: ItemParameters, theta: Floats | None, scores: Ints | None, observed: Bools | None
) -> _Source:
    if (theta is None) == (scores is None):
        raise InputError("either true thetas or recorded scores", "both or neither")
    if scores is None:
        true = np.asarray(theta, dtype=np.float64)
        if not np.isfinite(true).all():
            raise InputError("finite true thetas", "NaN or infinity", column="theta")
        return _Source(true, None, None)
    known = np.ones(scores.shape, dtype=np.bool_) if observed is None else observed
    check_matrix(scores, known, items)
    return _Source(np.full(len(scores), np.nan), scores, known)


def _blank(setting: _Setting, seed: int) -> Simulated:
    n, n_items = len(setting.source.theta), len(setting.items)
    shape = (n, min(setting.design.stop.longest or n_items, n_items))
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
    )


def _enter(setting: _Setting, who: Ints) -> _Crowd:
    """The examinees of a block before their first item."""
    n, n_items = len(who), len(setting.items)
    seen = setting.source.observed
    free = np.ones((n, n_items), dtype=np.bool_) if seen is None else seen[who].copy()
    longest = min(setting.design.stop.longest or n_items, n_items)
    return _Crowd(
        who=who,
        free=free,
        log_likelihood=np.zeros((n, setting.design.grid.n)),
        counts=np.zeros((n, len(setting.masks)), dtype=np.int64),
        left=free.astype(np.int64) @ setting.masks.T.astype(np.int64),
        rows=np.full((n, longest), -1, dtype=np.int64),
        scores=np.full((n, longest), -1, dtype=np.int64),
        theta=np.full(n, setting.design.start_theta),
        se=np.full(n, setting.design.prior_sd),
    )


def _run(setting: _Setting, who: Ints, record: Simulated) -> None:
    """Take a block of examinees through the test, writing into the record."""
    crowd, n = _enter(setting, who), 0
    while True:
        codes = stopping.stopping_codes(
            setting.design.stop, n, crowd.se, _collected(setting, crowd, n)
        )
        crowd = _leave(crowd, codes, n, record)
        if not len(crowd.who):
            return
        area = _area(setting, crowd, n, record)
        seeds = setting.seeds[crowd.who]
        candidates, best = setting.chooser.choose(crowd.theta, crowd.free, area, seeds, n)
        done = np.where(candidates[:, 0] < 0, EXHAUSTED, -1)
        little = stopping.too_little_left(setting.design.stop, n, best)
        codes = np.where((done < 0) & little, BEST_INFORMATION, done)
        crowd, candidates = _leave(crowd, codes, n, record), candidates[codes < 0]
        if not len(crowd.who):
            return
        seeds = setting.seeds[crowd.who]
        _answer(setting, crowd, randomesque.draw(candidates, seeds, n), n, record)
        n += 1


def _leave(crowd: _Crowd, codes: Ints, n: int, record: Simulated) -> _Crowd:
    """Write down those who stop, and go on with the others."""
    stopping_now = codes >= 0
    if not stopping_now.any():
        return crowd
    leaving = crowd.who[stopping_now]
    record.stop_code[leaving] = codes[stopping_now]
    record.length[leaving] = n
    return crowd.only(~stopping_now)


def _collected(setting: _Setting, crowd: _Crowd, n: int) -> Floats:
    """Information accumulated at the estimate, where a rule asks for it."""
    if setting.design.stop.information is None or n == 0:
        return np.zeros(len(crowd.who))
    values = dispatch.paired("information", crowd.theta, crowd.rows[:, :n], setting.items)
    collected: Floats = values.sum(axis=1)
    return collected


def _area(setting: _Setting, crowd: _Crowd, n: int, record: Simulated) -> Ints:
    """Pool from which each examinee's next item comes; -1 where all pools are empty."""
    shares = setting.design.content_shares
    if not shares:
        return np.zeros(len(crowd.who), dtype=np.int64)
    short = content_shares.shortfalls(crowd.counts, shares, n)
    area, skipped = content_shares.needed_area(short, crowd.left > 0)
    record.area_missing[crowd.who[(area >= 0) & skipped.any(axis=1)]] = True
    return area


def _answer(setting: _Setting, crowd: _Crowd, rows: Ints, n: int, record: Simulated) -> None:
    """Give everyone an item, score the answer, and estimate theta anew."""
    people = np.arange(len(rows))
    scores = _scores(setting, crowd, rows)
    crowd.rows[:, n], crowd.scores[:, n] = rows, scores
    crowd.free[people, rows] = False
    taken = setting.masks[:, rows].T
    crowd.counts[:] += taken
    crowd.left[:] -= taken
    crowd.theta[:], crowd.se[:] = _interim(setting, crowd, n + 1)
    record.rows[crowd.who, n], record.scores[crowd.who, n] = rows, scores
    record.theta[crowd.who, n], record.se[crowd.who, n] = crowd.theta, crowd.se


def _scores(setting: _Setting, crowd: _Crowd, rows: Ints) -> Ints:
    recorded = setting.source.scores
    if recorded is not None:
        return np.asarray(recorded[crowd.who, rows], dtype=np.int64)
    theta, items = setting.source.theta[crowd.who], setting.items
    chances = dispatch.paired("probabilities", theta, rows[:, None], items)[:, 0]
    drawn = uniform(setting.seeds[crowd.who], 0, "response", rows)
    passed = (drawn[:, None] >= np.cumsum(chances, axis=1)).sum(axis=1)
    # Rounding can leave the sum of an item's chances below 1, and the draw above it.
    return np.asarray(np.minimum(passed, items.n_categories[rows] - 1), dtype=np.int64)


def _interim(setting: _Setting, crowd: _Crowd, n: int) -> tuple[Floats, Floats]:
    design, items = setting.design, setting.items
    if design.interim != "eap":
        given = answers(crowd.rows[:, :n], crowd.scores[:, :n])
        return estimates(design.interim, given, items, prior=design.prior, grid=design.grid)
    table = tables(items, design.grid).log_probabilities
    crowd.log_likelihood[:] += table[crowd.rows[:, n - 1], crowd.scores[:, n - 1]]
    return eap_of(crowd.log_likelihood, prior=design.prior, grid=design.grid)


def _finish(setting: _Setting, who: Ints, record: Simulated) -> None:
    """Final estimates of a block."""
    design, rows = setting.design, record.rows[who]
    given = Answers(np.maximum(rows, 0), np.maximum(record.scores[who], 0), rows >= 0)
    theta, se = estimates(design.final, given, setting.items, prior=design.prior, grid=design.grid)
    record.final_theta[who], record.final_se[who] = theta, se
