"""The quick way through a simulation, for designs that most simulations have.

A plain design chooses by information at EAP, from the whole bank or by content shares, and draws
among the best at most: no counters of exposure, nothing tried out, no bounds. Then a
step is a few operations on arrays of the examinees' own numbers: a posterior moved on by one
answer, and the leading items looked up. The decisions are those of `engine.session`, as those of
`engine.simulation.run` are, which calls this. Imports the engine's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from engine.arrays import Bools, Floats, Ints, Words
from engine.blueprints import content_shares
from engine.blueprints.content_shares import Shares
from engine.exposure import randomesque
from engine.fast.leading import leading, lookup_depth
from engine.fast.lookup import InformationLookup, information_lookup
from engine.fast.posterior import Posterior
from engine.items import ItemParameters
from engine.models import dispatch
from engine.randomness import row_uniform, stream
from engine.rules import stopping
from engine.rules.designs import ExamDesign
from engine.rules.starting import starting_thetas
from engine.rules.stopping import REASONS, StopReason

EXHAUSTED = REASONS.index(StopReason.BANK_EXHAUSTED)
BEST_INFORMATION = REASONS.index(StopReason.BEST_INFORMATION)
PERSONS_AT_ONCE = 2048
LARGEST_TABLE = 2**24
"""No table of examinees by items is larger, in bytes."""


@dataclass(frozen=True, eq=False)
class Examinees:
    """Some examinees and where their answers come from.

    Parameters
    ----------
    seeds, theta
        Sitting seed and true theta of each, shape ``(n,)``.
    scores, observed
        Recorded scores and which exist, shape ``(n, n_items)``, instead of the thetas; else None.
    """

    seeds: Words
    theta: Floats
    scores: Ints | None = None
    observed: Bools | None = None


@dataclass(frozen=True, eq=False)
class Sat:
    """What happened, as in `engine.simulation.run.Simulated`, but with a column for each examinee.

    The arrays are filled in place.
    """

    rows: Ints
    scores: Ints
    theta: Floats
    se: Floats
    length: Ints
    stop_code: Ints
    area_missing: Bools


@dataclass(frozen=True, eq=False)
class _Still:
    """Those who are still sitting, each array with one row for each; ``at`` is their place."""

    at: Ints
    free: Bools
    counts: Ints
    left: Ints
    seeds: Words
    streams: Words
    theta: Floats
    se: Floats
    change: Floats
    information: Floats

    def only(self, keep: Bools) -> _Still:
        return replace(self, **{part.name: getattr(self, part.name)[keep] for part in fields(self)})


def persons_at_once(n_items: int) -> int:
    """How many examinees to take at once: enough to outweigh the calls of a step."""
    return max(128, min(PERSONS_AT_ONCE, LARGEST_TABLE // n_items))


class PlainSimulation:
    """A bank and a plain design, prepared for blocks of examinees."""

    def __init__(self, items: ItemParameters, design: ExamDesign) -> None:
        self.items, self.design = items, design
        self.shares: Shares = design.content_shares
        self.masks = content_shares.area_masks(self.shares, items)
        self.areas_of = np.ascontiguousarray(self.masks.T)
        self.longest = min(design.longest or len(items), len(items))
        depth = lookup_depth(design, items)
        areas: list[str | None] = [name for name, _ in self.shares]
        self.pools = [information_lookup(items, area, depth) for area in areas or [None]]

    def sit(self, examinees: Examinees) -> Sat:
        """Take a block of examinees through the test."""
        still, sat = self._enter(examinees)
        posterior = Posterior(len(still.at), self.items, self.design.prior, self.design.grid)
        for n in range(self.longest + 1):
            codes = stopping.stopping_codes(self.design.stop, self._standing(still, n))
            still = _leave(still, codes, n, sat, posterior)
            if not len(still.at):
                break
            candidates, largest = self._candidates(still, n, sat)
            codes = self._ended(candidates, largest, n)
            candidates = candidates[codes < 0]
            still = _leave(still, codes, n, sat, posterior)
            if not len(still.at):
                break
            rows = randomesque.draw(candidates, still.seeds, n)
            still = self._answer(still, examinees, rows, n, sat, posterior)
        return sat

    def _enter(self, examinees: Examinees) -> tuple[_Still, Sat]:
        n, shape = len(examinees.seeds), (self.longest, len(examinees.seeds))
        free = np.ones((n, len(self.items)), dtype=np.bool_)
        if examinees.observed is not None:
            free = examinees.observed.copy()
        still = _Still(
            at=np.arange(n),
            free=free,
            counts=np.zeros((n, len(self.masks)), dtype=np.int64),
            left=_free_by_area(free, self.masks, complete=examinees.observed is None),
            seeds=examinees.seeds,
            streams=answer_streams(examinees.seeds),
            theta=starting_thetas(self.design, examinees.seeds),
            se=np.full(n, self.design.prior_sd),
            change=np.full(n, np.inf),
            information=np.zeros(n),
        )
        sat = Sat(
            rows=np.full(shape, -1, dtype=np.int64),
            scores=np.full(shape, -1, dtype=np.int64),
            theta=np.full(shape, np.nan),
            se=np.full(shape, np.nan),
            length=np.zeros(n, dtype=np.int64),
            stop_code=np.full(n, -1, dtype=np.int64),
            area_missing=np.zeros(n, dtype=np.bool_),
        )
        return still, sat

    def _standing(self, still: _Still, n: int) -> stopping.Standing:
        counted = np.full(len(still.at), n)
        unclear = np.full(len(still.at), -1)
        return stopping.Standing(counted, still.se, still.information, still.change, unclear)

    def _ended(self, candidates: Ints, largest: Floats, n: int) -> Ints:
        """Who cannot go on, as positions in ``REASONS``; -1 for those who can."""
        little = stopping.too_little_left(self.design.stop, np.full(len(largest), n), largest)
        codes = np.where(little, BEST_INFORMATION, -1)
        return np.where(candidates[:, 0] < 0, EXHAUSTED, codes)

    def _candidates(self, still: _Still, n: int, sat: Sat) -> tuple[Ints, Floats]:
        """The best items of each examinee, and the information of the very best."""
        k = self.design.randomesque
        if not self.shares:
            return self._leading(self.pools[0], still.theta, still.free, n)
        short = content_shares.shortfalls(still.counts, self.shares, n)
        area, skipped = content_shares.needed_area(short, still.left > 0)
        sat.area_missing[still.at[(area >= 0) & skipped.any(axis=1)]] = True
        rows, largest = np.full((len(area), k), -1), np.full(len(area), -np.inf)
        for code, pool in enumerate(self.pools):
            here = np.flatnonzero(area == code)
            if len(here):
                of_area = self._leading(pool, still.theta[here], still.free[here], n)
                rows[here], largest[here] = of_area
        return rows, largest

    def _leading(
        self, pool: InformationLookup, theta: Floats, free: Bools, n: int
    ) -> tuple[Ints, Floats]:
        taken = -(-n // len(self.pools)) + (len(self.pools) > 1)
        found = leading(pool, theta, free, self.items, self.design.randomesque, taken)
        return found.rows, found.largest

    def _answer(
        self,
        still: _Still,
        examinees: Examinees,
        rows: Ints,
        n: int,
        sat: Sat,
        posterior: Posterior,
    ) -> _Still:
        """Give everyone an item, score the answer, and estimate theta anew."""
        scores = self._scores(still, examinees, rows)
        still.free[np.arange(len(rows)), rows] = False
        if self.shares:
            taken = self.areas_of[rows]
            still.counts[:] += taken
            still.left[:] -= taken
        theta, se = posterior.update(rows, scores)
        sat.rows[n, still.at], sat.scores[n, still.at] = rows, scores
        sat.theta[n, still.at], sat.se[n, still.at] = theta, se
        change = np.abs(theta - still.theta) if n else still.change
        information = self._collected(theta, sat.rows[: n + 1, still.at].T)
        return replace(still, theta=theta, se=se, change=change, information=information)

    def _collected(self, theta: Floats, rows: Ints) -> Floats:
        """Information accumulated at the estimate, where a rule asks for it."""
        if self.design.stop.information is None:
            return np.zeros(len(theta))
        collected: Floats = dispatch.paired("information", theta, rows, self.items).sum(axis=1)
        return collected

    def _scores(self, still: _Still, examinees: Examinees, rows: Ints) -> Ints:
        if examinees.scores is not None:
            return np.asarray(examinees.scores[still.at, rows], dtype=np.int64)
        return drawn_scores(examinees.theta[still.at], still.streams, rows, self.items)


def answer_streams(seeds: Words) -> Words:
    """The random numbers by which each sitting answers; see `drawn_scores`."""
    return stream(seeds, 0, "response")


def drawn_scores(theta: Floats, streams: Words, rows: Ints, items: ItemParameters) -> Ints:
    """Answers drawn from the model; an examinee's answer to an item is the same at any step."""
    chances = dispatch.paired("probabilities", theta, rows[:, None], items)[:, 0]
    draws = row_uniform(streams, rows)
    reached, passed = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    for score in range(items.max_categories - 1):
        reached += chances[:, score]
        passed += draws >= reached
    # Rounding can leave the sum of an item's chances below 1, and the draw above it.
    return np.minimum(passed, items.n_categories.take(rows) - 1)


def _leave(still: _Still, codes: Ints, n: int, sat: Sat, posterior: Posterior) -> _Still:
    """Write down those who stop, and go on with the others."""
    stopping_now = codes >= 0
    if not stopping_now.any():
        return still
    leaving = still.at[stopping_now]
    sat.stop_code[leaving], sat.length[leaving] = codes[stopping_now], n
    posterior.keep(~stopping_now)
    return still.only(~stopping_now)


def _free_by_area(free: Bools, masks: Bools, *, complete: bool) -> Ints:
    """Free items of each person by area, shape ``(n_persons, n_areas)``."""
    if complete:
        return np.repeat(masks.sum(axis=1)[None], len(free), axis=0)
    left = np.empty((len(free), len(masks)), dtype=np.int64)
    for area, mask in enumerate(masks):
        left[:, area] = free[:, mask].sum(axis=1)
    return left
