"""Whether two sittings of an exam answered alike more than chance explains.

Compared are sittings of different people whose times overlap, or that were sat at the same centre.
Where both answered enough items with option-level parameters, by omega (Wollack, 1997;
`engine.aberrance.answer_copying`). Elsewhere by the errors that both made: the chance that two
wrong answers to an item are the same one comes from all wrong answers to it, and the number of same
errors is compared with it (error similarity: Bellezza and Bellezza, 1989; here with a chance for
each item). Both directions and all pairs looked at count in the adjustment of the p value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.aberrance.answer_copying import Estimable, Similarity, omega
from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters
from item_bank.results.flags.exam_data import Sat, codes
from item_bank.results.flags.records import LIKENESS, Found

LEVEL = 0.05
LEAST_ERRORS = 5
"""Fewer errors in common say nothing."""
LEAST_WRONG = 20
"""With fewer wrong answers to an item, which of them are usual is not known."""
NOTHING = -1


@dataclass(frozen=True, eq=False)
class Bank:
    """What is needed of the items of a release: parameters, and the points of each score."""

    items: ItemParameters
    points: Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class _Errors:
    """Wrong answers as numbers, ``(n_sittings, n_items)``, -1 for none; chance of the same one."""

    wrong: Ints
    same: Floats


@dataclass(frozen=True)
class _Pair:
    """Two sittings compared; p before any adjustment, and why there is no omega."""

    one: int
    other: int
    method: str
    p: float
    matches: int
    expected: float
    common: int
    no_omega: str = ""


def likeness_flags(
    sittings: Sequence[Sat],
    banks: Mapping[str, Bank],
    advance: Callable[[int], object] = lambda _n: None,
) -> dict[str, Found]:
    """Compare all pairs that may have met; flags by sitting.

    Parameters
    ----------
    banks
        By release id.
    advance
        Called with how many sittings were compared since the last call.
    """
    crowd = _crowd(sittings)
    errors, options = _errors(sittings, banks), _options(sittings, banks)
    found: list[_Pair] = []
    compared = np.zeros(len(sittings), dtype=np.int64)
    for one in range(len(sittings)):
        others = _partners(crowd, one)
        compared[one] += len(others)
        compared[others] += 1
        by_options, reasons = _by_options(options, sittings, one, others)
        rest = np.array(list(reasons), dtype=np.int64)
        found += [*by_options, *_by_errors(errors, one, rest, reasons)]
        advance(1)
    return _flags(sittings, found, compared)


@dataclass(frozen=True, eq=False)
class _Crowd:
    """When and where each sitting was, shapes ``(n_sittings,)``; centre -1 where not known."""

    started: Ints
    finished: Ints
    centre: Ints
    person: Ints


def _crowd(sittings: Sequence[Sat]) -> _Crowd:
    centres, people = (
        codes(sat.centre for sat in sittings if sat.centre),
        codes(sat.candidate_id for sat in sittings),
    )
    return _Crowd(
        np.array([sat.started_at for sat in sittings], dtype=np.int64),
        np.array([sat.finished_at for sat in sittings], dtype=np.int64),
        np.array([centres[sat.centre] if sat.centre else NOTHING for sat in sittings], dtype=int),
        np.array([people[sat.candidate_id] for sat in sittings], dtype=np.int64),
    )


def _partners(crowd: _Crowd, one: int) -> Ints:
    """Later sittings of other people that overlapped with this one, or had its centre."""
    later = slice(one + 1, None)
    started, finished = crowd.started[later], crowd.finished[later]
    met = (started < crowd.finished[one]) & (finished > crowd.started[one])
    near = (crowd.centre[later] == crowd.centre[one]) & (crowd.centre[one] != NOTHING)
    others = crowd.person[later] != crowd.person[one]
    return np.flatnonzero((met | near) & others) + one + 1


# --- by the errors that both made --------------------------------------------------------------


def _errors(sittings: Sequence[Sat], banks: Mapping[str, Bank]) -> _Errors:
    items = codes(one.revision_id for sat in sittings for one in sat.answers)
    said = codes(one.response for sat in sittings for one in sat.answers if one.response)
    wrong = np.full((len(sittings), len(items)), NOTHING, dtype=np.int64)
    for person, sat in enumerate(sittings):
        worth = banks[sat.release_id].points
        for one in sat.answers:
            points = None if one.score is None else worth[one.row][one.score]
            if one.response and points is not None and points < max(worth[one.row]):
                wrong[person, items[one.revision_id]] = said[one.response]
    return _Errors(wrong, np.array([_chance_of_same(column) for column in wrong.T]))


def _chance_of_same(column: Ints) -> float:
    """Chance that two wrong answers to an item are the same one; NaN where few were given."""
    given = column[column != NOTHING]
    if len(given) < LEAST_WRONG:
        return float("nan")
    counts = np.unique(given, return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / (len(given) * (len(given) - 1)))


def _by_errors(
    errors: _Errors, one: int, others: Ints, reasons: Mapping[int, str]
) -> Iterator[_Pair]:
    own = errors.wrong[one]
    known = np.flatnonzero((own != NOTHING) & np.isfinite(errors.same))
    if not len(others) or len(known) < LEAST_ERRORS:
        return
    theirs, chances = errors.wrong[others][:, known], errors.same[known]
    both = theirs != NOTHING
    alike = theirs == own[known]
    for place, other in enumerate(others.tolist()):
        common = int(both[place].sum())
        if common < LEAST_ERRORS:
            continue
        own_chances, matches = chances[both[place]], int(alike[place].sum())
        p, expected = at_least(matches, own_chances), float(own_chances.sum())
        yield _Pair(one, other, "errors", p, matches, expected, common, reasons[other])


def at_least(n: int, chances: Floats) -> float:
    """Chance of at least n successes in independent trials with these chances, exactly."""
    counts = np.zeros(len(chances) + 1)
    counts[0] = 1.0
    for chance in chances:
        counts[1:] = counts[1:] * (1.0 - chance) + counts[:-1] * chance
        counts[0] *= 1.0 - chance
    return float(min(counts[n:].sum(), 1.0))


# --- by the options that both chose ------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Options:
    """Categories chosen, ``(n_sittings, n_items)``, on the rows of one release each."""

    chosen: Mapping[str, tuple[Ints, Bools]]
    place: Mapping[int, tuple[str, int]]
    banks: Mapping[str, Bank]


def _options(sittings: Sequence[Sat], banks: Mapping[str, Bank]) -> _Options:
    """Categories by release; only of releases with option-level parameters."""
    usable = {name for name, bank in banks.items() if "nrm" in bank.items.model}
    chosen: dict[str, tuple[Ints, Bools]] = {}
    place: dict[int, tuple[str, int]] = {}
    for release in usable:
        own = [number for number, sat in enumerate(sittings) if sat.release_id == release]
        shape = len(own), len(banks[release].items)
        table, seen = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
        for line, number in enumerate(own):
            place[number] = release, line
            for one in sittings[number].answers:
                if one.score is not None:
                    table[line, one.row], seen[line, one.row] = one.score, True
        chosen[release] = table, seen
    return _Options(chosen, place, banks)


def _by_options(
    options: _Options, sittings: Sequence[Sat], one: int, others: Ints
) -> tuple[list[_Pair], dict[int, str]]:
    """Compare one sitting with others of its release, each as the one who copied.

    Returns the pairs, and for the others why there is no omega.
    """
    release, line = options.place.get(one, ("", NOTHING))
    near = [n for n in others.tolist() if line >= 0 and options.place.get(n, ("", 0))[0] == release]
    reasons = dict.fromkeys(others.tolist(), str(Estimable.NO_OPTIONS))
    if not near:
        return [], reasons
    chosen, seen = options.chosen[release]
    lines = [line, *(options.place[other][1] for other in near)]
    thetas = [sittings[number].theta for number in (one, *near)]
    found = omega(
        [pair for place in range(1, len(lines)) for pair in ((0, place), (place, 0))],
        np.array([np.nan if theta is None else theta for theta in thetas]),
        chosen[lines],
        seen[lines],
        options.banks[release].items,
    )
    pairs = []
    for place, other in enumerate(near):
        best = min((2 * place, 2 * place + 1), key=lambda k: _or_one(float(found.p[k])))
        reasons[other] = str(found.estimable[best])
        if found.estimable[best] is Estimable.YES:
            del reasons[other]
            pairs.append(_pair(one, other, found, best))
    return pairs, reasons


def _pair(one: int, other: int, found: Similarity, best: int) -> _Pair:
    """The direction in which two sittings are more alike; its p counts both directions."""
    return _Pair(
        one,
        other,
        "omega",
        min(2 * _or_one(float(found.p[best])), 1.0),
        int(found.matches[best]),
        float(found.expected[best]),
        int(found.common[best]),
    )


def _or_one(p: float) -> float:
    return p if np.isfinite(p) else 1.0


# --- flags -------------------------------------------------------------------------------------


def _flags(sittings: Sequence[Sat], found: Sequence[_Pair], compared: Ints) -> dict[str, Found]:
    most: dict[int, _Pair] = {}
    for pair in found:
        for number in (pair.one, pair.other):
            if number not in most or pair.p < most[number].p:
                most[number] = pair
    return {
        sat.sitting_id: _flag(number, most.get(number), len(found), int(compared[number]), sittings)
        for number, sat in enumerate(sittings)
    }


def _flag(
    number: int, pair: _Pair | None, n_pairs: int, compared: int, sittings: Sequence[Sat]
) -> Found:
    if pair is None:
        reason = "nobody_near" if compared == 0 else "few_in_common"
        return Found(LIKENESS, flagged=False, values={"reason": reason, "compared": compared})
    adjusted = min(pair.p * n_pairs, 1.0)
    other = pair.other if pair.one == number else pair.one
    values: dict[str, Any] = {
        "sitting": sittings[other].sitting_id,
        "method": pair.method,
        "no_omega": pair.no_omega,
        "matches": pair.matches,
        "expected": pair.expected,
        "common": pair.common,
        "p": pair.p,
        "adjusted": adjusted,
        "pairs": n_pairs,
        "level": LEVEL,
        "compared": compared,
    }
    return Found(LIKENESS, flagged=adjusted < LEVEL, values=values)
