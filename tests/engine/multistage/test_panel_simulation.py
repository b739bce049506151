"""Examinees through panels: routed as theory says, measured between a linear form and a CAT."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ability.estimates import estimate
from engine.blueprints.blueprint import Blueprint
from engine.errors import AnswerIsNo, InputError
from engine.items import item_parameters
from engine.models import dispatch
from engine.multistage.assembly import Order, Panels, assemble_panels
from engine.multistage.panel_simulation import panel_design, simulate_panels
from engine.multistage.plans import PanelPlan, Stage
from engine.multistage.routing import RULES, routing
from engine.results.decisions import Level
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate
from engine.simulation.summary import summarise

THREE = ((-1.3,), (0.0,), (1.3,))
PLAN = PanelPlan((Stage(7, ((0.0,),)), Stage(7, THREE), Stage(7, THREE)))


@cache
def bank(n=240, model="2pl"):
    rng = np.random.default_rng(8)
    return item_parameters(
        [f"q{row}" for row in range(n)],
        model,
        a=rng.uniform(1.0, 1.8, n),
        b=rng.uniform(-2.5, 2.5, n) if model != "gpcm" else None,
        thresholds=np.sort(rng.uniform(-2.5, 2.5, (n, 2)), axis=1) if model == "gpcm" else None,
    )


@cache
def panels(n_panels=2, model="2pl"):
    return assemble_panels(bank(model=model), Blueprint(), PLAN, Order(n_panels))


def run(rule="maximum_information", theta=None, model="2pl", seed=3, **rules):
    theta = np.random.default_rng(1).normal(size=2000) if theta is None else theta
    design = panel_design(ExamDesign(**rules), Blueprint(), PLAN)
    routes = routing(bank(model=model), panels(model=model), rule)
    return simulate_panels(bank(model=model), routes, design, theta=theta, seed=seed)


@pytest.mark.parametrize("rule", RULES)
def test_the_able_go_to_hard_modules_and_the_less_able_to_easy_ones(rule):
    theta = np.repeat([-2.0, 0.0, 2.0], 300)
    last = run(rule, theta).modules[:, 2].reshape(3, 300).mean(axis=1)
    assert last[0] < 0.25
    assert 0.5 < last[1] < 1.5
    assert last[2] > 1.75


@pytest.mark.parametrize("model", ["2pl", "gpcm"])
@pytest.mark.parametrize("rule", RULES)
def test_items_estimates_and_routes_are_those_of_one_examinee_by_hand(rule, model):
    found = run(rule, np.linspace(-2, 2, 12), model)
    simulated, made, items = found.simulated, panels(model=model), bank(model=model)
    routes = routing(items, made, rule)
    for person in range(12):
        path = found.modules[person].tolist()
        rows = made.path_rows(int(found.panel[person]), path)
        assert simulated.rows[person].tolist() == rows.tolist()
        scores = simulated.scores[person]
        for n in (1, 7, 14, 21):
            alone = estimate("eap", rows[:n].tolist(), scores[:n].tolist(), items)
            np.testing.assert_allclose(simulated.theta[person, n - 1], alone.theta, atol=1e-9)
            np.testing.assert_allclose(simulated.se[person, n - 1], alone.se, atol=1e-9)
        for stage, n in ((1, 7), (2, 14)):
            theta, total = simulated.theta[person, [n - 1]], scores[:n].sum(keepdims=True)
            panel, taken = int(found.panel[person]), tuple(path[:stage])
            assert routes.next_modules(panel, taken, theta, total)[0] == path[stage]
            assert path[stage] in PLAN.reachable(stage - 1, path[stage - 1])


def test_the_most_informative_module_that_may_come_next_is_taken():
    routes = routing(bank(), panels())
    theta = np.linspace(-3, 3, 61)
    chosen = routes.next_modules(0, (0,), theta, np.zeros(61))
    curves = np.array(
        [dispatch.information(theta, bank())[:, rows].sum(axis=1) for rows in panels().rows[0][1:4]]
    )
    np.testing.assert_allclose(curves[chosen, np.arange(61)], curves.max(axis=0))


def test_cuts_stand_where_information_crosses_and_expected_scores_follow():
    routes = routing(bank(), panels(), "number_correct")
    assert set(routes.cuts) == {(p, t) for p in (0, 1) for t in [(0,), (0, 0), (0, 1), (0, 2)]}
    for (panel, taken), cuts in routes.cuts.items():
        for cut in cuts:
            at, rows = np.array([cut.theta]), panels().rows[panel]
            low, high = (
                dispatch.information(at, bank())[0, rows[PLAN.at(len(taken), place)]].sum()
                for place in cut.modules
            )
            assert low == pytest.approx(high)
            given = panels().path_rows(panel, taken)
            score = dispatch.expected_score(at, bank())[0, given].sum()
            assert cut.score == pytest.approx(score)
        assert [cut.theta for cut in cuts] == sorted(cut.theta for cut in cuts)


def test_routing_by_cuts_is_nearly_routing_by_information():
    by_information, by_cuts = run().modules, run("theta_cuts").modules
    assert (by_information == by_cuts).all(axis=1).mean() > 0.97


def test_precision_lies_between_a_linear_forms_and_an_adaptive_tests():
    theta = np.random.default_rng(5).normal(0.0, 1.3, 3000)
    rmse = {"panels": run(theta=theta).simulated}
    rmse["adaptive"] = simulate(
        bank(), ExamDesign(stop=StoppingRules(length=21)), theta=theta, seed=3
    )
    plan = PanelPlan((Stage(21, ((0.0,),)),))
    linear = assemble_panels(bank(), Blueprint(), plan, Order(2))
    design = panel_design(ExamDesign(), Blueprint(), plan)
    rmse["linear"] = simulate_panels(
        bank(), routing(bank(), linear), design, theta=theta, seed=3
    ).simulated
    found = {name: summarise(record).accuracy for name, record in rmse.items()}
    assert found["adaptive"].rmse < found["panels"].rmse < found["linear"].rmse
    assert found["adaptive"].mean_se < found["panels"].mean_se < found["linear"].mean_se


def test_the_summary_of_panels_says_what_one_of_an_adaptive_test_does():
    levels = (Level("below", 200.0), Level("above", 500.0))
    found = run(levels=levels, final="map")
    summary = summarise(found.simulated)
    assert summary.blueprint_violations == 0
    assert summary.stop_reasons == {"length": 2000}
    assert summary.exposure.sum() == pytest.approx(21)
    assert summary.decisions.simulated is not None
    assert abs(summary.accuracy.bias) < 0.05
    assert 0.93 < summary.accuracy.coverage_95 < 0.97
    routed = panels().rows[0][0]
    assert np.allclose(summary.exposure[routed], 0.5, atol=0.05)
    assert found.simulated.usage.sittings == 2000
    assert np.allclose(found.simulated.usage.given, summary.exposure * 2000)


def test_the_same_seed_gives_the_same_answers_and_blocks_do_not_matter(monkeypatch):
    whole = run()
    monkeypatch.setattr("engine.multistage.panel_simulation.AT_ONCE", 301)
    parts = run()
    for name in ("rows", "scores", "theta", "final_theta", "final_se"):
        np.testing.assert_array_equal(
            getattr(whole.simulated, name), getattr(parts.simulated, name)
        )
    assert not np.array_equal(whole.simulated.scores, run(seed=4).simulated.scores)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_bank_does_not_matter(seed):
    order = np.random.default_rng(seed).permutation(240)
    place = np.argsort(order)
    made = panels()
    moved = Panels(
        PLAN,
        tuple(tuple(place[rows] for rows in panel) for panel in made.rows),
        made.targets,
        made.information,
        made.shared,
    )
    items = bank().subset(order.tolist())
    theta, scores = np.linspace(-3, 3, 41), np.linspace(0, 14, 41)
    for rule in RULES:
        one, two = routing(bank(), made, rule), routing(items, moved, rule)
        for taken in ((0,), (0, 1), (0, 2)):
            np.testing.assert_array_equal(
                one.next_modules(1, taken, theta, scores),
                two.next_modules(1, taken, theta, scores),
            )


def test_modules_without_a_crossing_have_no_cut():
    items = item_parameters(
        [f"q{row}" for row in range(6)], "2pl", a=[1, 1, 1, 1, 3, 3], b=[0.0] * 6
    )
    plan = PanelPlan((Stage(2, ((0.0,),)), Stage(2, ((-1.0,), (1.0,)))))
    rows = (tuple(np.array(pair) for pair in ([0, 1], [2, 3], [4, 5])),)
    twins = Panels(plan, rows, (), (), np.array([[6]]))
    routing(items, twins)
    same = Panels(plan, ((rows[0][0], rows[0][1], rows[0][1]),), (), (), np.array([[6]]))
    with pytest.raises(AnswerIsNo, match="modules 2-1 and 2-2 does not cross"):
        routing(items, same, "theta_cuts")


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="maximum_information, theta_cuts, number_correct"):
        routing(bank(), panels(), "by_lot")
    with pytest.raises(InputError, match="finite"):
        run(theta=np.array([np.nan]))
