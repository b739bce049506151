"""Criteria against catR's values, against their definitions by brute force, and by property."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import (
    every_model_bank,
    mixed_bank,
    nominal_bank,
    reference,
    reference_bank,
)

from engine.ability.answers import answers
from engine.ability.estimates import estimate
from engine.ability.grids import Grid
from engine.criteria import situation as situations
from engine.criteria.location import difficulties, most_informative_at, strata_of_a
from engine.criteria.modes_ahead import Ahead, posterior_modes_ahead
from engine.criteria.situation import CriterionRules, Situation
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch
from engine.randomness import words
from engine.selection import CRITERIA, DICHOTOMOUS, criterion_values, pick_items

CATR_GRID = Grid(-4, 4, 33)
POLYTOMOUS = [name for name, criterion in CRITERIA.items() if criterion.families != DICHOTOMOUS]
SCALE_FREE = [name for name in POLYTOMOUS if name != "a_stratified"]
CATR_CASES = [
    (kind, number, name)
    for kind, cases in reference("catr_next_item.json")["cases"].items()
    for number, case in enumerate(cases)
    for name in case["criteria"]
]


def rules_of(name, **changes):
    return CriterionRules(name=name, length=20, **changes)


def situation_of(theta, rows, scores, position=None):
    n = len(theta)
    given_rows = np.array(rows, dtype=np.int64).reshape(n, -1)
    given_scores = np.array(scores, dtype=np.int64).reshape(n, -1)
    seeds = words(np.arange(n, dtype=np.uint64))
    place = given_rows.shape[1] if position is None else position
    return Situation(np.array(theta), answers(given_rows, given_scores), seeds, place)


def some_situation(items, n=4, answered=5, seed=1):
    rng = np.random.default_rng(seed)
    rows = np.array([rng.permutation(len(items))[:answered] for _ in range(n)])
    scores = rng.integers(0, 100, rows.shape) % items.n_categories[rows]
    return situation_of(rng.normal(size=n), rows, scores)


def mass(items, rows, scores, *, with_prior):
    """What catR does not divide by: the integral of the likelihood, or with the N(0, 1) density."""
    x = CATR_GRID.points
    logs = dispatch.log_probabilities(x, items)[:, rows, scores].sum(axis=1)
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) if with_prior else 1.0
    return np.trapezoid(np.exp(logs) * density, x)


@pytest.mark.parametrize(("kind", "number", "name"), CATR_CASES)
def test_values_and_choices_equal_catr(kind, number, name):
    """catR integrates where Tarozu averages (mlwi, mpwi, kl, klp), and minimises distances."""
    case = reference("catr_next_item.json")["cases"][kind][number]
    items, expected = reference_bank(kind), case["criteria"][name]
    rows, scores = np.array(case["items"]) - 1, np.array(case["scores"])
    available = np.setdiff1d(np.arange(len(items)), rows)
    found = criterion_values(rules_of(name), situation_of([case["theta"]], rows, scores), items)
    picked, best = pick_items(found, np.isin(np.arange(len(items)), available)[None], 1)
    assert picked[0, 0] == expected["item"] - 1
    factor = -1.0 if name in {"urry", "best_theta", "mepv"} else 1.0
    if name in {"mlwi", "mpwi", "kl", "klp"}:
        factor = mass(items, rows, scores, with_prior=name.endswith("p") or name == "mpwi")
    assert best[0, 0] * factor == pytest.approx(expected["value"], abs=1e-8)
    if "values" in expected:
        np.testing.assert_allclose(found[0, available] * factor, expected["values"], atol=1e-8)


@pytest.mark.parametrize("bank", [mixed_bank, every_model_bank])
def test_mepv_is_the_variance_of_eap_after_each_answer(bank):
    items = bank()
    now = some_situation(items, n=1)
    rows, scores = now.given.rows[0].tolist(), now.given.scores[0].tolist()
    found = criterion_values(rules_of("mepv"), now, items)[0]
    chances = dispatch.probabilities(now.theta, items)[0]
    for row in [row for row in range(3, len(items), 17) if row not in rows]:
        errors = [
            estimate("eap", [*rows, row], [*scores, k], items, grid=CATR_GRID).se
            for k in range(items.n_categories[row])
        ]
        expected = chances[row, : len(errors)] @ np.square(errors)
        assert -found[row] == pytest.approx(expected, abs=1e-12)


def test_mei_is_observed_information_at_the_mode_after_each_answer():
    items = every_model_bank()
    now = some_situation(items, n=1)
    rows, scores = now.given.rows[0].tolist(), now.given.scores[0].tolist()
    found = criterion_values(rules_of("mei"), now, items)[0]
    chances = dispatch.probabilities(now.theta, items)[0]
    for row in [row for row in range(3, len(items), 17) if row not in rows]:
        expected = 0.0
        for k in range(items.n_categories[row]):
            theta = estimate("map", [*rows, row], [*scores, k], items, grid=CATR_GRID).theta
            expected += chances[row, k] * dispatch.observed_information(theta, items)[0, row, k]
        assert found[row] == pytest.approx(expected, abs=1e-9)


def test_modes_ahead_are_exact_for_steep_items_too():
    """Cubics between points .025 apart cannot follow an a of 20; those modes are sought again."""
    rng = np.random.default_rng(3)
    parameters = {"a": rng.lognormal(1, 0.9, 60), "b": rng.normal(size=60)}
    asymptotes = {"c": rng.uniform(0, 0.3, 60), "d": rng.uniform(0.8, 1, 60)}
    steep = item_parameters([f"s{k}" for k in range(60)], "4pl", **parameters, **asymptotes)
    now = some_situation(steep, n=3, answered=20)
    person, row, score = (grid.ravel() for grid in np.indices((3, 60, 2)))
    found = posterior_modes_ahead(Ahead(person, row, score), now, rules_of("mei"), steep)
    for place in range(0, len(found), 17):
        before = now.only(person[place : place + 1]).given
        rows = [*before.rows[0].tolist(), int(row[place])]
        scores = [*before.scores[0].tolist(), int(score[place])]
        expected = estimate("map", rows, scores, steep, grid=CATR_GRID)
        assert found[place] == pytest.approx(expected.theta, abs=1e-10)


def test_interval_information_is_the_mean_over_the_interval():
    items = every_model_bank()
    now = some_situation(items)
    found = criterion_values(rules_of("interval_information", information_interval=0.8), now, items)
    for person, theta in enumerate(now.theta):
        points = np.linspace(theta - 0.8, theta + 0.8, 2001)
        expected = np.trapezoid(dispatch.information(points, items), points, axis=0) / 1.6
        np.testing.assert_allclose(found[person], expected, rtol=1e-5)


def test_a_short_interval_is_a_point():
    items, now = mixed_bank(), some_situation(mixed_bank())
    found = criterion_values(
        rules_of("interval_information", information_interval=1e-6), now, items
    )
    np.testing.assert_allclose(found, dispatch.information(now.theta, items), rtol=1e-6)


def test_likelihood_criteria_of_an_unanswered_test_are_plain_means():
    items, now = mixed_bank(), situation_of([0.3], [], [])
    x = CATR_GRID.points
    expected = np.trapezoid(dispatch.information(x, items), x, axis=0) / 8.0
    np.testing.assert_allclose(criterion_values(rules_of("mlwi"), now, items)[0], expected)


def test_an_item_is_most_informative_where_it_is_said_to_be():
    items = mixed_bank().subset(range(60))
    there = most_informative_at(items)
    slope = dispatch.information(there + 1e-4, items) - dispatch.information(there - 1e-4, items)
    assert abs(np.diagonal(slope)).max() < 1e-7
    birnbaum = items.b + np.log((1 + np.sqrt(1 + 8 * items.c)) / 2) / items.a
    np.testing.assert_allclose(there[20:], birnbaum[20:], atol=1e-12)


def test_strata_hold_equally_many_items_in_the_order_of_a():
    items = reference_bank("3pl")
    strata = strata_of_a(items, 4, block_by_difficulty=False)
    assert np.bincount(strata).tolist() == [75] * 4
    for stratum in range(3):
        assert items.a[strata == stratum].max() <= items.a[strata == stratum + 1].min()


def test_blocked_strata_cover_all_difficulties():
    items = reference_bank("3pl")
    strata = strata_of_a(items, 5, block_by_difficulty=True)
    assert np.bincount(strata).tolist() == [60] * 5
    means = [items.a[strata == stratum].mean() for stratum in range(5)]
    assert means == sorted(means)
    centres = [items.b[strata == stratum].mean() for stratum in range(5)]
    assert np.ptp(centres) < 0.1


def test_a_stratified_goes_from_low_to_high_a_and_picks_the_nearest_difficulty():
    items = mixed_bank()
    strata = strata_of_a(items, 4, block_by_difficulty=False)
    for answered, stratum in ((0, 0), (4, 0), (5, 1), (10, 2), (19, 3), (25, 3)):
        rows = np.arange(answered)[None]
        now = situation_of([0.4], rows, np.zeros_like(rows))
        best = criterion_values(rules_of("a_stratified"), now, items)[0].argmax()
        own = np.flatnonzero(strata == stratum)
        assert best == own[np.abs(difficulties(items)[own] - 0.4).argmin()]


def test_an_empty_stratum_is_followed_by_its_neighbour():
    items = mixed_bank()
    strata = strata_of_a(items, 4, block_by_difficulty=False)
    values = criterion_values(rules_of("a_stratified"), situation_of([0.0], [], []), items)[0]
    assert strata[np.where(strata > 0, values, -np.inf).argmax()] == 1


def test_a_stratified_needs_the_length_of_the_test():
    with pytest.raises(InputError, match=r"stopping.length: expected the length of the test"):
        criterion_values(CriterionRules("a_stratified"), situation_of([0.0], [], []), mixed_bank())


@pytest.mark.parametrize("name", ["urry", "best_theta", "gdi", "gdip"])
def test_criteria_of_dichotomous_items_refuse_others_by_name(name):
    expected = f"items for which {name} is defined, found item m060 of model grm"
    with pytest.raises(InputError, match=expected):
        criterion_values(rules_of(name), situation_of([0.0], [], []), mixed_bank())


def test_nominal_items_have_no_stratum():
    with pytest.raises(InputError, match="found item n00 of model nrm"):
        criterion_values(rules_of("a_stratified"), situation_of([0.0], [], []), nominal_bank())


@settings(deadline=None, max_examples=5)
@given(st.permutations(range(160)), st.sampled_from(SCALE_FREE))
def test_permuting_the_bank_permutes_the_values(order, name):
    if name == "random":
        return
    items = every_model_bank()
    now = some_situation(items)
    place = np.argsort(order)
    moved = replace(now, given=replace(now.given, rows=place[now.given.rows]))
    found = criterion_values(rules_of(name), moved, items.subset(order))
    expected = criterion_values(rules_of(name), now, items)[:, order]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SCALE_FREE)
def test_values_of_some_rows_are_those_among_all(name):
    items, rows = every_model_bank(), np.array([3, 70, 101, 150])
    now = some_situation(items)
    found = criterion_values(rules_of(name), now, items, rows)
    expected = criterion_values(rules_of(name), now, items)[:, rows]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", SCALE_FREE)
def test_values_do_not_depend_on_the_size_of_blocks(name, monkeypatch):
    items = every_model_bank()
    now = some_situation(items)
    whole = criterion_values(rules_of(name), now, items)
    monkeypatch.setattr(situations, "NUMBERS_AT_ONCE", 1)
    one_by_one = criterion_values(rules_of(name), now, items)
    np.testing.assert_allclose(one_by_one, whole, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", SCALE_FREE)
def test_long_and_extreme_tests_leave_every_value_finite(name):
    """Likelihoods of 600 answers underflow; logits of 300 make some answers impossible."""
    steep = item_parameters([f"s{k}" for k in range(600)], "2pl", a=40.0, b=np.linspace(-8, 8, 600))
    rows = np.arange(0, 600, 2)[None]
    now = situation_of([1.0], rows, (steep.b[rows] < 1.0).astype(int))
    with np.errstate(all="raise", under="ignore", divide="ignore"):
        assert np.isfinite(criterion_values(rules_of(name), now, steep)).all()


def test_values_of_information_are_not_negative():
    items = every_model_bank()
    now = some_situation(items, n=8)
    for name in ("max_information", "interval_information", "mlwi", "mpwi", "kl", "klp"):
        assert criterion_values(rules_of(name), now, items).min() >= -1e-12
    assert criterion_values(rules_of("mepv"), now, items).max() <= 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"information_interval": 0.0}, "selection.information_interval: expected a number above"),
        ({"information_interval": np.nan}, "selection.information_interval"),
        ({"a_strata": 1}, "selection.a_strata: expected at least 2 strata"),
    ],
)
def test_wrong_options_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        CriterionRules(**changes)
