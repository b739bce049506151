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

from engine import balance, content_shares, stopping
from engine.ability import eap_of, estimates
from engine.answers import Answers, check_matrix
from engine.arrays import Bools, Floats, Ints, Words
from engine.classification import clear_codes
from engine.constraints import Constraints, constraints_of
from engine.criteria.situation import Situation
from engine.designs import ExamDesign, check_design
from engine.errors import InputError
from engine.exposure import randomesque
from engine.exposure.barriers import BARRIERS, barriers, narrowed
from engine.exposure.rules import stratum_of
from engine.exposure.usage import Readings, Usage, no_usage, readings
from engine.grids import tables
from engine.items import ItemParameters
from engine.models import dispatch
from engine.plain_simulation import (
    Examinees,
    PlainSimulation,
    answer_streams,
    drawn_scores,
    persons_at_once,
)
from engine.pretest import check_pretest, is_place, pick, worth
from engine.priors import Prior
from engine.randomness import sitting_seeds
from engine.simulated_choice import Chooser, chooser
from engine.simulated_usage import Block, block_size, block_usage
from engine.starting import starting_thetas
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
    tried_out
        Whether each item given was tried out and not scored, shaped as ``rows``.
    yielded
        Steps at which each of ``engine.exposure.barriers.BARRIERS`` had to yield, ``(n, 4)``.
    pretest_missing
        Places for items to try out at which none was free, shape ``(n,)``.
    usage
        Counters after the last examinee, those handed in included.
    blueprint_events
        Steps at which each of ``engine.balance.EVENTS`` happened, ``(n, 4)``.
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
    tried_out: Bools
    yielded: Ints
    pretest_missing: Ints
    usage: Usage
    blueprint_events: Ints

    @property
    def n(self) -> int:
        """Number of examinees."""
        return len(self.length)

    def stop_reason(self, person: int) -> StopReason:
        """Why a sitting ended."""
        return REASONS[int(self.stop_code[person])]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the sittings of a simulation find and bring along; nothing by default.

    Parameters
    ----------
    usage
        Counters over earlier sittings. Examinees see those before them.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    excluded
        Items of each person's earlier sittings, shape ``(n, n_items)``.
    prior_means
        Of each person, shape ``(n,)``, where the design allows them.
    first
        Place of the first examinee in the simulation of which this is a part, from 0.
    """

    usage: Usage | None = None
    pretest: Bools | None = None
    excluded: Bools | None = None
    prior_means: Floats | None = None
    first: int = 0


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
class _Crowd:
    """The examinees of a block who are still sitting; the arrays are changed in place.

    ``who`` is the place of each in the simulation, ``left`` the number of free items by content
    area, ``counts`` the number given, ``n`` that of all items that count, ``scored`` which these
    are, ``untried`` the items still to try out, ``rejected`` those that Sympson-Hetter turned away,
    ``change`` by how much the last answer moved theta, and ``form`` the items of the last shadow
    test, without columns where there is no blueprint.
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
    check_design(design, items)
    around = Surroundings() if surroundings is None else surroundings
    tried = np.zeros(len(items), dtype=np.bool_) if around.pretest is None else around.pretest
    check_pretest(design.pretest, items, tried)
    _check_means(around.prior_means, design)
    source = _source(items, theta, scores, observed)
    n = len(source.theta)
    seeds = sitting_seeds(seed, around.first + n)[around.first :]
    masks = content_shares.area_masks(design.content_shares, items)
    setting = _Setting(items, design, source, seeds, chooser(items, design), masks, tried, around)
    setting = replace(setting, plain=_plain(setting))
    record, start = _blank(setting, seed), 0
    while start < n:
        most = persons_at_once(len(items)) if setting.plain else PERSONS_AT_ONCE
        size = block_size(design, record.usage.sittings, most)
        who = np.arange(start, min(start + size, n), dtype=np.int64)
        record = _block(setting, who, record)
        advance(len(who))
        start += len(who)
    return record


