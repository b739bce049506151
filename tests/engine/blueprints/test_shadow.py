from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.attributes import item_attributes
from engine.blueprints.blueprint import blueprint_from_mapping
from engine.blueprints.constraints import broken, constraints_of
from engine.blueprints.feasibility import check_blueprint, conflict
from engine.blueprints.programs import Limits, solve
from engine.blueprints.shadow import Form, choices, form_problems, shadow_form, whole_program
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

LIMITS = Limits()


def small_bank(seed, n=12):
    rng = np.random.default_rng(seed)
    items = item_parameters(
        [f"i{row}" for row in range(n)],
        "2pl",
        a=rng.uniform(0.5, 2.0, n),
        b=rng.normal(size=n),
        content=rng.choice(["A", "B", "C"], n),
    )
    attributes = item_attributes(
        n,
        stimulus=["s", "s", "s", "t", "t", *[""] * (n - 5)],
        enemies=[*[[]] * 5, ["i7", "i8"], *[[]] * (n - 6)],
        labels={"key": rng.choice(list("AB"), n).tolist()},
        numbers={"words": rng.integers(10, 60, n)},
    )
    return replace(items, attributes=attributes)


SMALL = blueprint_from_mapping(
    {
        "method": "shadow_test",
        "content": {"A": {"minimum": 1, "maximum": 3}, "B": {"maximum": 2}},
        "labels": {"key": {"A": {"minimum": 2, "maximum": 4}}},
        "totals": {"words": {"maximum": 190}},
        "sets": {"min_items": 2, "max_items": 2},
    }
)


def ordered(bound, rows):
    """The rows with each stimulus in one piece."""
    return np.array([sorted(rows, key=lambda row: (bound.set_of[row], row))])


def best_by_brute_force(bound, values, given_rows, length):
    best = -np.inf
    for rows in combinations(range(len(values)), length):
        if set(given_rows) <= set(rows) and not broken(bound, ordered(bound, rows))[0]:
            best = max(best, values[list(rows)].sum())
    return best


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10_000), st.floats(-2, 2))
def test_a_shadow_test_is_as_good_as_brute_force_finds(seed, theta):
    items = small_bank(seed)
    try:
        bound = constraints_of(items, SMALL, 5)
    except InputError:
        return
    values = dispatch.information(np.array([theta]), items)[0]
    expected = best_by_brute_force(bound, values, (), 5)
    form = shadow_form(bound, values, (), np.ones(12, bool), limits=LIMITS)
    if np.isneginf(expected):
        assert form.relaxed
        return
    assert form.status == "optimal"
    assert form.objective == pytest.approx(expected, abs=1e-6)
    assert broken(bound, ordered(bound, form.rows)) == [[]]
    first = int(np.flatnonzero(choices(bound, form, (), np.ones(12, bool)))[0])
    free = np.arange(12) != first
    again = shadow_form(bound, values, (first,), free, limits=LIMITS)
    assert again.objective == pytest.approx(
        best_by_brute_force(bound, values, (first,), 5), abs=1e-6
    )


@settings(deadline=None, max_examples=6)
@given(st.permutations(range(60)), st.floats(-1.5, 1.5))
def test_permuting_the_bank_permutes_the_shadow_test(order, theta):
    items = rich_bank(60, seed=8)
    blueprint = rich_blueprint(
        method="shadow_test",
        content={"algebra": {"minimum": 3, "maximum": 4}},
        totals={"words": {"maximum": 800}},
        labels={},
        enemies=[["i3", "i30"]],
        excluded=["i59"],
    )
    forms = []
    for bank in (items, items.subset(order)):
        values = dispatch.information(np.array([theta]), bank)[0]
        bound = constraints_of(bank, blueprint, 12)
        form = shadow_form(bound, values, (), np.ones(60, bool), limits=LIMITS)
        forms.append({bank.item[row] for row in form.rows})
    assert forms[0] == forms[1]


