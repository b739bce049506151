"""Stages of a sitting: the shadow test's program with other step sizes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.blueprints.blueprint import blueprint_from_mapping, blueprint_to_mapping
from engine.blueprints.constraints import broken, constraints_of
from engine.blueprints.programs import Limits
from engine.blueprints.shadow import shadow_form
from engine.blueprints.stages import items_of_stage, place_of, within
from engine.errors import InputError
from engine.exposure.rules import ExposureRules
from engine.models import dispatch
from engine.randomness import sitting_seeds
from engine.rules.designs import ExamDesign
from engine.rules.pretest import PretestRules
from engine.rules.states import carried
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import simulate
from engine.simulation.simulated import Surroundings

BANK = rich_bank(120)
TURNED_AWAY = ExposureRules("sympson_hetter", max_rate=0.3, k=(("i0", (0.5,)),))
THETA = np.array([-1.2, 0.3, 1.5])


def plan(*stages):
    return rich_blueprint(
        method="shadow_test",
        **({"stages": list(stages)} if stages else {}),
        content={"algebra": {"minimum": 3, "maximum": 4}, "data": {"minimum": 2, "maximum": 4}},
        labels={"key": {"*": {"minimum": 1, "maximum": 5}}},
        totals={"words": {"maximum": 850}},
        enemies=[["i20", "i40", "i60"]],
        excluded=["i119"],
    )


def exam(*stages, **more):
    return ExamDesign(**{"stop": StoppingRules(length=12), "blueprint": plan(*stages), **more})


def sitting(design, found, person, **start):
    """The steps of a sitting that answers as in a simulation; its state comes from the log."""
    state = SittingState(int(sitting_seeds(found.seed, found.n)[person]), **start)
    steps = [next_step(state, BANK, design)]
    while steps[-1].next_item is not None:
        logged = json.loads(json.dumps(steps[-1].trace))
        score = int(found.scores[person, state.n])
        state = record_response(state, steps[-1].next_item, score, **carried(logged))
        steps.append(next_step(state, BANK, design))
    return steps


@pytest.mark.parametrize("stages", [(4, 4, 4), (12,), (2, 1, 6, 3)])
def test_session_and_simulation_agree_item_by_item(stages):
    design = exam(*stages)
    found = simulate(BANK, design, theta=THETA, seed=4)
    for person in range(len(THETA)):
        steps = sitting(design, found, person)
        assert [step.next_item for step in steps[:-1]] == found.rows[person].tolist()
        assert steps[-1].stop_reason == found.stop_reason(person) == "length"
    assert not any(broken(constraints_of(BANK, design.blueprint, 12), found.rows))
    assert not found.blueprint_events.any()


@pytest.mark.parametrize("more", [{}, {"randomesque": 3}, {"interim": "map"}])
def test_stages_of_one_item_are_a_shadow_test_before_every_item(more):
    usual = exam(**more)
    single = exam(*[1] * 12, **more)
    one, other = (simulate(BANK, design, theta=THETA, seed=4) for design in (usual, single))
    for name in ("rows", "scores", "theta", "se", "final_theta", "stop_code", "blueprint_events"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for step, same in zip(sitting(usual, one, 1), sitting(single, one, 1), strict=True):
        assert {**step.trace, "stage": None} == {**same.trace, "stage": None}


@pytest.mark.parametrize("method", ["eligibility", "progressive", "proportional"])
def test_exposure_control_speaks_where_a_stage_begins(method):
    rate = {"max_rate": 0.4} if method == "eligibility" else {}
    design = exam(4, 4, 4, exposure=ExposureRules(method, **rate))
    before = simulate(BANK, design, theta=np.linspace(-1, 1, 20), seed=3).usage
    found = simulate(BANK, design, theta=THETA[:1], seed=9, surroundings=Surroundings(usage=before))
    steps = sitting(design, found, 0, usage=before)
    assert [step.next_item for step in steps[:-1]] == found.rows[0].tolist()
    assert steps[0].stage == tuple(found.rows[0, :4].tolist())
    usual = simulate(BANK, exam(4, 4, 4), theta=THETA[:1], seed=9)
    assert set(usual.rows[0, :4].tolist()) != set(found.rows[0, :4].tolist())


def test_a_stage_is_fixed_at_its_start_and_the_trace_says_so():
    design = exam(4, 8)
    found = simulate(BANK, design, theta=THETA, seed=4)
    steps = sitting(design, found, 2)[:-1]
    rows = found.rows[2].tolist()
    said = [step.trace["stage"] for step in steps]
    assert [(one["number"], one["place"]) for one in said] == [
        *[(1, place) for place in range(1, 5)],
        *[(2, place) for place in range(1, 9)],
    ]
    assert all(one["items"] == rows[:4] for one in said[:4])
    assert all(one["items"] == rows[4:] for one in said[4:])
    kept = [step.trace["form"]["status"] == "kept for the stage" for step in steps]
    assert kept == [place not in (0, 4) for place in range(12)]


def test_one_stage_is_the_best_linear_form_at_the_start():
    design = exam(12)
    found = simulate(BANK, design, theta=THETA, seed=4)
    bound = constraints_of(BANK, design.blueprint, 12)
    values = dispatch.information(np.zeros(1), BANK)[0]
    best = shadow_form(bound, values, (), np.ones(120, bool), limits=Limits())
    assert all(set(rows) == set(best.rows) for rows in found.rows.tolist())


def test_random_values_give_each_candidate_another_linear_form():
    found = simulate(BANK, exam(12, criterion="random"), theta=THETA, seed=4)
    assert len({frozenset(rows) for rows in found.rows.tolist()}) == 3
    assert not any(broken(constraints_of(BANK, plan(12), 12), found.rows))


def test_precision_is_asked_for_only_where_a_stage_ends():
    stop = StoppingRules(se=0.75, max_items=12)
    blueprint = blueprint_from_mapping({"method": "shadow_test", "stages": [5, 4, 3]})
    design = ExamDesign(stop=stop, blueprint=blueprint)
    theta = np.linspace(-2, 2, 30)
    found = simulate(BANK, design, theta=theta, seed=1)
    free = simulate(BANK, replace(design, blueprint=None), theta=theta, seed=1)
    assert set(found.length.tolist()) <= {5, 9, 12}
    assert not set(free.length.tolist()) <= {5, 9, 12}
    last = found.se[np.arange(30), found.length - 1]
    assert (last[found.length < 12] <= 0.75).all()
    inside = [
        row[[n for n in (4, 8) if n < length - 1]]
        for row, length in zip(found.se, found.length, strict=True)
    ]
    assert all((se > 0.75).all() for se in inside)


def test_a_held_item_renews_the_rest_of_its_stage():
    design = exam(6, 6)
    step = next_step(SittingState(9), BANK, design)
    state = record_response(SittingState(9), step.next_item, 1, **carried(step.trace))
    gone = step.stage[1]
    renewed = next_step(replace(state, held=frozenset({gone})), BANK, design)
    assert "stage_renewed" in renewed.trace["events"]
    assert renewed.stage[0] == step.next_item
    assert gone not in renewed.stage
    assert len(renewed.stage) == 6
    untouched = next_step(state, BANK, design)
    assert untouched.next_item == gone
    assert untouched.trace["events"] == []


def test_items_that_are_tried_out_do_not_end_a_stage():
    tried = np.zeros(120, dtype=bool)
    tried[110:118] = True
    design = exam(6, 6, pretest=PretestRules(3, positions=(2, 3, 9)))
    around = Surroundings(pretest=tried)
    found = simulate(BANK, design, theta=THETA, seed=2, surroundings=around)
    rows = np.flatnonzero(tried).tolist()
    steps = sitting(design, found, 0, pretest=frozenset(rows), usage=around.usage or found.usage)
    scored = [step.next_item for step in steps[:-1] if step.is_scored]
    assert scored == [row for row in found.rows[0].tolist() if row not in rows]
    assert scored == [*steps[0].stage, *steps[-2].stage]


def test_a_stimulus_stays_together_and_is_divided_only_at_a_stages_end():
    bound = constraints_of(BANK, rich_blueprint(enemies=[], excluded=[]), 12)
    values = dispatch.information(np.zeros(1), BANK)[0]
    among = np.isin(np.arange(120), [0, 1, 2, 5, 6, 7, 30, 31])
    order = items_of_stage(bound, values, among, (), 8)
    assert sorted(order) == np.flatnonzero(among).tolist()
    codes = [int(bound.set_of[row]) for row in order]
    assert [
        "".join(str(code == kind) for code in codes).count("TrueTrueTrue") for kind in (0, 1)
    ] == [1, 1]
    only_sets = among & (bound.set_of >= 0) & (bound.set_of < 2)
    divided = items_of_stage(bound, values, only_sets, (), 5)
    first, second = bound.set_of[list(divided[:3])], bound.set_of[list(divided[3:])]
    assert len(set(first.tolist())) == len(set(second.tolist())) == 1
    rest = only_sets & ~np.isin(np.arange(120), divided)
    after = items_of_stage(bound, values, rest | np.isin(np.arange(120), [30, 31]), divided, 3)
    assert bound.set_of[after[0]] == second[0]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_bank_does_not_matter_to_a_stage(seed):
    order = np.random.default_rng(seed).permutation(120)
    moved = BANK.subset(order.tolist())
    blueprint = blueprint_from_mapping(
        {"method": "shadow_test", "stages": [3, 3], "sets": {"min_items": 2, "max_items": 3}}
    )
    design = ExamDesign(stop=StoppingRules(length=6), blueprint=blueprint)
    step, same = (next_step(SittingState(1), items, design) for items in (BANK, moved))
    assert [BANK.item[row] for row in step.stage] == [moved.item[row] for row in same.stage]


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(0, 60))
def test_places_count_through_the_stages(stages, n):
    place = place_of(stages, n)
    assert (place is None) == (n >= sum(stages))
    if place is not None:
        assert place.first == sum(stages[: place.number - 1]) <= n < place.first + place.size
    assert bool(within(stages, np.array(n))) == (place is not None and n > place.first)


def test_stages_go_through_the_mapping():
    made = blueprint_from_mapping({"method": "shadow_test", "stages": [2, 3]})
    assert made.stages == (2, 3)
    assert blueprint_from_mapping(blueprint_to_mapping(made)) == made


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ({"stages": [5, 5]}, "blueprint.method"),
        ({"stages": [5, 0], "method": "shadow_test"}, "blueprint.stages"),
        ({"stages": [], "method": "shadow_test"}, "blueprint.stages"),
        ({"stages": 10, "method": "shadow_test"}, "blueprint.stages"),
        ({"stages": [2.5], "method": "shadow_test"}, "blueprint.stages"),
    ],
)
def test_stages_that_are_none_are_refused(table, column):
    with pytest.raises(InputError) as refused:
        blueprint_from_mapping(table)
    assert refused.value.column == column


@pytest.mark.parametrize(
    ("stages", "more", "column"),
    [
        ((5, 5), {}, "blueprint.stages"),
        ((6, 6), {"randomesque": 2}, "selection.randomesque"),
        ((6, 6), {"content_shares": (("algebra", 1.0),)}, "selection.content"),
        ((6, 6), {"exposure": TURNED_AWAY}, "exposure.method"),
    ],
)
def test_rules_that_stages_would_undo_are_refused(stages, more, column):
    with pytest.raises(InputError) as refused:
        exam(*stages, **more)
    assert refused.value.column == column