def _block(setting: _Setting, who: Ints, record: Simulated) -> Simulated:
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


def _plain(setting: _Setting) -> PlainSimulation | None:
    """The quick way; None where something asks for more than it has."""
    around = setting.around
    asked = setting.pretest.any() or around.excluded is not None or around.prior_means is not None
    if asked or not setting.design.is_plain:
        return None
    return PlainSimulation(setting.items, setting.design)


def _sit_plainly(setting: _Setting, plain: PlainSimulation, who: Ints, record: Simulated) -> Bools:
    """Take a block through the test the quick way; who came as far as to choose an item."""
    source = setting.source
    scores = None if source.scores is None else source.scores[who]
    observed = None if source.observed is None else source.observed[who]
    sat = plain.sit(Examinees(setting.seeds[who], source.theta[who], scores, observed))
    for name, values in vars(sat).items():
        getattr(record, name)[who] = values.T
    return np.asarray((sat.length > 0) | (not setting.design.content_shares), dtype=np.bool_)


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


def _check_means(means: Floats | None, design: ExamDesign) -> None:
    if means is not None and not design.candidate_prior:
        raise InputError("no prior means of candidates, by this exam", "some", column="prior_means")


def _blank(setting: _Setting, seed: int) -> Simulated:
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


def _enter(setting: _Setting, who: Ints) -> _Crowd:
    """The examinees of a block before their first item."""
    n, n_items = len(who), len(setting.items)
    seen = setting.source.observed
    free = np.ones((n, n_items), dtype=np.bool_) if seen is None else seen[who].copy()
    untried = free[:, setting.pretest]
    free[:, setting.pretest] = False
    longest = min(setting.design.longest or n_items, n_items)
    start = starting_thetas(setting.design, setting.seeds[who])
    if setting.around.prior_means is not None:
        start = setting.around.prior_means[who].astype(np.float64)
    return _Crowd(
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
    )


def _run(
    setting: _Setting, who: Ints, record: Simulated, strata: tuple[Bools, Bools, Ints]
) -> None:
    """Take a block of examinees through the test, writing into the record."""
    crowd, n, design = _enter(setting, who), 0, setting.design
    while True:
        codes = stopping.stopping_codes(design.stop, _standing(setting, crowd, n))
        codes = _waiting(setting, crowd, codes, n)
        crowd = _leave(crowd, codes, n, record)
        if not len(crowd.who):
            return
        trying = _trying(setting, crowd, n, record)
        seeds = setting.seeds[crowd.who]
        now = Situation(crowd.theta, _answers(crowd, n), seeds, n)
        within = _balanced(setting, crowd, now, record, trying)
        area = _area(setting, within, record, trying)
        limits = _limits(setting, crowd)
        allowed = _allowed(setting, within, limits, area, record, (int(who[0]), *strata[:2]))
        candidates, best = setting.chooser.choose(now, allowed, area)
        little = stopping.too_little_left(design.stop, crowd.n, best)
        done = _waiting(setting, crowd, np.where(little, BEST_INFORMATION, -1), n)
        done = np.where(candidates[:, 0] < 0, EXHAUSTED, done)
        done = np.where(trying >= 0, -1, done)
        _reject(setting, within, limits, area, candidates, now)
        rows = randomesque.draw(candidates, seeds, n)
        rows = np.where(trying >= 0, trying, rows)
        crowd, rows = _leave(crowd, done, n, record), rows[done < 0]
        if not len(crowd.who):
            return
        strata[2][crowd.who - who[0], n] = stratum_of(crowd.theta, design.exposure)
        _answer(setting, crowd, rows, n, record)
        n += 1


def _waiting(setting: _Setting, crowd: _Crowd, codes: Ints, n: int) -> Ints:
    """Reasons to stop, without those that must wait for the blueprint's minimums."""
    if setting.bound is None or not (codes >= 0).any():
        return codes
    rows = balance.packed(crowd.rows[:, :n], crowd.scored[:, :n])
    return balance.wait_for_minimums(setting.bound, rows, codes)