def test_the_proof_on_the_core_holds_against_the_whole_program():
    """What the core cannot better, all columns together cannot either."""
    items = rich_bank()
    bound = constraints_of(items, rich_blueprint(), 30)
    for theta in (-1.5, 0.0, 0.7):
        values = dispatch.information(np.array([theta]), items)[0]
        program = whole_program(bound)
        gain = np.zeros(len(program.gain))
        gain[: bound.usable.sum()] = values[bound.usable]
        quick = solve(replace(program, gain=gain), LIMITS)
        full = solve(replace(program, gain=gain, always=np.ones(len(gain), bool)), LIMITS)
        assert quick.status == full.status == "optimal"
        assert quick.gain == pytest.approx(full.gain, abs=1e-6)


def test_a_search_without_time_is_stopped_and_the_previous_form_stands_in():
    items = rich_bank()
    bound = constraints_of(items, rich_blueprint(), 30)
    values = dispatch.information(np.zeros(1), items)[0]
    free = np.ones(len(items), bool)
    hurried = Limits(nodes=1, seconds=1e-6)
    assert shadow_form(bound, values, (), free, limits=hurried) is None
    before = shadow_form(bound, values, (), free, limits=LIMITS).rows
    row = before[3]
    free[row] = False
    form = shadow_form(bound, values, (row,), free, limits=hurried, previous=before)
    assert (form.rows, form.status, form.stopped_by) == (before, "previous form", "clock")
    assert np.flatnonzero(choices(bound, form, (row,), free)).tolist() == [
        other for other in before if other != row
    ]


def test_a_blueprint_that_cannot_be_kept_any_more_is_relaxed_in_the_documented_order():
    items = rich_bank()
    bound = constraints_of(items, rich_blueprint(), 30)
    values = dispatch.information(np.zeros(1), items)[0]
    free = np.ones(len(items), bool)
    words = items.attributes.numbers["words"]
    form = shadow_form(bound, values, (), words > 75, limits=LIMITS)
    assert form.relaxed == ("totals words",)
    free[items.areas["algebra"]] = False
    form = shadow_form(bound, values, (), free, limits=LIMITS)
    assert form.relaxed[0] == "content algebra"
    assert set(broken(bound, ordered(bound, form.rows))[0]) == set(form.relaxed)
    form = shadow_form(bound, values, (), np.arange(300) > 280, limits=LIMITS)
    assert {"length", "sets"} < set(form.relaxed)
    assert shadow_form(bound, values, (), np.zeros(300, bool), limits=LIMITS) is None


def test_a_logged_form_is_checked_for_items_constraints_and_objective():
    items = rich_bank()
    bound = constraints_of(items, rich_blueprint(), 30)
    values = dispatch.information(np.zeros(1), items)[0]
    free = np.ones(len(items), bool)
    form = shadow_form(bound, values, (), free, limits=LIMITS)
    assert form_problems(bound, values, (), free, form) == ()
    assert "objective" in form_problems(bound, values * 1.01, (), free, form)[0]
    free[form.rows[4]] = False
    assert "was not free" in form_problems(bound, values, (), free, form)[0]
    worse = Form(form.rows[1:], None, None, "clock")
    assert any("breaks" in text for text in form_problems(bound, values, (), free, worse)) or len(
        worse.rows
    ) != len(form.rows)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"totals": {"words": {"maximum": 100}}}, {"length", "totals words"}),
        (
            {"content": {"algebra": {"minimum": 20}, "data": {"minimum": 15}}},
            {"length", "content algebra", "content data"},
        ),
        ({"labels": {"key": {"*": {"maximum": 7}}}}, {"length", *(f"key {k}" for k in "ABCD")}),
    ],
)
def test_conflicting_constraints_are_named_and_no_others(changes, names):
    items = rich_bank()
    blueprint = rich_blueprint(**changes)
    assert set(conflict(constraints_of(items, blueprint, 30))) == names
    with pytest.raises(InputError, match="a conflict between"):
        check_blueprint(items, blueprint, 30)


def test_a_blueprint_that_can_be_kept_has_no_conflict():
    check_blueprint(rich_bank(), rich_blueprint(), 30)
