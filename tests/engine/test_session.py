import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import mixed_bank, reference, reference_bank

from engine.ability.grids import Grid
from engine.errors import InputError
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, StopReason, final_estimate, next_step, record_response

CATR = {"grid": Grid(-4, 4, 33)}
SHARES = (("A", 0.3712), ("B", 0.3391), ("C", 0.2897))
RUNS = {
    "3pl_mfi_eap": ("3pl", ExamDesign(stop=StoppingRules(length=30), **CATR)),
    "3pl_mfi_bm": ("3pl", ExamDesign(interim="map", stop=StoppingRules(length=30), **CATR)),
    "3pl_mfi_bm_content": (
        "3pl",
        ExamDesign(interim="map", stop=StoppingRules(length=30), content_shares=SHARES, **CATR),
    ),
    "grm_mfi_bm": ("grm", ExamDesign(interim="map", stop=StoppingRules(length=20), **CATR)),
}


def sitting(items, design, answer, seed=1, held=frozenset()):
    """All steps of a sitting in which ``answer(row)`` gives the scores."""
    state, steps = SittingState(seed, held=held), []
    while True:
        steps.append(next_step(state, items, design))
        if steps[-1].next_item is None:
            return state, steps
        row = steps[-1].next_item
        state = record_response(state, row, answer(row))


def given_items(steps):
    return [step.next_item for step in steps[:-1]]


@pytest.mark.parametrize("run", RUNS)
def test_trajectories_equal_catr_item_by_item(run):
    """The content runs start with three items that were set, one of each area.

    All 50 of them; of the others, which the simulator repeats in full, the first ten.
    """
    kind, design = RUNS[run]
    items, given_first = reference_bank(kind), 3 if design.content_shares else 0
    runs = reference("catr_trajectories.json")["runs"][run]
    for expected in runs if design.content_shares else runs[:10]:
        state = SittingState(seed=0)
        for position, number in enumerate(expected["items"]):
            step = next_step(state, items, design)
            if position >= given_first:
                assert step.next_item == number - 1
            state = record_response(state, number - 1, expected["responses"][position])
            now = next_step(state, items, design)
            assert now.estimate.theta == pytest.approx(expected["theta"][position], abs=1e-8)
            assert now.estimate.se == pytest.approx(expected["se"][position], abs=1e-8)
        assert now.stop_reason is StopReason.LENGTH


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**63), st.integers(1, 6), st.sampled_from(["max_information", "random"]))
def test_a_sitting_can_be_replayed_exactly(seed, k, criterion):
    design = ExamDesign(
        criterion=criterion,
        randomesque=k,
        content_shares=(("A", 0.5), ("B", 0.5)),
        stop=StoppingRules(length=8),
    )
    items = mixed_bank()
    state, steps = sitting(items, design, lambda row: row % 2, seed=seed)
    again = SittingState(seed)
    for step, row, score in zip(steps, state.administered, state.scores, strict=False):
        assert next_step(again, items, design) == step
        again = record_response(again, row, score)
    assert next_step(again, items, design) == steps[-1]


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(140)))
def test_permuting_the_bank_permutes_the_choices(order):
    items = mixed_bank()
    design = ExamDesign(stop=StoppingRules(length=6))
    _, steps = sitting(items, design, lambda row: row % 2)
    _, other = sitting(items.subset(order), design, lambda row: order[row] % 2)
    assert [order[row] for row in given_items(other)] == given_items(steps)


def test_no_item_is_given_twice_and_the_bank_can_run_out():
    items = mixed_bank().subset(range(55, 65))
    state, steps = sitting(items, ExamDesign(), lambda _row: 1)
    assert sorted(state.administered) == list(range(10))
    assert steps[-1].stop_reason is StopReason.BANK_EXHAUSTED


def test_held_items_are_not_given():
    design = ExamDesign(stop=StoppingRules(length=5))
    free, _ = sitting(reference_bank("3pl"), design, lambda _row: 1)
    held = frozenset(free.administered)
    state, steps = sitting(reference_bank("3pl"), design, lambda _row: 1, held=held)
    assert not held & set(state.administered)
    assert steps[0].trace["held"] == sorted(held)


