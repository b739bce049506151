"""Blueprints in whole tests: by the simulator, by the session, and that both agree."""

from dataclasses import replace

import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.blueprints.balance import EVENTS
from engine.blueprints.constraints import broken, constraints_of
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import simulate
from engine.simulation.summary import summarise

THIRTY = StoppingRules(length=30)
BLUEPRINTS = {
    "masks": rich_blueprint(),
    "priority_index": rich_blueprint(method="priority_index"),
    "shadow_test": rich_blueprint(method="shadow_test"),
}

SHORT = rich_blueprint(
    method="shadow_test",
    content={"algebra": {"minimum": 3, "maximum": 4}, "data": {"minimum": 2, "maximum": 4}},
    labels={"key": {"*": {"minimum": 1, "maximum": 5}}},
    totals={"words": {"maximum": 850}},
    enemies=[["i20", "i40", "i60"]],
    excluded=["i119"],
)


def thetas(n):
    return np.random.default_rng(2).normal(size=n)


def assert_kept(found):
    summary = summarise(found)
    assert summary.blueprint_violations == 0
    assert summary.blueprint_events == {}
    assert (found.length == found.design.stop.longest).all()


def assert_agrees(found, person, items, design):
    state, step = SittingState(int(sitting_seeds(found.seed, found.n)[person])), None
    step = next_step(state, items, design)
    while step.next_item is not None:
        assert step.next_item == found.rows[person, state.n], step.trace
        score = int(found.scores[person, state.n])
        state = record_response(state, step.next_item, score, form=step.form)
        step = next_step(state, items, design)
    assert (state.n, step.stop_reason) == (found.length[person], found.stop_reason(person))


def test_ten_thousand_tests_keep_their_blueprint_under_masks():
    design = ExamDesign(stop=THIRTY, blueprint=rich_blueprint(totals={}))
    assert_kept(simulate(rich_bank(), design, theta=thetas(10_000), seed=1))


def test_totals_that_cross_are_kept_under_masks():
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS["masks"])
    assert_kept(simulate(rich_bank(), design, theta=thetas(1000), seed=1))


@pytest.mark.long
@pytest.mark.parametrize("method", ["masks", "priority_index"])
def test_a_hundred_thousand_tests_keep_their_blueprint_under_masks(method):
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS[method])
    assert_kept(simulate(rich_bank(), design, theta=thetas(100_000), seed=2))


def test_tests_keep_their_blueprint_under_the_priority_index():
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS["priority_index"], randomesque=3)
    assert_kept(simulate(rich_bank(), design, theta=thetas(500), seed=3))


def test_fifty_sittings_under_shadow_tests_keep_their_blueprint():
    design = ExamDesign(stop=StoppingRules(length=12), blueprint=SHORT)
    assert_kept(simulate(rich_bank(120), design, theta=thetas(50), seed=4))


@pytest.mark.long
def test_five_hundred_shadow_tests_keep_their_blueprint():
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS["shadow_test"], randomesque=2)
    assert_kept(simulate(rich_bank(), design, theta=thetas(500), seed=5))


MAP = {"stop": StoppingRules(best_information=0.9, max_items=30), "interim": "map"}


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("masks", {"randomesque": 3}),
        ("masks", {"stop": StoppingRules(se=0.5, max_items=30)}),
        ("masks", MAP),
        ("priority_index", {}),
        ("priority_index", {"randomesque": 3}),
        ("shadow_test", {"randomesque": 3}),
        ("shadow_test", MAP),
    ],
)
def test_the_simulator_agrees_with_the_session(method, more):
    design = ExamDesign(**{"stop": THIRTY, "blueprint": BLUEPRINTS[method], **more})
    found = simulate(rich_bank(), design, theta=thetas(2), seed=6)
    assert_agrees(found, 1, rich_bank(), design)


@pytest.mark.parametrize("method", ["masks", "shadow_test"])
def test_shares_steer_within_a_blueprint(method):
    shares = (("algebra", 0.3), ("geometry", 0.25), ("numbers", 0.25), ("data", 0.2))
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS[method], content_shares=shares)
    found = simulate(rich_bank(), design, theta=thetas(2), seed=7)
    bound = constraints_of(rich_bank(), BLUEPRINTS[method], 30)
    assert not any(broken(bound, found.rows))
    assert_agrees(found, 0, rich_bank(), design)


@pytest.mark.parametrize("method", BLUEPRINTS)
def test_precision_waits_for_the_minimums(method):
    rules = StoppingRules(se=0.9, max_items=30)
    design = ExamDesign(stop=rules, blueprint=BLUEPRINTS[method])
    found = simulate(rich_bank(), design, theta=thetas(4), seed=8)
    assert set(map(str, map(found.stop_reason, range(4)))) == {"se"}
    bound = constraints_of(rich_bank(), BLUEPRINTS[method], 30)
    assert not any(broken(bound, found.rows))
    free = simulate(rich_bank(), replace(design, blueprint=None), theta=thetas(4), seed=8)
    assert (free.length < found.length).all()


@pytest.mark.parametrize("method", BLUEPRINTS)
def test_a_held_area_is_an_event_and_never_silent(method):
    items = rich_bank()
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS[method])
    algebra = np.flatnonzero(items.areas["algebra"]).tolist()
    state = SittingState(5, held=frozenset(algebra))
    relaxed = 0
    while (step := next_step(state, items, design)).next_item is not None:
        relaxed += "blueprint_relaxed" in step.trace["events"]
        assert step.next_item not in algebra
        assert "content algebra" in step.trace["form"]["relaxed"]
        state = record_response(state, step.next_item, state.n % 2, form=step.form)
    assert state.n == 30
    assert relaxed > 0
    names = broken(constraints_of(items, design.blueprint, 30), np.array([state.administered]))[0]
    assert names[0] == "content algebra"


def test_a_search_stopped_by_the_clock_is_named_and_its_form_taken_up_in_replay():
    items = rich_bank()
    usual = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS["shadow_test"])
    first = next_step(SittingState(5), items, usual)
    state = record_response(SittingState(5), first.next_item, 1, form=first.form)
    hurried = replace(usual, blueprint=rich_blueprint(method="shadow_test", seconds=1e-9))
    step = next_step(state, items, hurried)
    assert step.trace["events"] == ["shadow_search_stopped", "previous_form_used"]
    assert step.next_item in first.form
    again = next_step(replace(state, logged_form=step.trace["form"]), items, hurried)
    assert again.next_item == step.next_item
    assert again.trace["form_problems"] == []
    spoilt = {**step.trace["form"], "rows": [299, *step.trace["form"]["rows"][1:]]}
    bad = next_step(replace(state, logged_form=spoilt), items, hurried)
    assert bad.trace["form_problems"]
    lost = next_step(replace(state, form=()), items, hurried)
    assert lost.trace["events"] == ["no_shadow_form"]


def test_events_of_a_simulation_are_counted_by_examinee():
    items = rich_bank()
    observed = np.broadcast_to(~items.areas["algebra"], (3, 300))
    design = ExamDesign(stop=THIRTY, blueprint=BLUEPRINTS["masks"])
    scores = np.random.default_rng(3).integers(0, 2, (3, 300))[:1]
    found = simulate(items, design, scores=scores, observed=observed[:1], seed=1)
    assert summarise(found).blueprint_events == {EVENTS[0]: 1}
    assert summarise(found).blueprint_violations == 1