def _balanced(
    setting: _Setting, crowd: _Crowd, now: Situation, record: Simulated, trying: Ints
) -> _Crowd:
    """Keep of everybody's free items those that keep the blueprint."""
    blueprint, bound = setting.design.blueprint, setting.bound
    if blueprint is None or bound is None:
        return crowd
    free, choosing = crowd.free.copy(), np.flatnonzero(trying < 0)
    rows = balance.packed(now.given.rows, now.given.present)[choosing]
    before = [tuple(np.flatnonzero(crowd.form[person]).tolist()) for person in choosing]
    found = balance.balanced(
        blueprint,
        bound,
        rows,
        free[choosing],
        lambda people: setting.chooser.values(now.only(choosing[people])),
        before,
    )
    free[choosing] = found.eligible
    crowd.form[:] = False
    for person, form in zip(choosing.tolist(), found.forms, strict=True):
        crowd.form[person, list(form.rows) if form else []] = True
    record.blueprint_events[crowd.who[choosing]] += found.happened
    left = free.astype(np.int64) @ setting.masks.T.astype(np.int64)
    return replace(crowd, free=free, left=left)


def _trying(setting: _Setting, crowd: _Crowd, n: int, record: Simulated) -> Ints:
    """Item to try out with each examinee now; -1 for one who gets an item that counts."""
    rules, seeds = setting.design.pretest, setting.seeds[crowd.who]
    rows = np.flatnonzero(setting.pretest)
    due = is_place(rules, seeds, n)
    nobody = np.full(len(due), -1, dtype=np.int64)
    if not due.any() or setting.found is None:
        return nobody
    some = due & crowd.untried.any(axis=1)
    record.pretest_missing[crowd.who[due & ~some]] += 1
    if not some.any():
        return nobody
    found = setting.found
    worths = worth(rules, crowd.theta, setting.items, rows, found.given, found.knowledge)
    return np.where(some, pick(worths, crowd.untried, seeds, n, rows), -1)


def _limits(setting: _Setting, crowd: _Crowd) -> dict[str, Bools]:
    """Soft limits on what each examinee may be given."""
    excluded = setting.around.excluded
    return barriers(
        setting.design.exposure,
        setting.items,
        crowd.theta,
        setting.seeds[crowd.who],
        setting.found,
        rejected=crowd.rejected,
        excluded=None if excluded is None else excluded[crowd.who],
    )


def _allowed(
    setting: _Setting,
    crowd: _Crowd,
    limits: dict[str, Bools],
    area: Ints,
    record: Simulated,
    strata: tuple[int, Bools, Bools],
) -> Bools:
    """Free items of each examinee's pool within the limits, which yield where nothing is left.

    ``strata`` has the first examinee of the block, the strata of theta met, and those in which the
    draw of eligible items did not yield.
    """
    first, visited, feasible = strata
    choosing = area >= 0
    people = crowd.who - first
    stratum = stratum_of(crowd.theta, setting.design.exposure)
    visited[people[choosing], stratum[choosing]] = True
    if not limits:
        return crowd.free
    allowed, yielded = narrowed(_in_area(setting, crowd, area), limits)
    places = np.array([BARRIERS.index(name) for name in limits])
    record.yielded[np.ix_(crowd.who, places)] += yielded
    if "eligibility" in limits:
        gave_way = yielded[:, -1]
        feasible[people[gave_way], stratum[gave_way]] = False
    return allowed


def _in_area(setting: _Setting, crowd: _Crowd, area: Ints) -> Bools:
    """Free items of each examinee's pool; none where there is no pool."""
    mine = (area >= 0)[:, None]
    if setting.design.content_shares:
        mine = mine & setting.masks[area]
    return crowd.free & mine


