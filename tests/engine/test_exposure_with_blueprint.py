"""Exposure control beside a blueprint: limits narrow what a test is made of, and yield to it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint
from support.stepwise import assert_agree, sitting_of

from engine.blueprints.constraints import broken, constraints_of
from engine.exposure.rules import WEIGHING, ExposureRules
from engine.exposure.usage import Usage, logged_usage, no_usage
from engine.rules.designs import ExamDesign
from engine.rules.states import carried
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step
from engine.simulation.run import Surroundings, simulate

TWELVE = StoppingRules(length=12)
STRATA = (-0.5, 0.5)
N_ITEMS = 150


def blueprint(method):
    return rich_blueprint(
        method=method,
        content={"algebra": {"minimum": 3, "maximum": 4}, "data": {"minimum": 2, "maximum": 4}},
        labels={"key": {"*": {"minimum": 1, "maximum": 5}}},
        totals={"words": {"maximum": 850}},
        enemies=[["i20", "i40", "i60"]],
        excluded=["i119"],
    )


def some_k(n_strata):
    chances = np.random.default_rng(3).uniform(0.1, 1.0, (N_ITEMS, n_strata))
    return tuple((f"i{row}", tuple(one)) for row, one in enumerate(chances.tolist()))


RULES = {
    "ceiling": ExposureRules(ceiling=0.2),
    "ceiling that must yield": ExposureRules(ceiling=0.01),
    "sympson-hetter": ExposureRules("sympson_hetter", k=some_k(1)),
    "sympson-hetter by strata": ExposureRules("sympson_hetter", strata=STRATA, k=some_k(3)),
    "eligibility": ExposureRules("eligibility", max_rate=0.15),
    "eligibility by strata": ExposureRules(
        "eligibility", max_rate=0.15, strata=STRATA, ceiling=0.4
    ),
    "progressive": ExposureRules("progressive"),
    "priced": ExposureRules("priced", prices=tuple((f"i{row}", (0.3,)) for row in range(50))),
    "proportional and restricted": ExposureRules("proportional", ceiling=0.3),
}
METHODS = ("masks", "priority_index", "shadow_test")


def around(rules, n):
    """Counters as after 60 sittings, and a third of the items given to each person before."""
    rng, shape = np.random.default_rng(4), (rules.n_strata, N_ITEMS)
    usage = Usage(
        sittings=60,
        given=rng.integers(0, 20, N_ITEMS),
        visits=np.full(rules.n_strata, 60),
        feasible=60 - np.arange(rules.n_strata),
        taken=rng.integers(0, 30, shape),
        eligible=rng.integers(20, 61, shape),
        open=rng.integers(40, 61, N_ITEMS),
        knowledge=np.zeros((N_ITEMS, 2, 2)),
    )
    return Surroundings(usage=usage, excluded=rng.random((n, N_ITEMS)) < 0.3)


def simulated(method, rules, n, **more):
    items = rich_bank(N_ITEMS)
    design = ExamDesign(stop=TWELVE, blueprint=blueprint(method), exposure=rules, **more)
    surroundings = around(rules, n)
    theta = np.random.default_rng(6).normal(scale=1.2, size=n)
    found = simulate(items, design, theta=theta, seed=21, surroundings=surroundings)
    return found, design, items, surroundings


@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method)
        for name, rules in RULES.items()
        for method in METHODS
        if not (rules.method in WEIGHING and method == "priority_index")
    ],
)
def test_session_and_simulation_choose_alike(name, method):
    found, design, items, surroundings = simulated(method, RULES[name], 3, randomesque=2)
    assert_agree(found, design, items, surroundings)
    assert not any(broken(constraints_of(items, design.blueprint, 12), found.rows))
    assert (found.yielded.sum() > 0) == (name == "ceiling that must yield")


@pytest.mark.parametrize("method", ["masks", "shadow_test"])
def test_shares_steer_within_blueprint_and_limits(method):
    shares = (("algebra", 0.3), ("geometry", 0.25), ("numbers", 0.25), ("data", 0.2))
    found, design, items, surroundings = simulated(
        method, RULES["sympson-hetter by strata"], 2, content_shares=shares
    )
    assert_agree(found, design, items, surroundings)


@pytest.mark.parametrize("name", RULES)
def test_a_sitting_replays_from_its_traces_alone(name):
    found, design, items, surroundings = simulated("shadow_test", RULES[name], 1)
    states, steps = sitting_of(found, 0, design, items, surroundings)
    before = None
    for state, step in zip(states, steps, strict=True):
        trace = json.loads(json.dumps(step.trace, allow_nan=False))
        handed = carried(before or {})
        again = SittingState(
            state.seed,
            state.administered,
            state.scores,
            excluded=frozenset(trace.get("excluded", ())),
            rejected=state.rejected,
            form=handed["form"],
            usage=logged_usage(trace, len(items), design.exposure.n_strata),
        )
        replayed = next_step(again, items, design)
        assert (replayed.next_item, replayed.stop_reason) == (step.next_item, step.stop_reason)
        assert replayed.trace["events"] == trace["events"]
        before = trace


def full(rows):
    given = np.zeros(N_ITEMS, dtype=np.int64)
    given[list(rows)] = 10
    return replace(no_usage(N_ITEMS), sittings=10, given=given)


@pytest.mark.parametrize("method", METHODS)
def test_a_form_is_made_of_items_within_the_limits(method):
    """Without its limits it would begin with the best items, which are full or given before."""
    items = rich_bank(N_ITEMS)
    plain = ExamDesign(stop=TWELVE, blueprint=blueprint("shadow_test"))
    best = next_step(SittingState(1), items, plain).form
    design = replace(plain, blueprint=blueprint(method), exposure=ExposureRules(ceiling=0.9))
    state = SittingState(1, usage=full(best[:6]), excluded=frozenset(best[6:]))
    step = next_step(state, items, design)
    assert step.next_item not in best
    assert step.trace["events"] == []
    assert not set(step.form) & set(best)


@pytest.mark.parametrize("method", METHODS)
def test_a_limit_yields_to_the_blueprint_and_no_other_limit_does(method):
    """All items of algebra are full: the ceiling yields, items of earlier sittings still do not."""
    items = rich_bank(N_ITEMS)
    algebra = np.flatnonzero(items.areas["algebra"])
    design = ExamDesign(
        stop=TWELVE, blueprint=blueprint(method), exposure=ExposureRules(ceiling=0.9)
    )
    early = frozenset(np.flatnonzero(items.areas["geometry"])[:20].tolist())
    state = SittingState(1, usage=full(algebra), excluded=early)
    given, events = [], []
    while (step := next_step(state, items, design)).next_item is not None:
        given.append(step.next_item)
        events += step.trace["events"]
        state = replace(
            state,
            administered=tuple(given),
            scores=tuple(k % 2 for k in range(len(given))),
            **carried(step.trace),
        )
    assert set(events) == {"ceiling_yielded"}
    assert not early & set(given)
    assert not broken(constraints_of(items, design.blueprint, 12), np.array([given]))[0]
    assert sum(items.areas["algebra"][given]) == 3


@pytest.mark.parametrize("method", METHODS)
def test_where_the_blueprint_gives_way_the_limits_choose_within_the_form(method):
    items = rich_bank(N_ITEMS)
    algebra = frozenset(np.flatnonzero(items.areas["algebra"]).tolist())
    design = ExamDesign(
        stop=TWELVE, blueprint=blueprint(method), exposure=ExposureRules(ceiling=0.9)
    )
    open_ = next_step(SittingState(1, held=algebra, usage=no_usage(N_ITEMS)), items, design)
    state = SittingState(1, held=algebra, usage=full(sorted(open_.form)[:6]))
    step = next_step(state, items, design)
    assert step.trace["events"] == ["blueprint_relaxed"]
    assert step.next_item in sorted(open_.form)[6:]