def test_a_held_row_that_the_bank_lacks_is_refused():
    for held in ({300}, {-1}):
        with pytest.raises(InputError, match="held rows from 0 to 299"):
            next_step(SittingState(1, held=frozenset(held)), reference_bank("3pl"), ExamDesign())


def test_exactly_one_of_next_item_and_stop_reason_is_given():
    design = ExamDesign(stop=StoppingRules(se=0.5, max_items=20))
    _, steps = sitting(mixed_bank(), design, lambda _row: 0)
    assert all((step.next_item is None) != (step.stop_reason is None) for step in steps)


def test_the_first_item_is_the_most_informative_at_the_starting_theta():
    items = mixed_bank()
    step = next_step(SittingState(1), items, ExamDesign(start_theta=1.5, prior_sd=0.7))
    assert (step.estimate.theta, step.estimate.se) == (1.5, 0.7)
    assert step.trace["estimator"] == "start"
    assert step.trace["best"][0]["row"] == step.next_item


def test_randomesque_draws_among_the_best_and_says_from_which():
    items = reference_bank("3pl")
    design = ExamDesign(randomesque=5)
    drawn = {next_step(SittingState(seed), items, design).next_item for seed in range(100)}
    trace = next_step(SittingState(0), items, design).trace
    assert drawn == set(trace["drawn_from"])
    assert len(drawn) == 5
    assert trace["drawn_from"] == [row["row"] for row in trace["best"]]


def test_the_needed_content_area_binds_and_is_named():
    design = ExamDesign(content_shares=(("B", 0.6), ("D", 0.4)), stop=StoppingRules(length=10))
    items = mixed_bank()
    state, steps = sitting(items, design, lambda _row: 1)
    areas = [items.content[row] for row in state.administered]
    assert areas.count("B") == 6
    assert areas.count("D") == 4
    assert [step.trace["area"] for step in steps[:-1]] == areas


def test_an_area_that_ran_out_is_named_and_the_next_one_serves():
    items = mixed_bank().subset([0, 1, 5, 9, 13, 17])
    design = ExamDesign(content_shares=(("A", 0.5), ("B", 0.5)), stop=StoppingRules(length=5))
    state, steps = sitting(items, design, lambda _row: 1)
    assert [items.content[row] for row in state.administered].count("B") == 4
    assert any(step.trace["areas_without_items"] == ["A"] for step in steps[:-1])


def test_stopping_rules_stop_with_their_names():
    items = reference_bank("3pl")
    for rules, reason in (
        (StoppingRules(se=0.4), StopReason.SE),
        (StoppingRules(information=5.0), StopReason.INFORMATION),
        (StoppingRules(best_information=0.3), StopReason.BEST_INFORMATION),
        (StoppingRules(se=0.01, max_items=12), StopReason.MAX_ITEMS),
    ):
        _, steps = sitting(items, ExamDesign(stop=rules), lambda row: row % 3 > 0)
        assert steps[-1].stop_reason is reason


def test_the_trace_is_json_even_where_the_standard_error_is_infinite():
    items = mixed_bank()
    for interim in ("eap", "map", "mle", "wle"):
        design = ExamDesign(interim=interim, stop=StoppingRules(length=4))
        _, steps = sitting(items, design, lambda _row: 1)
        for step in steps:
            json.dumps(step.trace, allow_nan=False)


def test_interim_and_final_estimators_are_separate():
    items = mixed_bank()
    design = ExamDesign(interim="eap", final="mle", stop=StoppingRules(length=6))
    state, steps = sitting(items, design, lambda row: row % 2)
    assert final_estimate(state, items, design) != steps[-1].estimate
    same = final_estimate(state, items, ExamDesign(stop=StoppingRules(length=6)))
    assert same == steps[-1].estimate


@pytest.mark.parametrize(
    ("row", "score", "message"),
    [(3, 1, "not answered yet"), (4, -1, "from 0"), (-1, 0, "from 0")],
)
def test_impossible_responses_are_refused(row, score, message):
    state = record_response(SittingState(1), 3, 0)
    with pytest.raises(InputError, match=message):
        record_response(state, row, score)


def test_a_score_that_the_item_lacks_is_refused_at_the_next_step():
    state = record_response(SittingState(1), 3, 2)
    with pytest.raises(InputError, match="item m003: expected a score from 0 to 1"):
        next_step(state, mixed_bank(), ExamDesign())