def _reject(
    setting: _Setting,
    crowd: _Crowd,
    limits: dict[str, Bools],
    area: Ints,
    candidates: Ints,
    now: Situation,
) -> None:
    """Note which items Sympson-Hetter turned away, where strata of theta make that matter."""
    design = setting.design
    if design.exposure.method != "sympson_hetter" or not design.exposure.strata:
        return
    turned = _in_area(setting, crowd, area)
    for name, mask in limits.items():
        turned = turned & (~mask if name == "sympson_hetter" else mask)
    values = setting.chooser.values(now)
    last = np.maximum((candidates >= 0).sum(axis=1) - 1, 0)
    row = np.take_along_axis(candidates, last[:, None], axis=1)
    chosen = np.take_along_axis(values, np.maximum(row, 0), axis=1)
    crowd.rejected[:] |= turned & (values >= chosen) & (row >= 0)


def _standing(setting: _Setting, crowd: _Crowd, n: int) -> stopping.Standing:
    """Where everybody stands, as far as the rules ask."""
    design = setting.design
    clear = np.full(len(crowd.who), -1, dtype=np.int64)
    if design.classification.method is not None and n:
        given = _answers(crowd, n)
        clear = clear_codes(
            design.classification, design.cuts, crowd.theta, crowd.se, given, setting.items
        )
        clear = np.where(crowd.n > 0, clear, -1)
    counted = np.full(len(crowd.who), n) if design.pretest.counts_towards_length else crowd.n
    information = _collected(setting, crowd, n)
    return stopping.Standing(counted, crowd.se, information, crowd.change, clear)


def _answers(crowd: _Crowd, n: int) -> Answers:
    """The answers that count among the first ``n``."""
    return Answers(crowd.rows[:, :n], crowd.scores[:, :n], crowd.scored[:, :n])


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
    collected: Floats = (values * crowd.scored[:, :n]).sum(axis=1)
    return collected


def _area(setting: _Setting, crowd: _Crowd, record: Simulated, trying: Ints) -> Ints:
    """Pool from which each examinee's next item comes; -1 where none is asked, or all are empty."""
    shares = setting.design.content_shares
    if not shares:
        return np.where(trying >= 0, -1, 0)
    short = content_shares.shortfalls(crowd.counts, shares, crowd.n)
    area, skipped = content_shares.needed_area(short, crowd.left > 0)
    area = np.where(trying >= 0, -1, area)
    record.area_missing[crowd.who[(area >= 0) & skipped.any(axis=1)]] = True
    return area


def _answer(setting: _Setting, crowd: _Crowd, rows: Ints, n: int, record: Simulated) -> None:
    """Give everyone an item, score the answer, and estimate theta anew where it counts."""
    people = np.arange(len(rows))
    scores, counts = _scores(setting, crowd, rows), ~setting.pretest[rows]
    crowd.rows[:, n], crowd.scores[:, n], crowd.scored[:, n] = rows, scores, counts
    crowd.free[people, rows] = False
    crowd.untried[:] &= np.flatnonzero(setting.pretest)[None] != rows[:, None]
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


def _scores(setting: _Setting, crowd: _Crowd, rows: Ints) -> Ints:
    recorded = setting.source.scores
    if recorded is not None:
        return np.asarray(recorded[crowd.who, rows], dtype=np.int64)
    theta = setting.source.theta[crowd.who]
    streams = answer_streams(setting.seeds[crowd.who])
    return drawn_scores(theta, streams, rows, setting.items)


def _interim(setting: _Setting, crowd: _Crowd, n: int) -> tuple[Floats, Floats]:
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


def _estimated(setting: _Setting, crowd: _Crowd, n: int, prior: Prior) -> tuple[Floats, Floats]:
    design = setting.design
    if design.interim == "eap":
        return eap_of(crowd.log_likelihood, prior=prior, grid=design.grid)
    given = _answers(crowd, n)
    return estimates(design.interim, given, setting.items, prior=prior, grid=design.grid)


def _finish(setting: _Setting, who: Ints, record: Simulated) -> None:
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
