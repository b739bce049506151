"""Properties of any bank: order does not matter, extremes stay sane, steps repeat."""

import json
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import every_model_bank, mixed_bank, reference_bank

from engine.ability.estimates import ESTIMATORS, matrix_scores
from engine.items import item_parameters
from engine.models import dispatch
from engine.results.decisions import Level
from engine.rules.designs import ExamDesign, design_from_mapping, design_to_mapping
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import simulate
from engine.simulation.summary import summarise

LENGTH = StoppingRules(length=6)
SHARES = (("A", 0.5), ("C", 0.5))
DESIGNS = {
    "plain": ExamDesign(stop=LENGTH),
    "content shares": ExamDesign(stop=LENGTH, content_shares=SHARES),
    "map": ExamDesign(stop=LENGTH, interim="map", final="wle"),
    "kl": ExamDesign(stop=LENGTH, criterion="kl"),
    "se": ExamDesign(stop=StoppingRules(se=0.45, min_items=2, max_items=9)),
}
RANDOM = {
    "randomesque": ExamDesign(stop=LENGTH, randomesque=4, content_shares=SHARES),
    "random": ExamDesign(stop=LENGTH, criterion="random"),
}
LARGE, MIXED = reference_bank("3pl"), mixed_bank()
BANKS = {"large": LARGE, "mixed": MIXED}
seeds = st.integers(0, 2**32 - 1)


def recorded(items, n, seed):
    return np.random.default_rng(seed).integers(0, 100, (n, len(items))) % items.n_categories


def sitting(items, design, score_of, seed=1):
    state, steps = SittingState(seed), []
    while not steps or steps[-1].next_item is not None:
        steps.append(next_step(state, items, design))
        row = steps[-1].next_item
        if row is not None:
            state = record_response(state, row, int(score_of[row]))
    return state, steps


# --- order -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "content shares"])
@settings(deadline=None, max_examples=3)
@given(seed=seeds)
def test_permuting_the_items_permutes_a_sitting(name, bank, seed):
    """The large bank goes the quick way, the mixed one computes everything."""
    items, design = BANKS[bank], DESIGNS[name]
    order = np.random.default_rng(seed).permutation(len(items))
    scores = recorded(items, 1, seed)[0]
    state, steps = sitting(items, design, scores)
    other, moved = sitting(items.subset(order), design, scores[order])
    assert order[list(other.administered)].tolist() == list(state.administered)
    assert [step.stop_reason for step in moved] == [step.stop_reason for step in steps]
    for one, two in zip(steps, moved, strict=True):
        assert one.estimate.theta == pytest.approx(two.estimate.theta, abs=1e-9)
        assert one.estimate.se == pytest.approx(two.estimate.se, abs=1e-9)


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", ["plain", "map", "se"])
@settings(deadline=None, max_examples=3)
@given(seed=seeds)
def test_permuting_the_items_permutes_a_simulation(name, bank, seed):
    items, design = BANKS[bank], DESIGNS[name]
    order = np.random.default_rng(seed).permutation(len(items))
    scores = recorded(items, 12, seed)
    found = simulate(items, design, scores=scores)
    other = simulate(items.subset(order), design, scores=scores[:, order])
    assert np.array_equal(np.where(other.rows < 0, -1, order[other.rows]), found.rows)
    assert np.array_equal(other.scores, found.scores)
    np.testing.assert_allclose(other.final_theta, found.final_theta, atol=1e-9)
    exposure, moved = summarise(found).exposure, summarise(other).exposure
    np.testing.assert_allclose(moved, exposure[order])


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", ["plain", "content shares", "map", "se"])
@settings(deadline=None, max_examples=3)
@given(seed=seeds)
def test_permuting_the_examinees_permutes_a_simulation(name, bank, seed):
    """Recorded answers and nothing drawn: an examinee's place does not matter."""
    items, design = BANKS[bank], DESIGNS[name]
    scores = recorded(items, 16, seed)
    order = np.random.default_rng(seed).permutation(16)
    found, other = (simulate(items, design, scores=s) for s in (scores, scores[order]))
    for name_of in ("rows", "scores", "length", "stop_code"):
        assert np.array_equal(getattr(other, name_of), getattr(found, name_of)[order])
    for name_of in ("theta", "se", "final_theta", "final_se"):
        moved, here = getattr(other, name_of), getattr(found, name_of)[order]
        np.testing.assert_allclose(moved, here, atol=1e-9)


@settings(deadline=None, max_examples=5)
@given(seed=seeds)
def test_permuting_the_examinees_leaves_the_summary(seed):
    levels = (Level("below", 0.0), Level("above", 100.0))
    design = ExamDesign(stop=LENGTH, content_shares=SHARES, levels=levels)
    scores, target = recorded(MIXED, 24, seed), np.linspace(-2, 2, 24)
    order = np.random.default_rng(seed).permutation(24)
    found = summarise(simulate(MIXED, design, scores=scores), target)
    other = summarise(simulate(MIXED, design, scores=scores[order]), target[order])
    assert_alike(other, found)


