"""Answers alike, and times that the model does not explain: rates, and what is planted found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from engine.items import item_parameters
from engine.models.dispatch import probabilities
from item_bank.results.flags.exam_data import Given, Sat
from item_bank.results.flags.likeness import Bank, at_least, likeness_flags
from item_bank.results.flags.pace import KnownTimes, time_flags
from item_bank.store.clock import MINUTE

N_ITEMS, PER_SITTING = 60, 30
WRONG = np.array([0.5, 0.3, 0.2])


@pytest.fixture
def bank() -> Bank:
    rng = np.random.default_rng(3)
    b = rng.normal(0, 1, N_ITEMS)
    items = item_parameters([f"I{k}" for k in range(N_ITEMS)], ["2pl"] * N_ITEMS,
                            a=np.full(N_ITEMS, 1.2), b=b)  # fmt: skip
    return Bank(items, [(0, 1)] * N_ITEMS)


def crowd(bank: Bank, n: int, seed: int, *, apart: int = 0) -> list[Sat]:
    """People who answer by themselves, all at once, or each so many minutes after the other."""
    rng = np.random.default_rng(seed)
    thetas = rng.normal(size=n)
    right = probabilities(thetas, bank.items)[..., 1]
    return [
        Sat(f"s{k}", f"c{k}", "r", "en", k * apart * MINUTE, (k * apart + 40) * MINUTE, None,
            float(thetas[k]), tuple(_given(rng, right[k])))
        for k in range(n)
    ]  # fmt: skip


def _given(rng, right):
    rows = np.sort(rng.choice(N_ITEMS, PER_SITTING, replace=False))
    for position, row in enumerate(rows.tolist(), start=1):
        score = int(rng.random() < right[row])
        said = "A" if score else "BCD"[rng.choice(3, p=WRONG)]
        yield Given(position, row, f"rev{row}", score, f'"{said}"', float(rng.lognormal(3, 0.5)))


def copying(source: Sat, copier: Sat, n: int) -> Sat:
    """The copier has the source's questions, and its answers to the first so many."""
    own = copier.answers
    copied = [
        replace(one, response=one.response) if place < n else replace(one, response='"A"', score=1)
        for place, one in enumerate(source.answers)
    ]
    assert len(own) == len(copied)
    return replace(copier, answers=tuple(copied))


def test_answers_copied_from_a_neighbour_are_found_and_nobody_else(bank):
    sittings = crowd(bank, 80, 1)
    low = min(range(80), key=lambda k: sittings[k].theta)
    copier = (low + 1) % 80
    sittings[copier] = copying(sittings[low], sittings[copier], 25)
    found = likeness_flags(sittings, {"r": bank})
    flagged = {name for name, one in found.items() if one.flagged}

    assert flagged == {f"s{low}", f"s{copier}"}
    values = found[f"s{copier}"].values
    assert values["sitting"] == f"s{low}"
    assert values["method"] == "errors"
    assert values["no_omega"] == "no common item with option-level parameters"
    assert values["matches"] == values["common"] > values["expected"]


def test_where_nobody_copies_a_whole_exam_rarely_has_a_flag(bank):
    rooms = [likeness_flags(crowd(bank, 40, seed), {"r": bank}) for seed in range(10, 30)]

    assert sum(any(one.flagged for one in room.values()) for room in rooms) <= 3


def test_only_sittings_that_met_or_had_one_centre_are_compared(bank):
    apart = crowd(bank, 30, 2, apart=60)
    apart[5] = copying(apart[4], apart[5], 30)
    alone = likeness_flags(apart, {"r": bank})
    assert {one.values["reason"] for one in alone.values()} == {"nobody_near"}

    together = [replace(one, centre="Khujand") for one in apart]
    found = likeness_flags(together, {"r": bank})
    assert found["s5"].values["compared"] == 29


def test_with_option_level_parameters_likeness_is_omega():
    rng = np.random.default_rng(8)
    n = 40
    slopes = np.column_stack([rng.uniform(0.5, 1.2, n), rng.uniform(-0.6, 0.2, (n, 2)).T[0],
                              rng.uniform(-0.6, 0.2, n)])  # fmt: skip
    items = item_parameters(
        [f"N{k}" for k in range(n)], ["nrm"] * n, a=np.full(n, np.nan),
        slopes=slopes, intercepts=rng.normal(0, 0.5, (n, 3)),
    )  # fmt: skip
    bank = Bank(items, [(0, 1, 0, 0)] * n)
    thetas = rng.normal(size=30)
    chosen = [[int(rng.choice(4, p=p)) for p in probabilities(theta, items)[0]] for theta in thetas]
    chosen[7] = chosen[3][:34] + chosen[7][34:]
    sittings = [
        Sat(f"s{k}", f"c{k}", "r", "en", 0, MINUTE, None, float(thetas[k]),
            tuple(Given(i + 1, i, f"rev{i}", c, f'"{c}"', 10.0) for i, c in enumerate(row)))
        for k, row in enumerate(chosen)
    ]  # fmt: skip
    found = likeness_flags(sittings, {"r": bank})

    assert {name for name, one in found.items() if one.flagged} == {"s3", "s7"}
    assert found["s7"].values["method"] == "omega"
    assert found["s7"].values["common"] == n


def test_the_chance_of_so_many_is_the_binomials_where_all_chances_are_equal():
    for hits in (0, 3, 12):
        expected = binom.sf(hits - 1, 12, 0.4)
        assert at_least(hits, np.full(12, 0.4)) == pytest.approx(expected, abs=1e-12)


def test_times_by_the_model_are_flagged_rarely_and_answers_from_memory_are_found(bank):
    rng = np.random.default_rng(4)
    beta, alpha = rng.normal(3.5, 0.4, N_ITEMS), rng.uniform(1.6, 2.4, N_ITEMS)
    known = KnownTimes({f"rev{k}": (beta[k], alpha[k]) for k in range(N_ITEMS)}, 0.3)

    def timed(sat: Sat) -> Sat:
        tau = rng.normal(0, 0.3)
        return replace(sat, answers=tuple(
            replace(one, seconds=float(np.exp(rng.normal(beta[one.row] - tau, 1 / alpha[one.row]))))
            for one in sat.answers))  # fmt: skip

    sittings = [timed(one) for one in crowd(bank, 400, 6)]
    quick = tuple(replace(one, seconds=2.0) if k % 3 == 0 else one
                  for k, one in enumerate(sittings[0].answers))  # fmt: skip
    sittings[0] = replace(sittings[0], answers=quick)
    by_release, by_these = time_flags(sittings, known), time_flags(sittings, None)

    for found in (by_release, by_these):
        assert found["s0"].flagged
        assert np.mean([one.flagged for one in found.values()]) <= 0.045
        assert len(found["s0"].values["too_fast"]) >= 8


def test_few_times_say_nothing(bank):
    few = [replace(one, answers=one.answers[:3]) for one in crowd(bank, 5, 1)]
    found = time_flags(few, None)

    assert {one.values["reason"] for one in found.values()} == {"too_few_times"}
    assert time_flags([replace(few[0], answers=())], None) == {}