def assert_alike(one, two):
    """Two values of the same shape, floats within rounding."""
    if is_dataclass(one):
        for part in fields(one):
            assert_alike(getattr(one, part.name), getattr(two, part.name))
    elif isinstance(one, dict):
        assert one.keys() == two.keys()
        for name in one:
            assert_alike(one[name], two[name])
    elif isinstance(one, tuple | list):
        assert len(one) == len(two)
        for left, right in zip(one, two, strict=True):
            assert_alike(left, right)
    elif isinstance(one, float | np.ndarray | np.number):
        np.testing.assert_allclose(one, two, atol=1e-9)
    else:
        assert one == two


@pytest.mark.parametrize("method", ESTIMATORS)
@settings(deadline=None, max_examples=4)
@given(seed=seeds)
def test_permuting_items_or_persons_permutes_the_estimates(method, seed):
    items, rng = every_model_bank(), np.random.default_rng(seed)
    scores, observed = recorded(items, 12, seed), rng.random((12, len(items))) < 0.2
    theta, se = matrix_scores(method, scores, observed, items)
    persons, order = rng.permutation(12), rng.permutation(len(items))
    moved = scores[persons][:, order], observed[persons][:, order]
    other = matrix_scores(method, *moved, items.subset(order))
    np.testing.assert_allclose(other[0], theta[persons], atol=1e-7)
    np.testing.assert_allclose(other[1], se[persons], atol=1e-7)


# --- extremes ----------------------------------------------------------------------------------

far = st.floats(30, 600)
items_of_two = st.tuples(st.floats(0.3, 3), st.floats(-4, 4), st.floats(0, 0.4), st.floats(0.6, 1))


@settings(deadline=None)
@given(logit=far, parameters=items_of_two)
def test_far_out_a_curve_is_at_its_asymptote_and_says_nothing(logit, parameters):
    a, b, c, d = parameters
    item = item_parameters(["x"], "4pl", a=a, b=b, c=c, d=d)
    ends = b + np.array([-logit, logit]) / a
    np.testing.assert_allclose(dispatch.expected_score(ends, item)[:, 0], [c, d], atol=1e-12)
    information = dispatch.information(ends, item)[:, 0]
    assert (information >= 0).all()
    assert (information <= 2 * a**2 * np.exp(-logit) + 1e-300).all()


@settings(deadline=None)
@given(logit=far, a=st.floats(0.3, 3), steps=st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_far_out_a_polytomous_item_has_its_lowest_or_highest_score(logit, a, steps):
    ascending = [step + 0.01 * place for place, step in enumerate(sorted(steps))]
    ends = np.array([-3.1 - logit / a, 3.1 + logit / a])
    for model, thresholds in (("grm", ascending), ("gpcm", steps)):
        item = item_parameters(["x"], model, a=a, thresholds=[thresholds])
        found = dispatch.expected_score(ends, item)[:, 0]
        np.testing.assert_allclose(found, [0, len(steps)], atol=1e-10)
        information = dispatch.information(ends, item)[:, 0]
        assert ((information >= 0) & (information < 1e-10)).all()


@settings(deadline=None)
@given(theta=st.floats(-900, 900), seed=seeds)
def test_information_is_never_negative_in_a_bank_of_every_model(theta, seed):
    items = every_model_bank()
    rows = np.random.default_rng(seed).permutation(len(items))[:30]
    with np.errstate(all="raise", under="ignore", divide="ignore"):
        found = dispatch.information(theta, items.subset(rows))
        again = dispatch.paired("information", np.array([theta]), rows[None], items)
    assert (found >= 0).all()
    assert np.isfinite(found).all()
    assert np.array_equal(found, again)


# --- repetition --------------------------------------------------------------------------------


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", [*DESIGNS, *RANDOM])
@settings(deadline=None, max_examples=3)
@given(seed=seeds)
def test_a_recorded_sitting_gives_the_same_traces_again(name, bank, seed):
    """From the rows, scores and rules as they are stored; to the letter of the trace."""
    items, design = BANKS[bank], (DESIGNS | RANDOM)[name]
    state, steps = sitting(items, design, recorded(items, 1, seed)[0], seed)
    stored = json.loads(json.dumps([state.administered, state.scores, [s.trace for s in steps]]))
    rules = design_from_mapping(json.loads(json.dumps(design_to_mapping(design))))
    fresh = items.subset(range(len(items)))  # nothing that was kept of the bank
    for n, trace in enumerate(stored[2]):
        again = SittingState(seed, tuple(stored[0][:n]), tuple(stored[1][:n]))
        assert json.loads(json.dumps(next_step(again, fresh, rules).trace)) == trace
